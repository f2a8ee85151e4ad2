"""Totals of many estimates in one query.

Estimates over one relation, one cluster and one breakdown share a query: sums within
each cluster first, for the current and the comparison period side by side, then their
totals, squares and products over clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import Any, cast

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import numpy as np

from kpibook import windows
from kpibook.engine import moments
from kpibook.engine.moments import Moments
from kpibook.engine.placing import BY, PERIOD, SEGMENT, Placer
from kpibook.engine.rebinding import rebound, used
from kpibook.estimates import Linear
from kpibook.figures import Totals
from kpibook.formula import Clusters, Leaf
from kpibook.tracing import roots

#: Both periods together.
ANY = "u"
#: Persons whose part in a sum tells a heavy tail (rule M).
TOP = 0.01
#: Columns that say who a row is about.
PERSONS = frozenset({"customer_id", "member_id", "visitor_id", "respondent_id", "household_id", "person"})
Cell = tuple[str, Leaf]


@dataclass(frozen=True)
class LinearQuery:
    """One query: ``cells`` are its (period, leaf) positions, ``scopes`` its counted row sets."""

    table: ir.Table | Moments
    sides: tuple[str, ...]
    cells: tuple[Cell, ...]
    scopes: tuple[Any, ...]

    def totals(self, row: dict[str, Any], estimate: Linear) -> Totals:
        """The part of a result row that one estimate needs."""
        wanted = dict.fromkeys((side, leaf) for side in self.sides for leaf in estimate.formula.leaves())
        places = {cell: i for i, cell in enumerate(self.cells)}
        numbers = [places[cell] for cell in wanted]
        values = {cell: (float(row[f"t{numbers[i]}"] or 0), i) for i, cell in enumerate(wanted)}
        scope = self.scopes.index(_key(estimate.scope))
        if estimate.cluster is None:
            rows = {side: int(row[f"r{scope}_{side}"] or 0) for side in self.sides}
            behind = rows if PERSONS & set(estimate.base.schema.names) else dict.fromkeys(rows)
            return Totals(values, None, rows, rows, {**behind})
        products = np.array([[float(row[_pair(a, b)] or 0) for b in numbers] for a in numbers], dtype=np.float64)
        units = {side: int(row[f"u{scope}_{side}"] or 0) for side in self.sides}
        resting = dict(units)
        for leaf in estimate.formula.denominators():
            for side in self.sides:
                resting[side] = min(resting[side], int(row[f"d{places[side, leaf]}"] or 0))
        persons: dict[str, int | None] = {}
        for side in self.sides:
            told = (int(row[f"d{places[side, leaf]}"] or 0) for leaf in _told(estimate))
            persons[side] = min(n for n in (resting[side], *told) if n or not resting[side])
        return Totals(values, products, units, resting, persons)

    def heaviest(self, row: dict[str, Any], estimate: Linear, side: str) -> tuple[float, int]:
        """Of a mean: the part of its sum that the largest TOP of persons make, and how many persons there are."""
        scope, cell = self.scopes.index(_key(estimate.scope)), self.cells.index((side, summed(estimate)))
        whole, persons = float(row[f"t{cell}"] or 0), int(row[f"u{scope}_{side}"] or 0)
        return (float(row[f"h{cell}_{scope}"] or 0) / whole if whole else 0.0, persons)


def query(
    estimates: Sequence[Linear],
    breakdowns: Sequence[str],
    placer: Placer,
    sides: tuple[str, ...] = ("current", "previous"),
) -> LinearQuery | None:
    """The query of estimates that share a base and have one cluster, or none, by all breakdowns at once.

    None where no breakdown applies.
    """
    base = estimates[0].base
    placed = _placed(estimates, breakdowns, placer)
    if placed is None:
        return None
    keys = [BY, SEGMENT]
    cells = tuple((side, leaf) for side in sides for leaf in dict.fromkeys(_leaves(estimates)))
    scopes = {_key(e.scope): e.scope for e in estimates}
    parts = _Parts(base, sides, cells, tuple(scopes.values()))
    cluster = next((e.cluster for e in estimates if e.cluster is not None), None)
    if cluster is None:
        sums = parts.sums(placed, "t") | parts.counts(placed, "r")
        table = placed.group_by(keys).agg(**sums).order_by(keys)
        return LinearQuery(table, sides, cells, tuple(scopes))
    rows, groups = _clustered(placed, base, cluster, placer.key(base))
    inner, spread = _by_period(rows, [*keys, *groups], parts)
    columns = {f"t{i}": moments.total(f"a{i}") for i in range(len(cells))}
    flat = {_key(e.scope) for e in estimates if e.cluster is None}
    for number, scope in enumerate(scopes):
        for side in sides:
            counted = f"n{number}_{side}"
            columns[f"u{number}_{side}"] = moments.positive(counted)
            if scope in flat:
                columns[f"r{number}_{side}"] = moments.total(counted)
    clustered = [e for e in estimates if e.cluster is not None]
    below = {leaf for e in clustered for leaf in (*e.formula.denominators(), *_told(e))}
    for i, (_, leaf) in enumerate(cells):
        if leaf in below:
            columns[f"d{i}"] = moments.present(f"a{i}")
    columns |= {_pair(a, b): moments.product(f"a{a}", f"a{b}") for a, b in _pairs(clustered, cells)}
    ranks: dict[str, str] = {}
    largest: dict[str, str] = {}
    for mean in (e for e in clustered if e.kind == "mean"):
        number = list(scopes).index(_key(mean.scope))
        for side in sides:
            i, counted = cells.index((side, summed(mean))), f"n{number}_{side}"
            place, persons = f"k{i}_{number}", f"u{number}_{side}"
            ranks[place] = moments.rank(f"a{i}", counted, keys)
            largest[f"h{i}_{number}"] = moments.largest(f"a{i}", counted, place, persons, TOP)
    table = Moments(inner, keys, columns, ranks, largest, [group.get_name() for group in groups], spread)
    return LinearQuery(table, sides, cells, tuple(scopes))


def _by_period(rows: ir.Table, by: Sequence[Any], parts: _Parts) -> tuple[ir.Table, dict[str, str]]:
    """Sums and counts of each cluster in each period, and how its periods are put side by side."""
    leaves = dict.fromkeys(leaf for _, leaf in parts.cells)
    whole = replace(parts, sides=(ANY,), cells=tuple((ANY, leaf) for leaf in leaves))
    found = rows.group_by([*by, PERIOD]).agg(**whole.sums(rows, "s"), **whole.counts(rows, "n"))
    places = {leaf: i for i, leaf in enumerate(leaves)}
    spread = {f"a{i}": moments.within(f"s{places[leaf]}", side, PERIOD) for i, (side, leaf) in enumerate(parts.cells)}
    for i in range(len(parts.scopes)):
        for side in parts.sides:
            spread[f"n{i}_{side}"] = moments.within(f"n{i}_{ANY}", side, PERIOD)
    return found, spread


def _placed(estimates: Sequence[Linear], breakdowns: Sequence[str], placer: Placer) -> ir.Table | None:
    """Every row once for each breakdown that applies, with _by, _segment and _period."""
    base = estimates[0].base
    values = [root for e in estimates for root in roots(e)]
    read = used(values, base) | set(placer.key(base))
    columns = [name for name in base.schema.names if name in read]
    times = (windows.TOTAL, *windows.GRAINS) if "period_id" in base.schema.names else ()
    grains = [breakdown for breakdown in breakdowns if breakdown in times]
    parts = [placer.by_time(base, grains, values).select(*columns, PERIOD, SEGMENT, BY)] if grains else []
    for breakdown in (b for b in breakdowns if b not in grains):
        found = placer.placed(base, breakdown, values)
        if found is not None:
            parts.append(found.select(*columns, PERIOD, SEGMENT, **{BY: ibis.literal(breakdown)}))
    if not parts:
        return None
    return parts[0] if len(parts) == 1 else ibis.union(*parts)


def additive(estimate: Linear) -> bool:
    """Whether its totals are sums of its totals within any grouping: counts of distinct values are not."""
    return not any(isinstance(leaf.expr, Clusters) or _distinct(leaf) for leaf in estimate.formula.leaves())


def persons(estimate: Linear, breakdown: str, placer: Placer) -> ir.Table:
    """One row per period, segment and person with ``x``, the person's sum in a mean, by a breakdown that applies."""
    placed = cast("ir.Table", placer.placed(estimate.base, breakdown, roots(estimate)))
    rows = placed.filter(_rebound(estimate.scope, estimate.base, placed))
    cluster = _rebound(estimate.cluster, estimate.base, rows).name("_cluster")
    found = _Parts(estimate.base, (ANY,), ((ANY, summed(estimate)),), ()).sums(rows, "x")["x0"]
    return rows.group_by([PERIOD, SEGMENT, cluster]).agg(x=found.cast("float64"))


def summed(estimate: Linear) -> Leaf:
    """What a mean sums within each person."""
    return next(leaf for leaf in estimate.formula.leaves() if not isinstance(leaf.expr, Clusters))


@dataclass(frozen=True)
class _Parts:
    """Aggregates of a query over rows that stem from ``base``."""

    base: ops.Relation
    sides: tuple[str, ...]
    cells: tuple[Cell, ...]
    scopes: tuple[Any, ...]

    def sums(self, rows: ir.Table, prefix: str) -> dict[str, ir.Scalar]:
        bound: dict[Leaf, Any] = {}
        found = {}
        for i, (side, leaf) in enumerate(self.cells):
            if leaf not in bound:
                expr = leaf.expr.where if isinstance(leaf.expr, Clusters) else leaf.expr
                bound[leaf] = None if expr is None else _rebound(expr, self.base, rows)
            found[f"{prefix}{i}"] = _side_sum(rows, leaf, bound[leaf], side)
        return found

    def counts(self, rows: ir.Table, prefix: str) -> dict[str, ir.Scalar]:
        found = {}
        for i, scope in enumerate(self.scopes):
            bound = None if scope is None else _rebound(scope, self.base, rows)
            for side in self.sides:
                found[f"{prefix}{i}_{side}"] = rows.count(where=_both(bound, _within(rows, side)))
        return found


def _clustered(
    placed: ir.Table, base: ops.Relation, cluster: Any, key: tuple[str, ...]
) -> tuple[ir.Table, list[ir.Value]]:
    """Rows with their groups: the cluster, and for rows without one their own identity."""
    anonymous = _rebound(cluster, base, placed).isnull()
    if len(key) == 1:
        rows = placed.mutate(_alone=anonymous.ifelse(placed[key[0]].cast("string"), ibis.null("string")))
    else:
        rows = placed.mutate(_alone=ibis.row_number(), _anonymous=anonymous)
        rows = rows.mutate(_alone=rows._anonymous.ifelse(rows._alone, ibis.null("int64")))
    return rows, [_rebound(cluster, base, rows).name("_cluster"), rows._alone]


def _side_sum(rows: ir.Table, leaf: Leaf, bound: Any, side: str) -> ir.Scalar:
    within = _within(rows, side)
    if isinstance(leaf.expr, Clusters):
        return (rows.count(where=_both(bound, within)) > 0).cast("int64")
    op = bound.op()
    where = _both(None if op.where is None else op.where.to_expr(), within)
    return op.copy(where=None if where is None else where.op()).to_expr()


def _both(one: Any, other: Any) -> Any:
    return other if one is None else one if other is None else one & other


def _within(rows: ir.Table, side: str) -> Any:
    return None if side == ANY else rows[PERIOD] == side


def _rebound(value: Any, base: ops.Relation, rows: ir.Table) -> Any:
    return rebound(value, base, rows.op())


def _key(scope: Any) -> Any:
    return None if scope is None else scope.op()


def _told(estimate: Linear) -> Iterator[Leaf]:
    """Leaves whose sum would tell of the persons behind it: amounts, and counts that stand alone.

    How many of a hundred customers did something is no amount, and may be small.
    """
    standing = {*estimate.formula.standing()}
    for leaf in estimate.formula.leaves():
        if leaf in standing or (not isinstance(leaf.expr, Clusters) and _amount(leaf.expr.op())):
            yield leaf


def _amount(op: Any) -> bool:
    return isinstance(op, ops.Sum) and not op.arg.dtype.is_boolean()


def _leaves(estimates: Sequence[Linear]) -> list[Leaf]:
    return [leaf for e in estimates for leaf in e.formula.leaves()]


def _distinct(leaf: Leaf) -> bool:
    return isinstance(leaf.expr.op(), ops.CountDistinct)


def _pairs(estimates: Sequence[Linear], cells: Sequence[Cell]) -> tuple[tuple[int, int], ...]:
    found: dict[tuple[int, int], None] = {}
    for estimate in estimates:
        own = set(estimate.formula.leaves())
        places = [i for i, (_, leaf) in enumerate(cells) if leaf in own]
        found.update(dict.fromkeys(combinations_with_replacement(places, 2)))
    return tuple(found)


def _pair(a: int, b: int) -> str:
    return f"p{min(a, b)}_{max(a, b)}"
