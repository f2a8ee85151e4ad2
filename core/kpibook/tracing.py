"""Definitions called once on empty, typed tables: their expressions, needs and hashes.

A definition that fails when it is called is kept with its failure; the others stand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakKeyDictionary

import ibis
import ibis.expr.operations as ops
import ibis.expr.schema as sch
import ibis.expr.types as ir

from kpibook import model, results, windows, wordless
from kpibook.definition import Definition
from kpibook.errors import PluginError
from kpibook.estimates import Curve, Estimate, Linear, Matrix, Modelled, Quantile
from kpibook.formula import Clusters, Formula, Leaf
from kpibook.lineage import Lineage, fingerprint

#: Tables that only KPIs written in pandas may ask for.
FRAMES: Mapping[str, tuple[str, ...]] = {"scorecard": results.COLUMNS}

ESTIMATE = "return one of total, share, mean, ratio, quantile, curve and matrix"
CIRCLE = "let one of the views that name each other do without"


#: What functions gave, by their tables and settings: expressions, which nothing changes.
_CALLED: WeakKeyDictionary[Callable[..., Any], dict[Any, Any]] = WeakKeyDictionary()


@dataclass(frozen=True)
class Source:
    """A definition and where it came from, such as ``kpibook 0.1.0`` or ``kpi_plugins/own.py``."""

    definition: Definition
    origin: str

    @property
    def where(self) -> str:
        return f"{self.origin}: {self.definition.where}"


@dataclass(frozen=True)
class Failure:
    """Why a definition cannot be used; ``column`` when it named a column that its tables do not have."""

    definition: str
    text: str
    column: str = ""


@dataclass(frozen=True)
class Resolved:
    """A KPI with its settings, traced: what it reads, its estimate, its hash, or why it failed.

    ``needs`` are the canonical columns of the headline; ``variant_needs`` those of each
    further reading.
    """

    definition: Definition
    origin: str
    settings: Mapping[str, Any]
    estimate: Estimate | None = None
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    variant_needs: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)
    hash: str = ""
    failure: str = ""

    @property
    def id(self) -> str:
        return self.definition.id


@dataclass(frozen=True)
class Resolution:
    """All definitions under one client's settings; ``views`` in the order in which they can be built."""

    kpis: Mapping[str, Resolved]
    views: Mapping[str, ir.Table]
    lineage: Lineage
    failures: Mapping[str, Failure]

    @property
    def schemas(self) -> dict[str, sch.Schema]:
        """The columns of every table that a definition may name."""
        views = {name: view.schema() for name, view in self.views.items()}
        return {**{name: model.schema(name) for name in model.TABLES}, **views}


def resolve(definitions: Mapping[str, Source], settings: Mapping[str, Mapping[str, Any]]) -> Resolution:
    """Trace every definition under its settings (all of them, by id)."""
    tables: dict[str, Any] = {name: ibis.table(model.schema(name), name=name) for name in model.TABLES}
    tables["periods"] = ibis.table(windows.SCHEMA, name="periods")
    failures: dict[str, Failure] = {}
    views = _views(definitions, settings, tables, failures)
    lineage = Lineage({name: view.op() for name, view in views.items()})
    kpis = {}
    for name, source in definitions.items():
        definition = source.definition
        if definition.kind != "kpi":
            continue
        blocked = [failures[i] for i in definition.inputs if i in failures]
        trace = _frame_kpi if definition.frames else _table_kpi
        kpis[name] = trace(source, settings[name], tables, lineage, blocked[0] if blocked else None, failures)
    return Resolution(kpis, views, lineage, failures)


def roots(estimate: Estimate) -> list[ops.Node]:
    """The values whose columns an estimate reads."""
    if isinstance(estimate, Linear):
        leaves = [leaf.expr for leaf in estimate.formula.leaves()]
        exprs = [e.where if isinstance(e, Clusters) else e for e in leaves] + [estimate.cluster, estimate.scope]
        exprs = [e for e in exprs if e is not None]
    elif isinstance(estimate, Quantile):
        exprs = [e for e in (estimate.column, estimate.cluster) if e is not None]
    elif isinstance(estimate, Curve):
        exprs = [e for e in (estimate.duration, estimate.event, estimate.cluster) if e is not None]
    elif isinstance(estimate, Matrix):
        parts = [estimate.headline] + ([estimate.cell] if estimate.cell else [])
        return [estimate.rows.op(), estimate.columns.op(), *(r for part in parts for r in roots(part))]
    else:
        return []
    return [expr.op() for expr in exprs]


def mapped(estimate: Any, change: Callable[[Any], Any]) -> Any:
    """The same estimate with every Ibis value changed."""
    if isinstance(estimate, Linear):
        cluster = None if estimate.cluster is None else change(estimate.cluster)
        scope = None if estimate.scope is None else change(estimate.scope)
        return replace(estimate, formula=_mapped_formula(estimate.formula, change), cluster=cluster, scope=scope)
    if isinstance(estimate, Quantile):
        cluster = None if estimate.cluster is None else change(estimate.cluster)
        return replace(estimate, column=change(estimate.column), cluster=cluster)
    if isinstance(estimate, Curve):
        cluster = None if estimate.cluster is None else change(estimate.cluster)
        return replace(estimate, duration=change(estimate.duration), event=change(estimate.event), cluster=cluster)
    cell = None if estimate.cell is None else mapped(estimate.cell, change)
    sides = {"rows": change(estimate.rows), "columns": change(estimate.columns)}
    return replace(estimate, **sides, headline=mapped(estimate.headline, change), cell=cell)


def _mapped_formula(formula: Formula, change: Callable[[Any], Any]) -> Formula:
    args: list[Any] = []
    for arg in formula.args:
        if isinstance(arg, Leaf):
            args.append(Leaf(_changed(arg.expr, change)))
        else:
            args.append(_mapped_formula(arg, change) if isinstance(arg, Formula) else arg)
    return Formula(formula.operator, tuple(args))


def _changed(expr: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(expr, Clusters):
        return Clusters(None if expr.where is None else change(expr.where))
    return change(expr)


def _views(
    definitions: Mapping[str, Source],
    settings: Mapping[str, Mapping[str, Any]],
    tables: dict[str, Any],
    failures: dict[str, Failure],
) -> dict[str, ir.Table]:
    views: dict[str, ir.Table] = {}
    waiting = {name: s.definition for name, s in definitions.items() if s.definition.kind == "view"}
    while waiting:
        ready = [name for name, d in waiting.items() if not set(d.inputs) & set(waiting)]
        if not ready:
            failures.update({n: Failure(n, f"view '{n}' depends on itself · {CIRCLE}") for n in waiting})
            break
        for name in ready:
            definition = waiting.pop(name)
            blocked = [failures[i] for i in definition.inputs if i in failures]
            value = blocked[0] if blocked else _call(definition, tables, settings[name])
            if isinstance(value, ir.Table):
                views[name] = value
                tables[name] = ibis.table(value.schema(), name=name)
            else:
                failures[name] = (
                    value
                    if isinstance(value, Failure)
                    else _stranger(definition, value, "a table", "return an Ibis table")
                )
    return views


def _call(definition: Definition, tables: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
    """The function's value on empty tables, or a Failure: an author's error must not stop the others.

    Called again with the same tables and settings, for another client or catalogue, the function is not.
    """
    known = _CALLED.setdefault(definition.function, {})
    key = (tuple((name, tables[name].op()) for name in definition.inputs if name in tables), repr(settings))
    if key not in known:
        value = _called(definition, tables, settings)
        if isinstance(value, Failure):
            return value
        known[key] = value
    return known[key]


def _called(definition: Definition, tables: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
    try:
        value = definition(*(tables[name] for name in definition.inputs), **settings)
        if isinstance(value, Linear | Quantile | Curve | Matrix):
            _ = [estimate.base for estimate in (value, *value.variants.values()) if not isinstance(estimate, Modelled)]
    except PluginError as error:
        problem = error.problems[0]
        return Failure(definition.id, f"{definition.id} ({definition.where}): {problem.what} · {problem.remedy}")
    except Exception as error:  # noqa: BLE001  whatever an author's code raises is reported, not passed on
        found = re.search(r"'Table' object has no attribute '(\w+)'|Column '(\w+)' is not found", str(error))
        first = next(iter(str(error).splitlines()), "")
        text = f"{definition.id} ({definition.where}): {type(error).__name__}: {first} · mend the function"
        return Failure(definition.id, text, (found[1] or found[2]) if found else "")
    return value


def _stranger(definition: Definition, value: Any, wanted: str, remedy: str) -> Failure:
    text = f"{definition.id} ({definition.where}): it returns {type(value).__name__}, not {wanted} · {remedy}"
    return Failure(definition.id, text)


def _table_kpi(
    source: Source,
    settings: Mapping[str, Any],
    tables: Mapping[str, Any],
    lineage: Lineage,
    blocked: Failure | None,
    failures: dict[str, Failure],
) -> Resolved:
    definition = source.definition
    estimate = blocked or _call(definition, tables, settings)
    if not isinstance(estimate, Linear | Quantile | Curve | Matrix):
        failure = (
            estimate if isinstance(estimate, Failure) else _stranger(definition, estimate, "an estimate", ESTIMATE)
        )
        failures.setdefault(definition.id, failure)
        return Resolved(definition, source.origin, settings, failure=failure.text)
    readings = {"": estimate, **estimate.variants}
    needs = {name: lineage.reads(roots(e))[0] for name, e in readings.items()}
    marks = [lineage.digest(root) for e in readings.values() for root in roots(e)]
    marks += [repr((name, _skeleton(e))) for name, e in readings.items()]
    hashed = _hash(definition, marks)
    return Resolved(definition, source.origin, settings, estimate, needs.pop(""), needs, hashed)


def _frame_kpi(
    source: Source,
    settings: Mapping[str, Any],
    tables: Mapping[str, Any],
    lineage: Lineage,
    blocked: Failure | None,
    failures: dict[str, Failure],
) -> Resolved:
    definition = source.definition
    if blocked:
        failures.setdefault(definition.id, blocked)
        return Resolved(definition, source.origin, settings, failure=blocked.text)
    fields = {t: [tables[t][c].op() for c in definition.columns[t]] for t in definition.inputs if t in tables}
    marks = [lineage.digest(f) for own in fields.values() for f in own]
    marks += [wordless.code(definition.function), repr(sorted(settings.items()))]
    needed = [f for t, own in fields.items() if t not in definition.optional for f in own]
    return Resolved(definition, source.origin, settings, None, lineage.reads(needed)[0], {}, _hash(definition, marks))


def _skeleton(estimate: Estimate) -> Any:
    """What an estimate is besides the expressions in it."""
    if isinstance(estimate, Linear):
        return (estimate.kind, estimate.rule, _operators(estimate.formula))
    if isinstance(estimate, Quantile):
        return estimate.q
    if isinstance(estimate, Curve):
        return (estimate.at, estimate.complement)
    if isinstance(estimate, Matrix):
        return (_skeleton(estimate.headline), estimate.cell is not None and _skeleton(estimate.cell))
    return ()


def _operators(formula: Formula) -> Any:
    parts = [a for a in formula.args if not isinstance(a, Leaf)]
    return (formula.operator, *(_operators(a) if isinstance(a, Formula) else a for a in parts))


def _hash(definition: Definition, marks: list[str]) -> str:
    rule = definition.looks_back
    reach = getattr(rule, "__qualname__", rule) or ""
    return fingerprint(definition.id, definition.unit, definition.better, str(reach), *marks)[:12]
