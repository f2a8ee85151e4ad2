"""Withheld cells: small ones, and as many others as hide them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kpibook.privacy.cells import Cell, withheld
from kpibook.privacy.tables import withheld_cells


def row(*persons: int | None) -> set[int]:
    """Places withheld of one line that adds up to a known total."""
    cells = [Cell(i, n, ({i: 1},), ("line",)) for i, n in enumerate(persons)]
    return withheld(cells, [dict.fromkeys(range(len(persons)), 1)], 10)


@pytest.mark.parametrize(
    ("persons", "hidden"),
    [
        ((40, 30, 20), set()),
        ((40, 30, 9), {2, 1}),
        ((10, 12, 11), set()),
        ((0, 30, 20), set()),
        ((40, 3, 6, 20), {1, 2, 3}),  # together 9 persons: a third is needed
        ((40, 4, 6, 20), {1, 2}),  # together 10: two are enough
        ((40, 1, 0, 0), {1, 0}),  # nobody cannot hide anybody
        ((None, None), set()),
    ],
)
def test_a_line_with_a_known_total(persons: tuple[int | None, ...], hidden: set[int]):
    assert row(*persons) == hidden


def test_the_smallest_is_taken_of_equals_the_first_by_name():
    cells = [Cell(name, n, ({name: 1},), ("line",)) for name, n in (("c", 20), ("b", 20), ("a", 5))]
    assert withheld(cells, [{"a": 1, "b": 1, "c": 1}], 10) == {"a", "b"}


def test_a_number_stated_elsewhere_is_withheld_there_too():
    """Sales and average receipt of shops share the sales: a second shop, b, goes in both, where it has 20 persons and
    where it has 90.
    """
    sales = [Cell(("sales", s), n, ({("sum", s): 1},), ("sales",)) for s, n in (("a", 5), ("b", 20), ("c", 30))]
    averages = [
        Cell(("average", s), n, ({("sum", s): 1}, {("count", s): 1}), ("average",))
        for s, n in (("a", 5), ("b", 90), ("c", 30))
    ]
    known = [{(what, s): 1 for s in "abc"} for what in ("sum", "count")]
    assert withheld([*sales, *averages], known, 10) == {
        ("sales", "a"), ("sales", "b"), ("average", "a"), ("average", "b"),
    }  # fmt: skip


def test_a_table_of_two_ways_takes_a_square():
    """One small cell: with it one more in its row, one in its column, and the one across."""
    rows, columns = [*"aaabbbccc"], [*"xyzxyzxyz"]
    persons = [3, 50, 60, 20, 40, 70, 80, 90, 95]
    assert withheld_cells(rows, columns, persons, 10, across=True) == {("a", "x"), ("a", "y"), ("b", "x"), ("b", "y")}


def test_a_row_of_few_goes_whole_and_takes_another_row_with_it():
    rows, columns = [*"aabbcc"], [*"xyxyxy"]
    assert withheld_cells(rows, columns, [3, 4, 20, 30, 50, 60], 10, across=True) == {
        ("a", "x"), ("a", "y"), ("b", "x"), ("b", "y"),
    }  # fmt: skip


SIZES = st.lists(st.lists(st.integers(0, 40), min_size=2, max_size=5), min_size=2, max_size=5).map(
    lambda table: [line[: min(map(len, table))] for line in table]
)


@given(SIZES)
@example([[29, 0], [0, 0], [29, 3], [19, 0], [19, 0]])
@example([[3, 40], [50, 60]])
def test_nobody_finds_a_small_cell_from_rows_columns_and_the_rest(table: list[list[int]]):
    """The attacker knows every shown cell and the total of every row and column that holds ten persons, but for
    rows of which nothing is shown. Some change of what is hidden moves every small cell and leaves all of that as it
    is; and no small cell is shown.
    """
    counts = np.array(table)
    rows, columns = counts.shape
    names = [(str(r), str(c)) for r in range(rows) for c in range(columns)]
    hidden = withheld_cells(*map(list, zip(*names, strict=True)), counts.ravel().tolist(), 10, across=True)
    small = {name for name, n in zip(names, counts.ravel(), strict=True) if 0 < n < 10}
    assert small <= hidden
    if counts.sum() < 10:
        return
    unknown = [name for name in names if name in hidden]
    told = [
        [name[side] == str(i) for name in unknown]
        for side, sums in enumerate((counts.sum(axis=1), counts.sum(axis=0)))
        for i, n in enumerate(sums)
        if (n == 0 or n >= 10) and (side or any(name[0] == str(i) and name not in hidden for name in names))
    ]
    for name in small:
        assert not _determined(np.array(told, float).reshape(-1, len(unknown)), unknown.index(name)), (name, hidden)


def _determined(system: np.ndarray, place: int) -> bool:
    unit = np.eye(system.shape[1])[place]
    return np.linalg.matrix_rank(np.vstack([system, unit])) == np.linalg.matrix_rank(system)
