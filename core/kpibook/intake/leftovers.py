"""Rows of an export that are no data: the header again, a spreadsheet's totals, rows without any value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from kpibook.intake import sql
from kpibook.intake.doubtful_rows import LONGEST_LABEL, TOTAL, refuse_doubtful
from kpibook.intake.notes import Note, listed, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ibis.backends.duckdb import Backend

_LONGEST_LIST = 1000
_EMPTY, _HEADER, _SUM = 0, 1, 2


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

    Raises DataError for a row that may be a total or a note and does not surely say so.
    """
    quoted = [sql.name(c) for c in columns]
    source = f"read_parquet({sql.text(str(staged))}, file_row_number = true)"
    nulls = " + ".join(f"({c} IS NULL)::INT" for c in quoted)
    label = f"coalesce({', '.join(quoted)})" if len(quoted) > 1 else quoted[0]
    empty = f"{label} IS NULL"
    sparse = f"2 * ({nulls}) >= {len(quoted) - 1} AND ({nulls}) > 0 AND length({label}) < {LONGEST_LABEL}"
    total = f"({sparse} AND regexp_full_match({label}, {sql.text(TOTAL)}, 'i'))"
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
        refuse_doubtful(con, numbered, name, quoted)
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
