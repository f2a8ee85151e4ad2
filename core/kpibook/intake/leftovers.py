"""Rows of an export that are no data: the header again, a spreadsheet's totals, rows without any value."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kpibook.errors import DataError, Problem
from kpibook.intake import sql
from kpibook.intake.notes import Note, listed, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ibis.backends.duckdb import Backend

_WORDS = (
    r"(grand[ -]?|sub[ -]?|zwischen)?(totals?|totales|total general|totale|totali|totale generale|gesamt|gesamtsumme|"
    r"insgesamt|summe|suma|somma|sum|subtotale|subtotal|sum total)"
)
_TOTAL = rf"\s*{_WORDS}\s*([:.(=].*)?"
_NUMBER = r"[-+(]?[€$£]?\s*\d[\d.,' ]*\)?\s*[€$£%]?"
_LONGEST_LIST = 1000
_LONGEST_LABEL = 40
_EMPTY, _HEADER, _SUM = 0, 1, 2


def is_total(label: str) -> bool:
    """Whether a row's first filled cell names a total, in one of the languages of our reports."""
    return re.fullmatch(_TOTAL, label, re.IGNORECASE) is not None


@dataclass(frozen=True)
class Kept:
    """``numbered`` selects the rows that are data, with their ``__row``."""

    numbered: str
    excluded: tuple[int, ...]
    notes: tuple[Note, ...]


def without_leftovers(
    con: Backend,
    staged: Path,
    name: str,
    columns: Sequence[str],
    written: Sequence[str],
    header_lines: Callable[[], list[int]],
    *,
    judged: bool,
) -> Kept:
    """Find the rows to leave out. ``judged`` says that the mapping has its own condition on rows.

    Raises DataError for a last row that may be a total and does not say so.
    """
    quoted = [sql.name(c) for c in columns]
    source = f"read_parquet({sql.text(str(staged))}, file_row_number = true)"
    nulls = " + ".join(f"({c} IS NULL)::INT" for c in quoted)
    label = f"coalesce({', '.join(quoted)})" if len(quoted) > 1 else quoted[0]
    empty = f"{label} IS NULL"
    sparse = f"2 * ({nulls}) >= {len(quoted) - 1} AND ({nulls}) > 0 AND length({label}) < {_LONGEST_LABEL}"
    total = f"({sparse} AND regexp_full_match({label}, {sql.text(_TOTAL)}, 'i'))"
    again = "false"
    if written:
        same = [
            f"trim({c}) = {sql.text(w.strip())}" if w.strip() else f"{c} IS NULL"
            for c, w in zip(quoted, written, strict=True)
        ]
        again = f"({' AND '.join(same)})"
    kind = f"CASE WHEN {empty} THEN {_EMPTY} WHEN {again} THEN {_HEADER} ELSE {_SUM} END"
    of_rows = sql.row(con, f"SELECT count(*) FROM {source}")[0]
    found = sql.rows(
        con,
        f"SELECT kind, count(*), min(row, {_LONGEST_LIST}), any_value(label) FROM (SELECT {kind} AS kind, "
        f"file_row_number + 1 AS row, {label} AS label FROM {source} "
        f"WHERE {empty} OR {total} OR {again}) GROUP BY kind",
    )
    counts = {kind: (count, list(rows), label) for kind, count, rows, label in found}
    notes = [replace(note, of_rows=of_rows) for note in _notes(name, counts, header_lines)]
    conditions, excluded = [], []
    for what, test in ((_EMPTY, empty), (_HEADER, again), (_SUM, total)):
        count, rows, _ = counts.get(what, (0, [], ""))
        if count > _LONGEST_LIST:
            conditions.append(f"NOT ({test})")
        else:
            excluded += rows
    if excluded:
        conditions.append(f"file_row_number + 1 NOT IN ({', '.join(map(str, sorted(excluded)))})")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    numbered = f"SELECT file_row_number + 1 AS {sql.ROW}, * EXCLUDE (file_row_number) FROM {source}{where}"
    if not judged:
        _refuse_unnamed_total(con, numbered, name, quoted)
    return Kept(numbered, tuple(sorted(excluded)), tuple(notes))


def _notes(name: str, counts: dict, header_lines: Callable[[], list[int]]) -> list[Note]:
    file = plain(name)
    notes = []
    if _EMPTY in counts:
        count, rows, _ = counts[_EMPTY]
        notes.append(Note("empty_rows", "info", rows=count, details={"file": file}, examples=tuple(rows[:5])))
    if _HEADER in counts:
        count, rows, _ = counts[_HEADER]
        lines = header_lines()
        shown = listed(lines if len(lines) == count else [row + 1 for row in rows])
        notes.append(
            Note(
                "repeated_header", "amber", rows=count, details={"file": file, "lines": shown}, examples=tuple(rows[:5])
            )
        )
    if _SUM in counts:
        count, rows, label = counts[_SUM]
        details = {"file": file, "label": plain(label.strip())}
        notes.append(Note("total_rows", "amber", rows=count, details=details, examples=tuple(rows[:5])))
    return notes


def _refuse_unnamed_total(con: Backend, numbered: str, name: str, quoted: Sequence[str]) -> None:
    """The last row has numbers only, where every other row has more than that."""
    rows, end = sql.row(con, f"SELECT count(*), max({sql.ROW}) FROM ({numbered})")
    if rows < 2 or len(quoted) < 3:
        return
    row, *cells = sql.row(con, f"SELECT * FROM ({numbered}) WHERE {sql.ROW} = {end}")
    blank = [c for c, cell in zip(quoted, cells, strict=True) if cell is None]
    filled = [cell for cell in cells if cell is not None]
    if 2 * len(blank) < len(quoted) or not all(re.fullmatch(_NUMBER, cell.strip()) for cell in filled):
        return
    tests = ", ".join(f"count(*) FILTER ({c} IS NULL)" for c in blank)
    counts = sql.row(con, f"SELECT {tests} FROM ({numbered})")
    if sum(count == 1 for count in counts) * 2 >= len(blank):
        what = "the last row has numbers and nothing else: a total?"
        raise DataError(Problem(f"{name}: row {row}", what, "take it out of the file, or leave it out by where:"))
