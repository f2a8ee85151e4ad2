"""Rates of groups: worked by hand, and their standard errors against the jackknife."""

from __future__ import annotations

from math import log, sqrt

import numpy as np
import pytest

from kpibook.stats.intervals import Z
from kpibook.stats.rates import ratio_of_rates, standardised_difference


def test_one_mix_for_both() -> None:
    """Stratum 0: 2/20 against 1/10, both 0.1; stratum 1: 9/30 = 0.3 against 8/40 = 0.2. The mix is 30 to 70 of
    100: 0.3 x 0 + 0.7 x 0.1 = 0.07; rates 0.03 + 0.21 = 0.24 and 0.03 + 0.14 = 0.17.
    """
    found = standardised_difference(([2, 9, 0, 0], [0, 0, 1, 8]), ([20, 30, 0, 0], [0, 0, 10, 40]), [0, 1, 0, 1])
    assert found is not None
    assert (found.value, found.one, found.other) == (pytest.approx(0.07), pytest.approx(0.24), pytest.approx(0.17))


def test_strata_of_one_side_are_left_out() -> None:
    """Stratum 1 has nobody on the other side: 5/10 - 1/10."""
    found = standardised_difference(([5, 90, 0], [0, 0, 1]), ([10, 100, 0], [0, 0, 10]), [0, 1, 0])
    assert found is not None
    assert found.value == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("tops", "belows", "strata"), [(([], []), ([], []), []), (([1, 0], [0, 1]), ([9, 0], [0, 9]), [0, 1])]
)
def test_nothing_in_common(tops: tuple, belows: tuple, strata: list) -> None:
    assert standardised_difference(tops, belows, strata) is None


def _persons(n: int = 400) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(7)
    spend = rng.gamma(2.0, 50.0, n)
    first = rng.random(n) < 0.4
    benefit = spend * rng.beta(2, 30, n) * np.where(first, 1.5, 1.0)
    return (
        np.where(first, benefit, 0),
        np.where(first, 0, benefit),
        np.where(first, spend, 0),
        np.where(first, 0, spend),
    )


def test_the_error_of_a_standardised_difference() -> None:
    """With one stratum it is a difference of two ratios: jackknife over persons."""
    a, b, x, y = _persons()
    found = standardised_difference((a, b), (x, y), np.zeros(len(a), dtype=int))
    assert found is not None
    n = len(a)
    left_out = np.array([(a.sum() - a[i]) / (x.sum() - x[i]) - (b.sum() - b[i]) / (y.sum() - y[i]) for i in range(n)])
    error = sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    assert found.interval.width / (2 * Z) == pytest.approx(error, rel=0.02)


def test_ratio_of_rates_by_hand() -> None:
    """(3 + 1)/(20 + 20) = 0.1 per (2 + 3)/(10 + 10) = 0.25: 0.4."""
    found = ratio_of_rates(([3, 1, 0, 0], [0, 0, 2, 3]), ([20, 20, 0, 0], [0, 0, 10, 10]))
    assert found is not None
    assert (found.value, found.one, found.other) == (pytest.approx(0.4), pytest.approx(0.1), pytest.approx(0.25))


def test_the_error_of_a_log_ratio() -> None:
    a, b, x, y = _persons()
    found = ratio_of_rates((a, b), (x, y))
    assert found is not None
    n = len(a)
    left_out = np.array(
        [log((a.sum() - a[i]) / (x.sum() - x[i]) / ((b.sum() - b[i]) / (y.sum() - y[i]))) for i in range(n)]
    )
    error = sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
    assert log(found.interval.high / found.interval.low) / (2 * Z) == pytest.approx(error, rel=0.02)


@pytest.mark.parametrize(
    ("tops", "belows"),
    [(([1, 0], [0, 0]), ([9, 0], [0, 9])), (([1, 0], [0, 1]), ([0, 0], [0, 9])), (([1, 0], [0, 1]), ([9, 0], [0, 0]))],
)
def test_zero_below(tops: tuple, belows: tuple) -> None:
    assert ratio_of_rates(tops, belows) is None


def test_nothing_on_the_first_side() -> None:
    found = ratio_of_rates(([0, 0], [0, 1]), ([9, 0], [0, 9]))
    assert found is not None
    assert (found.value, *found.interval) == (0, 0, 0)


def test_one_person_has_no_spread() -> None:
    found = ratio_of_rates(([1], [1]), ([10], [20]))
    assert found is not None
    assert (found.value, *found.interval) == (pytest.approx(2), pytest.approx(2), pytest.approx(2))
