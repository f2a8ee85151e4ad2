"""Filters and row-wise columns of an estimate's relation become conditions and expressions over what lies below.

``receipts.filter(card).count()`` and ``receipts.count(where=card)`` are then the same total
over the same relation, and all KPIs over one view share its queries.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import ibis.expr.operations as ops

from kpibook.engine.rebinding import rebound
from kpibook.estimates import Linear, narrowed
from kpibook.formula import Formula, Leaf
from kpibook.tracing import mapped

ACROSS_ROWS = (ops.WindowFunction, ops.Analytic, ops.Reduction, ops.Subquery, ops.Unnest, ops.Impure)


def lifted(estimate: Linear) -> Linear:
    """The same figures from the lowest relation with the same rows."""
    while True:
        base = estimate.base
        if isinstance(base, ops.Filter) and all(map(_by_row, base.predicates)):
            estimate = _without_filter(estimate, base)
        elif isinstance(base, ops.Project) and all(map(_by_row, base.values.values())):
            estimate = mapped(estimate, partial(_through, base))
        else:
            return estimate


def _without_filter(estimate: Linear, base: ops.Filter) -> Linear:
    below = mapped(estimate, lambda value: rebound(value, base, base.parent))
    condition = base.predicates[0].to_expr()
    for predicate in base.predicates[1:]:
        condition = condition & predicate.to_expr()
    scope = condition if below.scope is None else below.scope & condition
    return replace(below, formula=_within(below.formula, condition), scope=scope)


def _within(formula: Formula, condition: Any) -> Formula:
    args: list[Any] = []
    for arg in formula.args:
        if isinstance(arg, Formula):
            args.append(_within(arg, condition))
        elif isinstance(arg, Leaf):
            args.append(Leaf(narrowed(arg.expr, condition)))
        else:
            args.append(arg)
    return Formula(formula.operator, tuple(args))


def _through(base: ops.Project, value: Any) -> Any:
    """``value`` over ``base`` as a value over what ``base`` projects."""

    def step(node: Any, kwargs: Any) -> Any:
        if isinstance(node, ops.Field) and node.rel == base:
            return base.values[node.name]
        if node == base:
            return base.parent
        return node.__recreate__(kwargs) if kwargs else node

    return value.op().replace(step).to_expr()


def _by_row(value: Any) -> bool:
    stack = [value]
    while stack:
        node = stack.pop()
        if isinstance(node, ACROSS_ROWS):
            return False
        if not isinstance(node, ops.Field):
            stack.extend(c for c in node.__children__ if not isinstance(c, ops.Relation))
    return True
