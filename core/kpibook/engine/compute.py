"""From catalogue, params and loaded tables to results: the engine's table of contents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any

import ibis
import pandas as pd
import pyarrow as pa
from threadpoolctl import threadpool_limits

from kpibook import model, once, results, windows
from kpibook.cache.store import Store
from kpibook.catalog import Catalog
from kpibook.engine import breakdowns, history, pipeline, targets
from kpibook.engine.backend import Database, opened
from kpibook.engine.computable import Computability, judge
from kpibook.engine.jobs import Cell
from kpibook.engine.kept import Kept
from kpibook.engine.keys import Keys
from kpibook.engine.pipeline import Task
from kpibook.engine.placing import Placer
from kpibook.engine.planning import planned
from kpibook.engine.rows import Rows, ordered
from kpibook.engine.stated import stated
from kpibook.errors import ParamsError
from kpibook.params import Params
from kpibook.privacy.scorecard import withhold
from kpibook.privacy.tables import published
from kpibook.tracing import Resolution, Resolved, roots
from kpibook.windows import Window


@dataclass(frozen=True)
class Loaded:
    """What intake hands over: the backend with all canonical tables, and what is known of them.

    ``digests`` say what is in each table; without them nothing is kept.
    """

    backend: Any
    supplied: Mapping[str, frozenset[str]]
    rows: Mapping[str, int]
    data_start: date
    data_end: date
    digests: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Results:
    scorecard: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    computability: Sequence[Computability]
    resolution: Resolution
    queries: int
    taken: int = 0
    computed: int = 0
    tasks: Sequence[Task] = ()


def compute(
    catalog: Catalog, params: Params, loaded: Loaded, min_persons: int = 0, store: Store | None = None
) -> Results:
    """Every KPI of the catalogue for one client: computed, or present with the reason why not.

    What rests on fewer than ``min_persons`` persons is withheld, with all that would give it away. What is in
    ``store`` is not computed again, and what is not is put there.
    """
    one_thread = threadpool_limits(1, user_api="blas")  # its threads would wait for ours, spinning
    with once.run(), pipeline.no_collection(), one_thread:
        return _compute(catalog, params, loaded, min_persons, store)


def _compute(catalog: Catalog, params: Params, loaded: Loaded, min_persons: int, store: Store | None) -> Results:
    resolution = catalog.resolve(params.settings, lambda *keys: params.where("settings", *keys))
    judged = computability(catalog, resolution, params, loaded)
    place, table = placer(catalog, resolution), reporting_windows(params, loaded)
    database = opened(loaded.backend, params.limits.threads)
    database.load("periods", pa.Table.from_pylist([asdict(w) for w in table]))
    plan = planned(catalog, params, resolution, judged, place)
    kept = None
    if store is not None and loaded.digests:
        kept = Kept(store, Keys(resolution, place, table, loaded.digests, loaded.backend.name), plan.tables)
    done = pipeline.run(database, plan.tasks() if kept is None else kept.lacking(plan.tasks(), plan.always()))
    tasks = done if kept is None else kept.planned
    cells = _cells(tasks)
    broken = {kpi.id: why for kpi in plan.able if (why := _broken(kpi, resolution, plan.failures))}
    made = Rows(table, {c.kpi: c for c in judged}, resolution, broken)
    if kept is not None:
        kept.keep(broken)
    told = [cell for cell in cells if cell.job.kpi.id not in broken]
    found = made.found(told)
    withhold([stated(cell, row) for cell, row in zip(told, found, strict=True)], min_persons)
    aims, known = targets.wanted(database, params, loaded.rows), _benchmarks(database, loaded)
    targets.attach(found, aims, known)
    last = pipeline.run(database, plan.last(results.scorecard(found)))
    found += made.found(_cells(last))
    found += made.absent({(row["kpi"], row["period"]) for row in found if row["segment_by"] == windows.TOTAL})
    targets.attach(found, aims, known)
    card = results.scorecard(ordered(found, resolution))
    shown = published(plan.tables, min_persons)
    queries, taken = sum(t.fetched for t in [*tasks, *last]), len(kept.taken) if kept else 0
    pieces = sum(task.piece is not None for task in [*tasks, *last])
    return Results(card, shown, judged, resolution, queries, taken, pieces - taken, (*tasks, *last))


def computability(catalog: Catalog, resolution: Resolution, params: Params, loaded: Loaded) -> list[Computability]:
    """Which KPIs this client's tables, columns and history allow. Raises ParamsError for an unknown breakdown."""
    problems = breakdowns.unknown(params, placer(catalog, resolution))
    if problems:
        raise ParamsError(problems)
    table = reporting_windows(params, loaded)
    verdicts = []
    for kpi in resolution.kpis.values():
        verdict = judge(kpi, loaded.supplied, loaded.rows)
        gaps = [history.gap(kpi.definition, kpi.settings, window) for window in table] if not kpi.failure else []
        if verdict.state != "not" and gaps and all(gaps):
            verdict = Computability(kpi.id, kpi.definition.family, "not", reason=gaps[0])
        verdicts.append(verdict)
    return verdicts


def reporting_windows(params: Params, loaded: Loaded) -> list[Window]:
    """The rows of ``periods`` for this client."""
    spans = {"current": params.period}
    if params.compare is not None:
        spans["previous"] = params.compare
    grains = [b for b in params.breakdowns if b in windows.GRAINS]
    return windows.windows(spans, grains, loaded.data_start, loaded.data_end + timedelta(days=1))


def _cells(tasks: Sequence[Task]) -> list[Cell]:
    return [cell for task in tasks if task.result for cell in task.result]


def _broken(kpi: Resolved, resolution: Resolution, failures: Mapping[str, str]) -> str:
    used = resolution.lineage.reads(roots(kpi.estimate))[1] if kpi.estimate is not None else {}
    return next((failures[v] for v in used if v in failures), "")


def placer(catalog: Catalog, resolution: Resolution) -> Placer:
    """Knows the dates and keys of this catalogue's views."""
    known = {n: s.definition for n, s in catalog.views.items() if n in resolution.views}
    return Placer(known, {n: dict(resolution.views[n].schema().items()) for n in known})


def _benchmarks(database: Database, loaded: Loaded) -> dict[str, dict[str, Any]]:
    if not loaded.rows.get("benchmarks"):
        return {}
    table = ibis.table(model.schema("benchmarks"), name="benchmarks")
    rows = database.fetch(table.order_by("benchmark_id")).to_pylist()
    return {row["kpi_id"]: row for row in rows}
