"""How the engine talks to a database: execute a table, create a table, several at once.

DuckDB runs each thread's queries on a cursor of its own and lets go of Python's lock while
it works, so that one query is compiled while another is executed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import local
from typing import Any, TypeVar

import ibis.expr.types as ir
import pyarrow as pa

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Database:
    """An Ibis backend for DuckDB; ``workers`` queries are under way at once."""

    ibis: Any
    workers: int = 2
    threads: local = field(default_factory=local)

    def fetch(self, table: ir.Table) -> pa.Table:
        """Execute; columns have the types that the expression promises, whatever the engine sums in."""
        found = self._cursor().execute(self._sql(table)).to_arrow_table()
        return found.cast(table.schema().to_pyarrow())

    def create(self, name: str, table: ir.Table) -> None:
        """Create or replace a table."""
        self._cursor().execute(f'CREATE OR REPLACE TABLE "{name}" AS {self._sql(table)}')

    def load(self, name: str, rows: pa.Table) -> None:
        """Create or replace a table from memory."""
        self.ibis.create_table(name, rows, overwrite=True)

    def each(self, work: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """``work`` on every item, several at once with each query on one thread; results in the items' order."""
        given = list(items)
        if len(given) < 2:
            return [work(item) for item in given]
        self.ibis.raw_sql("SET threads = 1")
        try:
            with ThreadPoolExecutor(self.workers) as pool:
                return list(pool.map(work, given))
        finally:
            self.ibis.raw_sql(f"SET threads = {self.workers}")

    def _sql(self, table: ir.Table) -> str:
        return str(self.ibis.compile(table))

    def _cursor(self) -> Any:
        if not hasattr(self.threads, "cursor"):
            self.threads.cursor = self.ibis.con.cursor()
        return self.threads.cursor
