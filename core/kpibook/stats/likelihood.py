"""Maximum likelihood, and how far each person moved the estimates.

Parameters are positive and are searched on the log scale. The influence of a person is
minus the inverse Hessian times the person's score (Huber 1967; the infinitesimal jackknife
of Jaeckel 1972): the sum of its squares is the variance that refitting resampled persons
would give, to first order, without a single refit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import optimize

from kpibook.stats.intervals import Interval, normal

Floats = npt.NDArray[np.float64]
#: Log likelihood of each row at the log parameters given.
RowLikelihood = Callable[[Floats], Floats]

LIMIT = 12.0
STEP = 1e-4
#: Newton steps, and when one is small enough to be the last.
MOST_STEPS, SMALL = 6, 1e-6
#: A slope of the mean log likelihood that is level, and a curvature that is flat beside the strongest.
LEVEL, FLAT = 1e-4, 1e-6


@dataclass(frozen=True)
class Maximum:
    """``log_parameters`` (k), ``influence`` (rows x k, on the log scale) and whether a maximum was ``found``."""

    log_parameters: Floats
    influence: Floats
    log_likelihood: float
    found: bool

    @property
    def parameters(self) -> Floats:
        return np.exp(self.log_parameters)


def maximise(rows: RowLikelihood, start: npt.ArrayLike) -> Maximum:
    """The parameters that maximise the sum of ``rows``, searched from ``start`` (k positive numbers).

    The search ends at e^12 and e^-12. Where persons do not differ, parameters run off along a flat ridge: such a
    direction counts as found, and nobody has influence along it. ``found`` is False where likelihood is left to gain.
    """
    first = np.log(np.asarray(start, dtype=np.float64))

    def loss(at: Floats) -> float:
        return -float(rows(at).mean())

    bounds = [(-LIMIT, LIMIT)] * len(first)
    searched = optimize.minimize(loss, first, method="L-BFGS-B", bounds=bounds, options={"ftol": 1e-9, "gtol": 1e-6})
    at, hessian = _polished(loss, np.asarray(searched.x, dtype=np.float64))
    scores = gradient(rows, at)
    influence = scores @ np.linalg.pinv(hessian, rcond=FLAT, hermitian=True) / len(scores)
    level = bool(np.max(np.abs(scores.mean(axis=0))) < LEVEL)
    return Maximum(at, influence, float(rows(at).sum()), level)


def gradient(value: Callable[[Floats], Floats | float], at: Floats) -> Floats:
    """Central differences of ``value`` by each log parameter, stacked along the last axis."""
    sides = []
    for step in STEP * np.eye(len(at)):
        up, down = np.asarray(value(at + step)), np.asarray(value(at - step))
        sides.append((up - down) / (2 * STEP))
    return np.stack(sides, axis=-1)


def plug_in_interval(value: float, own: npt.ArrayLike, slope: npt.ArrayLike, maximum: Maximum) -> Interval:
    """Interval of a figure that a fitted model goes into, what refitting to redrawn persons would give.

    ``own`` is what each person moves the figure by directly (0 for persons that it leaves out), ``slope`` the
    figure's derivative by each log parameter; persons are those of ``maximum``, in its order.
    """
    moved = np.asarray(own, dtype=np.float64) + maximum.influence @ np.asarray(slope, dtype=np.float64)
    return normal(value, float(np.sqrt((moved**2).sum())))


def _hessian(loss: Callable[[Floats], float], at: Floats) -> Floats:
    """Second central differences."""
    size, step = len(at), 1e-3
    moves = step * np.eye(size)
    found = np.empty((size, size))
    for i in range(size):
        for j in range(i, size):
            corners = loss(at + moves[i] + moves[j]) + loss(at - moves[i] - moves[j])
            corners -= loss(at + moves[i] - moves[j]) + loss(at - moves[i] + moves[j])
            found[i, j] = found[j, i] = corners / (4 * step**2)
    return found


def _polished(loss: Callable[[Floats], float], at: Floats) -> tuple[Floats, Floats]:
    """Newton steps while they gain, and the Hessian at the end."""
    best, hessian = loss(at), _hessian(loss, at)
    for _ in range(MOST_STEPS):
        step = np.linalg.pinv(hessian, rcond=FLAT, hermitian=True) @ gradient(loss, at)
        size = float(np.max(np.abs(step)))
        new = np.clip(at - step, -LIMIT, LIMIT)
        value = loss(new)
        if size > 1.0 or not value <= best:
            break
        at, best = new, value
        if size < SMALL:
            break
        hessian = _hessian(loss, at)
    return at, hessian
