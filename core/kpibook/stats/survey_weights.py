"""Weighted survey answers: effective sample size, and shares with it.

Sources: Kish 1965, Survey Sampling, section 8.2 and 11.7 ((sum of w)^2 / sum of w^2); Wilson 1927 with
the effective n in the place of n (Korn & Graubard 1998).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import Interval, wilson

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class WeightedShare:
    """``value`` = ``numerator`` / ``denominator`` (sums of weights); ``effective_n`` after Kish."""

    value: float
    interval: Interval
    effective_n: float
    numerator: float
    denominator: float


def kish(weights: npt.ArrayLike, persons: npt.ArrayLike | None = None) -> float:
    """Effective number of answers with these ``weights``; 0.0 without any weight.

    ``persons`` (codes from 0, one for each answer): the answers of one person weigh together, as if
    they said the same thing. Raises ValueError on a weight that is negative or not finite.
    """
    w = np.asarray(weights, dtype=np.float64)
    if w.size and (not np.isfinite(w).all() or w.min() < 0):
        raise ValueError("a survey weight is negative or not a number")
    if persons is not None and w.size:
        w = np.bincount(np.asarray(persons), weights=w).astype(np.float64)
    squares = float(w @ w)
    return float(w.sum()) ** 2 / squares if squares > 0 else 0.0


def weighted_share(
    met: npt.ArrayLike, weights: npt.ArrayLike, persons: npt.ArrayLike | None = None
) -> WeightedShare | None:
    """Weighted share of the answers that ``met`` the condition, Wilson on Kish's n; None without any weight."""
    w = np.asarray(weights, dtype=np.float64)
    effective = kish(w, persons)
    if effective == 0:
        return None
    top, bottom = float(w @ np.asarray(met, dtype=np.float64)), float(w.sum())
    value = min(1.0, top / bottom)
    return WeightedShare(value, wilson(value * effective, effective), effective, top, bottom)
