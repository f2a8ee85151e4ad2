"""Risk sets, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kpibook.stats import risk_sets as risk

NEVER = risk.NEVER


def _purchases(rows: list[tuple[int, int, float]], first: list[int], enrolled: list[int]) -> risk.Purchases:
    person, month, basket = (np.array(column) for column in zip(*rows, strict=True))
    stratum = np.zeros(len(rows), dtype=np.int64)
    return risk.Purchases(person, month, basket.astype(float), stratum, np.array(first), np.array(enrolled))


def test_who_is_at_risk() -> None:
    """Month 8: persons 0 (enrols in it), 1 (never) and 2 (enrols later, in 9) are at risk; 3 enrolled in 7, and 4 first
    bought in 3, five months before. In month 9 persons 1 and 2.
    """
    rows = [(p, 8, 10.0) for p in range(5)] + [(1, 9, 10.0), (2, 9, 10.0), (0, 9, 10.0)]
    bought = _purchases(rows, [0, 2, 1, 0, 3], [8, NEVER, 9, 7, NEVER])
    sets = risk.risk_sets(bought, risk.at_risk(bought))
    assert (sets.month.tolist(), sets.person.tolist()) == ([8, 8, 8, 9, 9], [0, 1, 2, 1, 2])
    assert sets.treated.tolist() == [True, False, False, False, True]
    assert sets.tenure.tolist() == [8, 6, 7, 7, 8]


def test_a_longer_history_leaves_out_more() -> None:
    bought = _purchases([(0, 8, 1.0), (1, 8, 1.0)], [0, 1], [8, NEVER])
    assert risk.at_risk(bought, history=8).tolist() == [True, False]


def test_nobody_at_risk() -> None:
    bought = _purchases([(0, 3, 1.0)], [0], [NEVER])
    sets = risk.risk_sets(bought, risk.at_risk(bought))
    assert (len(sets.person), sets.cells) == (0, 0)
    assert sets.by_cell(sets.basket).tolist() == []


def test_sums_within_cells() -> None:
    """Strata 4 and 7 become the cells 0 and 1; persons 2 and 0 stand in 4, person 1 in 7."""
    bought = _purchases([(0, 9, 1.0), (1, 9, 2.0), (2, 9, 3.0)], [0, 0, 0], [9, NEVER, NEVER])
    bought.stratum[:] = [4, 7, 4]
    own = risk.risk_sets(bought, risk.at_risk(bought))
    assert (own.person.tolist(), own.cell.tolist(), own.cell_stratum.tolist()) == ([0, 2, 1], [0, 0, 1], [4, 7])
    assert own.by_cell(own.basket).tolist() == [4.0, 2.0]
    assert (own.long.tolist(), own.cell_month.tolist()) == ([True, True], [9, 9])
    part = own.part(np.array([False, True]))
    assert (part.person.tolist(), part.cell.tolist(), part.cell_stratum.tolist()) == ([1], [0], [7])


def test_strata() -> None:
    """Bands 6-11, 12-23 and 24 months in each of the basket classes; the first is too short for held-out months."""
    tenure = np.array([6, 11, 12, 23, 24, 60])
    assert risk.strata(tenure, np.array([0, 0, 0, 1, 1, 2])).tolist() == [0, 0, 1, 4, 5, 8]


@pytest.mark.parametrize(
    ("size", "expected"), [(7, [0, 0, 0, 1, 1, 2, 2]), (6, [0, 0, 1, 1, 2, 2]), (2, [0, 1]), (1, [0])]
)
def test_classes_are_those_of_ntile(size: int, expected: list[int]) -> None:
    """SQL's ntile(3): the first classes get the odd ones out; shuffled rows get the same class."""
    basket = np.arange(size, dtype=float)
    order = np.random.default_rng(0).permutation(size)
    month, person = np.zeros(size, dtype=np.int64), np.arange(size)
    found = risk.basket_classes(month, basket[order], person)
    assert found[np.argsort(order)].tolist() == expected


def test_classes_by_month_with_ties_by_person() -> None:
    month = np.array([1, 0, 1, 0, 1, 0])
    person = np.array([2, 1, 0, 0, 1, 2])
    assert risk.basket_classes(month, np.full(6, 5.0), person).tolist() == [2, 1, 0, 0, 1, 2]


def test_standardised_difference() -> None:
    """Treated 1 and 3 (mean 2, variance 1); controls 0 and 2, weights 3 and 1 (mean 0.5, variance 1): 1.5 / 1."""
    found = risk.standardised_difference([1, 3, 0, 2], [True, True, False, False], [1, 1, 3, 1])
    assert found == pytest.approx(1.5)


def test_standardised_difference_without_spread() -> None:
    assert risk.standardised_difference([1, 1], [True, False], [1, 1]) == 0
