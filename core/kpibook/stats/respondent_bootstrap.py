"""Bootstrap of survey figures, respondents drawn with replacement (Davison & Hinkley 1997, section 3.8)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import CONFIDENCE, Interval
from kpibook.stats.reweighting import REPLICATES, SEED, redrawn_sums

Floats = npt.NDArray[np.float64]


def person_sums(values: npt.ArrayLike, persons: npt.ArrayLike) -> Floats:
    """Sums of the columns of ``values`` (rows, k) by person code (from 0): (persons, k)."""
    x = np.asarray(values, dtype=np.float64)
    codes = np.asarray(persons)
    size = int(codes.max()) + 1 if codes.size else 0
    return np.column_stack([np.bincount(codes, weights=column, minlength=size) for column in x.T])


def replicates(sums: npt.ArrayLike, times: int = REPLICATES, seed: int = SEED) -> Floats:
    """Totals of the columns of ``sums`` (persons, k) over ``times`` resamples of the persons: (times, k).

    The seed is fixed by default: two runs give the same numbers. Raises ValueError without persons.
    """
    x = np.asarray(sums, dtype=np.float64)
    if x.ndim != 2 or len(x) == 0:
        raise ValueError("a bootstrap needs a table of at least one person")
    return redrawn_sums(x, times, seed)


def percentile(values: npt.ArrayLike, confidence: float = CONFIDENCE) -> Interval:
    """The middle ``confidence`` of the replicates, not-a-number left out; ValueError when none is left."""
    x = np.asarray(values, dtype=np.float64)
    known = x[np.isfinite(x)]
    if known.size == 0:
        raise ValueError("no replicate is a number")
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))
