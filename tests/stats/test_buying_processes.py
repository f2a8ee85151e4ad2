"""BG/NBD and Gamma-Gamma against the published CDNOW estimates and the package lifetimes."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from kpibook.stats import buying_processes, spend_per_purchase
from kpibook.stats.buying_processes import BuyingProcess, Histories
from kpibook.stats.spend_per_purchase import SpendPerPurchase

PUBLISHED = BuyingProcess(0.243, 4.414, 0.793, 2.426)


def _datasets() -> Path:
    """The package's files, read without importing it."""
    spec = find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets"


DATASETS = _datasets()


@pytest.fixture(scope="module")
def summary() -> pd.DataFrame:
    """The tenth of CDNOW that Fader, Hardie & Lee fitted, in weeks, with the mean of the repeat purchases."""
    found = pd.read_csv(DATASETS / "cdnow_customers_summary_with_transactions.csv")
    return found.set_axis(["customer_id", "frequency", "recency", "T", "monetary_value"], axis=1)


@pytest.fixture(scope="module")
def cdnow(summary: pd.DataFrame) -> Histories:
    return Histories.of(summary["frequency"], summary["recency"], summary["T"])


def test_cdnow_gives_the_published_parameters(cdnow: Histories) -> None:
    """Fader, Hardie & Lee 2005, table 1: r 0.243, alpha 4.414, a 0.793, b 2.426, log likelihood -9582.4."""
    process, best = buying_processes.fit(cdnow)
    assert (process.r, process.alpha, process.a, process.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=5e-4)
    assert best.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert best.found
    assert best.log_likelihood == pytest.approx(process.log_likelihood(cdnow).sum(), rel=1e-12)


def test_days_give_the_same_process_as_weeks(cdnow: Histories) -> None:
    weeks, _ = buying_processes.fit(cdnow)
    days, _ = buying_processes.fit(Histories(cdnow.x, cdnow.t_x * 7, cdnow.t * 7))
    assert (days.r, days.alpha, days.a, days.b) == pytest.approx((weeks.r, weeks.alpha * 7, weeks.a, weeks.b), rel=1e-5)


@pytest.mark.filterwarnings("ignore")  # those of the other package
def test_against_lifetimes(cdnow: Histories) -> None:
    from lifetimes import BetaGeoFitter

    fitter = BetaGeoFitter()
    fitter.fit(cdnow.x, cdnow.t_x, cdnow.t)
    process, _ = buying_processes.fit(cdnow)
    assert (process.r, process.alpha, process.a, process.b) == pytest.approx(tuple(fitter.params_), rel=1e-5)
    theirs = BuyingProcess(*fitter.params_)
    expected = fitter.conditional_expected_number_of_purchases_up_to_time(39, cdnow.x, cdnow.t_x, cdnow.t)
    np.testing.assert_allclose(theirs.expected(cdnow, 39), expected, rtol=1e-9)
    alive = fitter.conditional_probability_alive(cdnow.x, cdnow.t_x, cdnow.t)
    np.testing.assert_allclose(theirs.alive(cdnow), alive, rtol=1e-9)


def test_the_published_example() -> None:
    """Fader, Hardie & Lee 2005: x = 2, t_x = 30.43, T = 38.86 weeks: 1.226 purchases in the next 39 weeks."""
    someone = Histories.of([2], [30.43], [38.86])
    assert PUBLISHED.expected(someone, 39)[0] == pytest.approx(1.226, abs=1e-3)


def test_the_holdout_of_cdnow(cdnow: Histories) -> None:
    """39 weeks on: the 2,357 persons of the sample bought on 1,882 days, counted from the package's own file; the model
    expects 12 % less, so that it would not pass the 10 % that clv asks for.
    """
    orders = pd.read_csv(DATASETS / "CDNOW_sample.txt", sep=r"\s+", header=None, names=["old", "id", "day", "n", "usd"])
    held = orders[orders["day"] > 19970930].drop_duplicates(["id", "day"])
    assert (orders["id"].nunique(), len(held)) == (2357, 1882)
    process, _ = buying_processes.fit(cdnow)
    assert process.expected(cdnow, 39).sum() / len(held) == pytest.approx(0.88, abs=0.005)


def test_who_never_came_back() -> None:
    """Nobody can leave before the first repeat purchase, so x = 0 has the chance (alpha / (alpha + T)) ** r."""
    nobody = Histories.of([0], [0], [10])
    assert np.exp(PUBLISHED.log_likelihood(nobody))[0] == pytest.approx((4.414 / 14.414) ** 0.243, rel=1e-12)


def test_a_purchase_has_the_chance_that_the_density_says() -> None:
    """P(x = 1) of alike persons (rate 0.1 a day, chance to leave 0.2, 10 days): lambda T e^(-lambda T) stays alive with
    0.8; gone after the first purchase with 0.2 (1 - e^(-lambda T)): 0.8 * 0.3679 + 0.2 * 0.6321 = 0.4207.
    """
    alike = BuyingProcess(1e7, 1e8, 2e6, 8e6)

    def density(t_x: float) -> float:
        return float(np.exp(alike.log_likelihood(Histories.of([1], [t_x], [10])))[0])

    found, _ = integrate.quad(density, 0, 10)
    expected = 0.8 * np.exp(-1) + 0.2 * (1 - np.exp(-1))
    assert found == pytest.approx(expected, rel=1e-4)


def test_expectations_are_what_simulated_persons_do() -> None:
    """20,000 simulated persons, 300 days seen, 200 ahead: the model with their true parameters expects within 2 %."""
    true, rng, persons = BuyingProcess(0.9, 20.0, 0.6, 4.0), np.random.default_rng(3), 20_000
    rate, leaves = rng.gamma(true.r, 1 / true.alpha, persons), rng.beta(true.a, true.b, persons)
    x, t_x, later = (np.zeros(persons) for _ in range(3))
    now, alive = np.zeros(persons), np.ones(persons, dtype=bool)
    while alive.any():
        now = now + rng.exponential(1 / rate)
        alive &= now < 500
        seen = alive & (now < 300)
        x, t_x, later = x + seen, np.where(seen, now, t_x), later + (alive & (now >= 300))
        alive &= rng.random(persons) >= leaves
    people = Histories.of(x, t_x, np.full(persons, 300.0))
    assert true.expected(people, 200).sum() == pytest.approx(later.sum(), rel=0.02)
    fitted, best = buying_processes.fit(people)
    assert best.found
    errors = np.abs(best.parameters - np.array([true.r, true.alpha, true.a, true.b]))
    standard_errors = best.parameters * np.sqrt((best.influence**2).sum(axis=0))
    assert np.all(errors < 3 * standard_errors)
    assert fitted.expected(people, 200).sum() == pytest.approx(later.sum(), rel=0.02)


def test_nothing_is_expected_of_no_time() -> None:
    assert PUBLISHED.expected(Histories.of([1, 0], [2, 0], [5, 5]), 0).tolist() == [0, 0]


def test_histories_that_cannot_be() -> None:
    with pytest.raises(ValueError, match=r"^histories need x >= 0 and 0 <= t_x <= t$"):
        Histories.of([1], [6], [5])
    assert len(Histories.of([1, 2], [1, 2], [5, 5]).part(np.array([True, False]))) == 1


def test_a_process_needs_a_repeat_purchase() -> None:
    with pytest.raises(ValueError, match=r"^no repeat purchase to fit a buying process to$"):
        buying_processes.fit(Histories.of([0, 0], [0, 0], [5, 6]))


@pytest.mark.filterwarnings("ignore")  # those of the other package
def test_spend_of_cdnow_as_published(summary: pd.DataFrame) -> None:
    """Fader & Hardie 2013: p 6.25, q 3.74, gamma 15.44; and the package lifetimes, to 1e-4."""
    from lifetimes import GammaGammaFitter

    paid = summary[summary["frequency"] > 0]
    model, best = spend_per_purchase.fit(paid["frequency"], paid["monetary_value"])
    assert (model.p, model.q, model.v) == pytest.approx((6.25, 3.74, 15.44), abs=0.01)
    theirs = GammaGammaFitter()
    theirs.fit(paid["frequency"], paid["monetary_value"])
    assert (model.p, model.q, model.v) == pytest.approx(tuple(theirs.params_), rel=1e-3)
    same = SpendPerPurchase(*theirs.params_)
    expected = theirs.conditional_expected_average_profit(paid["frequency"], paid["monetary_value"])
    np.testing.assert_allclose(same.expected(*_columns(paid)), expected, rtol=1e-9)
    assert best.log_likelihood == pytest.approx(model.log_likelihood(*_columns(paid)).sum(), rel=1e-9)


def _columns(paid: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    return paid["frequency"].to_numpy(dtype=float), paid["monetary_value"].to_numpy(dtype=float)


def test_who_never_bought_is_expected_to_spend_the_mean_of_all() -> None:
    """p v / (q - 1) = 2 * 6 / (4 - 1) = 4; with 3 purchases of 10: (2 * 6 + 6 * 10) / (6 + 3) = 8."""
    model = SpendPerPurchase(2.0, 4.0, 6.0)
    assert model.expected(np.array([0.0, 3.0]), np.array([0.0, 10.0])).tolist() == pytest.approx([4.0, 8.0])


def test_the_chance_to_exceed_a_limit_is_that_of_simulated_purchases() -> None:
    """A person with 3 purchases of 30 in all: scale ~ gamma(q + 3p, 1 / (v + 30)); sums of 1 and 4 purchases."""
    model, rng = SpendPerPurchase(2.0, 4.0, 6.0), np.random.default_rng(5)
    scale = rng.gamma(4.0 + 6.0, 1 / 36, 400_000)
    for ahead in (1, 4):
        simulated = (rng.gamma(2.0 * ahead, 1 / scale) > 25).mean()
        found = model.exceeds(25.0, np.array([ahead]), 3.0, np.array([30.0]))[0]
        assert found == pytest.approx(simulated, abs=4 * (simulated * (1 - simulated) / 400_000) ** 0.5)


def test_one_purchase_is_pareto_like() -> None:
    """p = 1: P(sum > c) = (k / (k + c)) ** (q + x), the Lomax survival of scipy."""
    model = SpendPerPurchase(1.0, 3.0, 5.0)
    found = model.exceeds(7.0, np.array([1]), 2.0, np.array([4.0]))[0]
    assert found == pytest.approx(stats.lomax.sf(7.0, 5.0, scale=9.0), rel=1e-12)


@pytest.mark.parametrize(("purchases", "means"), [([], []), ([0, 2], [1, 1]), ([1, 2], [1, 0])])
def test_spend_needs_positive_purchases(purchases: list[float], means: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^spend per purchase needs persons with purchases of positive amounts$"):
        spend_per_purchase.fit(purchases, means)


def test_persons_who_do_not_differ_are_found_on_the_ridge() -> None:
    """Means of 4 purchases each, all from one gamma distribution: q runs off, the expectation stays the mean."""
    rng = np.random.default_rng(1)
    means = rng.gamma(8.0, 1.0, 3000)
    model, best = spend_per_purchase.fit(np.full(3000, 4.0), means)
    assert best.found
    assert model.expected(np.zeros(1), np.zeros(1))[0] == pytest.approx(means.mean(), rel=0.01)
    assert np.all(np.isfinite(best.influence))
