"""How a text file is cut into rows and columns: delimiter, ``sep=`` line, header line."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpibook.errors import DataError, Problem
from kpibook.intake.header import SEARCHED, best, header, width
from kpibook.intake.notes import Note, plain

if TYPE_CHECKING:
    from collections.abc import Collection

    from kpibook.intake.encodings import Text

DELIMITERS = (",", ";", "\t", "|")
_ROWS = 200
_SEP = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)


@dataclass(frozen=True)
class Dialect:
    """``skip`` rows stand before the first of data, blank ones too; the header on line ``line`` (0: there is none).

    A row may go over several lines, in quotes.
    """

    delimiter: str
    skip: int
    line: int
    columns: tuple[str, ...]
    written: tuple[str, ...]
    notes: tuple[Note, ...]


def dialect(name: str, text: Text, wanted: Collection[str], delimiter: str | None, header_row: int | None) -> Dialect:
    """Decided from the first rows and the names that params speak of. Raises DataError when no header is found."""
    first = text.head.partition("\n")[0].rstrip("\r")
    sep = _SEP.fullmatch(first)
    notes = []
    if sep:
        delimiter = delimiter or sep.group(1)
    if delimiter is None:
        delimiter = _likeliest(name, text, wanted)
    if delimiter == "\t":
        notes.append(Note("delimiter_tab", "info", details={"file": plain(name)}))
    elif delimiter != ",":
        notes.append(Note("delimiter", "info", details={"file": plain(name), "sign": delimiter}))
    rows, starts = _rows(name, text, delimiter)
    filled = [i for i, row in enumerate(rows) if any(cell.strip() for cell in row) and not (sep and i == 0)]
    rows, starts = [rows[i] for i in filled], [starts[i] for i in filled]
    if not rows:
        raise DataError(Problem(name, "the file is empty", "deliver the file again"))
    found = header(name, rows, wanted, starts, header_row)
    if found.index < 0:
        return Dialect(delimiter, 1 if sep else 0, 0, found.columns, (), (*notes, *found.notes))
    columns, written = _without_tail(found.columns, found.written, rows[found.index + 1 :])
    line = starts[found.index]
    kept = tuple(n for n in found.notes if n.rule != "unnamed" or len(columns) == len(found.columns))
    return Dialect(delimiter, filled[found.index] + 1, line, columns, written, (*notes, *kept))


def _without_tail(
    columns: tuple[str, ...], written: tuple[str, ...], rows: list[list[str]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A delimiter at the end of every line makes no column."""
    size = len(columns)
    while (
        size > 1 and not written[size - 1].strip() and not any(row[size - 1 : size] not in ([], [""]) for row in rows)
    ):
        size -= 1
    return columns[:size], written[:size]


def _likeliest(name: str, text: Text, wanted: Collection[str]) -> str:
    """The delimiter whose header row has most of the names; else the one that cuts all rows alike."""
    scores: dict[str, tuple[int, float, int]] = {}
    for candidate in DELIMITERS:
        try:
            rows, _ = _rows(name, text, candidate)
        except DataError:
            continue
        rows = [row for row in rows if any(row)]
        _, found = best(rows, wanted)
        common = width(rows)
        share = Counter(len(row) for row in rows)[common] / len(rows) if rows and common > 1 else 0.0
        scores[candidate] = (found, round(share, 1), common if share else 0)
    return max(scores, key=lambda c: scores[c], default=",")


def _rows(name: str, text: Text, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """The first rows, with the line each begins on."""
    plain_lines = text.head.replace("\r\n", "\n").replace("\r", "\n")
    reader = csv.reader(io.StringIO(plain_lines, newline=""), delimiter=delimiter)
    rows: list[list[str]] = []
    starts: list[int] = []
    before = 0
    try:
        for row in reader:
            rows.append(row)
            starts.append(before + 1)
            before = reader.line_num
            if len(rows) > _ROWS + SEARCHED:
                break
        else:
            if not text.whole and len(rows) > 1:
                rows, starts = rows[:-1], starts[:-1]
    except csv.Error as error:
        what = "a value has more than 131072 characters, or a quote is not closed"
        raise DataError(
            Problem(
                f"{name}: line {before + 1}", what, "put quotes around values that hold them, and double them inside"
            )
        ) from error
    return rows, starts
