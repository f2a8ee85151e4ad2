"""Customer lifetime value: against the package lifetimes, and what it refuses."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from loyalty_kpis.customer_value import _Model, _worth, clv

MONTH = 365 / 12


def histories(persons: int = 800, seed: int = 4, growth: float = 1.0, shift: float = 0.0) -> pd.DataFrame:
    """Two years of BG/NBD customers; the second year is the holdout. ``growth`` multiplies its purchases' margin,
    ``shift`` ties each person's margin to their rate of buying.
    """
    rng = np.random.default_rng(seed)
    rate, leaves = rng.gamma(1.2, 1 / 40, persons), rng.beta(0.8, 9.0, persons)
    mean = rng.gamma(6, 1 / 60, persons) ** -1 * (1 + shift * rate / rate.mean())
    came, rows = rng.integers(0, 500, persons), []
    for i in range(persons):
        days, day = [], float(came[i])
        while day < 730:
            days.append(int(day))
            if rng.random() < leaves[i]:
                break
            day += max(1.0, rng.exponential(1 / rate[i]))
        rows.append(_row(f"p{i:04d}", np.array(days), rng.gamma(4, mean[i] / 4, len(days)), growth))
    return pd.DataFrame(rows)


def _row(name: str, days: np.ndarray, margins: np.ndarray, growth: float) -> dict:
    margins = np.where(days < 365, margins, margins * growth)
    known, repeat, early = days[0] < 365, days > days[0], days < 365
    return {
        "customer_id": name,
        "x": repeat.sum(),
        "t_x": days[-1] - days[0],
        "t": 729 - days[0],
        "margin": margins[repeat].sum(),
        "x_early": (repeat & early).sum(),
        "t_x_early": days[early][-1] - days[0] if known else np.nan,
        "t_early": 364 - days[0],
        "margin_early": margins[repeat & early].sum(),
        "bought_held": (~early).sum() if known else 0,
        "margin_held": margins[~early].sum() if known else 0.0,
        "holdout_days": 365,
        "silent_days": 730 - days[-1],
    }


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    return histories()


@pytest.fixture(scope="module")
def value(people: pd.DataFrame) -> float:
    return clv(people).value


@pytest.mark.filterwarnings("ignore")  # those of the other package
def test_against_lifetimes(people: pd.DataFrame) -> None:
    """Time in months, so that lifetimes steps as we do; mean over who bought in the last year, margin of the repeat
    purchases; 36 months at 10 % a year.
    """
    from lifetimes import BetaGeoFitter, GammaGammaFitter

    x, t_x, t = people["x"], people["t_x"] / MONTH, people["t"] / MONTH
    mean = (people["margin"] / people["x"]).where(people["x"] > 0, 0.0)
    buying, margin = BetaGeoFitter(), GammaGammaFitter()
    buying.fit(x, t_x, t)
    margin.fit(x[x > 0], mean[x > 0])
    active = people["silent_days"] <= 365
    worth = margin.customer_lifetime_value(
        buying, x[active], t_x[active], t[active], mean[active], time=36, discount_rate=1.1 ** (1 / 12) - 1, freq="M"
    )
    found = clv(people)
    assert (found.status, found.persons) == ("ok", active.sum())
    assert found.value == pytest.approx(worth.mean(), rel=2e-3)
    assert found.low < found.value < found.high
    assert found.numerator == pytest.approx(found.value * active.sum())


def test_the_holdout_is_expected_without_knowing_it(people: pd.DataFrame) -> None:
    found = clv(people).parts["variant"]
    for name, came in (("holdout_purchases", "bought_held"), ("holdout_margin", "margin_held")):
        assert found[name].denominator == pytest.approx(people[came].sum())
        assert found[name].value == pytest.approx(1, abs=0.10)
    again = people["x"] > 0
    r = np.corrcoef(people["x"][again], (people["margin"] / people["x"])[again])[0, 1]
    assert found["correlation"].value == pytest.approx(r)


def test_a_model_that_misses_the_holdout_states_no_value() -> None:
    """Margins half as high again as the model could know."""
    found = clv(histories(growth=1.5))
    assert (found.value, found.status) == (None, "undefined")
    times = found.parts["variant"]["holdout_margin"].value
    assert times < 0.9
    assert json.loads(found.reason) == {
        "text": "The model fails its test: {name} is {times}, outside 0.9 to 1.1.",
        "name": "holdout_margin",
        "times": round(times, 3),
    }


def test_frequency_and_margin_must_be_independent() -> None:
    found = clv(histories(shift=3.0))
    assert (found.value, found.status) == (None, "undefined")
    value = found.parts["variant"]["correlation"].value
    assert value >= 0.3
    text = "Frequency and margin are correlated ({value}), Gamma-Gamma needs less than 0.3."
    assert json.loads(found.reason) == {"text": text, "value": round(value, 2)}


def test_too_few_customers(people: pd.DataFrame) -> None:
    """Below 500 active customers a value is shown as uncertain; without a repeat purchase there is no model."""
    some = people.assign(silent_days=people["silent_days"].where(people.index < 400, 9999))
    found = clv(some)
    assert (found.status, json.loads(found.reason)["minimum"]) == ("low_n", 500)
    assert found.value > 0
    once = people.assign(x=0, margin=0.0)
    found = clv(once)
    assert json.loads(found.reason) == {"text": "Too few persons bought again to fit a model to."}


def test_settings(people: pd.DataFrame, value: float) -> None:
    """At 50 % a year the future is worth much less; nobody active, nobody's worth."""
    assert clv(people, yearly_discount=0.5).value < 0.8 * value
    assert clv(people, active_days=-1).status == "undefined"


def test_the_interval_is_that_of_refits() -> None:
    """The mean over 12 samples of redrawn persons, models fitted anew."""
    people, rng = histories(500, seed=9), np.random.default_rng(1)
    found, means = _worth(_model(people), people["silent_days"].to_numpy() <= 365, 0.1, {}), []
    for _ in range(12):
        own = people.iloc[rng.integers(0, len(people), len(people))]
        means.append(_model(own).worth(own["silent_days"].to_numpy() <= 365, 0.1).mean())
    assert (found.high - found.low) / 3.92 == pytest.approx(np.std(means), rel=0.5)


def _model(people: pd.DataFrame) -> _Model:
    return _Model.fitted(people, ("x", "t_x", "t", "margin"))
