"""PostgreSQL: one session, one statement at a time; nothing but temporary tables is ever written.

Each statement has a savepoint or transaction of its own, so that one that fails costs no other its snapshot, and
may read only: what it fills is a temporary table that was made empty before. Text in it is compared by its bytes,
as in every other engine, whatever the order of the database. A session that may make no temporary table gets the
shared tables as common table expressions of every statement: the same figures, computed more often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from threading import RLock
from typing import Any

import ibis.expr.schema as sch
import ibis.expr.types as ir
import pyarrow as pa

from kpibook.engine import postgres_sql
from kpibook.engine.backend import UnansweredError
from kpibook.engine.guards import guarded
from kpibook.engine.moments import Moments
from kpibook.errors import LostError, Problem

#: No right to make temporary tables; a server or transaction that may only read.
_FORBIDDEN = ("42501", "25006")
_LOST = (
    "the connection was lost while the figures were computed",
    "try again; if it happens again, ask who runs the server",
)
_UNANSWERED = "the server did not answer within limits.statement_seconds · raise it, or write extract: true"


@dataclass
class Postgres:
    """An Ibis backend for PostgreSQL; while one thread waits for the server, another compiles.

    ``shared`` are the tables of our own that could not be made: their statements by name, in order.
    """

    ibis: Any
    workers: int = 2
    shared: dict[str, str] = field(default_factory=dict)
    turn: Any = field(default_factory=RLock)

    def sql(self, table: ir.Table | Moments) -> str:
        if isinstance(table, Moments):
            return table.around(self.sql(table.inner), "postgres")
        return postgres_sql.text(guarded(table))

    def rows(self, sql: str, table: ir.Table | Moments) -> pa.Table:
        with self._step() as cursor:
            cursor.execute(self._with_shared(sql))
            found, names = cursor.fetchall(), [column.name for column in cursor.description]
        columns = list(zip(*found, strict=True)) if found else [()] * len(names)
        if isinstance(table, Moments):
            return pa.table({n: pa.array(_floating(c)) for n, c in zip(names, columns, strict=True)})
        schema = table.schema().to_pyarrow()
        by_name = dict(zip(names, columns, strict=True))
        return pa.Table.from_arrays([_array(by_name[f.name], f.type) for f in schema], schema=schema)

    def fetch(self, table: ir.Table | Moments) -> pa.Table:
        return self.rows(self.sql(table), table)

    def create(self, name: str, sql: str, table: ir.Table) -> None:
        with self.turn:
            if self._made(name, table.schema()):
                with self._step() as cursor:
                    cursor.execute(f'INSERT INTO pg_temp."{name}" {sql}')
                    cursor.execute(f'ANALYZE pg_temp."{name}"')
            else:
                with self._step() as cursor:  # what is wrong with it is to be known here, not in every reader
                    cursor.execute(f"EXPLAIN {self._with_shared(sql)}")
                self.shared[name] = sql

    def load(self, name: str, rows: pa.Table) -> None:
        schema = sch.Schema.from_pyarrow(rows.schema)
        values = list(zip(*(column.to_pylist() for column in rows.columns), strict=True))
        with self.turn:
            if not self._made(name, schema):
                self.shared[name] = postgres_sql.values(schema, values)
                return
            with self._step() as cursor:
                with cursor.copy(f'COPY pg_temp."{name}" FROM STDIN') as copy:
                    for row in values:
                        copy.write_row(row)
                cursor.execute(f'ANALYZE pg_temp."{name}"')

    @contextmanager
    def one_thread_each(self) -> Iterator[None]:
        yield

    def _made(self, name: str, schema: sch.Schema) -> bool:
        """An empty table of our own, in place of an older one; False where the session may make none."""
        import psycopg

        if self.shared:
            return False
        try:
            with self._step(reading=False) as cursor:
                cursor.execute(f'DROP TABLE IF EXISTS pg_temp."{name}"')
                cursor.execute(f'CREATE TEMPORARY TABLE "{name}" ({postgres_sql.columns(schema)})')
        except psycopg.Error as error:
            if error.sqlstate in _FORBIDDEN:
                return False
            raise
        return True

    def _with_shared(self, sql: str) -> str:
        """With the shared tables that could not be made before it; what it does not name, the server leaves out."""
        if not self.shared:
            return sql
        steps = ", ".join(f'"{name}" AS ({own})' for name, own in self.shared.items())
        return f"WITH {steps}, {sql.removeprefix('WITH ')}" if sql.startswith("WITH ") else f"WITH {steps} {sql}"

    @contextmanager
    def _step(self, reading: bool = True) -> Iterator[Any]:
        with self.turn, self._told(), self.ibis.con.transaction(), self.ibis.con.cursor() as cursor:
            if reading:
                cursor.execute("SET TRANSACTION READ ONLY")  # till the end of this step, also of a savepoint
            yield cursor

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What ends the run, or costs one statement only, in our words."""
        import psycopg

        try:
            yield
        except psycopg.errors.QueryCanceled:
            raise UnansweredError(_UNANSWERED) from None
        except psycopg.OperationalError:
            if not self.ibis.con.closed:
                raise
            raise LostError(Problem("database", *_LOST)) from None


def _floating(values: Sequence[Any]) -> list[Any]:
    return [float(value) if isinstance(value, Decimal) else value for value in values]


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Exact numbers, which the server sums and divides in, as the type that was promised."""
    if pa.types.is_floating(kind):
        return pa.array(_floating(values), kind)
    if pa.types.is_integer(kind):
        return pa.array([None if value is None else int(value) for value in values], kind)
    if pa.types.is_decimal(kind):
        unit = Decimal(1).scaleb(-kind.scale)
        return pa.array([None if value is None else value.quantize(unit) for value in values], kind)
    return pa.array(values, kind)
