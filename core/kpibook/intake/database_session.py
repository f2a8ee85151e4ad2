"""A session on a client's database that may read, for a limited time, and nothing else."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pyarrow as pa

from kpibook.intake import sql

if TYPE_CHECKING:
    from collections.abc import Generator
    from urllib.parse import SplitResult

CONNECT_SECONDS = 10
IN_FILES = ("duckdb", "sqlite")


#: Dates, zones and texts as DuckDB has them; between two statements Python may think for long.
_SAME_WORDS = (
    "SET TimeZone = 'UTC'",
    "SET DateStyle = 'ISO, YMD'",
    "SET standard_conforming_strings = on",
    "SET idle_in_transaction_session_timeout = 0",
)


class NoSuchFileError(Exception):
    """The URL leads to a file that is not there."""


def connect(url: str, statement_seconds: int, *, in_place: bool = False) -> Any:
    """An Ibis backend. Whatever a driver raises is raised.

    ``in_place`` PostgreSQL may also make temporary tables, so that each statement has to say that it only reads.
    """
    import ibis

    parts = urlsplit(url)
    scheme = parts.scheme.replace("postgresql", "postgres")
    backend = ibis.connect(url, **_options(scheme, parts))
    for statement in _session(scheme, statement_seconds, in_place):
        backend.raw_sql(statement)
    if scheme == "postgres":
        backend.con.autocommit = False
        backend.con.execute("SELECT 1")  # one transaction from here to the end: all tables of one moment
    return backend


def batches(backend: Any, table: Any, size: int) -> Generator[pa.RecordBatch]:
    """Rows as they come, at most ``size`` at a time; at least one batch."""
    read = {"postgres": _by_cursor, "duckdb": _by_reader}.get(backend.name, _by_ibis)
    some = False
    with contextlib.closing(read(backend, table, size)) as found:
        for batch in found:
            some = True
            yield batch
    if not some:
        yield pa.RecordBatch.from_pylist([], schema=table.schema().to_pyarrow())


def _by_cursor(backend: Any, table: Any, size: int) -> Generator[pa.RecordBatch]:
    """Ibis closes its cursor after its transaction, and so loses the error of a value that Arrow refuses."""
    rows = table.schema().as_struct().to_pyarrow()
    with backend.con.transaction(), backend.con.cursor(name="kpibook") as cursor:
        cursor.execute(backend.compile(table))
        while found := cursor.fetchmany(size):
            yield pa.RecordBatch.from_struct_array(pa.array(found, type=rows))


def _by_reader(backend: Any, table: Any, size: int) -> Generator[pa.RecordBatch]:
    yield from backend.con.cursor().execute(backend.compile(table)).to_arrow_reader(size)


def _by_ibis(backend: Any, table: Any, size: int) -> Generator[pa.RecordBatch]:
    yield from backend.to_pyarrow_batches(table, chunk_size=size)


def close(backend: Any) -> None:
    """End the session; one that is broken already is not missed."""
    with contextlib.suppress(Exception):
        backend.disconnect()


def _options(scheme: str, parts: SplitResult) -> dict[str, Any]:
    if scheme in IN_FILES and not Path(parts.netloc + parts.path).is_file():  # SQLite would make it
        raise NoSuchFileError
    if scheme == "duckdb":
        # Its views are the client's: they may read the database and no file.
        return {"read_only": True, "enable_external_access": False, "autoinstall_known_extensions": False}
    if scheme != "postgres":
        return {}
    login = {"user": parts.username, "password": parts.password}  # Ibis decodes the password only
    decoded = {name: unquote(value) for name, value in login.items() if value is not None}
    return {"connect_timeout": CONNECT_SECONDS, "application_name": "kpibook", **decoded}


def _session(scheme: str, seconds: int, in_place: bool) -> list[str]:
    if scheme == "postgres":
        only = "" if in_place else ", READ ONLY"
        return [
            f"SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ{only}",
            f"SET statement_timeout = {sql.text(f'{seconds}s')}",
            *(_SAME_WORDS if in_place else ()),
        ]
    if scheme in ("mysql", "singlestoredb"):
        return ["SET SESSION TRANSACTION READ ONLY", f"SET SESSION max_execution_time = {1000 * seconds}"]
    return ["PRAGMA query_only = ON"] if scheme == "sqlite" else []
