"""Rows that may be totals or notes, and may be data: refused, until they are gone or params judge them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kpibook.errors import DataError, Problem
from kpibook.intake import sql
from kpibook.intake.casting import shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ibis.backends.duckdb import Backend

_WORDS = (
    r"(grand[ -]?|sub[ -]?|zwischen)?(totals?|totales|total general|totale|totali|totale generale|gesamt|gesamtsumme|"
    r"insgesamt|summe|suma|somma|sum|subtotale|subtotal|sum total)"
)
#: A cell that names a total and nothing else …
TOTAL = rf"\s*{_WORDS}\s*([:.(=].*)?"
#: … and one that says of what: ``Total C003``.
_TOTAL_OF = rf"\s*{_WORDS}\s+[^\s].*"
#: How the words begin: most rows are done with after that.
_BEGINNINGS = ("gra", "sub", "zwi", "tot", "ges", "ins", "sum", "som")
_NUMBER = r"[-+(]?[€$£]?\s*\d[\d.,' ]*\)?\s*[€$£%]?"
LONGEST_LABEL = 40
_REMEDY = "take it out of the file, or leave it out by where:"


def is_total(label: str) -> bool:
    """Whether a row's first filled cell names a total, in one of the languages of our reports."""
    return re.fullmatch(TOTAL, label, re.IGNORECASE) is not None


def refuse_doubtful(con: Backend, numbered: str, name: str, quoted: Sequence[str]) -> None:
    """Raises DataError for the first of such rows of the SELECT ``numbered``, whose columns are ``quoted``."""
    rows, end = sql.row(con, f"SELECT count(*), max({sql.ROW}) FROM ({numbered})")
    if rows < 2 or len(quoted) < 2:
        return
    _refuse_named(con, numbered, name, quoted, end)
    if len(quoted) > 2:
        _refuse_last(con, numbered, name, quoted, end)


def _refuse_named(con: Backend, numbered: str, name: str, quoted: Sequence[str], end: int) -> None:
    """Rows that begin with a total's word: with few cells, in the last row, or blank where no other row is."""
    label = f"coalesce({', '.join(quoted)})"
    nulls = " + ".join(f"({c} IS NULL)::INT" for c in quoted)
    beginnings = ", ".join(map(sql.text, _BEGINNINGS))
    found = sql.rows(
        con,
        f"SELECT {sql.ROW}, {label}, 2 * ({nulls}) >= {len(quoted) - 1}, {', '.join(f'{c} IS NULL' for c in quoted)} "
        f"FROM ({numbered}) WHERE length({label}) < {LONGEST_LABEL} "
        f"AND lower(left(trim({label}), 3)) IN ({beginnings}) "
        f"AND regexp_full_match({label}, {sql.text(f'({TOTAL}|{_TOTAL_OF})')}, 'i') ORDER BY 1 LIMIT 1000",
    )
    if not found:
        return
    blanks = sql.row(con, f"SELECT {', '.join(f'count(*) FILTER ({c} IS NULL)' for c in quoted)} FROM ({numbered})")
    own = [sum(row[3 + i] for row in found if is_total(row[1])) for i in range(len(quoted))]
    alone = [count > 0 and count == whole for count, whole in zip(own, blanks, strict=True)]
    for row, word, sparse, *empty in found:
        doubtful = is_total(word) and (row == end or any(e and a for e, a in zip(empty, alone, strict=True)))
        if sparse or doubtful:
            raise DataError(Problem(f"{name}: row {row}", f"the row begins with {shown(word)}: a total?", _REMEDY))


def _refuse_last(con: Backend, numbered: str, name: str, quoted: Sequence[str], end: int) -> None:
    """The last row has numbers only, or one cell, where every other row has more than that."""
    row, *cells = sql.row(con, f"SELECT * FROM ({numbered}) WHERE {sql.ROW} = {end}")
    blank = [c for c, cell in zip(quoted, cells, strict=True) if cell is None]
    filled = [cell for cell in cells if cell is not None]
    numbers = all(re.fullmatch(_NUMBER, cell.strip()) for cell in filled)
    if 2 * len(blank) < len(quoted) or not (numbers or len(filled) == 1):
        return
    tests = ", ".join(f"count(*) FILTER ({c} IS NULL)" for c in blank)
    counts = sql.row(con, f"SELECT {tests} FROM ({numbered})")
    if sum(count == 1 for count in counts) * 2 >= len(blank):
        what = "the last row has numbers and nothing else: a total?"
        if not numbers:
            what = "the last row has one text and nothing else: a note?"
        raise DataError(Problem(f"{name}: row {row}", what, _REMEDY))
