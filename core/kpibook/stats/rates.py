"""Rates of several groups, such as benefits per euro spent, compared at one mix or as a ratio.

Persons vary as a whole, within a group and across groups (delta method; Deng, Knoblich & Lu 2018).
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import Interval, Z, normal

Floats = npt.NDArray[np.float64]


class Compared(NamedTuple):
    """``value`` with its interval; ``one`` and ``other`` are the two rates."""

    value: float
    interval: Interval
    one: float
    other: float


def standardised_difference(
    top: tuple[npt.ArrayLike, npt.ArrayLike], below: tuple[npt.ArrayLike, npt.ArrayLike], stratum: npt.ArrayLike
) -> Compared | None:
    """Difference of two groups' rates at one mix of strata (direct standardisation).

    ``top`` and ``below`` are numerators and denominators (one group's, the other's), one entry a person;
    ``stratum`` holds codes from 0. The mix is that of both groups' denominators together, over the
    strata in which both have one; the interval takes it as given. None when no stratum has both.
    """
    codes = np.asarray(stratum, dtype=np.int64)
    (a, b), (x, y) = ([np.asarray(side, dtype=np.float64) for side in pair] for pair in (top, below))
    size = int(codes.max()) + 1 if len(codes) else 0
    sums = [np.bincount(codes, weights=part, minlength=size) for part in (a, x, b, y)]
    shared = (sums[1] > 0) & (sums[3] > 0)
    if not shared.any():
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = np.where(shared, sums[0] / sums[1], 0.0), np.where(shared, sums[2] / sums[3], 0.0)
        mix = np.where(shared, sums[1] + sums[3], 0.0)
        mix = mix / mix.sum()
        scale = np.where(shared, mix / sums[1], 0.0), np.where(shared, mix / sums[3], 0.0)
    influence = scale[0][codes] * (a - rates[0][codes] * x) - scale[1][codes] * (b - rates[1][codes] * y)
    one, other = float(mix @ rates[0]), float(mix @ rates[1])
    return Compared(one - other, normal(one - other, _error(influence)), one, other)


def ratio_of_rates(
    top: tuple[npt.ArrayLike, npt.ArrayLike], below: tuple[npt.ArrayLike, npt.ArrayLike]
) -> Compared | None:
    """One group's rate per the other's, with its interval on the log scale.

    ``top`` and ``below`` as in :func:`standardised_difference`. None when a denominator or the other's
    rate is not positive. A rate of 0 of the first group has the interval (0, 0).
    """
    (a, b), (x, y) = ([np.asarray(side, dtype=np.float64) for side in pair] for pair in (top, below))
    if x.sum() <= 0 or y.sum() <= 0 or b.sum() <= 0:
        return None
    one, other = float(a.sum() / x.sum()), float(b.sum() / y.sum())
    if one <= 0:
        return Compared(one / other, Interval(one / other, one / other), one, other)
    influence = (a - one * x) / a.sum() - (b - other * y) / b.sum()
    half = Z * _error(influence)
    middle = log(one / other)
    return Compared(one / other, Interval(exp(middle - half), exp(middle + half)), one, other)


def _error(influence: Floats) -> float:
    """Standard error of a sum over persons; 0 of fewer than two."""
    n = len(influence)
    return sqrt(float(influence @ influence) * n / (n - 1)) if n > 1 else 0.0
