"""How the engine talks to a database: a statement of a table, its rows, a table from rows.

Each engine has a profile beside this module, which says what of it differs from the others: how a
statement reads, where a shared table lies, how many statements may be under way at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import ibis.expr.types as ir
import pyarrow as pa

from kpibook.engine.moments import Moments


class UnansweredError(Exception):
    """One statement was not answered in time; others may be."""


class Database(Protocol):
    """What every profile offers. ``workers`` threads of ours prepare and ask; ``ibis`` is the Ibis backend."""

    @property
    def ibis(self) -> Any: ...
    @property
    def workers(self) -> int: ...

    def sql(self, table: ir.Table | Moments) -> str:
        """The statement of a table in this engine's dialect, with every guard."""
        ...

    def rows(self, sql: str, table: ir.Table | Moments) -> pa.Table:
        """Execute; the columns of a table have the types that it promises, whatever the engine sums in."""
        ...

    def fetch(self, table: ir.Table | Moments) -> pa.Table:
        """The rows of a table."""
        ...

    def create(self, name: str, sql: str, table: ir.Table) -> None:
        """Create or replace a table of our own from the statement of ``table``."""
        ...

    def load(self, name: str, rows: pa.Table) -> None:
        """Create or replace a table of our own from memory."""
        ...

    @contextmanager
    def one_thread_each(self) -> Iterator[None]:
        """Several statements at once, where the engine can."""
        ...


def opened(backend: Any, workers: int = 2) -> Database:
    """The profile of an Ibis backend. Raises ValueError for an engine that has none."""
    if backend.name == "duckdb":
        from kpibook.engine.on_duckdb import DuckDB

        return DuckDB(backend, workers)
    if backend.name == "postgres":
        from kpibook.engine.on_postgres import Postgres

        return Postgres(backend, workers)
    if backend.name == "pyspark":
        from kpibook.engine.on_spark import Spark

        return Spark(backend, workers)
    raise ValueError(f"no profile for {backend.name} · extract the tables into DuckDB: extract: true")
