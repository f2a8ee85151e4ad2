"""Lines and rank trends, worked by hand and against SciPy."""

import numpy as np
import pytest
from scipy import stats

from kpibook.stats.trends import mann_kendall, weighted_line


def test_a_line_through_equal_points() -> None:
    found = weighted_line([0, 1, 2], [1, 3, 5], [1, 1, 1])
    assert found.slope == pytest.approx(2)
    assert found.weights.tolist() == pytest.approx([-0.5, 0, 0.5])
    assert found.scatter == pytest.approx(0)


def test_a_less_certain_point_weighs_less() -> None:
    """Weights 1, 1, 1/4; mean time 1.5/2.25 = 2/3, sum of squares 1: slope = -2/3*0 + 1/3*0 + 1/3*3 = 1.

    Level 0.75/2.25 = 1/3; residuals 1/3, -2/3, 4/3: chi-square 1/9 + 4/9 + 4/9 = 1 on one degree of freedom.
    """
    found = weighted_line([0, 1, 2], [0, 0, 3], [1, 1, 4])
    assert found.slope == pytest.approx(1)
    assert found.weights.tolist() == pytest.approx([-2 / 3, 1 / 3, 1 / 3])
    assert found.scatter == pytest.approx(1)


def test_two_points_have_no_scatter() -> None:
    assert weighted_line([1, 3], [2, 8], [1, 2])[::2] == pytest.approx((3, 0))


def test_rank_trend_that_only_rises() -> None:
    """8 values: S = 28, variance 8*7*21/18 = 65.3333; z = 27 / 8.08290 = 3.34039, p = 0.00084."""
    found = mann_kendall(range(8))
    assert found == pytest.approx((1, 0.000837), abs=1e-6)


def test_rank_trend_with_ties() -> None:
    """1, 1, 2: S = 2, variance (66 - 18)/18 = 2.6667; z = 1 / 1.63299 = 0.61237, p = 0.5403; tau = 2/3."""
    assert mann_kendall([1, 1, 2]) == pytest.approx((2 / 3, 0.540291), abs=1e-6)


def test_rank_trend_agrees_with_kendalls_tau() -> None:
    y = np.random.default_rng(2).normal(size=15)
    assert mann_kendall(y).tau == pytest.approx(stats.kendalltau(range(15), y).statistic)
    assert mann_kendall([3, 3, 3]) == (0, 1)


def test_too_little_for_a_trend() -> None:
    message = r"^a line needs two points at different times, with variances above 0$"
    for time, variances in (([1], [1]), ([1, 1], [1, 1]), ([1, 2], [1, 0])):
        with pytest.raises(ValueError, match=message):
            weighted_line(time, time, variances)
    with pytest.raises(ValueError, match=r"^a rank trend needs two values$"):
        mann_kendall([1])
