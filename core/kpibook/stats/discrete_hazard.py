"""Discrete-time hazard of an event with exposures that last: what meeting something changes.

Source: Singer & Willett 1993 (discrete-time survival); Robins 1986 (standardisation). The standard error is
the infinitesimal jackknife over persons (Efron 1982), the limit of a bootstrap of whole persons.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
ROUNDS, TOLERANCE, RIDGE = 50, 1e-10, 1e-6


class Standardised(NamedTuple):
    """``difference``: mean over persons of the chance of the event had they been exposed from the first step on, less
    had they never been; ``log_odds`` the coefficient behind it. ``errors`` are their standard errors.
    """

    difference: Floats
    difference_error: Floats
    log_odds: Floats
    log_odds_error: Floats


def met_so_far(person: npt.ArrayLike, here: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Whether the person has met it by this step: ``here`` (rows, exposures) carried on, ``person`` sorted codes."""
    who, now = np.asarray(person, dtype=np.int64), np.asarray(here, dtype=bool)
    rows = np.arange(len(who))[:, None]
    first = np.searchsorted(who, who)[:, None]
    return np.asarray(np.maximum.accumulate(np.where(now, rows, -1), axis=0) >= first, dtype=np.bool_)


def standardised_differences(
    person: npt.ArrayLike, event: npt.ArrayLike, exposed: npt.ArrayLike, others: npt.ArrayLike
) -> Standardised:
    """Effect of each column of ``exposed`` (rows, k) on the event, given ``others`` (rows, m) and a constant.

    One row a person and step; ``person`` holds sorted codes from 0, ``event`` whether it came at this step. Logistic
    regression with a ridge of 1e-6 that keeps separated groups finite. Raises ValueError when the inputs differ in
    length, the persons are not sorted, or there is no row.
    """
    who, y = np.asarray(person, dtype=np.int64), np.asarray(event, dtype=np.float64)
    seen, rest = np.asarray(exposed, dtype=np.float64), np.asarray(others, dtype=np.float64)
    if not len(who) == len(y) == len(seen) == len(rest):
        raise ValueError("persons, events, exposures and covariates differ in length")
    if len(who) == 0:
        raise ValueError("a hazard needs at least one row")
    if np.any(np.diff(who) < 0):
        raise ValueError("the rows are not sorted by person")
    x = np.column_stack([seen, np.ones(len(y)), rest])
    kinds, kind = _kinds(x)
    beta, information = _fitted(kinds, *(np.bincount(kind, w).astype(np.float64) for w in (np.ones(len(y)), y)))
    starts = np.flatnonzero(np.append(True, np.diff(who) != 0))
    scores = np.add.reduceat(x * (y - special.expit(kinds @ beta)[kind])[:, None], starts, axis=0)
    pushes = np.asarray(np.linalg.solve(information, scores.T).T, dtype=np.float64)
    found = [_contrast(kinds, kind, beta, pushes, starts, column) for column in range(seen.shape[1])]
    differences, errors = (np.array([pair[i] for pair in found], dtype=np.float64) for i in (0, 1))
    own = pushes[:, : seen.shape[1]]
    return Standardised(differences, errors, beta[: seen.shape[1]], np.sqrt((own**2).sum(axis=0)))


def _kinds(x: Floats) -> tuple[Floats, Ints]:
    """The rows that differ, and which of them each row is: most rows of a hazard are alike."""
    rows = np.ascontiguousarray(x)
    whole = rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()
    _, first, kind = np.unique(whole, return_index=True, return_inverse=True)
    return rows[first], kind.astype(np.int64)


def _fitted(x: Floats, trials: Floats, events: Floats) -> tuple[Floats, Floats]:
    """Newton's method over kinds of rows; the coefficients and the information matrix at them."""
    beta, ridge = np.zeros(x.shape[1]), RIDGE * np.eye(x.shape[1])
    for _ in range(ROUNDS):
        p = special.expit(x @ beta)
        information = (x * (trials * p * (1 - p))[:, None]).T @ x + ridge
        step = np.linalg.solve(information, x.T @ (events - trials * p) - RIDGE * beta)
        beta = beta + step / max(1.0, float(np.abs(step).max()) / 4)
        if np.abs(step).max() < TOLERANCE:
            break
    p = special.expit(x @ beta)
    return beta, (x * (trials * p * (1 - p))[:, None]).T @ x + ridge


def _contrast(x: Floats, kind: Ints, beta: Floats, pushes: Floats, starts: Ints, column: int) -> tuple[float, float]:
    """Always exposed less never exposed, averaged over persons, with its standard error."""
    plain = x @ beta - x[:, column] * beta[column]
    n, difference = len(starts), np.zeros(len(starts))
    gradient = np.zeros(x.shape[1])
    lengths = np.diff(np.append(starts, len(kind)))
    for sign, exposed in ((1.0, 1.0), (-1.0, 0.0)):
        hazard = special.expit(plain + exposed * beta[column])
        stays = np.exp(np.add.reduceat(np.log1p(-np.minimum(hazard, 1 - 1e-15))[kind], starts))
        difference += sign * (1 - stays)
        slope = np.bincount(kind, np.repeat(stays, lengths), len(x)) * hazard / n
        part = slope @ x
        part[column] = exposed * slope.sum()
        gradient += sign * part
    mean = float(difference.mean())
    influence = (difference - mean) / n + pushes @ gradient
    return mean, float(np.sqrt(influence @ influence))
