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
    from collections.abc import Mapping

    from kpibook.present.words import Words

#: A page is read, not searched: all rows are in the table's file.
SHOWN_ROWS = 24
#: A name in code that a pack gave; what holds a capital or a digit is the client's.
OWN = re.compile(r"[a-z_]+(: [a-z_]+)?")
#: A column whose rows are in the units of the KPIs that they name.
OF_KPI = "of_kpi"
#: Columns from which on a table is set smaller, and smaller still, to stay within a page.
WIDE, WIDER = 8, 11


def side_table(
    table: pd.DataFrame,
    words: Words,
    *,
    name: str,
    title: str,
    units: Mapping[str, str] | None = None,
    kpi_units: Mapping[str, str] | None = None,
) -> Display:
    """The first rows; headings and names of the pack's own are translated, numbers written in the language.

    ``units`` of columns: money and shares bear their sign, differences of shares are percentage points. A column in
    the unit ``of_kpi`` has that of the KPI which the row's column ``kpi`` names, by ``kpi_units``.
    """
    rows = table.head(SHOWN_ROWS)
    if rows.empty:
        return Display("", "")
    numeric = [pd.api.types.is_numeric_dtype(rows[c]) and not pd.api.types.is_bool_dtype(rows[c]) for c in rows]
    heads = [Column(escape(_heading(str(c), words)), numeric=n) for c, n in zip(rows, numeric, strict=True)]
    digits = [None if "kpi" in rows else _digits(rows[c]) if n else None for c, n in zip(rows, numeric, strict=True)]
    columns = [str(c) for c in rows]
    given = [(units or {}).get(c, "") for c in columns]
    digits = [_unit_digits(rows[c], u, words) if u else d for c, u, d in zip(rows, given, digits, strict=True)]
    body = []
    for row in rows.itertuples(index=False, name=None):
        own = (kpi_units or {}).get(str(dict(zip(columns, row, strict=True)).get("kpi")), "")
        said = [own if u == OF_KPI else u for u in given]
        fitted = [None if u == OF_KPI else d for u, d in zip(given, digits, strict=True)]
        body.append([_cell(v, words, d, u) for v, d, u in zip(row, fitted, said, strict=True)])
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


def _unit_digits(column: pd.Series, unit: str, words: Words) -> int | None:
    """Decimals for a whole column in one unit; shares below one percent have one more."""
    known = [abs(float(v)) for v in column if not is_missing(v)]
    if unit == OF_KPI or not known:
        return None
    return words.digits(unit, max(known)) + (unit in ("percent", "pp") and max(known) < 0.01)


def _cell(value: Any, words: Words, digits: int | None = None, unit: str = "") -> str:
    if is_missing(value):
        return NONE
    if unit and isinstance(value, Real):
        return words.value(float(value), unit, digits)
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
