"""How well features known today predict tomorrow: cross-validated R2 of ridge regressions.

Everything comes from sums of products by fold, so that a model can be fitted anew to
hundreds of redrawn samples. Sources: Stone 1974 (cross-validation); Hoerl & Kennard 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

Floats = npt.NDArray[np.float64]

FOLDS = 5
REPLICATES = 200
SEED = 20170701
RIDGE = 1e-3
#: Products of one block of rows held in memory.
BLOCK = 5_000


@dataclass(frozen=True)
class Skill:
    """R2 of each set of features: of the sample, and (replicates x sets) of redrawn samples."""

    r2: Floats
    redrawn: Floats


def bent(features: npt.ArrayLike) -> Floats:
    """Each column (rows x k) as it is and as signed logarithm, standardised: rows x 2k, free of units."""
    x = np.asarray(features, dtype=np.float64)
    size = np.abs(x).mean(axis=0)
    scaled = x / np.where(size > 0, size, 1.0)
    both = np.column_stack([scaled, np.sign(scaled) * np.log1p(np.abs(scaled))])
    spread = both.std(axis=0)
    return np.asarray((both - both.mean(axis=0)) / np.where(spread > 1e-12, spread, 1.0))


def skills(design: Floats, target: npt.ArrayLike, sets: Sequence[Sequence[int]], replicates: int = REPLICATES) -> Skill:
    """Cross-validated R2 for ``sets`` of columns of ``design`` (rows x k); row i is in fold i modulo FOLDS.

    0 is the mean of the other folds. Redrawn rows stay in their fold. Raises ValueError for fewer rows than folds
    or a target without variation.
    """
    y = np.asarray(target, dtype=np.float64)
    if len(y) < FOLDS or np.ptp(y) == 0:
        raise ValueError("nothing to predict")
    table = np.column_stack([np.ones(len(y)), design, (y - y.mean()) / y.std()])
    weights = np.vstack([np.ones(len(y)), np.random.default_rng(SEED).poisson(1.0, (replicates, len(y)))])
    grams = np.stack([_grams(table[fold::FOLDS], weights[:, fold::FOLDS]) for fold in range(FOLDS)])
    last = table.shape[1] - 1
    nothing = _errors(grams, [0], last)
    found = np.stack([1 - _errors(grams, [0, *(c + 1 for c in chosen)], last) / nothing for chosen in sets], axis=1)
    return Skill(found[0], found[1:])


def predictions(design: Floats, target: npt.ArrayLike, chosen: Sequence[int]) -> Floats:
    """What each row's target is expected to be by the other folds."""
    y = np.asarray(target, dtype=np.float64)
    x = np.column_stack([np.ones(len(y)), design[:, list(chosen)]])
    found = np.empty(len(y))
    for fold in range(FOLDS):
        held = np.arange(len(y)) % FOLDS == fold
        found[held] = x[held] @ _solved(x[~held].T @ x[~held], x[~held].T @ y[~held])
    return found


def rank_correlation(one: npt.ArrayLike, other: npt.ArrayLike) -> float:
    """Spearman's; nan when either side has one value only."""
    first, second = stats.rankdata(one), stats.rankdata(other)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def top_decile_capture(expected: npt.ArrayLike, actual: npt.ArrayLike) -> float:
    """Part of the sum of ``actual`` that falls to the tenth of the rows expected highest; nan for a sum of 0."""
    y = np.asarray(actual, dtype=np.float64)
    top = np.argsort(-np.asarray(expected, dtype=np.float64), kind="stable")[: -(-len(y) // 10)]
    return float(y[top].sum() / y.sum()) if y.sum() != 0 else float("nan")


def _grams(rows: Floats, weights: Floats) -> Floats:
    """Weighted sums of products of the columns: replicates x k x k."""
    size = rows.shape[1]
    total = np.zeros((len(weights), size * size))
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        products = (part[:, :, None] * part[:, None, :]).reshape(len(part), -1)
        total += weights[:, start : start + BLOCK] @ products
    return total.reshape(len(weights), size, size)


def _errors(grams: Floats, chosen: Sequence[int], target: int) -> Floats:
    """Squared error over all folds, each predicted by the others: one number a replicate."""
    columns = np.asarray(chosen)
    total = np.zeros(grams.shape[1])
    everything = grams.sum(axis=0)
    for held in grams:
        train = everything - held
        beta = _solved(train[:, columns[:, None], columns], train[:, columns, target])
        inside = np.einsum("bi,bij,bj->b", beta, held[:, columns[:, None], columns], beta)
        total += held[:, target, target] - 2 * (beta * held[:, columns, target]).sum(axis=1) + inside
    return total


def _solved(gram: Floats, right: Floats) -> Floats:
    """Ridge regression; column 0 is the intercept, which is not shrunk."""
    size = gram.shape[-1]
    penalty = np.eye(size)
    penalty[0, 0] = 0.0
    rows = gram[..., :1, :1]
    return np.asarray(np.linalg.solve(gram + RIDGE * rows * penalty, right[..., None])[..., 0])
