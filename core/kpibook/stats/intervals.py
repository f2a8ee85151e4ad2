"""Confidence intervals for shares, means, ratios and quantiles.

Sources: Wilson 1927 (score interval); Deng, Knoblich & Lu 2018 (delta method with
clusters); Conover 1999, section 3.2 (order statistics); Newcombe 1998 and Zou & Donner 2008
(differences from the intervals of both sides).
"""

from __future__ import annotations

from math import exp, sqrt
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
    low = 0.0 if successes <= 0 else max(0.0, centre - half)
    return Interval(low, 1.0 if successes >= n else min(1.0, centre + half))


def student(value: float, standard_error: float, df: float) -> Interval:
    """t interval with ``df`` degrees of freedom."""
    half = float(stats.t.ppf(0.5 + CONFIDENCE / 2, df)) * standard_error
    return Interval(value - half, value + half)


def normal(value: float, standard_error: float, z: float = Z) -> Interval:
    """value -+ z standard errors."""
    return Interval(value - z * standard_error, value + z * standard_error)


def log_normal(value: float, standard_error: float, z: float = Z) -> Interval:
    """Interval of a positive ratio on the log scale: it never reaches 0. A value of 0 or less gets the normal one."""
    if value <= 0:
        return normal(value, standard_error, z)
    factor = exp(z * standard_error / value)
    return Interval(value / factor, value * factor)


def newcombe(now: tuple[float, float], before: tuple[float, float]) -> Interval:
    """Difference of two independent shares, each (successes, n): hybrid score interval (Newcombe 1998, method 10)."""
    (p, one), (q, other) = ((x / n, wilson(x, n)) for x, n in (now, before))
    return square_and_add(p, one, q, other)


def square_and_add(p: float, one: Interval, q: float, other: Interval, correlation: float = 0.0) -> Interval:
    """Interval of p - q from the intervals of both, whose estimates correlate (Newcombe 1998; Zou & Donner 2008)."""
    low = _third_side(p - one.low, other.high - q, correlation)
    high = _third_side(one.high - p, q - other.low, correlation)
    return Interval(p - q - low, p - q + high)


def _third_side(a: float, b: float, cosine: float) -> float:
    return sqrt(max(0.0, a * a + b * b - 2 * cosine * a * b))
