"""DuckDB, the engine within: files, and whatever is copied from a server.

It runs each thread's queries on a cursor of its own and lets go of Python's lock while
it works, so that one query is compiled while another is executed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import local
from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from kpibook.engine.guards import guarded
from kpibook.engine.moments import Moments

# Merging selects is a sixth of Ibis's compiling, and DuckDB does it by itself; what is printed is merged to be read.
ibis.options.sql.fuse_selects = False


@dataclass(frozen=True)
class DuckDB:
    """An Ibis backend for DuckDB; ``workers`` queries are under way at once."""

    ibis: Any
    workers: int = 2
    threads: local = field(default_factory=local)

    def sql(self, table: ir.Table | Moments) -> str:
        if isinstance(table, Moments):
            return table.around(self.sql(table.inner))
        return str(self.ibis.compile(guarded(table)))

    def rows(self, sql: str, table: ir.Table | Moments) -> pa.Table:
        found = self._cursor().execute(sql).to_arrow_table()
        if isinstance(table, Moments):
            return found
        schema = table.schema().to_pyarrow()
        return found.select(schema.names).cast(schema)  # Ibis says * of a whole table, and a client's may have more

    def fetch(self, table: ir.Table | Moments) -> pa.Table:
        return self.rows(self.sql(table), table)

    def create(self, name: str, sql: str, table: ir.Table) -> None:  # noqa: ARG002  its types come with the rows
        self._cursor().execute(f'CREATE OR REPLACE TABLE "{name}" AS {sql}')

    def load(self, name: str, rows: pa.Table) -> None:
        self.ibis.create_table(name, rows, overwrite=True)

    @contextmanager
    def one_thread_each(self) -> Iterator[None]:
        """Each on one thread: two cores do more when they do not share a query.

        A database that intake has locked is on one thread already, and can be set no more.
        """
        if self.ibis.con.execute("SELECT current_setting('lock_configuration')").fetchall()[0][0]:  # none left to fetch
            yield
            return
        self.ibis.raw_sql("SET threads = 1")
        try:
            yield
        finally:
            self.ibis.raw_sql(f"SET threads = {self.workers}")

    def _cursor(self) -> Any:
        if not hasattr(self.threads, "cursor"):
            self.threads.cursor = self.ibis.con.cursor()
        return self.threads.cursor
