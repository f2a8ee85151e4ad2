"""Treatment minus control: published examples, scipy, and cases worked by hand."""

from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest
from scipy import stats

from kpibook.stats import experiments
from kpibook.stats.intervals import Interval, student

RNG = np.random.default_rng(7)


def _two_arms(n: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    treated = np.arange(n) < n // 3
    return RNG.normal(treated + 0.0, 1 + treated), treated, np.ones(n), np.zeros(n, dtype=np.int64)


def test_newcombes_published_example() -> None:
    """Newcombe 1998, table II, contrast (a): 56 of 70 and 48 of 80, method 10: 0.2 (0.0524 to 0.3339)."""
    answered = np.repeat([1.0, 0.0, 1.0, 0.0], [56, 14, 48, 32])
    treated = np.arange(150) < 70
    value, interval, p = experiments.share_difference(answered, treated, np.ones(150))
    assert value == pytest.approx(0.2)
    assert interval == pytest.approx((0.0524, 0.3339), abs=5e-5)
    table = [[56, 14], [48, 32]]
    assert p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)


def test_nothing_varies() -> None:
    assert experiments.score_p((0, 10), (0, 20)) == 1.0
    assert experiments.score_p((10, 10), (20, 20)) == 1.0


def test_difference_of_means_is_welchs() -> None:
    values, treated, weight, stratum = _two_arms()
    made = experiments.contrast(values, treated, weight, stratum)
    error = experiments.clustered_error(made.influence, np.arange(len(values)))
    degrees = experiments.freedom(made.influence, treated, stratum)
    found = stats.ttest_ind(values[treated], values[~treated], equal_var=False)
    expected = found.confidence_interval()
    assert student(made.treated[0] - made.control[0], error, degrees) == pytest.approx((expected.low, expected.high))


def test_inverse_probabilities_by_hand() -> None:
    """Treated 10 (weight 3) and 2 (weight 1): 32/4 = 8; controls 1 and 3 with weight 1: 2; effective size 16/10."""
    values, weight = np.array([10.0, 2, 1, 3]), np.array([3.0, 1, 1, 1])
    made = experiments.contrast(values, np.array([True, True, False, False]), weight, np.zeros(4, dtype=np.int64))
    assert (made.treated[0], made.control[0]) == (8, 2)
    assert experiments.effective_size(weight[:2]) == pytest.approx(1.6)


def test_a_permanent_control_group_varies_as_one() -> None:
    """Everybody stands in two equal campaigns in the same arm: the mean difference is as sure as one campaign's, not
    surer by the root of two.
    """
    values, treated, weight, stratum = _two_arms()
    twice = [np.concatenate([a, a]) for a in (values, treated, weight)]
    made = experiments.contrast(*twice, np.concatenate([stratum, stratum + 1]))
    influence = 0.5 * made.influence
    persons = np.tile(np.arange(len(values)), 2)
    once = experiments.contrast(values, treated, weight, stratum).influence
    assert experiments.clustered_error(influence, persons) == pytest.approx(sqrt(np.sum(once**2)))
    assert experiments.clustered_error(influence, np.arange(2 * len(values))) == pytest.approx(
        sqrt(np.sum(once**2) / 2)
    )


def test_combined_intervals_by_hand() -> None:
    """Half 0.2 (0.1 to 0.4) and half 0.4 (0.1 to 0.6): 0.3, down sqrt(0.05² + 0.15²), up sqrt(0.1² + 0.1²)."""
    intervals = [Interval(0.1, 0.4), Interval(0.1, 0.6)]
    found = experiments.combined(np.array([0.5, 0.5]), np.array([0.2, 0.4]), intervals)
    assert found == pytest.approx((0.3 - sqrt(0.025), 0.3 + sqrt(0.02)))
    wider = experiments.combined(np.array([0.5, 0.5]), np.array([0.2, 0.4]), intervals, inflation=2)
    assert wider.width == pytest.approx(2 * found.width)
    assert experiments.combined(np.array([1.0]), np.array([0.2]), intervals[:1], 0.5) == pytest.approx((0.1, 0.4))


def test_sample_ratio() -> None:
    """60 of 100 treated at one half each: z = 10/5 = 2. As scipy's chi-squared test."""
    treated = np.arange(100) < 60
    p = experiments.sample_ratio_p(treated, np.full(100, 0.5))
    assert p == pytest.approx(stats.chisquare([60, 40]).pvalue)
    uneven = experiments.sample_ratio_p(np.arange(100) < 65, np.where(np.arange(100) < 65, 0.65, 0.35))
    assert uneven == pytest.approx(1)
    assert isnan(experiments.sample_ratio_p(np.array([True, True]), np.ones(2)))


def test_calibration_by_hand() -> None:
    """20 cases with probability 1/4 stand for 80 of 100: 20 short, variance 20 * 0.75 * 16 = 240."""
    found = experiments.calibration_p(np.full(20, 0.25), 100)
    assert found == pytest.approx(2 * stats.norm.sf(20 / sqrt(240)))
    assert isnan(experiments.calibration_p(np.ones(3), 3))


def test_an_arm_without_cases_is_refused() -> None:
    with pytest.raises(ValueError, match="a stratum has no cases in one of its arms") as caught:
        experiments.contrast(np.ones(2), np.array([True, True]), np.ones(2), np.zeros(2, dtype=np.int64))
    assert str(caught.value) == "a stratum has no cases in one of its arms"
