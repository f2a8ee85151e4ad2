"""Values over one relation as the same values over another, and the columns of it that they use.

What lies below the relation is not walked through: it may be thousands of nodes, and values are many.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import ibis.expr.operations as ops


def rebound(value: Any, base: ops.Relation, other: ops.Relation) -> Any:
    """An Ibis value over ``base``, over ``other`` with the same columns."""

    def step(node: Any, changed: Any) -> Any:
        given = changed or dict(zip(node.__argnames__, node.__args__, strict=True))
        if any(_same(arg, base) for arg in given.values()):
            return node.__recreate__({name: other if _same(arg, base) else arg for name, arg in given.items()})
        return node.__recreate__(changed) if changed else node

    return value.op().replace(step, filter=lambda node: not _same(node, base)).to_expr()


def used(values: Iterable[ops.Node], base: ops.Relation) -> set[str]:
    """The columns of ``base`` that the values are made of."""
    fields = (f for value in values for f in value.find(ops.Field, filter=lambda node: not _same(node, base)))
    return {field.name for field in fields if _same(field.rel, base)}


def _same(node: Any, base: ops.Relation) -> bool:
    return isinstance(node, ops.Relation) and bool(node == base)
