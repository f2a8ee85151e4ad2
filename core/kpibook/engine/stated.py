"""What the numbers of a row are made of: totals that add up over segments, and that other rows may state too."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from fractions import Fraction
from typing import Any

from kpibook.engine.jobs import Cell
from kpibook.estimates import Linear, Matrix
from kpibook.formula import Clusters, Formula, Leaf
from kpibook.privacy.arithmetic import Fact
from kpibook.privacy.scorecard import Stated

#: Units in which a figure without a denominator is an amount that segments share.
ADDING = ("money", "count", "persons", "receipts", "points", "purchases")


def stated(cell: Cell, row: dict[str, Any]) -> Stated:
    """The row of a cell, with its numbers as weighted sums of totals."""
    estimate = cell.job.estimate
    linear = estimate.headline if isinstance(estimate, Matrix) else estimate
    if row["value"] is None and row["n"] is None:
        return Stated(row, (), {})
    if not isinstance(linear, Linear) or linear.formula.compares:
        return Stated(row, tuple(_own(cell, row)), {})
    facts = tuple(_facts(linear))
    leaves = {atom for fact in facts for atom in fact if isinstance(atom, Leaf)}
    return Stated(row, facts, {leaf: _kind(leaf) for leaf in leaves})


def _facts(estimate: Linear) -> Iterator[Fact]:
    value = _sum(estimate.formula)
    if value is not None:
        yield value
    for side in _sides(estimate.formula):
        fact = _sum(side)
        if fact:
            yield fact
    if estimate.kind != "share" and estimate.cluster is not None:
        scope = None if estimate.scope is None else estimate.scope.op()
        below = frozenset(leaf.key for leaf in estimate.formula.denominators())
        yield {("n", estimate.base, estimate.cluster.op(), scope, below): 1}


def _own(cell: Cell, row: Mapping[str, Any]) -> Iterator[Fact]:
    """Numbers that no other row states: each is an atom of its own."""
    name = (cell.job.kpi.id, cell.job.variant)
    adds = row["denominator"] is None and row["unit"] in ADDING
    for column in ("numerator", "denominator", "n", *(("value",) if adds else ())):
        if row[column] is not None:
            yield {(column, *name): 1}


def _sides(formula: Formula) -> list[Formula]:
    if formula.operator in ("+", "-") and formula.args[1].operator == "const":
        return _sides(formula.args[0])
    return [a for a in formula.args if a.operator != "const"] if formula.operator == "/" else []


def _sum(formula: Formula) -> Fact | None:
    """The formula as a weighted sum of leaves; None where it is none."""
    if formula.operator == "leaf":
        return {formula.args[0]: Fraction(1)}
    if formula.operator == "const":
        return {}
    left, right = formula.args if len(formula.args) > 1 else (formula.args[0], None)
    if formula.operator in ("+", "-") and right is not None:
        one, other = _sum(left), _sum(right)
        if one is None or other is None:
            return None
        sign = 1 if formula.operator == "+" else -1
        return {a: Fraction(one.get(a, 0)) + sign * Fraction(other.get(a, 0)) for a in {**one, **other}}
    if formula.operator in ("*", "/") and right is not None and right.operator == "const" and right.args[0]:
        factor = Fraction(right.args[0]) if formula.operator == "*" else 1 / Fraction(right.args[0])
        one = _sum(left)
        return None if one is None else {a: weight * factor for a, weight in one.items()}
    return None


def _kind(leaf: Leaf) -> Hashable:
    """The same total, whatever rows it is over."""
    if isinstance(leaf.expr, Clusters):
        return ("clusters", None)
    op = leaf.expr.op()
    return (type(op).__name__, getattr(op, "arg", None), *op.relations)
