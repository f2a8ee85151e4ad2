"""Spark: statements run on the cluster; shared tables are kept there, in memory or on disk.

Every clock is UTC, whatever the session's zone was before. A shared table is computed once and cut off from how it
was made: else each statement would be planned down to the client's tables. With a checkpoint folder it outlives a
lost worker; without one the KPIs that read it fail, and say so.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir
import pyarrow as pa

from kpibook.engine import spark_sql
from kpibook.engine.guards import guarded
from kpibook.engine.moments import Moments

ZONE = "spark.sql.session.timeZone"


@dataclass(frozen=True)
class Spark:
    """An Ibis backend for PySpark; ``workers`` statements are under way at once."""

    ibis: Any
    workers: int = 2

    def __post_init__(self) -> None:
        self.session.conf.set(ZONE, "UTC")

    @property
    def session(self) -> Any:
        return self.ibis._session

    def sql(self, table: ir.Table | Moments) -> str:
        if isinstance(table, Moments):
            return table.around(self.sql(table.inner), "spark")
        return spark_sql.text(guarded(table))

    def rows(self, sql: str, table: ir.Table | Moments) -> pa.Table:
        found = self.session.sql(sql).toArrow()
        return found if isinstance(table, Moments) else found.cast(table.schema().to_pyarrow())

    def fetch(self, table: ir.Table | Moments) -> pa.Table:
        return self.rows(self.sql(table), table)

    def create(self, name: str, sql: str, table: ir.Table) -> None:  # noqa: ARG002  its types come with the rows
        self._keep(name, self.session.sql(sql))

    def load(self, name: str, rows: pa.Table) -> None:
        self._keep(name, self.session.createDataFrame(spark_sql.sendable(rows), spark_sql.columns(rows.schema)))

    @contextmanager
    def one_thread_each(self) -> Iterator[None]:
        yield

    def _keep(self, name: str, frame: Any) -> None:
        lasting = self.session.sparkContext.getCheckpointDir() is not None
        made = frame.checkpoint(eager=True) if lasting else frame.localCheckpoint(eager=True)
        made.createOrReplaceTempView(name)
