"""Tables that a KPI written in pandas puts beside its figure, as it gives them."""

from __future__ import annotations

from html import escape
from numbers import Real
from typing import TYPE_CHECKING, Any

import pandas as pd

from kpibook.present.display import Display
from kpibook.present.formats import NONE, is_missing
from kpibook.present.grid import Column, Grid

if TYPE_CHECKING:
    from kpibook.present.words import Words

#: A page is read, not searched: all rows are in the table's file.
SHOWN_ROWS = 24


def side_table(table: pd.DataFrame, words: Words, *, name: str, title: str) -> Display:
    """The first rows; headings and names of the pack's own are translated, numbers written in the language."""
    rows = table.head(SHOWN_ROWS)
    if rows.empty:
        return Display("", "")
    numeric = [pd.api.types.is_numeric_dtype(rows[c]) and not pd.api.types.is_bool_dtype(rows[c]) for c in rows]
    heads = [Column(escape(_heading(str(c), words)), numeric=n) for c, n in zip(rows, numeric, strict=True)]
    body = [[_cell(value, words) for value in row] for row in rows.itertuples(index=False, name=None)]
    left = len(table) - len(rows)
    notes = [words("table.more_rows", n=left)] if left else []
    grid = Grid(
        f"{name}-beside", words("table.matrix", title=title), heads, [[escape(c) for c in r] for r in body], notes
    )
    return Display(grid.html(), "\n".join([title, *(" | ".join(row) for row in body)]))


def _heading(column: str, words: Words) -> str:
    said = words.own(column)
    return said[:1].upper() + said[1:]


def _cell(value: Any, words: Words) -> str:
    if is_missing(value):
        return NONE
    if isinstance(value, str):
        return _name(value, words) if value.islower() and value.replace("_", "").isalpha() else value
    if hasattr(value, "isoformat"):
        return words.date(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        size = abs(float(value))
        digits = 0 if float(value).is_integer() or size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 4
        return words.number(value, digits)
    return _name(str(value).lower(), words)


def _name(value: str, words: Words) -> str:
    return words.segment("", value) if words.has(f"segment.{value}") else words.own(value)
