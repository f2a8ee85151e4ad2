"""A client's tables on a PostgreSQL server become canonical tables there, in one session that is kept open.

Columns, types and expressions are checked on an empty twin in DuckDB, as if the tables were copied; then the very
statements that a copy would be read by run on the server, over rows in the order that a copy would have. So what is
found, assumed and refused is what ``extract: true`` finds, assumes and refuses.
"""

from __future__ import annotations

import hashlib
import weakref
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from kpibook.intake import database, database_errors, sql
from kpibook.intake.connection import connect
from kpibook.intake.database import DatabaseTable
from kpibook.intake.database_session import close
from kpibook.intake.facts import Intake
from kpibook.intake.in_place_mapping import mapper_on
from kpibook.intake.loading import Loader
from kpibook.intake.members import with_members
from kpibook.intake.quality import examined
from kpibook.intake.refusals import refuse
from kpibook.intake.server import Server
from kpibook.model import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    import ibis.expr.types as ir
    from ibis.backends.duckdb import Backend

    from kpibook.intake.filling import Completed
    from kpibook.params import Params

#: What a numeric without precision is taken for in expressions.
_EXACT = pa.decimal128(38, 10)


def load(params: Params) -> Intake:
    """The canonical tables, in a session that lasts as long as the Intake. Raises DataError with every problem."""
    backend = database.opened(params, in_place=True)
    with _closed_on_error(backend):
        server, twin = Server(backend, params), connect(params.limits)
        loader = InPlaceLoader(server, twin, params)
        facts = loader.run()
        server.doing = "while the tables were examined"
        refuse(server, params, loader.loaded)
        seen, spans = examined(server, params, loader.loaded)
        for name in ("__lines", *server.tables.values()):
            server.drop(name)
    weakref.finalize(backend, backend.con.close)
    found = tuple(sorted((*seen, *loader.notes), key=lambda finding: finding.order))
    dated = facts["transactions"]
    return Intake(backend, facts, found, loader.fingerprints(), dated.date_min, dated.date_max, spans)


@contextmanager
def _closed_on_error(backend: Any) -> Iterator[None]:
    try:
        yield
    except BaseException:
        close(backend)
        raise


class InPlaceLoader(Loader):
    """Makes the canonical tables on the server: rows with their numbers in ``__name``, and ``name`` a view of it."""

    def __init__(self, server: Server, twin: Backend, params: Params) -> None:
        super().__init__(server, params, None)
        self.server = server
        self._types_of = twin
        self.mapper = mapper_on(server)

    def _open(self) -> None:
        found = _numbered(self.server, self._types_of, self.params)
        for table, mapping in self.params.tables.items():
            self.sources[table] = {name: found[name] for name in (mapping.from_, *mapping.join)}

    def _make(self, name: str, whole: Completed) -> str:
        self.server.doing = f"while {name} was made"
        columns = ", ".join(sql.name(c) for c in TABLES[name].columns)
        row = sql.ROW if whole.before else f"CAST(NULL AS BIGINT) AS {sql.ROW}"
        self.server.make(name, numbered=True)
        self.server.fill(f"__{name}", self.server.said(f"SELECT {row}, {columns} FROM ({whole.select})"))
        self.server.show(name, f"__{name}")
        return f'SELECT * FROM "__{name}"'

    def _show_cards(self) -> None:
        shown = with_members("transactions", "memberships")
        self.server.ask(f'CREATE TEMPORARY TABLE "__cards" AS {self.server.said(shown)} WITH NO DATA', reading=False)
        self.server.fill("__cards", self.server.said(shown))
        self.server.show("transactions", "__cards")


def _numbered(server: Server, twin: Backend, params: Params) -> dict[str, DatabaseTable]:
    """Every table that the mapping reads, its rows numbered as those of a copy. Raises DataError with all problems."""
    twin.raw_sql(f"CREATE SCHEMA IF NOT EXISTS {database.SCHEMA}")
    tables = database.ClientTables(server.backend, params)
    wanted = {name: tables.found(name, stays=True) for name in database.named(params)}
    tables.refuse()
    found = {}
    for i, (name, table) in enumerate(wanted.items()):
        if table is not None:
            server.tables[name] = f"__source_{i}"
            try:
                found[name] = _taken(server, twin, name, table, tables.columns[name])
            except Exception as error:  # noqa: BLE001  every driver has its own; none may be shown
                tables.problems.append(database_errors.unread(error, tables.where(name), params, 0))
    tables.refuse()
    server.ask("SET search_path = pg_temp", reading=False)  # a client's table may be called as ours
    return found


def _taken(server: Server, twin: Backend, name: str, table: ir.Table, columns: list[str]) -> DatabaseTable:
    """One table of the client's as a temporary one, and its empty twin."""
    kinds = table.schema()
    own, scan = server.tables[name], f"{database.SCHEMA}.{sql.name(name)}"
    taken = ", ".join(
        f'CAST({sql.name(c)} AS TEXT) COLLATE "C" AS {sql.name(c)}' if kind.is_string() else sql.name(c)
        for c, kind in kinds.items()
    )
    rows = f"SELECT {taken} FROM ({server.backend.compile(table)}) AS theirs"
    texts = {c for c, kind in kinds.items() if kind.is_decimal() and not _fits(kind)}  # so they come in a copy
    order = ", ".join(f'CAST({sql.name(c)} AS TEXT) COLLATE "C"' if c in texts else sql.name(c) for c in kinds)
    every = ", ".join(map(sql.name, kinds))
    select = f"SELECT row_number() OVER (ORDER BY {order}) AS {sql.ROW}, {every} FROM ({rows}) AS t"
    with server.step(reading=False) as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS pg_temp.{sql.name(own)}")
        cursor.execute(f"CREATE TEMPORARY TABLE {sql.name(own)} AS {select} WITH NO DATA")
    with server.step() as cursor:
        cursor.execute(f"INSERT INTO pg_temp.{sql.name(own)} {select}")
    with server.step(reading=False) as cursor:
        cursor.execute(f"ANALYZE pg_temp.{sql.name(own)}")
    empty = pa.table({c: pa.array([], _twin_of(kind)) for c, kind in kinds.items()})
    twin.con.register("__empty", empty)
    twin.raw_sql(f"CREATE OR REPLACE TABLE {scan} AS SELECT CAST(0 AS BIGINT) AS {sql.ROW}, * FROM __empty")
    twin.con.unregister("__empty")
    types = {row[0]: row[1] for row in sql.rows(twin, f"DESCRIBE {scan}")}
    known = {c: types.get(c, "VARCHAR") for c in columns}  # those that no mapping names are not there
    parts = "CAST('x' || left(md5(CAST(t AS TEXT)), 15) AS bit(60))"
    with server.step() as cursor:
        values = cursor.execute(f"SELECT count(*), sum({parts}::bigint) FROM pg_temp.{sql.name(own)} AS t").fetchall()
    digest = hashlib.sha256(repr((list(types.items()), values)).encode()).hexdigest()
    return DatabaseTable(name, Path(name), known, scan, f"SELECT * FROM {scan}", digest=digest)


def _fits(kind: Any) -> bool:
    return kind.precision is not None and kind.precision <= 38


def _twin_of(kind: Any) -> pa.DataType:
    if kind.is_decimal() and not _fits(kind):
        return _EXACT
    return pa.time64("us") if kind.is_time() else kind.to_pyarrow()
