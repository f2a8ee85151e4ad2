"""How points end, by hand, against lifelines, and what the resamples say."""

import numpy as np
import pytest
from lifelines import AalenJohansenFitter

from kpibook.stats.development import develop, interval

#: 100 points: 40 redeemed at age 10, 20 at 28, 40 expired at 30. Another 100: 30 redeemed at 20, 70 seen open at 25.
CELLS = {
    "group": [0, 0, 0, 1, 1],
    "age": [10, 28, 30, 20, 25],
    "redeemed": [40, 20, 0, 30, 0],
    "expired": [0, 0, 40, 0, 0],
    "still": [0, 0, 0, 0, 70],
}


def test_by_hand():
    """At 10: 200 open, 40 redeemed: 0.2, left 0.8. At 20: 160 open, 30 redeemed: 0.8 · 30/160 = 0.15, left 0.65.
    At 28: 60 open (70 no longer seen), 20 redeemed: 0.65 · 20/60. At 30 the rest expires. Of points open at 26 a third.
    """
    found = develop(**CELLS)
    assert found.low[0] == pytest.approx(0.35 + 0.65 / 3, abs=1e-12)
    assert found.low[11] == pytest.approx((0.15 + 0.65 / 3) / 0.8, abs=1e-12)
    assert found.low[[26, 28]] == pytest.approx([1 / 3, 1 / 3], abs=1e-12)
    assert (found.low[29], found.low[30]) == (0, 0)
    assert found.tail == 0
    assert np.array_equal(found.low, found.high)


def test_points_open_at_the_last_age_are_a_range():
    """A quarter redeemed at age 1, the rest still open at 4: between a quarter and all of them; half in the middle."""
    found = develop([0, 0], [1, 4], [25, 0], [0, 0], [0, 75])
    assert (found.low[0], found.high[0], found.tail) == (0.25, 1.0, 0.75)
    assert found.middle[0] == 0.625
    assert (found.low[2], found.high[2]) == (0, 1)
    assert interval(found) == (0.25, 1.0)


def test_expected_units_of_open_ones():
    """50 at age 11 (see above) and 30 at age 26, a third each; age 40 lies beyond all that was seen, and there is no
    tail."""
    found = develop(**CELLS)
    value, low, high = found.expected([11, 26, 40], [50, 30, 1000])
    assert value == pytest.approx(50 * (0.15 + 0.65 / 3) / 0.8 + 10, abs=1e-12)
    assert low <= value <= high


def test_open_units_beyond_the_last_age_belong_to_the_tail():
    found = develop([0, 0], [1, 4], [25, 0], [0, 0], [0, 75])
    assert found.expected([9], [10]) == (5.0, 0.0, 10.0)


def test_against_lifelines():
    """Point by point, without ties between an end and a censoring."""
    rng = np.random.default_rng(8)
    age = rng.integers(1, 60, 4000) * 2
    end = rng.choice([0, 1, 2], 4000, p=[0.3, 0.5, 0.2])
    age = np.where(end == 0, age + 1, age)
    found = develop(age % 12, age, end == 1, end == 2, end == 0)
    fitted = AalenJohansenFitter(calculate_variance=False).fit(age, end, event_of_interest=1)
    assert found.low[0] == pytest.approx(float(fitted.cumulative_density_.iloc[-1, 0]), abs=1e-9)


def test_resampled_groups_differ_but_two_runs_do_not():
    """Six groups whose redemption lies between 10 and 60 %: the interval holds the estimate and is not a point."""
    cells = [np.repeat(np.arange(6), 2), np.tile([1, 5], 6)]
    redeemed = np.ravel([[10 * (v + 1), 0] for v in range(6)])
    expired = np.ravel([[0, 100 - 10 * (v + 1)] for v in range(6)])
    first, second = (develop(*cells, redeemed, expired, np.zeros(12)) for _ in range(2))
    low, high = interval(first)
    assert interval(second) == (low, high)
    assert first.low[0] == pytest.approx(0.35)
    # the spread of a mean of six draws from 0.1 .. 0.6: standard deviation 0.1708 / sqrt(6) = 0.0697
    assert (low, high) == (pytest.approx(0.35 - 1.96 * 0.0697, abs=0.02), pytest.approx(0.35 + 1.96 * 0.0697, abs=0.02))


def test_ages_without_any_group_in_a_resample_keep_what_all_groups_say():
    """Only group 0 is seen beyond age 2; in resamples without it the later ages stay as they are in the whole."""
    found = develop([0, 0, 1, 2], [1, 9, 2, 2], [10, 40, 0, 0], [0, 0, 0, 0], [0, 0, 50, 50])
    assert np.all(found.low_drawn[:, 5] == 1)
    assert np.all(np.isfinite(found.low_drawn))


def test_no_units():
    with pytest.raises(ValueError, match=r"^there are no units to develop$"):
        develop([0], [0], [0], [0], [0])
