"""Weights that make controls look like the treated."""

from __future__ import annotations

import numpy as np
import pytest

from kpibook.stats.calibration import calibrated
from kpibook.stats.risk_sets import RiskSets


def _sets(treated: list[int], cell: list[int]) -> RiskSets:
    nothing, cells = np.zeros(len(treated), dtype=np.int64), np.arange(max(cell) + 1)
    flags = np.array(treated, dtype=bool)
    return RiskSets(nothing, np.arange(len(treated)), flags, np.array(cell), nothing, nothing * 1.0, cells, cells)


def _calibrated(treated: list[int], cell: list[int], *columns: list[float]) -> np.ndarray | None:
    return calibrated(_sets(treated, cell), np.array(columns, dtype=float).T)


def test_one_stratum_by_hand() -> None:
    """The treated has 1, the controls 0 and 3: two parts of the first to one of the second."""
    found = _calibrated([1, 0, 0], [0, 0, 0], [1, 0, 3])
    assert found is not None
    assert found[0] == 0
    assert found[1] / found[2] == pytest.approx(2, rel=1e-6)


def test_strata_agree_taken_together() -> None:
    """One treated in each of two strata, at 2 and 0, controls at 0 and 2 in both: together 2, so equal weights do."""
    found = _calibrated([1, 0, 0, 1, 0, 0], [0, 0, 0, 1, 1, 1], [2, 0, 2, 0, 0, 2])
    assert found is not None
    assert found == pytest.approx([0, found[1], found[1], 0, found[1], found[1]])


def test_two_covariates() -> None:
    """Corners of a square; the treated stands at (1/2, 1/4): weights of the means, independent of each other."""
    found = _calibrated([1, 0, 0, 0, 0], [0] * 5, [0.5, 0, 1, 0, 1], [0.25, 0, 0, 1, 1])
    assert found is not None
    assert found[1:] / found[1:].sum() == pytest.approx([3 / 8, 3 / 8, 1 / 8, 1 / 8], rel=1e-6)


def test_a_covariate_that_does_not_vary_is_left_out() -> None:
    found = _calibrated([1, 0, 0], [0, 0, 0], [1, 0, 3], [7, 7, 7])
    assert found is not None
    assert found[1] / found[2] == pytest.approx(2, rel=1e-6)


@pytest.mark.parametrize(
    ("treated", "cell", "values"),
    [
        ([1, 0, 0], [0, 0, 0], [5, 0, 3]),
        ([1, 0, 0], [0, 0, 0], [5, 3, 3]),
        ([1, 1, 1], [0, 0, 0], [5, 0, 3]),
        ([1, 0, 0], [0, 1, 1], [1, 0, 3]),
    ],
)
def test_none_when_it_cannot_be_done(treated: list[int], cell: list[int], values: list[float]) -> None:
    """The treated beyond all controls, controls all alike, no controls, and none in the same stratum."""
    assert _calibrated(treated, cell, values) is None
