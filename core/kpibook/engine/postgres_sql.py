"""Statements for PostgreSQL, where what Ibis writes is refused there or means something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import ibis.expr.datatypes as dt
import ibis.expr.schema as sch
import ibis.expr.types as ir
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.postgres import PostgresCompiler
from ibis.backends.sql.dialects import Postgres

#: Below this the result of EXP is 0, which PostgreSQL calls an underflow.
LEAST_EXPONENT = -745


class _Compiler(PostgresCompiler):  # type: ignore[misc]
    __slots__ = ()
    SIMPLE_OPS: ClassVar[dict[Any, str]] = {}  # those of PostgreSQL are inherited; said again they would win

    def visit_Cast(self, op: Any, *, arg: Any, to: Any) -> Any:  # noqa: N802  Ibis's names
        """A truth value becomes a number by way of a short one only; text is compared by its bytes, as elsewhere."""
        if op.arg.dtype.is_boolean() and to.is_numeric() and to != dt.int32:
            arg = self.cast(arg, dt.int32)
        made = super().visit_Cast(op, arg=arg, to=to)
        return sge.Collate(this=made, expression=BYTES.copy()) if to.is_string() else made

    def visit_Exp(self, _: Any, *, arg: Any) -> Any:  # noqa: N802
        return self.if_(arg < LEAST_EXPONENT, 0.0, self.f.exp(arg))

    def visit_Arbitrary(self, _: Any, *, arg: Any, where: Any) -> Any:  # noqa: N802
        """The first of all that are there: servers before 16 have no ANY_VALUE."""
        there = arg.is_(sge.Not(this=sge.Null()))
        every = self.agg.array_agg(arg, where=there if where is None else sge.And(this=there, expression=where))
        return sge.paren(every, copy=False)[0]


BYTES = sge.to_identifier("C", quoted=True)
COMPILER = _Compiler()


def text(table: ir.Table) -> str:
    """The statement of a guarded table."""
    return str(without_semi_joins(COMPILER.to_sqlglot(table)).sql(dialect=Postgres))


def without_semi_joins(tree: Any) -> Any:
    """``EXISTS`` instead: sqlglot does so too, but leaves out every second of several."""
    for select in list(tree.find_all(sge.Select)):
        for join in list(select.args.get("joins") or []):
            if join.kind in ("SEMI", "ANTI"):
                found = sge.Exists(this=sge.select("1").from_(join.this).where(join.args["on"]))
                join.pop()
                select.where(found.not_() if join.kind == "ANTI" else found, copy=False)
    return tree


def columns(schema: sch.Schema) -> str:
    """The columns of a table to be made; text in the order of its bytes."""
    return ", ".join(f'"{name}" {_kind(kind)}' for name, kind in schema.items())


def _kind(kind: dt.DataType) -> str:
    written = str(COMPILER.type_mapper.from_ibis(kind(nullable=True)).sql(Postgres))
    return (
        f'{written} COLLATE "C"' if kind.is_string() or (kind.is_array() and kind.value_type.is_string()) else written
    )


def values(schema: sch.Schema, rows: Sequence[Sequence[Any]]) -> str:
    """A statement that gives these rows."""
    from psycopg.sql import Literal

    kinds = [_kind(kind).partition(" COLLATE ") for kind in schema.types]
    given = (
        [f"CAST({Literal(v).as_string()} AS {k}){c}{o}" for v, (k, c, o) in zip(row, kinds, strict=True)]
        for row in rows
    )
    names = ", ".join(f'"{name}"' for name in schema.names)
    listed = ", ".join(f"({', '.join(row)})" for row in given)
    return f"SELECT * FROM (VALUES {listed}) AS given ({names})"
