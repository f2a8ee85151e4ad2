"""Rewrites that make every engine give the same number.

Division is floating and null on a zero denominator; a condition that is null counts as
false; a window that numbers rows ends its ordering in every identifier at hand; a join
condition that compares a table with itself is refused.
"""

from __future__ import annotations

from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops
import ibis.expr.types as ir

from kpibook.errors import PluginError, Problem

TIE_BREAKERS = ("customer_id", "transaction_id", "line_id", "member_id")
ORDERED = (ops.RowNumber, ops.NTile, ops.Lag, ops.Lead, ops.First, ops.Last)


def guarded(table: ir.Table) -> ir.Table:
    """The same table with every guard applied. Raises PluginError for a join that would match every row."""
    return table.op().replace(_guard).to_expr()


def _guard(node: Any, kwargs: dict[str, Any] | None = None, **more: Any) -> Any:
    arguments = {**(kwargs or {}), **more}
    rebuilt = node.__recreate__(arguments) if arguments else node
    if type(rebuilt) is ops.Divide:  # FloorDivide is a kind of Divide to Ibis
        return _safe_division(rebuilt)
    if isinstance(rebuilt, ops.Reduction) and getattr(rebuilt, "where", None) is not None:
        return _known_condition(rebuilt)
    if isinstance(rebuilt, ops.WindowFunction) and isinstance(rebuilt.func, ORDERED):
        return _unique_order(rebuilt)
    if isinstance(rebuilt, ops.JoinLink):
        _refuse_self_comparison(rebuilt)
    return rebuilt


def _safe_division(node: ops.Divide) -> ops.Node:
    left, right = node.left, node.right
    if not left.dtype.is_floating():
        left = ops.Cast(left, dt.float64)
    if not isinstance(right, ops.NullIf):
        right = ops.NullIf(right, ops.Literal(0, dt.int8))
    return ops.Divide(left, right)


def _known_condition(node: Any) -> ops.Node:
    if isinstance(node.where, ops.Coalesce | ops.Literal):
        return node
    return node.copy(where=ops.Coalesce((node.where, ops.Literal(False, dt.boolean))))


def _refuse_self_comparison(node: ops.JoinLink) -> None:
    """Ibis reads ``t.x == sizes._x`` as ``sizes._x == sizes._x`` where ``_x`` was made of ``t``'s own expression."""
    for predicate in node.predicates:
        for condition in predicate.find((ops.Comparison, ops.Between), filter=ops.Value):
            sides = [side.find(ops.Field, filter=ops.Value) for side in condition.args if isinstance(side, ops.Node)]
            fields = [field for side in sides for field in side]
            if sum(map(bool, sides)) > 1 and len({field.rel for field in fields}) == 1:
                what = f"a join condition compares '{fields[0].name}' with its own table, not with the other"
                raise PluginError(Problem("join", what, "join the table's .view() instead of the table"))


def _unique_order(node: ops.WindowFunction) -> ops.Node:
    relations = [r for key in node.order_by for r in key.relations]
    taken = {key.arg.name for key in node.order_by if isinstance(key.arg, ops.Field)}
    names = [n for n in TIE_BREAKERS if relations and n in relations[0].schema.names and n not in taken]
    return node.copy(order_by=(*node.order_by, *(ops.SortKey(ops.Field(relations[0], n)) for n in names)))
