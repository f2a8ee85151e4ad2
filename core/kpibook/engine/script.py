"""The queries of one KPI as a script that an auditor may run by hand in DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import date
from typing import Any

import ibis
import ibis.expr.types as ir
import sqlglot

from kpibook import windows
from kpibook.engine import curves, linear, views
from kpibook.engine.guards import guarded
from kpibook.engine.moments import Moments
from kpibook.engine.placing import Placer
from kpibook.engine.rebinding import rebound
from kpibook.estimates import Curve, Estimate, Linear, Matrix, Quantile
from kpibook.formula import Formula
from kpibook.tracing import Resolution, Resolved, roots
from kpibook.windows import Window


def script(
    kpi: Resolved, resolution: Resolution, placer: Placer, table: Sequence[Window], sources: Mapping[str, str]
) -> str:
    """SQL text: the client's tables, the periods, the views, then one query for each reading of the KPI.

    ``sources`` are the SELECTs that made the canonical tables.
    """
    estimates = {"": kpi.estimate, **kpi.estimate.variants} if kpi.estimate is not None else {}
    nodes = [node for e in estimates.values() if e is not None for node in roots(e)]
    tables, used = resolution.lineage.reads(nodes)
    parts = [f"-- {kpi.id}: {kpi.definition.title}: {kpi.definition.text}", f"-- definition {kpi.hash}, {kpi.origin}"]
    parts += [f"CREATE TEMP VIEW {name} AS\n{sources[name]};" for name in {**tables, **kpi.needs} if name in sources]
    parts.append(_periods(table))
    for name in resolution.views:
        if name in used:
            chosen = views.expression(resolution, name, resolution.views[name].columns)
            parts.append(f"CREATE TEMP TABLE {name} AS\n{_sql(chosen)};")
    sides = tuple(dict.fromkeys(w.period for w in table))
    for variant, estimate in estimates.items():
        if estimate is not None:
            parts += _queries(variant or "headline", estimate, placer, sides)
    return "\n\n".join(parts) + "\n"


def _periods(table: Sequence[Window]) -> str:
    rows = ",\n".join("  (" + ", ".join(_literal(v) for v in astuple(w)) + ")" for w in table)
    columns = ", ".join(f'"{name}"' for name in windows.SCHEMA)
    return f"CREATE TEMP TABLE periods AS SELECT * FROM (VALUES\n{rows}\n) AS p ({columns});"


def _literal(value: int | str | date) -> str:
    if isinstance(value, int):
        return str(value)
    return f"DATE '{value}'" if isinstance(value, date) else "'" + str(value).replace("'", "''") + "'"


def _queries(name: str, estimate: Estimate, placer: Placer, sides: tuple[str, ...]) -> Iterator[str]:
    headline = estimate.headline if isinstance(estimate, Matrix) else estimate
    if isinstance(headline, Linear):
        query = linear.query([headline], [windows.TOTAL], placer, sides)
        if query is not None:
            places = {cell: f"t{i}" for i, cell in enumerate(query.cells)}
            notes = [f"-- {name}, {side}: {_words(headline.formula, side, places)}" for side in sides]
            yield "\n".join([*notes, _sql(query.table) + ";"])
    elif isinstance(headline, Curve):
        placed = placer.placed(headline.base, windows.TOTAL, roots(headline))
        if placed is not None:
            durations = _sql(curves.counts(headline, placed))
            yield f"-- {name}: durations counted for the Kaplan-Meier estimate\n{durations};"
    elif isinstance(headline, Quantile):
        placed = placer.placed(headline.base, windows.TOTAL, roots(headline))
        if placed is not None:
            column = rebound(headline.column, headline.base, placed.op())
            found = placed.mutate(_x=column).group_by(curves.KEYS).agg(value=lambda t: t._x.quantile(headline.q))
            yield f"-- {name}: the {headline.q} quantile\n{_sql(found)};"


def _words(formula: Formula, side: str, places: Mapping[Any, str]) -> str:
    if formula.operator == "leaf":
        return places[side, formula.args[0]]
    if formula.operator == "const":
        return f"{formula.args[0]:g}"
    if formula.operator == "change":
        now, before = (_words(formula.args[0], s, places) for s in ("current", "previous"))
        return f"({now}) / ({before}) - 1"
    left, right = (_words(a, side, places) for a in formula.args)
    return f"({left} {formula.operator} {right})"


def _sql(table: ir.Table | Moments) -> str:
    if isinstance(table, Moments):
        return str(sqlglot.parse_one(table.around(_sql(table.inner)), dialect="duckdb").sql("duckdb", pretty=True))
    return str(ibis.to_sql(guarded(table), dialect="duckdb", pretty=True))
