"""Tables that a KPI written in pandas puts beside its figure, as it gives them."""

from __future__ import annotations

import re
from html import escape
from numbers import Real
from typing import TYPE_CHECKING, Any

import pandas as pd

from kpibook.present.display import Display
from kpibook.present.formats import NONE, is_missing
from kpibook.present.grid import Column, Grid
from kpibook.present.words import is_month, is_quarter

if TYPE_CHECKING:
    from kpibook.present.words import Words

#: A page is read, not searched: all rows are in the table's file.
SHOWN_ROWS = 24
#: A name in code that a pack gave; what holds a capital or a digit is the client's.
OWN = re.compile(r"[a-z_]+(: [a-z_]+)?")
#: Columns from which on a table is set smaller, and smaller still, to stay within a page.
WIDE, WIDER = 8, 11


def side_table(table: pd.DataFrame, words: Words, *, name: str, title: str) -> Display:
    """The first rows; headings and names of the pack's own are translated, numbers written in the language."""
    rows = table.head(SHOWN_ROWS)
    if rows.empty:
        return Display("", "")
    numeric = [pd.api.types.is_numeric_dtype(rows[c]) and not pd.api.types.is_bool_dtype(rows[c]) for c in rows]
    heads = [Column(escape(_heading(str(c), words)), numeric=n) for c, n in zip(rows, numeric, strict=True)]
    digits = [None if "kpi" in rows else _digits(rows[c]) if n else None for c, n in zip(rows, numeric, strict=True)]
    body = [
        [_cell(value, words, d) for value, d in zip(row, digits, strict=True)]
        for row in rows.itertuples(index=False, name=None)
    ]
    left = len(table) - len(rows)
    notes = [words("table.more_rows", n=left)] if left else []
    if any(n and rows[c].isna().any() for c, n in zip(rows, numeric, strict=True)):
        notes.append(words("table.not_shown"))
    grid = Grid(
        f"{name}-beside", words("table.matrix", title=title), heads, [[escape(c) for c in r] for r in body], notes
    )
    html = grid.html()
    if len(heads) >= WIDE:
        html = f'<div class="kb-wide{" kb-wider" if len(heads) >= WIDER else ""}">{html}</div>'
    return Display(html, "\n".join([title, *(" | ".join(row) for row in body)]))


def _heading(column: str, words: Words) -> str:
    said = words.own(column)
    return said[:1].upper() + said[1:]


def _digits(column: pd.Series) -> int:
    """Decimals for a whole column, by its largest figure: figures below each other are compared."""
    known = [abs(float(v)) for v in column if not is_missing(v)]
    return 0 if all(v.is_integer() for v in known) else _needed_by(max(known))


def _needed(size: float) -> int:
    return 0 if size.is_integer() else _needed_by(size)


def _needed_by(size: float) -> int:
    return 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 4


def _cell(value: Any, words: Words, digits: int | None = None) -> str:
    if is_missing(value):
        return NONE
    if isinstance(value, str):
        if is_month(value) or is_quarter(value):
            return words.segment("", value)
        return _name(value, words) if OWN.fullmatch(value) else value
    if hasattr(value, "isoformat"):
        return words.date(value)
    if isinstance(value, Real) and not isinstance(value, bool):
        return _number(float(value), words, digits)
    return _name(str(value).lower(), words)


def _number(value: float, words: Words, digits: int | None) -> str:
    """With the decimals of its column, and more where these would make a nought of it."""
    digits = _needed(abs(value)) if digits is None else digits
    if value and not round(value, digits):
        digits = _needed(abs(value))
    tiny = 10.0**-digits
    return f"< {words.number(tiny, digits)}" if 0 < value < tiny / 2 else words.number(value, digits)


def _name(value: str, words: Words) -> str:
    known = words.segment("", value)
    return known if known != value else words.own(value)
