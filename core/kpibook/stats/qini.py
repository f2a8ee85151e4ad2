"""Qini: does a score pick those whose response a treatment changes?

Cases are ordered by score, highest first. The curve is the number of extra responses
among the treated when only so large a part of the cases is treated; the coefficient is
its area above the random line, out of that of the perfect order (treated responders first,
control responders last). Source: Radcliffe 2007, Using control groups to target on
predicted lift.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import CONFIDENCE, Interval

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.int64]

RESAMPLES = 500
SEED = 20070401
#: Numbers held at a time by the bootstrap.
CELLS = 4_000_000


class Points(NamedTuple):
    """The curve at each distinct score: part of the cases (weighted), and extra responses per case."""

    part: Floats
    gain: Floats


def curve(score: Floats, answered: Floats, treated: Bools, weight: Floats) -> Points:
    """The Qini curve from (0, 0) on. Arrays of one length; ``weight`` is the inverse probability of the arm given."""
    part, gain = _curves(score, answered, treated, weight[np.newaxis, :])
    return Points(part[0], gain[0])


def coefficient(score: Floats, answered: Floats, treated: Bools, weight: Floats) -> float:
    """Area above the random line, out of the perfect order's: 1 perfect, 0 chance, below 0 worse. NaN if undefined."""
    return float(_coefficients(score, answered, treated, weight[np.newaxis, :])[0])


def intervals(
    score: Floats,
    answered: Floats,
    treated: Bools,
    weight: Floats,
    stratum: Codes,
    cluster: Codes,
    seed: int = SEED,
    resamples: int = RESAMPLES,
) -> tuple[Interval, list[Interval]]:
    """Percentile intervals of the size-weighted mean of the strata's coefficients, and of each stratum 0..k-1.

    Poisson bootstrap of clusters, fixed seed. NaN ends where no replicate has a coefficient.
    """
    rng = np.random.default_rng(seed)
    clusters, rows = int(cluster.max()) + 1, max(1, CELLS // len(cluster))
    sizes = np.bincount(stratum).astype(np.float64)
    found: list[Floats] = []
    for first in range(0, resamples, rows):
        times = rng.poisson(1.0, (min(rows, resamples - first), clusters)).astype(np.float64)
        parts = [
            _coefficients(score[own], answered[own], treated[own], times[:, cluster[own]] * weight[own])
            for own in (stratum == code for code in range(len(sizes)))
        ]
        found.append(np.stack(parts, axis=1))
    values = np.concatenate(found)
    known = ~np.isnan(values) * sizes
    mass = known.sum(axis=1)
    whole = np.sum(np.nan_to_num(values) * known, axis=1)[mass > 0] / mass[mass > 0]
    return _percentiles(whole), [_percentiles(column[~np.isnan(column)]) for column in values.T]


def _percentiles(values: Floats) -> Interval:
    if not len(values):
        return Interval(float("nan"), float("nan"))
    low, high = np.quantile(values, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return Interval(float(low), float(high))


def _coefficients(score: Floats, answered: Floats, treated: Bools, weight: Floats) -> Floats:
    own, best = _area(*_curves(score, answered, treated, weight)), _best_area(answered, treated, weight)
    found = np.full(len(weight), np.nan)
    np.divide(own, best, out=found, where=best > 1e-12)
    return found


def _best_area(answered: Floats, treated: Bools, weight: Floats) -> Floats:
    """The area of the perfect order: treated responders, then whoever does not respond, then control responders."""
    given, held = weight @ treated, weight @ ~treated
    bought, anyway = weight @ (treated * answered), weight @ (~treated * answered)
    total = np.maximum(given + held, 1e-300)
    end = bought - np.divide(anyway * given, held, out=np.zeros_like(held), where=held > 0)
    first, second = bought / total, (given + held - anyway) / total
    under = first * bought / 2 + (second - first) * bought + (1 - second) * (bought + end) / 2
    return np.asarray((under - end / 2) / np.maximum(given, 1e-300))


def _area(part: Floats, gain: Floats) -> Floats:
    """Area between the curve and the straight line to its end [replicates]."""
    under = np.sum(np.diff(part, axis=1) * (gain[:, 1:] + gain[:, :-1]) / 2, axis=1)
    return np.asarray(under - gain[:, -1] / 2)


def _curves(score: Floats, answered: Floats, treated: Bools, weight: Floats) -> tuple[Floats, Floats]:
    """Curves of several weightings [replicates, cases] at once."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    mass, arm, answer = weight[:, order], treated[order], answered[order]
    given, held = (_running(mass * side, last) for side in (arm, ~arm))
    bought, anyway = (_running(mass * side * answer, last) for side in (arm, ~arm))
    total = np.maximum(given[:, -1:] + held[:, -1:], 1e-300)
    expected = np.zeros_like(anyway)
    np.divide(anyway * given, held, out=expected, where=held > 0)
    return (given + held) / total, (bought - expected) / np.maximum(given[:, -1:], 1e-300)


def _running(amounts: Floats, last: Codes) -> Floats:
    sums = np.cumsum(amounts, axis=1)[:, last]
    return np.concatenate([np.zeros((len(sums), 1)), sums], axis=1)
