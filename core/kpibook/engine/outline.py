"""A client's plan as one can read it: what is read, what is made of it, which KPIs use what, and how long each takes.

Seconds are of work: several queries are under way at once, so that by the clock it is less.
"""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import ibis
import ibis.expr.operations as ops

from kpibook import model, results
from kpibook.engine.backend import opened
from kpibook.engine.compute import Loaded, computability, compute, placer
from kpibook.engine.jobs import Piece, table_name
from kpibook.engine.pipeline import Task
from kpibook.engine.planning import Plan, planned
from kpibook.tracing import Resolution, Resolved

#: Seconds of a task without data, and of each row of the largest table below it: Complete Journey, two cores.
EMPTY, ROW = 0.02, 1e-7


@dataclass(frozen=True)
class Step:
    """One task. ``kind``: view, step, rows, or how its KPIs are asked; ``label`` is the same in every run of the plan.

    ``rows`` and ``columns`` (kept, of all) are those of a table that it makes; rows are known when it was measured.
    """

    kind: str
    label: str
    kpis: tuple[str, ...]
    seconds: float
    queries: int
    rows: int | None = None
    columns: tuple[int, int] | None = None


@dataclass(frozen=True)
class Outline:
    """``reads`` are the columns read of each canonical table; ``through`` the views that each KPI rests on."""

    steps: tuple[Step, ...]
    reads: Mapping[str, frozenset[str]]
    needs: Mapping[str, Mapping[str, frozenset[str]]]
    through: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]
    unmade: tuple[str, ...]
    source: str
    clock: float | None = None


def outline(catalog: Any, params: Any, loaded: Loaded, known: Mapping[str, float], *, measure: bool = False) -> Outline:
    """The plan; with ``measure`` it is carried out. ``known`` are seconds by label, of an earlier measurement."""
    resolution = catalog.resolve(params.settings, lambda *keys: params.where("settings", *keys))
    judged = computability(catalog, resolution, params, loaded)
    plan = planned(catalog, params, resolution, judged, placer(catalog, resolution))
    clock = None
    tasks: Sequence[Task] = [*plan.tasks(), *plan.last(results.scorecard([]))]
    if measure:
        began = time.perf_counter()
        tasks = compute(catalog, params, loaded).tasks
        clock = time.perf_counter() - began
    users = _users(tasks)
    needs = {kpi.id: _needs(kpi) for kpi in plan.able}
    placing = [node for task in tasks if task.piece is not None for node in _placing(task.piece, plan)]
    reads = _united(*needs.values(), resolution.lineage.reads(placing)[0])
    steps = []
    for task in tasks:
        kpis = tuple(dict.fromkeys(j.kpi.id for j in task.piece.jobs)) if task.piece else users.get(task.name, ())
        kind, label = _named(task, plan)
        rows = max((loaded.rows.get(table, 0) for kpi in kpis for table in needs[kpi]), default=0)
        seconds = task.seconds if measure else known.get(label, EMPTY + ROW * rows)
        made = _count(loaded, resolution, label) if measure and kind == "view" else None
        kept = (len(plan.wanted[label]), len(resolution.views[label].columns)) if kind == "view" else None
        queries = task.fetched if measure else int(kind not in {"view", "step", "in pandas"})
        steps.append(Step(kind, label, kpis, seconds, queries, made, kept))
    source = "measured" if measure else "as last measured" if known else "estimated from row counts, roughly"
    through = {kpi.id: tuple(v for v in plan.wanted if kpi.id in users.get(v, ())) for kpi in plan.able}
    left = tuple(verdict.kpi for verdict in judged if verdict.state == "not")
    unmade = tuple(name for name in resolution.views if name not in plan.wanted)
    return Outline(tuple(steps), reads, needs, through, left, unmade, source, clock)


def _named(task: Task, plan: Plan) -> tuple[str, str]:
    piece, name = task.piece, task.name
    if piece is not None:
        jobs = ", ".join(table_name(job) for job in piece.jobs)
        by = ", ".join(piece.breakdowns)
        return {"model": "in pandas"}.get(piece.kind, piece.kind), f"{jobs} by {by}"
    if isinstance(name, tuple):
        return "rows", f"{name[1]} by {name[2]}"
    return ("view" if name in plan.wanted else "step"), str(name)


def _users(tasks: Sequence[Task]) -> dict[Hashable, tuple[str, ...]]:
    """The KPIs that wait for each task, through others too."""
    found: dict[Hashable, dict[str, None]] = {}
    for task in reversed(tasks):  # what a task waits for was planned before it
        own = [job.kpi.id for job in task.piece.jobs] if task.piece is not None else [*found.get(task.name, {})]
        for name in task.after:
            found.setdefault(name, {}).update(dict.fromkeys(own))
    order = [job.kpi.id for task in tasks if task.piece is not None for job in task.piece.jobs]
    rank = {kpi: number for number, kpi in reversed([*enumerate(order)])}
    return {name: tuple(sorted(own, key=rank.__getitem__)) for name, own in found.items()}


def _needs(kpi: Resolved) -> dict[str, frozenset[str]]:
    """Canonical columns of all readings of a KPI."""
    return _united(kpi.needs, *kpi.variant_needs.values())


def _placing(piece: Piece, plan: Plan) -> list[ops.Node]:
    """What is read to put a piece's rows into periods and segments."""
    if piece.frames is not None:
        schemas = plan.resolution.schemas
        read = [ops.UnboundTable(name, schemas[name]) for name in piece.frames.of(piece.jobs[0].kpi)]
    else:
        estimates: list[Any] = [job.unmoved or job.estimate for job in piece.jobs]
        read = [estimate.base for estimate in estimates]
    return [node for base in read for node in plan.place.placing(base, piece.breakdowns)]


def _united(*columns: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """All columns by canonical table."""
    found: dict[str, frozenset[str]] = {}
    for own in columns:
        for table in own.keys() & model.TABLES.keys():
            found[table] = found.get(table, frozenset()) | own[table]
    return dict(sorted(found.items()))


def _count(loaded: Loaded, resolution: Resolution, view: str) -> int:
    rows = ibis.table(resolution.schemas[view], name=view)
    return int(opened(loaded.backend, 1).fetch(rows.agg(n=rows.count()))["n"][0].as_py())
