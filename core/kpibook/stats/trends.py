"""Whether a series of estimates rises or falls.

Sources: weighted least squares with known variances, the scatter about the line taken up when it
exceeds them (Birge 1932); Mann 1945 and Kendall 1975 (rank trend, normal approximation with ties).
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]


class Line(NamedTuple):
    """``slope`` per unit of time = ``weights`` @ values; ``scatter``: chi-square about it per degree of freedom."""

    slope: float
    weights: Floats
    scatter: float


class RankTrend(NamedTuple):
    """Kendall's ``tau`` against time, and the two-sided ``p``."""

    tau: float
    p: float


def weighted_line(time: npt.ArrayLike, values: npt.ArrayLike, variances: npt.ArrayLike) -> Line:
    """Inverse-variance line through at least two points at different times; variances above 0."""
    t, y, v = (np.asarray(x, dtype=np.float64) for x in (time, values, variances))
    if len(t) < 2 or v.min() <= 0 or np.ptp(t) == 0:
        raise ValueError("a line needs two points at different times, with variances above 0")
    w = 1 / v
    centred = t - (w @ t) / w.sum()
    weights = w * centred / float(w @ centred**2)
    slope = float(weights @ y)
    level = float(w @ y / w.sum())
    residual = y - level - slope * centred
    scatter = float(w @ residual**2) / (len(t) - 2) if len(t) > 2 else 0.0
    return Line(slope, weights, scatter)


def mann_kendall(values: npt.ArrayLike) -> RankTrend:
    """Rank trend of values in order of time, at least two; ties are allowed for."""
    y = np.asarray(values, dtype=np.float64)
    n = len(y)
    if n < 2:
        raise ValueError("a rank trend needs two values")
    score = float(np.sign(y[None, :] - y[:, None])[np.triu_indices(n, 1)].sum())
    ties = np.unique(y, return_counts=True)[1]
    variance = (n * (n - 1) * (2 * n + 5) - float((ties * (ties - 1) * (2 * ties + 5)).sum())) / 18
    z = (score - np.sign(score)) / sqrt(variance) if variance > 0 else 0.0
    return RankTrend(score / (n * (n - 1) / 2), float(2 * special.ndtr(-abs(z))))
