"""Net scores: standard errors and intervals worked by hand."""

import numpy as np
import pytest

from kpibook.stats.net_scores import adjusted_wald, finite_population, net_error, paired_difference


def test_the_catalogues_example() -> None:
    """p = 0.5, d = 0.2, n = 400: 1.96 sqrt((0.7 - 0.09) / 400) = 0.0765, that is 7.7 points."""
    assert 196 * net_error(0.5, 0.2, 400) == pytest.approx(7.654, abs=1e-3)


def test_adjusted_wald_adds_three_answers() -> None:
    """9 up and 5 down of 20: 9.75/23 - 5.75/23 = 0.173913; sqrt((15.5/23 - 0.030246) / 23) = 0.167289."""
    interval = adjusted_wald(0.45, 0.25, 20)
    assert interval == pytest.approx((0.173913 - 1.959964 * 0.167289, 0.173913 + 1.959964 * 0.167289), abs=2e-6)


def test_adjusted_wald_stays_within_its_range() -> None:
    """All of 2 up: 2.75/5 - 0.75/5 = 0.4, error sqrt((0.7 - 0.16) / 5) = 0.328634: the upper end would be 1.044."""
    interval = adjusted_wald(1, 0, 2)
    assert interval.high == 1
    assert interval.low == pytest.approx(0.4 - 1.959964 * 0.328634, abs=1e-5)


def test_paired_difference_of_bonett_and_price() -> None:
    """Of 50 pairs 10 one way, 4 the other: 11/52 - 5/52 = 0.115385, error sqrt((16/52 - 0.013314)/52) = 0.075240."""
    interval = paired_difference(0.2, 0.08, 50)
    assert interval == pytest.approx((0.115385 - 1.959964 * 0.075240, 0.115385 + 1.959964 * 0.075240), abs=5e-6)


def test_adjusted_wald_covers_the_truth() -> None:
    """2,000 samples of 60 from 40 % promoters and 35 % detractors: about 95 % of the intervals hold 0.05."""
    counts = np.random.default_rng(3).multinomial(60, [0.4, 0.25, 0.35], 2000)
    intervals = [adjusted_wald(up / 60, down / 60, 60) for up, _, down in counts]
    assert np.mean([low <= 0.05 <= high for low, high in intervals]) == pytest.approx(0.95, abs=0.015)


def test_whole_population_has_no_sampling_error() -> None:
    """20 of 101: sqrt(81/100). All of 30: 0. An unknown or too small population narrows nothing."""
    assert finite_population(20, 101) == pytest.approx(0.9)
    assert finite_population(30, 30) == 0
    assert (finite_population(20, 0), finite_population(20, 5)) == (1, 1)


def test_no_answers() -> None:
    with pytest.raises(ValueError, match=r"^a net score of no answers has no standard error$"):
        net_error(0.5, 0.2, 0)
    with pytest.raises(ValueError, match=r"^a net score of no answers has no interval$"):
        adjusted_wald(0.5, 0.2, 0)
