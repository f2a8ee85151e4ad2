"""How far groups differ beyond the noise of their samples (DerSimonian & Laird 1986)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import Interval
from kpibook.stats.respondent_bootstrap import percentile

REPLICATES = 1000
SEED = 20170701


class Spread(NamedTuple):
    """``tau``: standard deviation between groups; ``mean``: that of the groups; ``q``: Cochran's."""

    tau: float
    mean: float
    q: float


def dersimonian_laird(values: npt.ArrayLike, variances: npt.ArrayLike) -> Spread:
    """Moment estimate from each group's value and sampling variance (> 0), at least two groups."""
    y, v = np.atleast_2d(np.asarray(values, dtype=np.float64)), np.asarray(variances, dtype=np.float64)
    if y.shape[1] < 2 or v.min() <= 0:
        raise ValueError("two groups with a sampling variance above 0 are needed")
    tau, mean, q = _moments(y, v)
    return Spread(float(tau[0]), float(mean[0]), float(q[0]))


def tau_interval(values: npt.ArrayLike, variances: npt.ArrayLike, seed: int = SEED) -> Interval:
    """Parametric bootstrap of tau: groups drawn around the mean with both variances. The seed is fixed."""
    v = np.asarray(variances, dtype=np.float64)
    found = dersimonian_laird(values, v)
    rng = np.random.default_rng(seed)
    centre = found.mean if found.tau == 0 else _pooled(values, v, found.tau)
    drawn = rng.normal(centre, np.sqrt(found.tau**2 + v), (REPLICATES, len(v)))
    return percentile(_moments(drawn, v)[0])


def _moments(y: npt.NDArray[np.float64], v: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], ...]:
    w = 1 / v
    mean = (y @ w) / w.sum()
    q = ((y - mean[:, None]) ** 2) @ w
    scale = w.sum() - (w @ w) / w.sum()
    return np.sqrt(np.maximum(0.0, (q - (y.shape[1] - 1)) / scale)), mean, q


def _pooled(values: npt.ArrayLike, v: npt.NDArray[np.float64], tau: float) -> float:
    weights = 1 / (v + tau**2)
    return float(np.asarray(values, dtype=np.float64) @ weights / weights.sum())
