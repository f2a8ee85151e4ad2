"""The queries of one KPI as a script that an auditor may run by hand in DuckDB."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import astuple
from datetime import date
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir
import sqlglot

from kpibook import model, windows
from kpibook.engine import curves, frames, linear, matrices, views
from kpibook.engine.guards import guarded
from kpibook.engine.moments import Moments
from kpibook.engine.placing import Placer
from kpibook.engine.rebinding import rebound
from kpibook.estimates import Curve, Estimate, Linear, Matrix, Quantile
from kpibook.formula import Formula
from kpibook.tracing import FRAMES, Resolution, Resolved, roots
from kpibook.windows import Window


def script(
    kpi: Resolved, resolution: Resolution, placer: Placer, table: Sequence[Window], sources: Mapping[str, str]
) -> str:
    """SQL text: the client's tables, the periods, the views, then one query for each reading of the KPI.

    ``sources`` are the SELECTs that made the canonical tables; a table that the client does not have is empty. Of a
    KPI in pandas the queries give the rows that its function gets.
    """
    definition = kpi.definition
    estimates = _estimates(kpi)
    tables, used = _read(resolution, _nodes(kpi, resolution))
    parts = [_note(f"{kpi.id}: {definition.title}: {definition.text}"), _note(f"definition {kpi.hash}, {kpi.origin}")]
    parts += [_source(name, sources) for name in tables if name in model.TABLES]
    parts.append(_periods(table))
    for name in resolution.views:
        if name in used:
            chosen = views.expression(resolution, name, resolution.views[name].columns)
            parts.append(f"CREATE TEMP TABLE {name} AS\n{_sql(chosen)};")
    sides = tuple(dict.fromkeys(w.period for w in table))
    for variant, estimate in estimates.items():
        if estimate is not None:
            parts += _queries(variant or "headline", estimate, placer, sides)
    if kpi.failure:
        parts.append(_note(f"it fails: {kpi.failure}"))
    elif given := _given(kpi):
        parts += [_rows(name, kpi, resolution, placer) for name in given]
        parts.append(_goes_on(kpi))
    return "\n\n".join(parts) + "\n"


def tables(kpi: Resolved, resolution: Resolution) -> tuple[str, ...]:
    """The canonical tables that a KPI's script reads."""
    return tuple(name for name in _read(resolution, _nodes(kpi, resolution))[0] if name in model.TABLES)


def _estimates(kpi: Resolved) -> Mapping[str, Estimate | None]:
    return {"": kpi.estimate, **kpi.estimate.variants} if kpi.estimate is not None else {}


def _given(kpi: Resolved) -> list[str]:
    """What a function in pandas gets."""
    return [name for name in kpi.definition.inputs if name in kpi.definition.columns]


def _nodes(kpi: Resolved, resolution: Resolution) -> list[ops.Node]:
    nodes = [node for e in _estimates(kpi).values() if e is not None for node in roots(e)]
    known = [name for name in _given(kpi) if name in resolution.schemas]
    return [*nodes, *(node for name in known for node in _whole(resolution, name))]


def _whole(resolution: Resolution, name: str) -> list[ops.Node]:
    """Every column of a table or view."""
    relation = ops.UnboundTable(name, resolution.schemas[name])
    return [relation, *(ops.Field(relation, column) for column in relation.schema.names)]


def _read(resolution: Resolution, nodes: list[ops.Node]) -> tuple[list[str], set[str]]:
    """Canonical tables and views that values rest on; a view is made with all of its columns."""
    tables, used = resolution.lineage.reads(nodes)
    known: set[str] = set()
    while known != set(used):
        known = set(used)
        tables, used = resolution.lineage.reads([*nodes, *(n for name in used for n in _whole(resolution, name))])
    return list(tables), known


def _source(name: str, sources: Mapping[str, str]) -> str:
    if name in sources:
        return f"CREATE TEMP VIEW {name} AS\n{sources[name]};"
    columns = ", ".join(f'"{c.name}" {model.SQL_TYPES[c.kind]}' for c in model.TABLES[name].columns.values())
    return f"-- The client has no {name}.\nCREATE TEMP TABLE {name} ({columns});"


def _rows(name: str, kpi: Resolved, resolution: Resolution, placer: Placer) -> str:
    columns = kpi.definition.columns[name]
    if name in FRAMES:
        return _note(f"{name}: {', '.join(columns)} of the report's {name}.csv, made of the other KPIs")
    found = frames.rows(name, columns, windows.TOTAL, placer, resolution.schemas)
    assert found is not None  # noqa: S101  the whole period is no breakdown: it always applies
    ordered = found.order_by(found.columns).select(*dict.fromkeys([*curves.KEYS, *columns]))
    return f"{_note(f'{name}: the rows that the function gets, one period at a time')}\n{_sql(ordered)};"


def _goes_on(kpi: Resolved) -> str:
    """Who makes the figure of the rows."""
    given = ", ".join(f"{name} = {value!r}" for name, value in kpi.settings.items())
    asked = f" with {given}" if given else ""
    what = f"{kpi.definition.function.__name__} ({kpi.origin}, {kpi.definition.where})"
    return _note(f"From these rows the Python function {what} goes on{asked}.")


def _note(text: str) -> str:
    """A comment, on one line whatever the text: titles and origins are others' words."""
    return "-- " + " ".join(text.split())


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
            column = rebound(headline.column, headline.base, placed.op()).cast("float64")
            found = placed.mutate(_x=column).group_by(curves.KEYS).agg(value=lambda t: t._x.quantile(headline.q))
            yield f"-- {name}: the {headline.q} quantile\n{_sql(found)};"
    if isinstance(estimate, Matrix):
        counted = matrices.cells(estimate, placer)
        if counted is not None:
            yield f"-- {name}: the table beside it\n{_sql(counted)};"


def _words(formula: Formula, side: str, places: Mapping[Any, str]) -> str:
    if formula.operator == "leaf":
        return places[side, formula.args[0]]
    if formula.operator == "const":
        return repr(formula.args[0]).removesuffix(".0")
    if formula.operator == "change":
        now, before = (_words(formula.args[0], s, places) for s in ("current", "previous"))
        return f"({now}) / ({before}) - 1"
    left, right = (_words(a, side, places) for a in formula.args)
    return f"({left} {formula.operator} {right})"


def _sql(table: ir.Table | Moments) -> str:
    if isinstance(table, Moments):
        return str(sqlglot.parse_one(table.around(_sql(table.inner)), dialect="duckdb").sql("duckdb", pretty=True))
    kept, ibis.options.sql.fuse_selects = ibis.options.sql.fuse_selects, True  # the engine does without, to be quick
    try:
        return str(ibis.to_sql(guarded(table), dialect="duckdb", pretty=True))
    finally:
        ibis.options.sql.fuse_selects = kept
