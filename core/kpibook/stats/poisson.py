"""Rates of rare events: the exact interval of a Poisson count (Garwood 1936)."""

from __future__ import annotations

from scipy import stats

from kpibook.stats.intervals import CONFIDENCE, Interval


def exact_rate(events: int, exposure: float, confidence: float = CONFIDENCE) -> Interval:
    """Interval of ``events`` per unit of ``exposure`` (such as person-years), from the chi-squared distribution.

    Raises ValueError when the count is negative or the exposure is not positive.
    """
    if events < 0:
        raise ValueError(f"a count of {events} is negative")
    if exposure <= 0:
        raise ValueError(f"an exposure of {exposure} is not positive")
    tail = (1 - confidence) / 2
    low = float(stats.chi2.ppf(tail, 2 * events)) / 2 if events else 0.0
    high = float(stats.chi2.ppf(1 - tail, 2 * events + 2)) / 2
    return Interval(low / exposure, high / exposure)
