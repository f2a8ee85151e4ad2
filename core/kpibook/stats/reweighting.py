"""Intervals for ratios of sums over persons: whole persons are drawn again.

Up to MOST_PERSONS by bootstrap, above by the delta method, which then says the same.
Sources: Efron & Tibshirani 1993, chapter 13 (percentile interval); Deng, Knoblich & Lu 2018.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import CONFIDENCE, Interval, normal

Floats = npt.NDArray[np.float64]

SEED = 20170701
REPLICATES = 1000
MOST_PERSONS = 20_000
#: Draws at once: their counts stay in the processor's cache.
BATCH = 1 << 17
#: Counts of draws that are kept, of the last eight numbers of persons: 8 MB each.
KEPT = 1 << 22
TAILS = ((1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2)


def redrawn_sums(columns: npt.ArrayLike, replicates: int = REPLICATES, seed: int = SEED) -> Floats:
    """Sums of each column of ``columns`` (persons x k) over persons drawn with replacement: replicates x k.

    The seed is fixed by default: two runs give the same numbers.
    """
    table = np.asarray(columns, dtype=np.float64)
    few = len(table) < 1 << 16 and len(table) * replicates <= KEPT
    draws = _kept_draws if few else _draws
    counts = draws(len(table), replicates, seed)
    return np.concatenate([times.astype(np.float64) @ table for times in counts])


@lru_cache(maxsize=8)
def _kept_draws(persons: int, replicates: int, seed: int) -> tuple[npt.NDArray[np.uint16], ...]:
    """The draws of a figure and of its variants are the same, and drawing is dear; fewer than 2 to the 16 persons."""
    return tuple(times.astype(np.uint16) for times in _draws(persons, replicates, seed))


def _draws(persons: int, replicates: int, seed: int) -> Iterator[npt.NDArray[np.int64]]:
    """How often each person is drawn in each replicate, some replicates at a time."""
    rng = np.random.default_rng(seed)
    at_once = max(1, BATCH // max(1, persons))
    for first in range(0, replicates, at_once):
        size = min(at_once, replicates - first)
        drawn = rng.integers(0, persons, (size, persons)) + np.arange(size)[:, None] * persons
        yield np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape)


def percentiles(values: npt.ArrayLike) -> Interval | None:
    """The middle 95 % of replicates; None when fewer than 95 % of them have a value."""
    found = np.asarray(values, dtype=np.float64)
    known = found[np.isfinite(found)]
    if len(known) < CONFIDENCE * len(found) or len(known) == 0:
        return None
    low, high = np.quantile(known, TAILS)
    return Interval(float(low), float(high))


def ratio_interval(numerator: npt.ArrayLike, denominator: npt.ArrayLike, seed: int = SEED) -> Interval | None:
    """Interval of sum over sum, one entry a person; None with fewer than two persons or a denominator of 0."""
    top, bottom = (np.asarray(a, dtype=np.float64) for a in (numerator, denominator))
    if len(top) < 2 or bottom.sum() == 0:
        return None
    if len(top) > MOST_PERSONS:
        value = float(top.sum() / bottom.sum())
        residuals = (top - value * bottom) / bottom.sum()
        return normal(value, float(np.sqrt(len(top) / (len(top) - 1) * (residuals**2).sum())))
    return redrawn(np.column_stack([top, bottom]), lambda sums: sums[:, 0] / sums[:, 1], seed)


def redrawn(columns: npt.ArrayLike, figure: Callable[[Floats], Floats], seed: int = SEED) -> Interval | None:
    """Interval of a ``figure`` of the columns' sums (replicates x k in, replicates out)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return percentiles(figure(redrawn_sums(columns, seed=seed)))
