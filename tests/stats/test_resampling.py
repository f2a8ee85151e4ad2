"""BCa against SciPy's, and what must hold for any data."""

import numpy as np
from scipy import stats

from kpibook.stats.resampling import bca_mean, trimmed_mean


def test_bca_agrees_with_scipy_within_resampling_noise():
    values = np.random.default_rng(3).lognormal(0, 1.5, 400)
    ours = bca_mean(values, resamples=4000)
    rng = np.random.default_rng(4)
    theirs = stats.bootstrap((values,), np.mean, method="BCa", n_resamples=4000, rng=rng).confidence_interval
    width = theirs.high - theirs.low

    assert abs(ours.low - theirs.low) < 0.06 * width
    assert abs(ours.high - theirs.high) < 0.06 * width


def test_bca_does_not_depend_on_the_order_of_rows():
    values = np.random.default_rng(3).exponential(1, 200)

    assert bca_mean(values) == bca_mean(values[::-1])


def test_bca_of_equal_values_is_a_point():
    assert bca_mean([5.0] * 40) == (5.0, 5.0)


def test_trimmed_mean_drops_the_largest_hundredth():
    """1..99 and 1,000: without the largest, (1 + … + 99)/99 = 50."""
    assert trimmed_mean([*range(1, 100), 1000]) == 50
