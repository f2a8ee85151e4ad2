"""Cross-validated skill, against fits fold by fold with numpy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kpibook.stats.predictive_skill import (
    RIDGE,
    bent,
    predictions,
    rank_correlation,
    skills,
    top_decile_capture,
)  # fmt: skip


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(6)
    x = rng.gamma(2, 3, (400, 3))
    return x, 2 * x[:, 0] + x[:, 1] + rng.normal(0, 4, 400)


def test_r2_is_that_of_fits_fold_by_fold(sample: tuple[np.ndarray, np.ndarray]) -> None:
    """Ridge on four folds, error on the fifth, against the error of the mean of the four."""
    x, y = sample
    design = bent(x)
    found = skills(design, y, [[0, 3], [0, 1, 2, 3, 4, 5]], replicates=0).r2
    fold = np.arange(400) % 5
    for columns, r2 in zip(([0, 3], [0, 1, 2, 3, 4, 5]), found, strict=True):
        errors, nothing = 0.0, 0.0
        for held in range(5):
            train, test = fold != held, fold == held
            a = np.column_stack([np.ones(400), design[:, columns]])
            penalty = RIDGE * train.sum() * np.diag([0.0, *([1.0] * len(columns))])
            beta = np.linalg.solve(a[train].T @ a[train] + penalty, a[train].T @ y[train])
            errors += ((y[test] - a[test] @ beta) ** 2).sum()
            nothing += ((y[test] - y[train].mean()) ** 2).sum()
        assert r2 == pytest.approx(1 - errors / nothing, rel=1e-9)


def test_what_matters_is_told_from_what_does_not(sample: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = sample
    skill = skills(bent(x), y, [[2, 5], [0, 3], [0, 3, 1, 4]], replicates=100)
    noise, one, both = skill.r2
    assert noise < 0.02 < one < both
    spread = skill.redrawn.std(axis=0)
    assert skill.redrawn.shape == (100, 3)
    np.testing.assert_allclose(skill.redrawn.mean(axis=0), skill.r2, atol=3 * spread.max())


def test_units_do_not_matter(sample: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = sample
    one = skills(bent(x), y, [[0, 3]], replicates=20)
    other = skills(bent(x * 10), y * 10, [[0, 3]], replicates=20)
    np.testing.assert_allclose(one.r2, other.r2, rtol=1e-9)
    np.testing.assert_allclose(one.redrawn, other.redrawn, rtol=1e-9)


def test_predictions_come_from_the_other_folds() -> None:
    """Ten equal targets but one: the one is not foretold by its own fold."""
    y = np.zeros(10)
    y[0] = 100.0
    expected = predictions(np.zeros((10, 1)), y, [0])
    assert expected[[0, 5]].tolist() == pytest.approx([0, 0])
    assert expected[1] == pytest.approx(12.5)


def test_bent_columns() -> None:
    """-2, 0, 2 over the mean size 4/3: -1.5, 0, 1.5 and signed logarithms, both standardised to +-sqrt(1.5); a constant
    column is 0.
    """
    found = bent([[-2, 7], [0, 7], [2, 7]])
    np.testing.assert_allclose(found[:, 0], [-(1.5**0.5), 0, 1.5**0.5])
    np.testing.assert_allclose(found[:, 2], [-(1.5**0.5), 0, 1.5**0.5])
    np.testing.assert_allclose(found[:, [1, 3]], 0, atol=1e-12)


def test_rank_correlation_is_scipys() -> None:
    one, other = [3, 1, 1, 8, 5], [2, 2, 1, 9, 4]
    assert rank_correlation(one, other) == pytest.approx(stats.spearmanr(one, other).statistic)
    assert np.isnan(rank_correlation([1, 1], [1, 2]))


def test_top_decile() -> None:
    """Of eleven rows a tenth, rounded up, is two: those expected highest made 30 + 5 of 70."""
    actual = [30, 5, 20, 15, 0, 0, 0, 0, 0, 0, 0]
    assert top_decile_capture([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0], actual) == 0.5
    assert np.isnan(top_decile_capture([1, 2], [0, 0]))


@pytest.mark.parametrize("target", [[1, 2, 3, 4], [5, 5, 5, 5, 5, 5]])
def test_nothing_to_predict(target: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^nothing to predict$"):
        skills(np.zeros((len(target), 1)), target, [[0]])
