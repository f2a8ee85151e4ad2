"""Tables beside the figures, without what rests on too few persons.

The engine gives each table a column ``BEHIND``: how many persons stand behind a row, 0 for rows that
are not about persons. It is never published. Row totals and column totals count as known, whether the
table states them or not: another figure of the report may.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

import pandas as pd

from kpibook.privacy.cells import Cell, exposed, withheld

BEHIND = "_persons"
MATRIX = ("row", "column", "numerator", "denominator")
CURVE = ("time", "at_risk")
PERIOD = "period"
#: What a cell of a matrix keeps when it is withheld.
NAMES = (PERIOD, "row", "column", "status")


def published(tables: Mapping[str, pd.DataFrame], minimum: int) -> dict[str, pd.DataFrame]:
    """The tables as they may be shown and saved; ``minimum`` 0 withholds nothing."""
    return {name: _published(table, minimum) for name, table in tables.items()}


def _published(table: pd.DataFrame, minimum: int) -> pd.DataFrame:
    shown = table.drop(columns=BEHIND)
    if table.empty or not minimum:
        return shown
    if {*CURVE} <= {*table}:
        return shown[(table[BEHIND] == 0) | (table[BEHIND] >= minimum)]
    names = [n for n in NAMES if n in table] if {*MATRIX} <= {*table} else _labels(shown)
    hidden = pd.Series(False, index=table.index)
    for _, part in table.groupby(PERIOD) if PERIOD in table else ((None, table),):
        hidden |= _hidden(part, names, minimum).reindex(table.index, fill_value=False)
    return _blank(shown, hidden, names)


def _labels(table: pd.DataFrame) -> list[str]:
    """Columns that name a row: the first, and all that hold no numbers."""
    texts = [c for c in table if not pd.api.types.is_numeric_dtype(table[c]) or pd.api.types.is_bool_dtype(table[c])]
    return list(dict.fromkeys([str(table.columns[0]), *map(str, texts)]))


def _hidden(table: pd.DataFrame, names: Sequence[str], minimum: int) -> pd.Series:
    """True for the rows of one period that are withheld."""
    places = [n for n in names if n not in (PERIOD, "status")][:2]
    sides = [[str(value) for value in table[name]] for name in places]
    persons = [int(n) for n in table[BEHIND]]
    rows, columns = sides if len(sides) == len(("row", "column")) else (sides[0], [""] * len(table))
    if len({*zip(rows, columns, strict=True)}) < len(table):
        rows, columns = [str(i) for i in range(len(table))], [""] * len(table)
    keys = withheld_cells(rows, columns, persons, minimum, across=not _of_its_own(table))
    return pd.Series([key in keys for key in zip(rows, columns, strict=True)], index=table.index)


def _of_its_own(table: pd.DataFrame) -> bool:
    """Each cell of the matrix is a share of its own base: the cells of a row are not parts of it."""
    if not {*MATRIX} <= {*table}:
        return False
    sums = table.groupby("row")["numerator"].transform("sum")
    return not bool((sums == table["denominator"]).all())


def withheld_cells(
    rows: Sequence[str], columns: Sequence[str], persons: Sequence[int], minimum: int, *, across: bool
) -> set[Hashable]:
    """Withheld (row, column) of a table whose columns add up, and ``across`` its rows too.

    Totals of at least ``minimum`` persons count as known. A row below it goes whole, and its total with it and
    with that of another row; so does a row in which nothing else hides a small cell.
    """
    places = list(zip(rows, columns, strict=True))
    if not across or len({*columns}) == 1:
        cells = _cells(places, persons, {*rows})
        return withheld(cells, _sums(places, persons, minimum, {*rows}), minimum)
    whole = _totals(rows, persons)
    totals = [Cell(row, n, ({row: 1},), ("total",)) for row, n in whole.items()]
    gone: set[Hashable] = set()
    while True:
        gone = withheld(totals, [dict.fromkeys(whole, 1)], minimum, gone)
        cells, known = _cells(places, persons, gone), _sums(places, persons, minimum, gone)
        keys = withheld(cells, known, minimum, [p for p in places if p[0] in gone])
        open_rows = {place[0] for place in exposed(cells, known, keys, minimum)} - gone  # type: ignore[index]
        if not open_rows:
            return keys
        gone |= open_rows


def _totals(sides: Sequence[str], persons: Sequence[int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for side, n in zip(sides, persons, strict=True):
        found[side] = found.get(side, 0) + n
    return found


def _cells(places: Sequence[tuple[str, str]], persons: Sequence[int], apart: set[Hashable]) -> list[Cell]:
    """``apart`` are rows whose cells do not add up to a known total."""
    return [
        Cell((r, c), n, ({(r, c): 1},), (("column", c), *([] if r in apart else [("row", r)])))
        for (r, c), n in zip(places, persons, strict=True)
    ]


def _sums(
    places: Sequence[tuple[str, str]], persons: Sequence[int], minimum: int, apart: set[Hashable]
) -> list[dict[Hashable, int]]:
    """Rows but those ``apart``, and columns, that hold enough persons for their sums to be known."""
    found: list[dict[Hashable, int]] = []
    for side in (0, 1):
        for name, n in _totals([place[side] for place in places], persons).items():
            if (n == 0 or n >= minimum) and not (side == 0 and name in apart):
                found.append({place: 1 for place in places if place[side] == name})
    return found


def _blank(table: pd.DataFrame, hidden: pd.Series, names: Sequence[str]) -> pd.DataFrame:
    if not hidden.any():
        return table
    shown = table.copy()
    for column in shown.columns.difference([*names], sort=False):
        whole = pd.api.types.is_integer_dtype(shown[column])
        shown[column] = (shown[column].astype("Int64") if whole else shown[column]).mask(hidden)
    if "status" in shown:
        shown["status"] = shown["status"].mask(hidden, "low_n")
    return shown
