"""Intervals against values worked out beforehand."""

from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import proportion_confint

from kpibook.stats.intervals import Interval, Z, log_normal, newcombe, normal, square_and_add, student, wilson


def test_wilson_of_one_half_of_hundred():
    """p = 0.5, n = 100, z² = 3.841459: centre 0.5; half = z/(1+z²/n)·sqrt(0.25/100 + z²/40000)
    = 1.959964/1.03841459 · sqrt(0.0025 + 0.0000960365) = 1.8874580 · 0.05095132 = 0.0961685."""
    interval = wilson(50, 100)

    assert isclose(interval.low, 0.4038315, abs_tol=1e-6)
    assert isclose(interval.high, 0.5961685, abs_tol=1e-6)


def test_wilson_never_leaves_zero_and_one():
    """0 of 10: low is 0, high = z²/(n+z²) = 3.841459/13.841459 = 0.2775328."""
    interval = wilson(0, 10)

    assert interval.low == 0
    assert isclose(interval.high, 0.2775328, abs_tol=1e-6)


def test_student_with_one_degree_of_freedom():
    """t(0.975; 1) = 12.7062047: 20 ± 12.7062047 · 10."""
    interval = student(20, 10, 1)

    assert isclose(interval.low, 20 - 127.062047, abs_tol=1e-5)
    assert isclose(interval.high, 20 + 127.062047, abs_tol=1e-5)


def test_normal_uses_the_975_quantile():
    assert isclose(Z, 1.959963985, abs_tol=1e-9)
    assert normal(0, 1) == (-Z, Z)


def test_a_ratio_on_the_log_scale_stays_positive():
    """0.332 with standard error 0.19: exp(1.96 · 0.19/0.332) = exp(1.12167) = 3.06996: 0.1081 to 1.0192."""
    interval = log_normal(0.332, 0.19)

    assert isclose(interval.low, 0.10814, abs_tol=5e-5)
    assert isclose(interval.high, 1.01923, abs_tol=5e-5)
    assert log_normal(-1, 1) == (-1 - Z, -1 + Z)


def test_newcombe_against_the_published_example():
    """Newcombe 1998, table II, (a) 56/70 - 48/80: method 10 gives 0.0524 to 0.3339."""
    interval = newcombe((56, 70), (48, 80))

    assert isclose(interval.low, 0.0524, abs_tol=5e-5)
    assert isclose(interval.high, 0.3339, abs_tol=5e-5)


def test_square_and_add_is_the_law_of_cosines():
    """0.5 in (0.4, 0.6) less 0.3 in (0.2, 0.45), correlated by 0.5: below sqrt(0.1² + 0.15² - 0.1 · 0.15) = 0.1322876,
    above sqrt(0.1² + 0.1² - 0.1 · 0.1) = 0.1."""
    low, high = square_and_add(0.5, Interval(0.4, 0.6), 0.3, Interval(0.2, 0.45), 0.5)

    assert isclose(low, 0.2 - 0.1322876, abs_tol=1e-7)
    assert isclose(high, 0.3, abs_tol=1e-12)


def test_the_same_estimate_twice_does_not_differ():
    """Correlated by 1, alike on both sides: no width, whatever rounding says below the root."""
    around = Interval(0.1, 0.3)

    assert square_and_add(0.2, around, 0.2, around, 1 + 1e-15) == (0.0, 0.0)


@given(st.integers(1, 10**6), st.floats(0, 1))
def test_wilson_holds_the_share(n, p):
    low, high = wilson(p * n, n)

    assert 0 <= low <= p + 1e-12
    assert p - 1e-12 <= high <= 1


@pytest.mark.parametrize("n", [10, 1000, 100000])
def test_wilson_width_shrinks_with_the_root_of_n(n):
    assert isclose(wilson(n / 2, n).width, 2 * Z * sqrt(0.25 / n), rel_tol=0.2)


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_that_of_statsmodels(counted):
    successes, n = counted
    low, high = proportion_confint(successes, n, alpha=0.05, method="wilson")
    interval = wilson(successes, n)

    assert isclose(interval.low, low, rel_tol=1e-9, abs_tol=1e-12)
    assert isclose(interval.high, high, rel_tol=1e-9, abs_tol=1e-12)
