"""Repeat buying: the negative binomial model against scipy and simulated persons."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kpibook.stats import repeat_buying
from kpibook.stats.repeat_buying import RepeatBuying, chance_to_exceed
from kpibook.stats.spend_per_purchase import SpendPerPurchase


def test_the_likelihood_is_scipys_without_the_zeros() -> None:
    """alpha 3 is a chance of 3/4: NB(2, 3/4) of 1, 2 and 5, each divided by 1 - (3/4)²."""
    found = RepeatBuying(2.0, 3.0).log_likelihood(np.array([1.0, 2.0, 5.0]))
    expected = stats.nbinom.logpmf([1, 2, 5], 2, 0.75) - np.log(1 - 0.75**2)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_who_bought_once_is_expected_to_buy_more() -> None:
    """r 0.5, alpha 0.25: (0.5 + 1) / 1.25 = 1.2 for one purchase, (0.5 + 10) / 1.25 = 8.4 for ten; half a year: 0.6."""
    model = RepeatBuying(0.5, 0.25)
    assert model.expected([1, 10]).tolist() == pytest.approx([1.2, 8.4])
    assert model.expected([1], ahead=0.5).tolist() == pytest.approx([0.6])
    chances = model.chances(1)
    assert chances @ np.arange(len(chances)) == pytest.approx(1.2, rel=1e-6)
    np.testing.assert_allclose(chances[:6], stats.nbinom.pmf(np.arange(6), 1.5, 1.25 / 2.25), rtol=1e-12)


def test_kept_purchases_by_hand() -> None:
    """Of one purchase at most one is kept: 1 - P(0) = 1 - (1.25 / 2.25) ** 1.5; of two, P(1) + 2 P(2 or more)."""
    model, p = RepeatBuying(0.5, 0.25), 1.25 / 2.25
    none, one = stats.nbinom.pmf([0, 1], 2.5, p)
    found = model.at_most([1, 2, 1])
    assert found.tolist() == pytest.approx([1 - p**1.5, one + 2 * (1 - none - one), 1 - p**1.5], rel=1e-8)


def test_the_truth_is_found_again() -> None:
    """20,000 persons with r 0.8 and alpha 0.3, those without a purchase unseen; and their next year."""
    rng = np.random.default_rng(7)
    rates = rng.gamma(0.8, 1 / 0.3, 20_000)
    this, following = rng.poisson(rates), rng.poisson(rates)
    seen = this > 0
    model, best = repeat_buying.fit(this[seen])
    assert best.found
    standard_errors = best.parameters * np.sqrt((best.influence**2).sum(axis=0))
    assert np.all(np.abs(best.parameters - [0.8, 0.3]) < 3 * standard_errors)
    for count in (1, 2, 5):
        own = this == count
        error = following[own].std() / own.sum() ** 0.5
        assert model.expected([count])[0] == pytest.approx(following[own].mean(), abs=4 * error)
    kept = np.minimum(this, following)[seen]
    assert model.at_most(this[seen]).mean() == pytest.approx(kept.mean(), rel=0.02)


def test_influence_is_what_refits_give() -> None:
    """The expectation of next year's purchases of the once-buyers, over 60 refits to redrawn persons."""
    rng = np.random.default_rng(11)
    counts = rng.poisson(rng.gamma(0.8, 1 / 0.3, 1500))
    counts = counts[counts > 0]
    _, best = repeat_buying.fit(counts)
    assert len(best.influence) == len(counts)
    refits = [repeat_buying.fit(rng.choice(counts, len(counts)))[1].log_parameters for _ in range(60)]
    spread = (best.influence**2).sum(axis=0) ** 0.5
    np.testing.assert_allclose(spread, np.std(refits, axis=0), rtol=0.3)


def test_the_chance_to_exceed_is_that_of_simulated_persons() -> None:
    """40,000 persons with their own rate and scale of spend who do not change: of those who spent up to 20 in one year,
    as many spend more in the next as the model says.
    """
    rng, persons = np.random.default_rng(13), 40_000
    rates, scales = rng.gamma(1.2, 1 / 0.4, persons), rng.gamma(4.0, 1 / 30.0, persons)
    this, following = rng.poisson(rates), rng.poisson(rates)
    spend, next_spend = (rng.gamma(2.0 * np.maximum(n, 1e-9)) / scales * (n > 0) for n in (this, following))
    low = (this > 0) & (spend <= 20)
    found = chance_to_exceed(20.0, this[low], spend[low], RepeatBuying(1.2, 0.4), SpendPerPurchase(2.0, 4.0, 30.0))
    rose = (next_spend[low] > 20).mean()
    assert found.mean() == pytest.approx(rose, abs=4 * (rose * (1 - rose) / low.sum()) ** 0.5)


@pytest.mark.parametrize("counts", [[], [1, 1], [0, 2]])
def test_repeat_buying_needs_repeats(counts: list[int]) -> None:
    with pytest.raises(ValueError, match=r"^repeat buying needs counts of at least 1, one of them above it$"):
        repeat_buying.fit(counts)
