"""What would be asked of engines that are not here: every statement, compiled by Ibis and read by sqlglot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from importlib import import_module
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa
import sqlglot
from sqlglot.errors import ErrorLevel

from kpibook import model
from kpibook.catalog import Catalog
from kpibook.engine import compute as engine
from kpibook.engine.compute import Loaded
from kpibook.engine.guards import guarded
from kpibook.engine.moments import Moments
from kpibook.engine.postgres_sql import without_semi_joins
from kpibook.params import Params

#: KPIs that have no statement in a dialect, and why: all of them, and all the reasons.
KNOWN: dict[str, dict[str, str]] = {
    "Trino": {"avg_receipt": "its median by persons: Ibis writes no exact quantile for Trino"},
    "BigQuery": {"avg_receipt": "its median by persons: Ibis writes no exact quantile for BigQuery"},
    "Snowflake": {},
    "Databricks": {},
    "ClickHouse": {},
}
#: Name of the engine to what sqlglot calls its language.
DIALECTS = {
    "Trino": "trino",
    "BigQuery": "bigquery",
    "Snowflake": "snowflake",
    "Databricks": "databricks",
    "ClickHouse": "clickhouse",
}


@dataclass(frozen=True)
class Unasked:
    """A profile that compiles and gives no rows; ``statements`` are those that sqlglot could read, by their number."""

    dialect: str
    ibis: Any = None
    workers: int = 1
    statements: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def sql(self, table: ir.Table | Moments) -> str:
        try:
            text = self._text(table)
            sqlglot.parse_one(text, dialect=self.dialect, error_level=ErrorLevel.RAISE)
        except Exception as error:
            self.problems.append(f"{type(error).__name__}: {' '.join(str(error).split())[:90]}")
            raise
        self.statements.append(text)
        return text

    def _text(self, table: ir.Table | Moments) -> str:
        if isinstance(table, Moments):
            return table.around(self._text(table.inner), self.dialect)
        compiler = import_module(f"ibis.backends.sql.compilers.{self.dialect}").compiler
        tree = without_semi_joins(compiler.to_sqlglot(guarded(table)))
        return str(tree.sql(dialect=compiler.dialect, unsupported_level=ErrorLevel.RAISE))

    def rows(self, sql: str, table: ir.Table | Moments) -> pa.Table:
        if isinstance(table, Moments):
            names = [*table.keys, *table.columns, *table.ranked]
            return pa.table({name: pa.array([], pa.string() if name in table.keys else pa.float64()) for name in names})
        return table.schema().to_pyarrow().empty_table()

    def fetch(self, table: ir.Table | Moments) -> pa.Table:
        return self.rows(self.sql(table), table)

    def create(self, name: str, sql: str, table: ir.Table) -> None:
        """Nothing to make."""

    def load(self, name: str, rows: pa.Table) -> None:
        """Nothing to fill."""

    @contextmanager
    def one_thread_each(self) -> Iterator[None]:
        yield


def failing(monkeypatch: Any, catalog: Catalog, client: Params, dialect: str) -> tuple[set[str], Unasked]:
    """The KPIs with a statement that cannot be written in a dialect, and what was written."""
    every = {name: frozenset(table.columns) for name, table in model.TABLES.items()}
    loaded = Loaded(None, every, dict.fromkeys(every, 1), date(2022, 1, 1), date(2024, 12, 31))
    unasked = Unasked(dialect)
    monkeypatch.setattr(engine, "opened", lambda *_: unasked)
    card = engine.compute(catalog, client, loaded).scorecard
    return set(card.loc[card["status"] == "failed", "kpi"]), unasked
