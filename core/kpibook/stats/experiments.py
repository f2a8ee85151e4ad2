"""Randomised comparisons: treatment minus control, by intention to treat.

A *case* is one unit assigned in one experiment (stratum), such as a person in a campaign. Cases
are weighted by the inverse probability of the arm they were given (Horvitz & Thompson
1952, normalised within arm: Hájek 1971); one person may be a case of several strata.

Sources: Newcombe 1998, method 10 (difference of shares); Welch 1947, Satterthwaite 1946
(difference of means); Zou & Donner 2008 (sums of differences from their intervals);
Fabijan et al. 2019 (sample ratio mismatch).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

from kpibook.stats.intervals import Interval, newcombe

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]


class Contrast(NamedTuple):
    """Means by stratum [k] in both arms, and each case's influence [n] on its stratum's difference."""

    treated: Floats
    control: Floats
    influence: Floats


def contrast(values: Floats, treated: Bools, weight: Floats, stratum: Codes) -> Contrast:
    """Weighted means of ``values`` by arm within strata 0..k-1. The four arrays have one length.

    With equal weights the squared influences of a stratum add up to Welch's variance.
    Raises ValueError when a stratum lacks one of the arms.
    """
    strata = int(stratum.max()) + 1 if len(stratum) else 0
    cell = 2 * stratum + treated
    mass = np.bincount(cell, weight, 2 * strata)
    if not np.all(mass > 0):
        raise ValueError("a stratum has no cases in one of its arms")
    mean = np.bincount(cell, weight * values, 2 * strata) / mass
    size = np.bincount(cell, minlength=2 * strata)
    spread = np.sqrt(size / np.maximum(size - 1, 1))
    side = np.where(treated, 1.0, -1.0)
    influence = side * weight * (values - mean[cell]) / mass[cell] * spread[cell]
    return Contrast(mean[1::2], mean[0::2], influence)


def clustered_error(influence: Floats, cluster: Codes) -> float:
    """Standard error of a sum whose parts of one cluster vary together."""
    return sqrt(float(np.sum(np.bincount(cluster, influence) ** 2)))


def freedom(influence: Floats, treated: Bools, stratum: Codes) -> float:
    """Satterthwaite's degrees of freedom over all arms and strata; at least 1."""
    cell = 2 * stratum + treated
    part = np.bincount(cell, influence**2)
    size = np.bincount(cell)
    bottom = float(np.sum(part**2 / np.maximum(size - 1, 1)))
    return max(1.0, float(part.sum()) ** 2 / bottom) if bottom > 0 else 1.0


def effective_size(weight: Floats) -> float:
    """Kish: how many equally weighted cases are worth as much."""
    return float(weight.sum()) ** 2 / float(np.sum(weight**2))


def share_difference(answered: Floats, treated: Bools, weight: Floats) -> tuple[float, Interval, float]:
    """One stratum's difference of shares: value, hybrid score interval, two-sided p of the pooled z test.

    ``answered`` holds 0 and 1. With unequal weights each arm counts as its effective size.
    """
    means, sizes = [], []
    for arm in (treated, ~treated):
        means.append(float(np.average(answered[arm], weights=weight[arm])))
        sizes.append(effective_size(weight[arm]))
    (p, q), (n, m) = means, sizes
    return p - q, newcombe((p * n, n), (q * m, m)), score_p((p * n, n), (q * m, m))


def score_p(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Two-sided p of equal shares, each (successes, n), by the z test with the pooled share; 1 when nothing varies."""
    pooled = (one[0] + other[0]) / (one[1] + other[1])
    variance = pooled * (1 - pooled) * (1 / one[1] + 1 / other[1])
    return 1.0 if variance <= 0 else two_sided((one[0] / one[1] - other[0] / other[1]) / sqrt(variance))


def two_sided(z: float) -> float:
    """p of a normal test statistic."""
    return float(2 * special.ndtr(-abs(z)))


def combined(share: Floats, value: Floats, intervals: Sequence[Interval], inflation: float = 1.0) -> Interval:
    """Interval of the sum of ``share`` * ``value`` from the intervals of the values [k].

    ``inflation`` is the factor by which the sum's standard error exceeds that of independent
    values, because some persons stand in several of them; below 1 it counts as 1.
    """
    low, high = np.array([i.low for i in intervals]), np.array([i.high for i in intervals])
    middle, factor = float(share @ value), max(1.0, inflation)
    down = sqrt(float(np.sum((share * (value - low)) ** 2)))
    up = sqrt(float(np.sum((share * (high - value)) ** 2)))
    return Interval(middle - factor * down, middle + factor * up)


def sample_ratio_p(treated: Bools, probability: Floats) -> float:
    """p of the arms' sizes under the probabilities that each case had of the arm it was given (two arms).

    Below 0.001 the assignment was not what it claims to be. NaN without any variation.
    """
    chance = np.where(treated, probability, 1 - probability)
    variance = float(np.sum(chance * (1 - chance)))
    return float("nan") if variance <= 0 else two_sided((float(treated.sum()) - float(chance.sum())) / sqrt(variance))


def calibration_p(probability: Floats, total: int) -> float:
    """p of the inverse probabilities of those who were given an action adding up to all ``total`` cases.

    ``probability`` holds only the cases with that action. NaN when all of them are certain.
    """
    variance = float(np.sum((1 - probability) / probability**2))
    return float("nan") if variance <= 0 else two_sided((float(np.sum(1 / probability)) - total) / sqrt(variance))
