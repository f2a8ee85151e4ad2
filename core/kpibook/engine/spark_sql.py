"""Statements for Spark, which knows no time of day: it is text there, HH:MM:SS."""

from __future__ import annotations

from typing import Any

import ibis
import ibis.expr.types as ir
import pyarrow as pa
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.backends.sql.dialects import PySpark

COMPILER = PySparkCompiler()


def text(table: ir.Table) -> str:
    """The statement of a guarded table."""
    return str(COMPILER.to_sqlglot(table).sql(dialect=PySpark))


def columns(schema: pa.Schema) -> Any:
    """Spark's types of a table to be made."""
    from ibis.backends.pyspark.datatypes import PySparkSchema

    kinds = ibis.Schema.from_pyarrow(schema)
    return PySparkSchema.from_ibis(ibis.schema({n: "string" if k.is_time() else k for n, k in kinds.items()}))


def sendable(rows: pa.Table) -> pa.Table:
    """The rows with types that Spark has."""
    timed = [field.name for field in rows.schema if pa.types.is_time(field.type)]
    for name in timed:
        place = rows.column_names.index(name)
        rows = rows.set_column(place, name, rows[name].cast(pa.string()))
    return rows
