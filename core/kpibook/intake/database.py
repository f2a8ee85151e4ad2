"""A client's tables on a server, copied into DuckDB in bounded batches; from there on they are read as files are.

The session may read only, each statement has a time limit, and on PostgreSQL all tables are seen at one
moment. Only columns that the mapping names leave the server. What a driver says is never shown: it may
hold the URL.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kpibook import expressions, sources
from kpibook.errors import DataError, KpibookError, Problem
from kpibook.expressions import nearest
from kpibook.intake import database_errors, sql
from kpibook.intake.database_session import batches, close, connect
from kpibook.intake.files import SourceFile
from kpibook.yaml_lines import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

    from kpibook.params import Params, TableMapping

BATCH = 50_000
SCHEMA = "source"
#: What Ibis, Arrow and DuckDB understand alike; other types travel as text and are read as text is.
_AS_THEY_ARE = ("is_boolean", "is_integer", "is_floating", "is_string", "is_date", "is_timestamp")


@dataclass(frozen=True)
class DatabaseTable(SourceFile):
    """A copied table; ``digest`` changes with any of the copied values and not with the order of rows."""

    digest: str = ""


def copied(con: Backend, params: Params) -> dict[str, SourceFile]:
    """Every table that the mapping reads, by the name it has there. Raises DataError with all problems."""
    con.raw_sql(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    with _session(params) as server:
        found = {name: server.found(name) for name in named(params)}
        server.refuse()
        for name, table in found.items():
            if table is not None:
                server.copy(con, name, table)
        server.refuse()
    return {name: _settled(con, name, server.columns[name]) for name in found}


def forget(con: Backend) -> None:
    """Drop the copies: the canonical tables hold what is needed of them."""
    con.raw_sql(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")


def named(params: Params) -> list[str]:
    return list(dict.fromkeys(name for m in params.tables.values() for name in (m.from_, *m.join)))


def _columns(params: Params, name: str) -> set[str]:
    """Every name that the mappings of a table use: some may be columns of another one that is joined."""
    used = [m for m in params.tables.values() if name in (m.from_, *m.join)]
    return {column for mapping in used for column in _written(mapping)}


def _written(mapping: TableMapping) -> Iterator[str]:
    yield from mapping.one_row_per
    for joined in mapping.join:
        yield from mapping.keys_of(joined)
    values = [v if isinstance(v, str) else v.column for v in mapping.columns.values()]
    if mapping.where is not None:
        values.append("=" + mapping.where.strip().removeprefix("="))
    for text in values:
        if text.lstrip().startswith("="):
            yield from expressions.columns_of(expressions.parse(text.lstrip()[1:], aggregates=True))
        else:
            yield text


def opened(params: Params, *, in_place: bool = False) -> Any:
    """The session, as an Ibis backend. Raises DataError in our words."""
    where = f"{params.where('source')}: source"
    try:
        url = sources.resolve_url(params.source)
    except sources.SourceError as error:
        raise DataError(Problem(where, error.what, error.remedy)) from None
    told: Problem | None = None
    try:
        return connect(url, params.limits.statement_seconds, in_place=in_place)
    except Exception as error:  # noqa: BLE001  every driver has its own; none may be shown
        told = database_errors.refused(error, params.source, where)
    raise DataError(told)  # outside of the handler: the driver's error must not hang on to ours


@contextmanager
def _session(params: Params) -> Iterator[ClientTables]:
    backend = opened(params)
    try:
        yield ClientTables(backend, params)
    finally:
        close(backend)


class ClientTables:
    """An open session; gathers ``problems`` instead of stopping at the first."""

    def __init__(self, backend: Any, params: Params) -> None:
        self.backend, self.params = backend, params
        self.problems: list[Problem] = []
        self.columns: dict[str, list[str]] = {}

    def refuse(self) -> None:
        if self.problems:
            raise DataError(self.problems)

    def found(self, name: str, *, stays: bool = False) -> ir.Table | None:
        """The columns of one table that are wanted; None when there is no such table.

        A table that ``stays`` on its server keeps numbers of any precision, and times of day, as they are.
        """
        try:
            table = self._table(name)
            self.columns[name] = list(table.columns)
            wanted = [column for column in table.columns if column in _columns(self.params, name)]
            doubled = [c for i, c in enumerate(wanted) if c.casefold() in {w.casefold() for w in wanted[:i]}]
            if doubled:
                what = f"two columns are called '{doubled[0]}', but for capitals"
                self.problems.append(Problem(self.where(name), what, "let a view give one of them another name"))
            return table.select([_sendable(table[column], stays) for column in wanted or table.columns[:1]])
        except KpibookError as error:
            self.problems.extend(error.problems)
        except Exception as error:  # noqa: BLE001  every driver has its own; none may be shown
            self.problems.append(database_errors.unread(error, self.where(name), self.params, 0))
        return None

    def copy(self, con: Backend, name: str, table: ir.Table) -> None:
        """The rows as they come, batch by batch; what goes wrong is kept as a problem."""
        target, count = _target(f"{name} as it came"), 0
        try:
            for batch in batches(self.backend, table, BATCH):
                con.con.register("__batch", pa.Table.from_batches([batch]))
                create = f"CREATE OR REPLACE TABLE {target} AS" if not count else f"INSERT INTO {target}"
                con.raw_sql(f"{create} SELECT * FROM __batch")
                con.con.unregister("__batch")
                count += batch.num_rows
        except Exception as error:  # noqa: BLE001  every driver has its own; none may be shown
            self.problems.append(database_errors.unread(error, self.where(name), self.params, count))

    def _table(self, name: str) -> ir.Table:
        from ibis.common.exceptions import TableNotFound

        schema, dot, bare = name.partition(".")
        try:
            return self.backend.table(bare, database=schema) if dot else self.backend.table(name)
        except TableNotFound:
            known = [f"{schema}.{t}" for t in self.backend.list_tables(database=schema)] if dot else []
            known = known or self.backend.list_tables()
        remedy = nearest(name, known) if known else "check the name, and the rights of the user"
        raise DataError(Problem(self.where(name), f"there is no table '{name}' in the database", remedy))

    def where(self, name: str) -> str:
        """The first place in the params file that names a table."""
        for table, mapping in self.params.tables.items():
            if mapping.from_ == name:
                place: tuple[str, ...] = ("tables", table, "from")
                break
            if name in mapping.join:
                place = ("tables", table, "join", name)
                break
        return f"{self.params.where(*place)}: {dotted(place)}"


def _sendable(column: Any, stays: bool) -> Any:
    kind = column.type()
    plain = any(getattr(kind, ask)() for ask in _AS_THEY_ARE) or (stays and kind.is_time())
    exact = kind.is_decimal() and (stays or (kind.precision is not None and kind.precision <= 38))
    listed = kind.is_array() and (kind.value_type.is_string() or kind.value_type.is_integer())
    return column if plain or exact or listed else column.cast("string").name(column.get_name())


def _target(name: str) -> str:
    return f"{SCHEMA}.{sql.name(name)}"


def _settled(con: Backend, name: str, columns: list[str]) -> DatabaseTable:
    """Rows in the order of all their values: a server gives them in any order, a report must come out the same."""
    came, target = _target(f"{name} as it came"), _target(name)
    con.raw_sql(f"CREATE OR REPLACE TABLE {target} AS SELECT * FROM {came} ORDER BY ALL")
    con.raw_sql(f"DROP TABLE {came}")
    types = {row[0]: row[1] for row in sql.rows(con, f"DESCRIBE {target}")}
    numbered = f"SELECT row_number() OVER () AS {sql.ROW}, * FROM {target}"
    values = sql.row(con, f"SELECT count(*), sum(md5_number_lower(CAST(t AS VARCHAR))) FROM {target} AS t")
    digest = hashlib.sha256(repr((list(types.items()), values)).encode()).hexdigest()
    known = {c: types.get(c, "VARCHAR") for c in columns}  # those that no mapping names are not there
    return DatabaseTable(name, Path(name), known, target, numbered, digest=digest)
