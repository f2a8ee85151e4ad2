"""Least squares with clustered errors, against plain matrix algebra."""

import numpy as np
import pytest

from kpibook.stats.clustered_ols import coefficient


def test_an_exact_line() -> None:
    """y = 2 + 3 x + z: the coefficient is 3, nothing is left over."""
    rng = np.random.default_rng(1)
    x, z = rng.normal(size=(2, 30))
    found = coefficient(2 + 3 * x + z, x, z, range(30))
    assert found is not None
    assert (found.value, found.standard_error, found.explained) == pytest.approx((3, 0, 1), abs=1e-9)


def test_against_the_sandwich() -> None:
    """(X'X)^-1 (sum over persons of s s') (X'X)^-1 with CR1, in full."""
    rng = np.random.default_rng(2)
    x, z = rng.normal(size=(2, 80))
    codes = np.repeat(np.arange(20), 4)
    y = 1 + 0.5 * x - z + rng.normal(size=20)[codes] + rng.normal(size=80)
    design = np.column_stack([np.ones(80), x, z])
    bread = np.linalg.inv(design.T @ design)
    beta = bread @ design.T @ y
    scores = design * (y - design @ beta)[:, None]
    meat = sum(np.outer(s, s) for s in (scores[codes == i].sum(axis=0) for i in range(20)))
    variance = bread @ meat @ bread * (20 / 19) * (79 / 77)
    found = coefficient(y, x, z, codes)
    assert found is not None
    assert (found.value, found.standard_error) == pytest.approx((beta[1], variance[1, 1] ** 0.5))
    reduced = design[:, [0, 2]]
    without = y - reduced @ np.linalg.lstsq(reduced, y, rcond=None)[0]
    assert found.explained == pytest.approx(1 - ((y - design @ beta) ** 2).sum() / (without**2).sum())


def test_the_scale_of_money_changes_nothing_but_the_scale() -> None:
    rng = np.random.default_rng(3)
    x, z, y = rng.normal(size=(3, 50))
    one, ten = coefficient(y, x, z, range(50)), coefficient(1e6 * y, x, 1e6 * z, range(50))
    assert one is not None
    assert ten is not None
    assert ten.value == pytest.approx(1e6 * one.value)
    assert ten.explained == pytest.approx(one.explained)


def test_what_cannot_be_told() -> None:
    """A column that its controls explain; one person; no more rows than columns."""
    x = np.arange(10.0)
    assert coefficient(x, 2 * x + 1, x, range(10)) is None
    assert coefficient(x, x**2, x, [0] * 10) is None
    assert coefficient([1, 2, 3], [1, 2, 4], [3, 1, 2], range(3)) is None


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match=r"^outcome, column and persons differ in length$"):
        coefficient([1, 2], [1, 2, 3], [1, 2], [0, 1])
