"""The spread between groups beyond sampling noise, worked by hand."""

import numpy as np
import pytest

from kpibook.stats.heterogeneity import dersimonian_laird, tau_interval


def test_groups_of_equal_variance() -> None:
    """0, 1, 2 with variance 0.1: Q = 10 (1 + 1) = 20, C = 30 - 300/30 = 20: tau^2 = (20 - 2) / 20."""
    found = dersimonian_laird([0, 1, 2], [0.1, 0.1, 0.1])
    assert found == pytest.approx((0.9**0.5, 1, 20))


def test_groups_of_unequal_variance() -> None:
    """1 and 3, variances 0.5 and 0.25: mean 14/6, Q = 16/3, C = 6 - 20/6: tau^2 = (16/3 - 1) / (8/3) = 1.625."""
    found = dersimonian_laird([1, 3], [0.5, 0.25])
    assert found == pytest.approx((1.625**0.5, 14 / 6, 16 / 3))


def test_noise_alone_gives_nothing() -> None:
    """Values closer together than their variances allow: Q < 2, tau is 0 and so is the lower end."""
    assert dersimonian_laird([1.0, 1.1, 0.9], [1, 1, 1]).tau == 0
    low, high = tau_interval([1.0, 1.1, 0.9], [1, 1, 1])
    assert low == 0
    assert 0.5 < high < 2


def test_the_interval_lies_about_the_truth() -> None:
    """200 groups with tau 2 and sampling variance 1: the interval is narrow and holds the estimate."""
    values = np.random.default_rng(5).normal(0, np.sqrt(5), 200)
    tau = dersimonian_laird(values, np.ones(200)).tau
    low, high = tau_interval(values, np.ones(200))
    assert low < tau < high
    assert high - low < 0.7
    assert tau_interval(values, np.ones(200)) == (low, high)


def test_one_group_has_no_spread() -> None:
    message = r"^two groups with a sampling variance above 0 are needed$"
    with pytest.raises(ValueError, match=message):
        dersimonian_laird([1], [1])
    with pytest.raises(ValueError, match=message):
        dersimonian_laird([1, 2], [1, 0])
