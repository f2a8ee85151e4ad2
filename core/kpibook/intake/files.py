"""Client files: inside the source folder, readable, with their columns."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kpibook.errors import DataError, Problem
from kpibook.expressions import nearest
from kpibook.intake import compressed, sql, staging, workbook
from kpibook.intake.leftovers import without_leftovers
from kpibook.intake.notes import Note
from kpibook.intake.values import refusal
from kpibook.intake.wanted import wanted_columns
from kpibook.params_options import WORKBOOKS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ibis.backends.duckdb import Backend

    from kpibook.params import Params
    from kpibook.params_tables import TableMapping


@dataclass(frozen=True)
class SourceFile:
    """``columns`` maps a name to its DuckDB type; ``scan`` is what stands after FROM.

    ``kinds`` counts what the cells of a sheet's column were; ``told`` are replacements that make a query one over
    the client's own files.
    """

    name: str
    path: Path
    columns: Mapping[str, str]
    scan: str
    numbered: str
    is_text: bool = False
    notes: tuple[Note, ...] = ()
    kinds: Mapping[str, Counter[str]] = field(default_factory=dict)
    told: tuple[tuple[str, str], ...] = ()


def find(root: Path, name: str, where: str) -> Path:
    """The file's path, when it lies in ``root`` and may be read. Raises DataError."""
    path = root / name
    if not path.is_file():
        names = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())[:1000]
        remedy = nearest(name, names) if names else "deliver the file; the source folder is empty"
        raise DataError(Problem(where, f"there is no file '{name}' in the source folder", remedy))
    if not path.resolve().is_relative_to(root.resolve()):
        raise DataError(Problem(where, f"'{name}' leads out of the source folder", "put the file itself there"))
    try:
        path.open("rb").close()
    except OSError as error:
        what = f"'{name}' cannot be opened ({error.strerror})"
        raise DataError(Problem(where, what, "let the user who runs kpibook read the file")) from error
    return path


def fingerprint(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Reader:
    """Reads each file once; what is not Parquet is staged as Parquet in ``folder``.

    ``tell(file, done, of)`` hears how far a long file is.
    """

    def __init__(
        self, con: Backend, params: Params, root: Path, folder: Path, tell: Callable[[str, int, int], None]
    ) -> None:
        self.con = con
        self.params = params
        self.root = root
        self.folder = folder
        self.tell = tell
        self._read: dict[tuple, SourceFile] = {}

    def read(self, name: str, table: str, where: str) -> SourceFile:
        """``name`` as ``table`` needs it; ``where`` is its place in the params file. Raises DataError."""
        mapping = self.params.tables[table]
        sheet = mapping.sheet if name == mapping.from_ else None
        header_row = mapping.header_row if name == mapping.from_ else None
        judged = mapping.where is not None
        key = (name, sheet, header_row, mapping.encoding, mapping.delimiter, judged)
        if key not in self._read:
            path = find(self.root, name, where)
            options = mapping.model_copy(update={"sheet": sheet, "header_row": header_row})
            self._read[key] = self._opened(path, name, wanted_columns(self.params, name, sheet), options)
        found = self._read[key]
        return _unpivoted(found, mapping, where) if mapping.unpivot and name == mapping.from_ else found

    def _opened(self, path: Path, name: str, wanted: frozenset[str], options: TableMapping) -> SourceFile:
        target = self.folder / f"{len(self._read)}.parquet"

        def tell(done: int, of: int) -> None:
            self.tell(name, done, of)

        inner, inner_name, notes = compressed.unpacked(path, name, target.with_suffix(".unpacked"), tell)
        lower = inner_name.lower()
        if lower.endswith(".parquet"):
            found = _parquet(self.con, inner, name, path)
            return replace(found, notes=tuple(notes))
        if lower.endswith(WORKBOOKS):
            sheet = workbook.stage(inner, name, wanted, options, target)
            return self._sheet(path, name, sheet, target, notes, judged=options.where is not None)
        staged = staging.stage(self.con, inner, name, wanted, options, target, tell)
        kept = without_leftovers(
            self.con,
            target,
            name,
            staged.columns,
            staged.written,
            staged.header_lines,
            judged=options.where is not None,
        )
        if inner is not path:
            inner.unlink()
        return _source(
            name, path, staged.columns, kept.numbered, (*notes, *staged.notes, *kept.notes), staged.scan, kept.excluded
        )

    def _sheet(
        self, path: Path, name: str, sheet: workbook.Sheet, target: Path, notes: list[Note], *, judged: bool
    ) -> SourceFile:
        named = target.with_suffix(".named.parquet")
        columns = ", ".join(f"c{i} AS {sql.name(c)}" for i, c in enumerate(sheet.columns))
        rows = f"SELECT {columns} FROM read_parquet({sql.text(str(target))})"
        staging.watched(self.con, f"COPY ({rows}) TO {sql.text(str(named))} (FORMAT parquet)", name, lambda *_: None)
        kept = without_leftovers(self.con, named, name, sheet.columns, sheet.written, list, judged=judged)
        scan = f"read_xlsx({sql.text(name)}, sheet = {sql.text(sheet.sheet)}, all_varchar = true)"
        found = _source(
            name, path, sheet.columns, kept.numbered, (*notes, *sheet.notes, *kept.notes), scan, kept.excluded
        )
        return replace(found, kinds=sheet.kinds)


def _source(
    name: str,
    path: Path,
    columns: tuple[str, ...],
    numbered: str,
    notes: tuple[Note, ...],
    scan: str,
    excluded: tuple[int, ...],
) -> SourceFile:
    types = dict.fromkeys(columns, "VARCHAR")
    own_scan = f"(SELECT * EXCLUDE ({sql.ROW}) FROM ({numbered}))"
    told = f"SELECT row_number() OVER () AS {sql.ROW}, * FROM {scan}"
    if excluded:
        told = f"SELECT * FROM ({told}) WHERE {sql.ROW} NOT IN ({', '.join(map(str, excluded))})"
    return SourceFile(name, path, types, own_scan, numbered, True, notes, told=((own_scan, scan), (numbered, told)))


def _parquet(con: Backend, path: Path, name: str, original: Path) -> SourceFile:
    import duckdb

    scan = f"read_parquet({sql.text(str(path))})"
    try:
        described = sql.rows(con, f"DESCRIBE SELECT * FROM {scan}")
    except duckdb.Error as error:
        # Three thousand damaged files raised these: no magic bytes, bytes that end, a footer that Thrift refuses.
        if isinstance(error, duckdb.InvalidInputException | duckdb.IOException) or type(error) is duckdb.Error:
            what = "cannot be read as Parquet: damaged, or cut short"
            raise DataError(Problem(name, what, "deliver the file again")) from error
        raise DataError(refusal(error, name)) from error
    columns = {row[0]: row[1] for row in described}
    numbered = (
        f"SELECT file_row_number + 1 AS {sql.ROW}, * EXCLUDE (file_row_number) "
        f"FROM read_parquet({sql.text(str(path))}, file_row_number = true)"
    )
    return SourceFile(name, original, columns, scan, numbered, told=((sql.text(str(path)), sql.text(name)),))


def _unpivoted(file: SourceFile, mapping: TableMapping, where: str) -> SourceFile:
    """One row for each filled cell of the named columns: its column as ``item``, its value as ``answer``."""
    from kpibook.intake.wanted import ANSWER, ITEM, spread

    names = spread(mapping.unpivot)
    lacking = [n for n in names if n not in file.columns]
    if lacking:
        shown = ", ".join(f"'{n}'" for n in lacking)
        what = f"{file.name} has no column {shown}"
        raise DataError(Problem(where, what, "deliver it, or take it out of unpivot:"))
    on = ", ".join(sql.name(n) for n in names)
    rest = {c: kind for c, kind in file.columns.items() if c not in names}
    numbered = f"SELECT * FROM (UNPIVOT ({file.numbered}) ON {on} INTO NAME {ITEM} VALUE {ANSWER})"
    kinds = {c: k for c, k in file.kinds.items() if c not in names}
    if file.kinds:
        kinds[ANSWER] = sum((file.kinds[n] for n in names), Counter())
    kind = file.columns[names[0]]
    return replace(
        file, columns={**rest, ITEM: "VARCHAR", ANSWER: kind}, numbered=numbered, scan=f"({numbered})", kinds=kinds
    )
