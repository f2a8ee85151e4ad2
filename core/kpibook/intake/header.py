"""The row with the columns' names, in a text file or a sheet: found by the names that params speak of."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpibook.errors import DataError, Problem
from kpibook.intake.notes import Note, plain

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

#: How many rows are looked at for a header.
SEARCHED = 50
_MOST_LINES = 5
_DATA = re.compile(r"\s*[-+(]?[€$£¥]?\s*\d[\d\s.,:/'%€$£¥TZ+-]*\)?\s*|.*\d{4}-\d\d-\d\d.*")
_UNIT = re.compile(r"\s*[(\[][^()\[\]]*[)\]]\s*$")


@dataclass(frozen=True)
class Header:
    """``index`` is the header's place among the rows given, -1 when there is none; ``columns`` has a name for all.

    ``written`` are the names as the file has them, to find the line again.
    """

    index: int
    columns: tuple[str, ...]
    written: tuple[str, ...]
    notes: tuple[Note, ...]


def normal(name: str) -> str:
    """A name without case, spaces, punctuation, and a unit in brackets behind it."""
    folded = unicodedata.normalize("NFKC", name).casefold().strip("\ufeff \t\"'")
    return re.sub(r"[\W_]+", "_", _UNIT.sub("", folded) or folded).strip("_")


def matches(row: Sequence[str], wanted: Collection[str]) -> int:
    """How many of the names that params speak of stand in a row."""
    exact, alike = set(row), {normal(cell) for cell in row if cell.strip()}
    return sum(name in exact or normal(name) in alike for name in wanted)


def best(rows: Sequence[Sequence[str]], wanted: Collection[str]) -> tuple[int, int]:
    """Place and matches of the first row with the most matches."""
    counts = [matches(row, wanted) for row in rows[:SEARCHED]]
    most = max(counts, default=0)
    return (counts.index(most) if most else -1), most


def width(rows: Sequence[Sequence[str]]) -> int:
    """The commonest number of cells, the larger of two equally common ones."""
    counts = Counter(len(row) for row in rows)
    return max(counts, key=lambda size: (counts[size], size), default=0)


def header(
    name: str, rows: Sequence[Sequence[str]], wanted: Collection[str], lines: Sequence[int], named: int | None
) -> Header:
    """Raises DataError when no row can be the header. ``lines`` are the rows' places in the file, from 1."""
    if named == 0:
        columns = tuple(f"column{i}" for i in range(1, width(rows) + 1))
        return Header(-1, columns, (), (Note("no_header", "info", details={"file": plain(name)}),))
    if named is not None:
        if named not in lines:
            what = f"no row begins on line {named}"
            raise DataError(Problem(name, what, "correct header_row: in params"))
        index = lines.index(named)
    else:
        index, found = best(rows, wanted)
        if not found:
            index = next((i for i, row in enumerate(rows) if len(row) == width(rows)), 0)
            _looks_like_names(name, rows[index], lines[index])
    columns, notes = _columns(name, rows[index], wanted, lines[index])
    if lines[index] > 1 and not (index == 0 and named is None):
        details: dict[str, str | int | float] = {"file": plain(name), "line": lines[index]}
        notes.insert(0, Note("header_row", "info" if named else "amber", details=details))
    return Header(index, columns, tuple(rows[index]), tuple(notes))


def _looks_like_names(name: str, row: Sequence[str], line: int) -> None:
    if any(_DATA.fullmatch(cell) for cell in row):
        remedy = "put the columns' names on top, or say header_row: 0 and map column1, column2, …"
        raise DataError(Problem(f"{name}: line {line}", "no header: the first row looks like data", remedy))


def _columns(name: str, row: Sequence[str], wanted: Collection[str], line: int) -> tuple[tuple[str, ...], list[Note]]:
    where = f"{name}: line {line}"
    if not any(cell.strip() for cell in row):
        raise DataError(Problem(where, "the header is empty", "name every column"))
    if any(cell.count("\n") > _MOST_LINES for cell in row):
        raise DataError(Problem(where, "a quote in the header is not closed", "close it, or take it away"))
    columns = [cell if cell.strip() else f"column{i}" for i, cell in enumerate(row, 1)]
    seen: dict[str, str] = {}
    for column in columns:
        if column.casefold() in seen:
            raise DataError(Problem(where, f"two columns are called '{plain(column)}'", "rename one of them"))
        seen[column.casefold()] = column
    notes = []
    unnamed = [columns[i] for i, cell in enumerate(row) if not cell.strip()]
    if unnamed:
        notes.append(Note("unnamed", "info", details={"file": plain(name), "columns": ", ".join(unnamed)}))
    renamed = {}
    for meant in sorted(set(wanted) - set(columns)):
        alike = [c for c in columns if normal(c) == normal(meant) and c not in wanted]
        if len(alike) == 1 and alike[0] not in renamed:
            renamed[alike[0]] = meant
    if renamed:
        pairs = ", ".join(f"{meant} = '{plain(c)}'" for c, meant in sorted(renamed.items(), key=lambda pair: pair[1]))
        notes.append(Note("names", "amber", details={"file": plain(name), "pairs": pairs}))
    return tuple(renamed.get(c, c) for c in columns), notes
