"""A text file as Parquet in the run's own folder: every column text, in the file's order, read once."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpibook.errors import DataError, Problem
from kpibook.intake import encodings, room, sql
from kpibook.intake.doubtful_rows import is_total
from kpibook.intake.notes import Note, listed, plain
from kpibook.intake.text_dialect import Dialect, dialect

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from pathlib import Path

    from ibis.backends.duckdb import Backend

    from kpibook.intake.facts import Severity
    from kpibook.params_tables import TableMapping

    Tell = Callable[[int, int], None]

_MOST_REJECTED = 1000
_QUOTES = "put values that hold the delimiter or quotes into quotes, and double the quotes inside"
_BREAKS = "end all rows alike, and put values that hold a line break into quotes"
_WHY = {
    "UNQUOTED VALUE": "a quote is not closed, or text follows a closed quote",
    "LINE SIZE OVER MAXIMUM": "the line is longer than 2 MB",
}
_PAGE = re.compile(r"\s*<(!doctype|html|\?xml|table)\b", re.IGNORECASE)
_RAGGED = "the line does not have the header's columns"


@dataclass(frozen=True)
class Staged:
    """``scan`` is how an auditor reads the original; ``path`` is the Parquet file."""

    path: Path
    columns: tuple[str, ...]
    written: tuple[str, ...]
    scan: str
    notes: tuple[Note, ...]
    header_lines: Callable[[], list[int]]


def stage(
    con: Backend, path: Path, name: str, wanted: Collection[str], mapping: TableMapping, target: Path, tell: Tell
) -> Staged:
    """Raises DataError when encoding, dialect or header cannot be told, or when a line is broken."""
    text = encodings.survey(path, name, mapping.encoding, tell)
    if _PAGE.match(text.head):
        raise DataError(Problem(name, "is a web page or XML, not a table of text", "export it as CSV, or as .xlsx"))
    cut = dialect(name, text, wanted, mapping.delimiter, mapping.header_row)
    source = path
    if text.encoding not in {"utf-8", "utf-8-sig"} or text.newline is None:
        source = target.with_suffix(".txt")
        _rewritten(path, name, text, source, tell)
    scan = _scan(sql.text(str(source)), cut, "\n" if source is not path else text.newline or "\n")
    dropped = _copy(con, scan, name, target, tell)
    if source is not path:
        source.unlink()
    notes = [*_told(name, text), *cut.notes]
    if dropped:
        notes.append(_total(name, dropped))
    shown = _scan("{file}", cut, text.newline or "\n").replace("{file}", sql.text(name))
    if text.why != "default":
        shown = shown[:-1] + f", encoding = {sql.text(text.encoding)})"
    return Staged(target, cut.columns, cut.written, shown, tuple(notes), lambda: _lines(path, text, cut))


def _rewritten(path: Path, name: str, text: encodings.Text, target: Path, tell: Tell) -> None:
    """As UTF-8 with line feeds. Raises DataError for a carriage return that is no row's end and stands in no quotes."""
    feeds = quotes = 0
    with room.writing(name), target.open("w", encoding="utf-8", newline="") as out:
        for piece in encodings.lines_of(path, text, tell):
            for part in piece.split('"') if "\r" in piece else ():
                if "\r" in part and not quotes % 2:
                    line = feeds + part[: part.index("\r")].count("\n") + 1
                    what = "a carriage return stands in the row, and the other rows end otherwise"
                    raise DataError(Problem(f"{name}: line {line}", what, _BREAKS))
                feeds, quotes = feeds + part.count("\n"), quotes + 1
            if "\r" in piece:
                quotes -= 1
            else:
                feeds, quotes = feeds + piece.count("\n"), quotes + piece.count('"')
            out.write(piece)


def _scan(file: str, cut: Dialect, newline: str) -> str:
    types = ", ".join(f"{sql.text(column)}: 'VARCHAR'" for column in cut.columns)
    ends = {"\n": "\\n", "\r\n": "\\r\\n", "\r": "\\r"}[newline]
    return (
        f"read_csv({file}, auto_detect = false, header = false, skip = {cut.skip}, delim = {sql.text(cut.delimiter)}, "
        f"quote = '\"', escape = '\"', new_line = {sql.text(ends)}, columns = {{{types}}})"
    )


def _copy(con: Backend, scan: str, name: str, target: Path, tell: Tell) -> list[tuple[int, str]]:
    """Write the Parquet file; lines that are no rows are refused, but for a total at the end, which is returned."""
    rejecting = f"{scan[:-1]}, store_rejects = true, rejects_limit = {_MOST_REJECTED})"
    watched(con, f"COPY (SELECT * FROM {rejecting}) TO {sql.text(str(target))} (FORMAT parquet)", name, tell)
    found = sql.rows(con, "SELECT line, error_type, any_value(csv_line) FROM reject_errors GROUP BY ALL ORDER BY line")
    con.raw_sql("DROP TABLE reject_errors")
    con.raw_sql("DROP TABLE reject_scans")
    broken = [(line, kind, csv_line) for line, kind, csv_line in found if csv_line.strip(" \t,;|\r\n")]
    totals = [
        (line, _label(csv_line))
        for line, kind, csv_line in broken
        if kind == "MISSING COLUMNS" and is_total(_label(csv_line))
    ]
    if len(totals) < len(broken):
        raise DataError(_refused(name, [b for b in broken if b[0] not in {line for line, _ in totals}]))
    return totals


def _label(csv_line: str) -> str:
    return next((cell for cell in re.split(r"[,;\t|]", csv_line) if cell.strip()), "").strip(' "')


def _refused(name: str, broken: list[tuple[int, str, str]]) -> Problem:
    line, kind, _ = broken[0]
    what = _WHY.get(kind, _RAGGED)
    same = [n for n, other, _ in broken if _WHY.get(other, _RAGGED) == what]
    more = f", {len(same)} lines in all: {listed(same)}" if len(same) > 1 else ""
    if len(broken) >= _MOST_REJECTED:
        more = f", and so are {_MOST_REJECTED} lines or more"
    return Problem(f"{name}: line {line}", f"{what}{more}", _QUOTES)


def watched(con: Backend, query: str, name: str, tell: Tell) -> None:
    """Execute while ``tell`` hears how far DuckDB is. Raises DataError for what it cannot read."""
    import duckdb

    failed: list[BaseException] = []

    def work() -> None:
        try:
            con.raw_sql(query)
        except BaseException as error:  # noqa: BLE001  handed over to the thread that waits
            failed.append(error)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    while worker.is_alive():
        worker.join(0.2)
        done = con.con.query_progress() if worker.is_alive() else -1
        if done > 0:
            tell(int(done), 100)
    if not failed:
        return
    error = failed[0]
    if isinstance(error, duckdb.OutOfMemoryException):
        raise DataError(
            Problem(name, "the file does not fit into the memory allowed", "raise limits: memory")
        ) from error
    if not isinstance(error, duckdb.Error):
        raise error
    if isinstance(error, duckdb.IOException) and "write" in str(error):
        raise DataError(room.full(name)) from error
    line = re.search(r"Line:?\s*(\d+)", str(error))
    where = f"{name}: line {line.group(1)}" if line else name
    kind = type(error).__name__.removesuffix("Exception")
    raise DataError(Problem(where, f"DuckDB cannot read it as text in columns ({kind})", _QUOTES)) from error


def _told(name: str, text: encodings.Text) -> list[Note]:
    file = plain(name)
    notes = []
    if text.why in {"guess", "zeros", "named"} or (text.why == "mark" and text.encoding != "utf-8-sig"):
        severity: Severity = "amber" if text.why == "guess" else "info"
        notes.append(Note(f"encoding_{text.why}", severity, details={"file": file, "encoding": text.shown}))
    for rule, count in (("encoded_twice", text.twice), ("characters_lost", text.lost)):
        if count:
            notes.append(Note(rule, "amber", details={"file": file, "characters": count}))
    return notes


def _total(name: str, dropped: list[tuple[int, str]]) -> Note:
    details: dict[str, str | int | float] = {
        "file": plain(name),
        "label": plain(dropped[0][1]),
        "lines": listed([line for line, _ in dropped]),
    }
    return Note("total_lines", "amber", rows=len(dropped), details=details)


def _lines(path: Path, text: encodings.Text, cut: Dialect) -> list[int]:
    """The lines below the header that repeat it."""
    head = text.head.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    written = head[cut.line - 1].strip()
    found, number, rest = [], 1, ""
    for piece in encodings.lines_of(path, text, lambda *_: None):
        *whole, rest = (rest + piece.replace("\r", "\n")).split("\n")
        for line in whole:
            if line.strip() == written and number > cut.line:
                found.append(number)
            number += 1
    return [*found, number] if rest.strip() == written else found
