"""Weighted survey answers: effective sample size, and shares with it.

Sources: Kish 1965, Survey Sampling, section 8.2 and 11.7 ((sum of w)^2 / sum of w^2); Korn & Graubard
1998, Survey Methodology 24(2) (an interval of a share with the n that its linearised variance stands
for, as if of independent answers at least; Wilson's in the place of the exact one: Dean & Pagano 2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import Interval, wilson

Floats = npt.NDArray[np.float64]
#: Below this a variance is the rounding of its sums.
NOISE = 1e-18


@dataclass(frozen=True)
class WeightedShare:
    """``value`` = ``numerator`` / ``denominator`` (sums of weights); ``effective_n`` after Kish, by person.

    The interval rests on how much the answers of a person are alike, not on Kish's worst case that they are the same.
    """

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


def clustered_variance(values: npt.ArrayLike, weights: npt.ArrayLike, persons: npt.ArrayLike | None = None) -> float:
    """Linearised variance of the weighted mean of ``values``, the answers of one person together; 0.0 without weight.

    ``persons`` are codes from 0, one for each answer; without them every answer is another person's.
    """
    x, w = (np.asarray(a, dtype=np.float64) for a in (values, weights))
    if not w.sum() > 0:
        return 0.0
    moved = w * (x - w @ x / w.sum()) / w.sum()
    if persons is not None:
        moved = np.bincount(np.asarray(persons), weights=moved)
    return float(moved @ moved)


def effective_answers(values: npt.ArrayLike, weights: npt.ArrayLike, persons: npt.ArrayLike | None = None) -> float:
    """As many independent answers have a weighted mean of ``values`` that varies as much, at most all that were given.

    Kish's number where all said the same; 0.0 without any weight. Arguments as for clustered_variance.
    """
    x, w = (np.asarray(a, dtype=np.float64) for a in (values, weights))
    kishs = kish(w, persons)
    if kishs == 0:
        return 0.0
    spread = float(w @ (x - w @ x / w.sum()) ** 2 / w.sum())
    variance = max(clustered_variance(x, w, persons), spread / len(x))
    return spread / variance if variance > NOISE else kishs


def weighted_share(
    met: npt.ArrayLike, weights: npt.ArrayLike, persons: npt.ArrayLike | None = None
) -> WeightedShare | None:
    """Weighted share of the answers that ``met`` the condition, wholly or in part (0 to 1); None without any weight.

    Wilson's interval on the n that the variance by person stands for; on Kish's where all said the same.
    """
    w, x = np.asarray(weights, dtype=np.float64), np.asarray(met, dtype=np.float64)
    effective = kish(w, persons)
    if effective == 0:
        return None
    top, bottom = float(w @ x), float(w.sum())
    value = min(1.0, top / bottom)
    n, spread = effective_answers(x, w, persons), float(w @ (x - value) ** 2 / bottom)
    if spread > NOISE:
        n *= value * (1 - value) / spread
    return WeightedShare(value, wilson(value * n, n), effective, top, bottom)
