"""Means of a score over categories: parametric (multinomial) bootstrap of the counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from kpibook.stats.cluster_bootstrap import DRAWS, SEED, percentiles


def mean_interval(
    counts: npt.ArrayLike, scores: npt.ArrayLike, draws: int = DRAWS, seed: int = SEED
) -> tuple[float, float]:
    """Percentile interval of the mean score of sum(counts) cases, each category having one score.

    ``counts`` and ``scores`` have one length. Raises ValueError when there is no case.
    """
    seen = np.asarray(counts, dtype=np.int64)
    n = int(seen.sum())
    if n == 0:
        raise ValueError("a mean of no cases has no interval")
    drawn = np.random.default_rng(seed).multinomial(n, seen / n, size=draws)
    return percentiles(drawn @ np.asarray(scores, dtype=np.float64) / n)
