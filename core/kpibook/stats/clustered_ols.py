"""Least squares with standard errors that allow for several rows of one person (Liang & Zeger 1986, CR1)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import Interval, student
from kpibook.stats.respondent_bootstrap import person_sums

Floats = npt.NDArray[np.float64]


class Coefficient(NamedTuple):
    """``explained``: share of the residual variance of the outcome that this column takes up (partial R squared)."""

    value: float
    standard_error: float
    interval: Interval
    explained: float


def coefficient(
    outcome: npt.ArrayLike, column: npt.ArrayLike, others: npt.ArrayLike, persons: npt.ArrayLike
) -> Coefficient | None:
    """Coefficient of ``column`` (rows) in a regression on it, ``others`` (rows, k) and a constant.

    ``persons``: codes from 0. None when the column does not vary beside the others, or persons are too few.
    """
    y, x = np.asarray(outcome, dtype=np.float64), np.asarray(column, dtype=np.float64)
    codes = np.asarray(persons)
    if not len(y) == len(x) == len(codes):
        raise ValueError("outcome, column and persons differ in length")
    controls = np.column_stack([np.ones(len(y)), np.asarray(others, dtype=np.float64).reshape(len(y), -1)])
    rank = int(np.linalg.matrix_rank(_scaled(controls)))
    own, left = _without(x, controls), _without(y, controls)
    spread, groups, columns = float(own @ own), len(np.unique(codes)), rank + 1
    if groups < 2 or len(y) <= columns or spread <= 1e-12 * max(1e-300, float((x - x.mean()) @ (x - x.mean()))):
        return None
    value = float(own @ left) / spread
    residual = left - value * own
    scores = person_sums((own * residual)[:, None], codes)[:, 0]
    small = groups / (groups - 1) * (len(y) - 1) / (len(y) - columns)
    error = float(np.sqrt(small * float(scores @ scores))) / spread
    whole = float(left @ left)
    explained = 1 - float(residual @ residual) / whole if whole > 0 else 0.0
    return Coefficient(value, error, student(value, error, groups - 1), explained)


def _scaled(columns: Floats) -> Floats:
    size = np.sqrt((columns**2).sum(axis=0))
    return np.asarray(columns / np.where(size > 0, size, 1.0), dtype=np.float64)


def _without(values: Floats, controls: Floats) -> Floats:
    """What the controls leave of ``values``."""
    scaled = _scaled(controls)
    fitted = scaled @ np.linalg.lstsq(scaled, values, rcond=None)[0]
    return np.asarray(values - fitted, dtype=np.float64)
