"""Confidence intervals for shares, means, ratios and quantiles.

Sources: Wilson 1927 (score interval); Deng, Knoblich & Lu 2018 (delta method with
clusters); Conover 1999, section 3.2 (order statistics).
"""

from __future__ import annotations

from math import ceil, floor, sqrt
from typing import NamedTuple

from scipy import special, stats

CONFIDENCE = 0.95
Z = float(special.ndtri(0.5 + CONFIDENCE / 2))


class Interval(NamedTuple):
    low: float
    high: float

    @property
    def width(self) -> float:
        return self.high - self.low


def wilson(successes: float, n: float, z: float = Z) -> Interval:
    """Score interval of a share; ``n`` may be an effective sample size. n must be > 0."""
    p = successes / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return Interval(max(0.0, centre - half), min(1.0, centre + half))


def student(value: float, standard_error: float, df: float) -> Interval:
    """t interval with ``df`` degrees of freedom."""
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, df)) * standard_error
    return Interval(value - half, value + half)


def normal(value: float, standard_error: float, z: float = Z) -> Interval:
    """value -+ z standard errors."""
    return Interval(value - z * standard_error, value + z * standard_error)


def order_statistic_ranks(n: int, q: float, z: float = Z) -> tuple[int, int] | None:
    """1-based ranks whose values enclose the q-quantile; None when n is too small for any pair."""
    half = z * sqrt(n * q * (1 - q))
    low, high = floor(n * q - half), ceil(n * q + half) + 1
    return (low, high) if low >= 1 and high <= n else None
