"""Fieller's confidence set."""

from __future__ import annotations

import numpy as np
import pytest

from kpibook.stats.fieller import fieller
from kpibook.stats.intervals import Z


def test_certain_denominator_is_the_plain_interval() -> None:
    """150 over 100 with a standard error of 20: 1.5 -+ 1.96 * 0.2."""
    found = fieller(150, 100, 400)
    assert found == pytest.approx((1.5 - Z * 0.2, 1.5 + Z * 0.2))


def test_the_ends_are_where_the_difference_is_just_significant() -> None:
    """At an end r the statistic (N - r D) / se(N - r D) is 1.96 in absolute value."""
    found = fieller(150, 100, 400, 64, 90)
    assert found is not None
    for r in found:
        error = (400 + r * r * 64 - 2 * r * 90) ** 0.5
        assert abs(150 - r * 100) / error == pytest.approx(Z)


def test_delta_method_for_a_precise_denominator() -> None:
    """Var(R) = [Var(N) + R^2 Var(D) - 2 R Cov] / D^2 with R = 1.5."""
    found = fieller(15_000, 10_000, 400, 64, 90)
    assert found is not None
    error = ((400 + 2.25 * 64 - 3 * 90) / 1e8) ** 0.5
    assert found == pytest.approx((1.5 - Z * error, 1.5 + Z * error), abs=1e-6)


def test_coverage() -> None:
    rng = np.random.default_rng(2)
    draws = rng.multivariate_normal([150, 100], [[400, 90], [90, 64]], 2000)
    inside = [(lambda i: i is not None and i.low <= 1.5 <= i.high)(fieller(n, d, 400, 64, 90)) for n, d in draws]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_denominator_that_may_be_zero() -> None:
    assert fieller(150, 10, 400, 64) is None
