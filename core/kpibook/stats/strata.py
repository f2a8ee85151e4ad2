"""Difference of two independent shares within strata.

Sources: Mantel & Haenszel weights n1 n0 / (n1 + n0) for the common difference (Greenland & Robins 1985);
limits recovered from the Wilson limits of every stratum (MOVER, Zou & Donner 2008), which is Newcombe's
method 10 when there is one stratum.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from kpibook.stats.intervals import Interval, wilson


class Stratum(NamedTuple):
    """Cases with the outcome, and all cases, of either group."""

    first: float
    first_n: float
    second: float
    second_n: float


def stratified_difference(strata: Sequence[Stratum]) -> tuple[float, Interval] | None:
    """(difference, interval) over the strata in which both groups have cases; None when there is none."""
    both = [s for s in strata if s.first_n > 0 and s.second_n > 0]
    if not both:
        return None
    raw = [s.first_n * s.second_n / (s.first_n + s.second_n) for s in both]
    value = below = above = 0.0
    for stratum, part in zip(both, raw, strict=True):
        weight = part / sum(raw)
        p, q = stratum.first / stratum.first_n, stratum.second / stratum.second_n
        one, other = wilson(stratum.first, stratum.first_n), wilson(stratum.second, stratum.second_n)
        value += weight * (p - q)
        below += weight**2 * ((p - one.low) ** 2 + (other.high - q) ** 2)
        above += weight**2 * ((one.high - p) ** 2 + (q - other.low) ** 2)
    return value, Interval(value - sqrt(below), value + sqrt(above))
