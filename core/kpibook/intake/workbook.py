"""A sheet of a workbook as Parquet in the run's own folder: every column text, with what its cells were."""

from __future__ import annotations

import xml.etree.ElementTree as ET
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from kpibook.errors import DataError, Problem, did_you_mean
from kpibook.intake.compressed import BROKEN, is_bomb
from kpibook.intake.formulas import uncached
from kpibook.intake.header import SEARCHED, Header, best, header
from kpibook.intake.notes import Note, plain
from kpibook.intake.room import writing

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from kpibook.params_tables import TableMapping

_BATCH = 20_000
_EXACT = 10**15
_AGAIN = "open it in a spreadsheet program and save it as .xlsx"


@dataclass
class Sheet:
    """``kinds`` counts what the filled cells of a column were: number, text, date, time or bool."""

    columns: tuple[str, ...]
    written: tuple[str, ...]
    line: int
    sheet: str
    notes: list[Note]
    kinds: dict[str, Counter[str]] = field(default_factory=dict)


def stage(path: Path, name: str, wanted: Collection[str], mapping: TableMapping, target: Path) -> Sheet:
    """Raises DataError for a workbook that cannot be read, or a sheet or header that cannot be told."""
    import python_calamine

    broken = (python_calamine.CalamineError, ET.ParseError, KeyError, *BROKEN)
    try:
        _sniffed(path, name)
        with python_calamine.CalamineWorkbook.from_path(str(path)) as book:
            return _staged(book, path, name, wanted, mapping, target)
    except python_calamine.PasswordError as error:
        raise DataError(Problem(name, "the workbook is protected by a password", "deliver it without")) from error
    except broken as error:
        raise DataError(Problem(name, "cannot be read as a workbook", _AGAIN)) from error


def _sniffed(path: Path, name: str) -> None:
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise DataError(Problem(name, "the file is empty", "deliver the file again"))
    if start.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        raise DataError(Problem(name, "is a web page or XML, not a workbook", _AGAIN))
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if is_bomb(size, path.stat().st_size):
            raise DataError(Problem(name, "unpacks to far more than any workbook does", _AGAIN))


def _staged(book: Any, path: Path, name: str, wanted: Collection[str], mapping: TableMapping, target: Path) -> Sheet:
    names = [s.name for s in book.sheets_metadata if str(s.typ).endswith("WorkSheet")]
    previews = {each: _preview(book, each) for each in names}
    chosen, notes = _chosen(name, previews, wanted, mapping.sheet)
    rows = previews[chosen]
    filled = [i for i, row in enumerate(rows) if any(row)]
    if not filled:
        raise DataError(Problem(f"{name}: sheet '{plain(chosen)}'", "no rows", "deliver the file again"))
    found = header(name, [rows[i] for i in filled], wanted, [i + 1 for i in filled], mapping.header_row)
    first = filled[found.index] + 1 if found.index >= 0 else 0
    _refuse_merged(book, name, chosen, first)
    sheet = Sheet(found.columns, found.written, first, chosen, [*notes, *found.notes])
    _refuse_formulas(path, name, names.index(chosen), chosen, found, first, wanted)
    with writing(name):
        sheet.kinds = _written(book.get_sheet_by_name(chosen).iter_rows(), first, found.columns, target)
    return sheet


def _preview(book: Any, sheet: str) -> list[list[str]]:
    rows = []
    for i, row in enumerate(_rows(book.get_sheet_by_name(sheet))):
        if i == SEARCHED:
            break
        rows.append([_text(cell) or "" for cell in row])
    return rows


def _rows(sheet: Any) -> Iterator[list[Any]]:
    yield from sheet.iter_rows()


def _chosen(
    name: str, previews: dict[str, list[list[str]]], wanted: Collection[str], named: str | None
) -> tuple[str, list[Note]]:
    filled = [sheet for sheet, rows in previews.items() if any(map(any, rows))]
    if named is not None:
        if named not in previews:
            what = f"there is no sheet '{named}'"
            raise DataError(Problem(name, what, did_you_mean(named, map(plain, previews))))
        return named, [_sheet_note(name, named, "info")]
    if not filled:
        raise DataError(Problem(name, "the workbook is empty", "deliver the file again"))
    if len(filled) == 1:
        return filled[0], []
    found = {sheet: best(previews[sheet], wanted)[1] for sheet in filled}
    most = max(found.values())
    fitting = [sheet for sheet in filled if found[sheet] == most]
    if len(fitting) > 1 or not most:
        shown = ", ".join(f"'{plain(sheet)}'" for sheet in filled)
        raise DataError(Problem(name, f"several sheets may be meant: {shown}", "name one: sheet: in params"))
    return fitting[0], [_sheet_note(name, fitting[0], "amber")]


def _sheet_note(name: str, sheet: str, severity: Any) -> Note:
    return Note("sheet", severity, details={"file": plain(name), "sheet": plain(sheet)})


def _refuse_merged(book: Any, name: str, sheet: str, first: int) -> None:
    """Cells merged over several rows: all rows but the first would be empty there."""
    ranges = book.get_sheet_by_name(sheet).merged_cell_ranges or []
    rows = sorted(top + 1 for (top, _), (bottom, _) in ranges if top >= first and bottom > top)
    if rows:
        what = f"cells are merged over several rows, first row {rows[0]} of sheet '{plain(sheet)}'"
        raise DataError(Problem(name, what, "unmerge them, and fill every row"))


def _refuse_formulas(
    path: Path, name: str, index: int, sheet: str, found: Header, first: int, wanted: Collection[str]
) -> None:
    problems = []
    for place, (row, kind) in uncached(path, index, first).items():
        column = found.columns[place] if place < len(found.columns) else ""
        if column not in wanted:
            continue
        where = f"{name}: {column}: row {row - first}"
        if kind == "formula":
            what = "holds formulas without a stored value"
            remedy = "open the file in a spreadsheet program and save it"
        else:
            what, remedy = "holds an error instead of a value", "correct it in the file"
        problems.append(Problem(where, f"{what} (sheet '{plain(sheet)}', row {row})", remedy))
    if problems:
        raise DataError(problems)


def _written(rows: Iterator[list[Any]], first: int, columns: tuple[str, ...], target: Path) -> dict[str, Counter[str]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = [f"c{i}" for i in range(len(columns))]
    schema = pa.schema([(each, pa.string()) for each in names])
    kinds = {column: Counter[str]() for column in columns}
    with pq.ParquetWriter(target, schema) as writer:
        batch: list[list[str | None]] = []
        for number, row in enumerate(rows, 1):
            if number <= first:
                continue
            cells = row[: len(columns)]
            for column, cell in zip(columns, cells, strict=False):
                if cell != "":
                    kinds[column][_kind(cell)] += 1
            batch.append([_text(cell) for cell in cells] + [None] * (len(columns) - len(cells)))
            if len(batch) == _BATCH:
                writer.write_table(_table(batch, schema))
                batch = []
        if batch:
            writer.write_table(_table(batch, schema))
    return kinds


def _table(batch: list[list[str | None]], schema: Any) -> Any:
    import pyarrow as pa

    return pa.Table.from_arrays([pa.array(c, pa.string()) for c in zip(*batch, strict=True)], schema=schema)


def _kind(cell: Any) -> str:
    if isinstance(cell, bool):
        return "bool"
    if isinstance(cell, int | float):
        return "number"
    if isinstance(cell, date | datetime):
        return "date"
    return "time" if isinstance(cell, time | timedelta) else "text"


def _text(cell: Any) -> str | None:
    """A cell as text: whole numbers without a fraction, dates as ISO."""
    if cell == "" or cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < _EXACT else repr(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)
