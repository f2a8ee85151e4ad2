"""Rates of rare events against published and library values."""

from __future__ import annotations

import pytest
from scipy import stats

from kpibook.stats.poisson import exact_rate


def test_ten_events() -> None:
    """Garwood 1936: 10 events have the interval 4.795 to 18.390."""
    low, high = exact_rate(10, 1.0)
    assert (low, high) == (pytest.approx(4.795, abs=5e-4), pytest.approx(18.390, abs=5e-4))


def test_no_event() -> None:
    """Below 0; above minus the logarithm of 0.025, the count at which none is that improbable."""
    low, high = exact_rate(0, 2.0)
    assert (low, high) == (0.0, pytest.approx(3.688879 / 2, rel=1e-6))


def test_the_ends_are_what_the_count_makes_improbable() -> None:
    """At the lower end 30 or more have a chance of 2.5 %, at the upper end 30 or fewer."""
    low, high = exact_rate(30, 100.0)
    assert stats.poisson.sf(29, low * 100) == pytest.approx(0.025)
    assert stats.poisson.cdf(30, high * 100) == pytest.approx(0.025)


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"^a count of -1 is negative$"):
        exact_rate(-1, 1.0)
    with pytest.raises(ValueError, match=r"^an exposure of 0 is not positive$"):
        exact_rate(1, 0)
