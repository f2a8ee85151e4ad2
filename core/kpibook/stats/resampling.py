"""Bootstrap for means with a heavy tail (Efron 1987, bias-corrected and accelerated)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import special

from kpibook.stats.intervals import CONFIDENCE, Interval

RESAMPLES = 2000
SEED = 20170701


def bca_mean(values: npt.ArrayLike, seed: int = SEED, resamples: int = RESAMPLES) -> Interval:
    """BCa interval of the mean of ``values`` (one number a person, at least two); the seed is fixed by default."""
    x = np.sort(np.asarray(values, dtype=np.float64))
    n, mean = len(x), float(np.mean(x))
    rng = np.random.default_rng(seed)
    means = np.array([float(x[rng.integers(0, n, n)].mean()) for _ in range(resamples)])
    below = (np.sum(means < mean) + 0.5 * np.sum(means == mean)) / resamples
    bias = special.ndtri(np.clip(below, 0.5 / resamples, 1 - 0.5 / resamples))
    deviation = mean - (n * mean - x) / (n - 1)
    spread = float(np.sum(deviation**2)) ** 1.5
    acceleration = float(np.sum(deviation**3)) / (6 * spread) if spread > 0 else 0.0
    z = special.ndtri([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    levels = special.ndtr(bias + (bias + z) / (1 - acceleration * (bias + z)))
    low, high = np.quantile(means, levels)
    return Interval(float(low), float(high))


def trimmed_mean(values: npt.ArrayLike, share: float = 0.01) -> float:
    """Mean without the largest ``share`` of the values."""
    x = np.sort(np.asarray(values, dtype=np.float64))
    return float(np.mean(x[: max(1, len(x) - int(np.ceil(share * len(x))))]))
