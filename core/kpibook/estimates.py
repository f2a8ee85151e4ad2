"""Estimates: what a KPI returns.

An estimate knows which totals it needs; the engine computes them for every period
and segment, and :mod:`kpibook.figures` turns them into a value with its interval.
A KPI author never writes an interval.

| estimate | value | interval | minimum rule |
|---|---|---|---|
| ``total`` | a sum | exact | none |
| ``share`` | part of the rows | Wilson | P |
| ``mean`` | mean over rows or persons | t; BCa for a heavy tail | M |
| ``ratio`` | sum over sum | delta method, clustered | R |
| ``quantile`` | order statistic | order statistics; Woodruff's with a cluster | 30 rows |
| ``curve`` | Kaplan-Meier | log-log Greenwood | K |
| ``matrix`` | a table with a headline | that of the headline | that of the headline |
| ``modelled`` | computed by the author | given by the author | given by the author |
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self, TypeAlias

from kpibook.errors import PluginError, Problem
from kpibook.formula import Clusters, Formula, Leaf

if TYPE_CHECKING:
    import ibis.expr.operations as ops
    import ibis.expr.types as ir
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What all estimates share: further readings of the KPI, and a unit when it is not the KPI's."""

    variants: Mapping[str, Estimate] = field(default_factory=dict)
    unit: str = ""

    def in_unit(self, unit: str) -> Self:
        """The same estimate, shown in another unit than its KPI's: ``total(...).in_unit("persons")``."""
        return replace(self, unit=unit)


@dataclass(frozen=True)
class Linear(Reading):
    """A formula over totals.

    ``cluster`` is the person or other unit that varies as a whole; ``scope`` the rows that count at all.
    """

    formula: Formula
    kind: str
    rule: str
    cluster: ir.Value | None = None
    scope: ir.BooleanValue | None = None

    @property
    def base(self) -> ops.Relation:
        return _one_relation([leaf.expr for leaf in self.formula.leaves() if not isinstance(leaf.expr, Clusters)])

    def __add__(self, other: Linear | float) -> Linear:
        return self._with("+", other)

    def __sub__(self, other: Linear | float) -> Linear:
        return self._with("-", other)

    def __mul__(self, other: Linear | float) -> Linear:
        return self._with("*", other)

    def __truediv__(self, other: Linear | float) -> Linear:
        return self._with("/", other)

    __rmul__ = __mul__

    def _with(self, operator: str, other: Linear | float) -> Linear:
        scope = self.scope
        if isinstance(other, Linear):
            scope = scope if _same(scope, other.scope) else None
            if self.cluster is None or not _same(self.cluster, other.cluster):
                what = "two estimates without a common cluster are combined"
                raise PluginError(Problem("estimate", what, "give both the same cluster="))
            right, cluster = other.formula, self.cluster
        else:
            right, cluster = Formula("const", (float(other),)), self.cluster
        rule = "none" if self.rule == "none" and (not isinstance(other, Linear) or other.rule == "none") else "R"
        formula = Formula(operator, (self.formula, right))
        return replace(
            self, formula=formula, kind="formula", rule=rule, cluster=cluster, scope=scope, variants={}, unit=""
        )


@dataclass(frozen=True)
class Quantile(Reading):
    """The q-quantile of a column; ``cluster`` is whose rows vary as a whole, without it every row alone."""

    column: ir.Value
    q: float
    cluster: ir.Value | None = None
    rule: str = "M"

    @property
    def base(self) -> ops.Relation:
        return _one_relation([self.column])


@dataclass(frozen=True)
class Curve(Reading):
    """Right-censored durations; ``at`` a time, or None for the median. ``complement`` reports 1 - S(at)."""

    duration: ir.Value
    event: ir.Value
    at: float | None
    complement: bool
    cluster: ir.Value | None
    rule: str = "K"

    @property
    def base(self) -> ops.Relation:
        return _one_relation([self.duration, self.event])


@dataclass(frozen=True)
class Matrix(Reading):
    """A table of ``cell`` by ``rows`` and ``columns`` (default: shares of each row), beside a headline."""

    rows: ir.Value
    columns: ir.Value
    headline: Linear
    cell: Linear | None = None

    @property
    def rule(self) -> str:
        return self.headline.rule

    @property
    def base(self) -> ops.Relation:
        return _one_relation([self.rows, self.columns])


class Unstated:
    """What an author has not said."""


UNSTATED = Unstated()
#: Persons behind the rows of a table: a column's name, a number for all, one for each row; None: not about persons.
Behind: TypeAlias = str | int | Sequence[float] | None


@dataclass(frozen=True)
class Modelled(Reading):
    """A figure computed from frames. ``parts`` are further segments: ``{segment_by: {segment: Modelled}}``."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    numerator: float | None = None
    denominator: float | None = None
    status: str = "ok"
    reason: str = ""
    persons: int | None = None
    grade: str = ""
    table: pd.DataFrame | None = None
    table_persons: Behind | Unstated = UNSTATED
    parts: Mapping[str, Mapping[str, Modelled]] = field(default_factory=dict)

    def within(self, whole: Modelled) -> Modelled:
        """This part of ``whole``: on the persons it states, else on those of the whole, but no more than its cases."""
        if self.persons is not None or whole.persons is None:
            return self
        return replace(self, persons=min(whole.persons, int(self.n)) if self.n else whole.persons)


Estimate: TypeAlias = Linear | Quantile | Curve | Matrix | Modelled


def total(expr: ir.Scalar, *, cluster: ir.Value | None = None) -> Linear:
    """A sum or count over everything: exact. ``cluster`` gives the comparison with another period its interval."""
    _refuse_distinct(cluster, expr)
    return Linear(_leaf(expr), "total", "none", cluster)


def share(
    condition: ir.BooleanValue, *, where: ir.BooleanValue | None = None, cluster: ir.Value | None = None
) -> Linear:
    """Rows that meet ``condition`` out of all rows (out of rows where ``where``). Unknown counts as not met."""
    base = _one_relation([condition] if where is None else [condition, where]).to_expr()
    met = condition.fill_null(False)
    within = None if where is None else where.fill_null(False)
    part = base.count(where=met if within is None else met & within)
    whole = base.count() if within is None else base.count(where=within)
    return Linear(Formula("/", (_leaf(part), _leaf(whole))), "share", "P", cluster)


def ratio(numerator: ir.Scalar, denominator: ir.Scalar, *, cluster: ir.Value) -> Linear:
    """Sum over sum, such as sales per receipt. Rows without a cluster (anonymous) stand each for itself."""
    _refuse_distinct(cluster, numerator, denominator)
    return Linear(Formula("/", (_leaf(numerator), _leaf(denominator))), "ratio", "R", cluster)


def mean(expr: ir.Scalar, *, per: ir.Value) -> Linear:
    """Mean over persons of a sum within each person; rows without a person are left out."""
    _refuse_distinct(per, expr)
    known = per.notnull()
    persons = Formula("leaf", (Leaf(Clusters(known)),))
    return Linear(Formula("/", (_leaf(narrowed(expr, known)), persons)), "mean", "M", per, scope=known)


def change(estimate: Linear) -> Linear:
    """Relative change of an estimate against the comparison period (0.1 = +10 %)."""
    formula = Formula("change", (estimate.formula,))
    return replace(estimate, formula=formula, kind="formula", rule="R", variants={})


def quantile(column: ir.Value, q: float = 0.5, *, cluster: ir.Value | None = None) -> Quantile:
    """The q-quantile of a numeric column, rows with null left out; with ``cluster`` rows of one vary as a whole."""
    if not 0 < q < 1:
        raise PluginError(Problem("quantile", f"q is {q}", "give a number between 0 and 1"))
    return Quantile(column, q, cluster)


def curve(
    duration: ir.Value,
    event: ir.BooleanValue,
    *,
    at: float | None = None,
    complement: bool = False,
    cluster: ir.Value | None = None,
) -> Curve:
    """Time to an event, open cases censored: the median, S(at), or 1 - S(at) with ``complement``."""
    return Curve(duration, event, at, complement, cluster)


def matrix(rows: ir.Value, columns: ir.Value, *, headline: Linear, cell: Linear | None = None) -> Matrix:
    """A table by ``rows`` and ``columns`` beside a ``headline``; ``cell`` is a share or a ratio, or its row's share."""
    if cell is not None and not cell.formula.divides_leaves:
        remedy = "give share(...) or ratio(...), or no cell to count rows"
        raise PluginError(Problem("estimate", "the cell of a matrix is neither share nor ratio", remedy))
    return Matrix(rows, columns, headline, cell)


def modelled(value: float | None, **figures: Any) -> Modelled:
    """A figure computed from frames.

    low, high, n, numerator, denominator, status, reason: as the scorecard names them. persons: how many it
    rests on (those in the frames, when not given). grade: A to D, how far it is an effect. unit: when it is not
    the KPI's. parts: further figures, ``{"variant": {"by_value": modelled(...)}}`` or by a dimension of the KPI's own;
    one that does not say persons rests on the headline's, but on no more than its own n (0: it is not about persons).
    table: a frame shown beside it, with table_persons: how many persons stand behind each of its rows, as the name
    of a column of the table, a number for all rows, or one for each; None for a table that is not about persons.
    """
    return Modelled(value, **figures)


def variants(headline: Estimate, **others: Estimate) -> Estimate:
    """``headline`` with further readings of the same KPI, shown beside it."""
    return replace(headline, variants=others)


def _refuse_distinct(cluster: ir.Value | None, *exprs: ir.Scalar) -> None:
    """Distinct values do not add up over persons, but for the persons themselves."""
    import ibis.expr.operations as ops

    for expr in exprs:
        op = expr.op()
        if isinstance(op, ops.CountDistinct) and cluster is not None and op.arg != cluster.op():
            what = f"distinct values of '{op.arg.name}' do not add up over the cluster"
            raise PluginError(Problem("estimate", what, "count the rows of a view with one row for each"))


def narrowed(expr: Any, condition: ir.BooleanValue) -> Any:
    """A total over the rows that also meet ``condition``."""
    if isinstance(expr, Clusters):
        return Clusters(condition if expr.where is None else expr.where & condition)
    op = expr.op()
    where = condition if op.where is None else op.where.to_expr() & condition
    return op.copy(where=where.op()).to_expr()


def _same(one: ir.Value | None, other: ir.Value | None) -> bool:
    return one is other or (one is not None and other is not None and one.op() == other.op())


def _leaf(expr: ir.Scalar) -> Formula:
    import ibis.expr.operations as ops

    op = expr.op()
    if not isinstance(op, ops.Sum | ops.CountStar | ops.Count | ops.CountDistinct):
        remedy = "use sum(), count() or nunique(), and leave the division to ratio()"
        raise PluginError(Problem("estimate", f"{type(op).__name__} is not a total", remedy))
    return Formula("leaf", (Leaf(expr),))


def _one_relation(exprs: list[Any]) -> ops.Relation:
    if len(found := {relation for expr in exprs for relation in expr.op().relations}) != 1:
        what = f"its parts come from {len(found)} tables"
        raise PluginError(Problem("estimate", what, "join them in a view first, and use where= instead of filter()"))
    return found.pop()
