"""Client files: inside the source folder, readable, with their columns."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpibook.errors import DataError, Problem
from kpibook.expressions import nearest
from kpibook.intake import sql

if TYPE_CHECKING:
    from pathlib import Path

    from ibis.backends.duckdb import Backend

_LONGEST_HEADER = 1_000_000
_CSV = "save it as CSV with a header line, commas and UTF-8"


@dataclass(frozen=True)
class SourceFile:
    """``columns`` maps a name to its DuckDB type; ``scan`` is what stands after FROM."""

    name: str
    path: Path
    columns: dict[str, str]
    scan: str
    numbered: str

    @property
    def is_text(self) -> bool:
        return not self.name.lower().endswith(".parquet")


def find(root: Path, name: str, where: str) -> Path:
    """The file's path, when it lies in ``root``. Raises DataError."""
    path = root / name
    if not path.is_file():
        names = sorted(p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file())[:1000]
        remedy = nearest(name, names) if names else "deliver the file; the source folder is empty"
        raise DataError(Problem(where, f"there is no file '{name}' in the source folder", remedy))
    if not path.resolve().is_relative_to(root.resolve()):
        raise DataError(Problem(where, f"'{name}' leads out of the source folder", "put the file itself there"))
    return path


def fingerprint(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(con: Backend, root: Path, name: str, where: str) -> SourceFile:
    """Open ``name`` below ``root``; ``where`` is its place in the params file. Raises DataError."""
    path = find(root, name, where)
    if name.lower().endswith(".parquet"):
        return _parquet(con, path, name)
    columns = dict.fromkeys(_header(path, name), "VARCHAR")
    types = ", ".join(f"{sql.text(column)}: 'VARCHAR'" for column in columns)
    scan = (
        f"read_csv({sql.text(str(path))}, auto_detect = false, header = true, delim = ',', quote = '\"', "
        f"escape = '\"', new_line = {sql.text(_new_line(path))}, columns = {{{types}}})"
    )
    return SourceFile(name, path, columns, scan, f"SELECT row_number() OVER () AS {sql.ROW}, * FROM {scan}")


def _parquet(con: Backend, path: Path, name: str) -> SourceFile:
    scan = f"read_parquet({sql.text(str(path))})"
    try:
        described = sql.rows(con, f"DESCRIBE SELECT * FROM {scan}")
    except Exception as error:  # DuckDB raises a type of its own for each way a file is broken
        raise DataError(Problem(name, "cannot be read as Parquet", "deliver the file again")) from error
    columns = {row[0]: row[1] for row in described}
    numbered = (
        f"SELECT file_row_number + 1 AS {sql.ROW}, * EXCLUDE (file_row_number) "
        f"FROM read_parquet({sql.text(str(path))}, file_row_number = true)"
    )
    return SourceFile(name, path, columns, scan, numbered)


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        if file.read(2) == b"\x1f\x8b":
            with gzip.open(path, "rb") as unpacked:
                return unpacked.read(_LONGEST_HEADER)
        file.seek(0)
        return file.read(_LONGEST_HEADER)


def _new_line(path: Path) -> str:
    return "\\r\\n" if _first_bytes(path).partition(b"\n")[0].endswith(b"\r") else "\\n"


def _header(path: Path, name: str) -> list[str]:
    try:
        first = _first_bytes(path).decode("utf-8-sig", errors="strict")
    except UnicodeDecodeError as error:
        if error.end < _LONGEST_HEADER - 4:
            line = error.object[: error.start].count(b"\n") + 1
            raise DataError(Problem(f"{name}: line {line}", "not UTF-8 text", _CSV)) from error
        first = error.object[: error.start].decode("utf-8-sig")
    except (OSError, EOFError) as error:
        raise DataError(Problem(name, "cannot be unpacked", "deliver the file again")) from error
    header = next(csv.reader(io.StringIO(first)), [])
    if not header:
        raise DataError(Problem(name, "the file is empty", "deliver the file again"))
    if len(header) == 1 and re.search(r"[;\t|]", header[0]):
        raise DataError(Problem(f"{name}: line 1", "the columns are not separated by commas", _CSV))
    for i, column in enumerate(header):
        if not column.strip():
            raise DataError(Problem(f"{name}: line 1", f"column {i + 1} has no name", "name every column"))
        if column.casefold() in {c.casefold() for c in header[:i]}:
            raise DataError(Problem(f"{name}: line 1", f"two columns are called '{column}'", "rename one of them"))
    return header


def told(error: Exception, files: tuple[str, ...]) -> Problem | None:
    """A broken CSV line as a Problem without its content; None when the error is another."""
    message = str(error)
    line = re.search(r"Line:?\s*(\d+)", message)
    if "CSV Error" not in message and "unicode" not in message.lower():
        return None
    names = [name for name in files if name in message] or list(files)
    where = f"{names[0]}: line {line.group(1)}" if line else names[0]
    what = "not UTF-8 text" if "unicode" in message.lower() else "the line does not have the header's columns"
    return Problem(where, what, "put values that hold commas or quotes into quotes" if "UTF" not in what else _CSV)
