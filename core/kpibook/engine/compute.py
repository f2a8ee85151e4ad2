"""From catalogue, params and loaded tables to results: the engine's table of contents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, timedelta
from typing import Any

import ibis.expr.operations as ops
import pandas as pd
import pyarrow as pa

from kpibook import model, results, rules, windows
from kpibook.catalog import Catalog
from kpibook.engine import bases, history, targets, views
from kpibook.engine.backend import Database
from kpibook.engine.computable import Computability, judge
from kpibook.engine.execute import VARIANT, Cell, Executor, Job
from kpibook.engine.placing import Placer
from kpibook.errors import ParamsError, Problem, did_you_mean
from kpibook.estimates import Linear
from kpibook.figures import Figure
from kpibook.params import Params
from kpibook.tracing import Resolution, Resolved, roots
from kpibook.windows import Window


@dataclass(frozen=True)
class Loaded:
    """What intake hands over: the backend with all canonical tables, and what is known of them."""

    backend: Any
    supplied: Mapping[str, frozenset[str]]
    rows: Mapping[str, int]
    data_start: date
    data_end: date


@dataclass(frozen=True)
class Results:
    scorecard: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    computability: Sequence[Computability]
    resolution: Resolution
    queries: int


def compute(catalog: Catalog, params: Params, loaded: Loaded) -> Results:
    """Every KPI of the catalogue for one client: computed, or present with the reason why not."""
    resolution = catalog.resolve(params.settings, lambda *keys: params.where("settings", *keys))
    place = placer(catalog, resolution)
    _refuse_unknown_breakdowns(params, place)
    judged = [judge(kpi, loaded.supplied, loaded.rows) for kpi in resolution.kpis.values()]
    table = reporting_windows(params, loaded)
    database = Database(loaded.backend, params.limits.threads)
    database.load("periods", pa.Table.from_pylist([asdict(w) for w in table]))
    jobs = _jobs(resolution, judged)
    able = [kpi for kpi in _able(resolution, judged) if _reaches(kpi, table)]
    jobs = [job for job in jobs if job.kpi in able]
    failures = _materialise(database, resolution, jobs, able, params)
    jobs = [j for j in jobs if not _broken(j.kpi, resolution, failures)]
    jobs, place = bases.shared(jobs, place, _carried(able, params), database)
    spans = ("current",) if params.compare is None else ("current", "previous")
    executor = Executor(database, place, _schemas(resolution), spans)
    chosen = (windows.TOTAL, *_breakdowns(able, params))
    cells = executor.cells({b: [j for j in jobs if _shows(j, b, params)] for b in chosen})
    book = _Book(table, {c.kpi: c for c in judged}, resolution, failures, params)
    found = book.rows(cells)
    card = results.scorecard(found)
    for after in (False, True):
        late = [k for k in able if k.definition.frames and ("scorecard" in k.definition.inputs) is after]
        for breakdown in (windows.TOTAL, *_breakdowns(late, params)):
            found += book.rows(list(executor.modelled(late, breakdown, card)))
        targets.attach(found, params.targets, _benchmarks(database, loaded))
        card = results.scorecard(found)
    found += book.absent({(row["kpi"], row["period"]) for row in found if row["segment_by"] == windows.TOTAL})
    targets.attach(found, params.targets, {})
    return Results(
        results.scorecard(_ordered(found, resolution)), executor.tables, judged, resolution, len(executor.asked)
    )


def _refuse_unknown_breakdowns(params: Params, place: Placer) -> None:
    known = place.breakdowns()
    problems = [
        Problem(params.where("breakdowns"), f"no KPI can be broken down by '{name}'", did_you_mean(name, known))
        for name in params.breakdowns
        if name not in known
    ]
    if problems:
        raise ParamsError(problems)


def reporting_windows(params: Params, loaded: Loaded) -> list[Window]:
    """The rows of ``periods`` for this client."""
    spans = {"current": params.period}
    if params.compare is not None:
        spans["previous"] = params.compare
    grains = [b for b in params.breakdowns if b in windows.GRAINS]
    return windows.windows(spans, grains, loaded.data_start, loaded.data_end + timedelta(days=1))


def _able(resolution: Resolution, judged: Sequence[Computability]) -> list[Resolved]:
    return [resolution.kpis[verdict.kpi] for verdict in judged if verdict.state != "not"]


def _reaches(kpi: Resolved, table: Sequence[Window]) -> bool:
    return any(not history.gap(kpi.definition, kpi.settings, window) for window in table)


def _jobs(resolution: Resolution, judged: Sequence[Computability]) -> list[Job]:
    jobs = []
    for verdict in judged:
        kpi = resolution.kpis[verdict.kpi]
        if verdict.state == "not" or kpi.estimate is None:
            continue
        jobs.append(Job(kpi, "", kpi.estimate))
        jobs += [Job(kpi, name, e) for name, e in kpi.estimate.variants.items() if name not in verdict.lost]
    return jobs


def _materialise(
    database: Database, resolution: Resolution, jobs: Sequence[Job], able: Sequence[Resolved], params: Params
) -> dict[str, str]:
    nodes: list[ops.Node] = [node for job in jobs for node in roots(job.estimate)]
    schemas = _schemas(resolution)
    for kpi in able:
        asked = {n: c for n, c in kpi.definition.columns.items() if n in schemas}
        nodes += [
            ops.Field(ops.UnboundTable(name, schemas[name]), column) for name, cs in asked.items() for column in cs
        ]
    breakdowns = _carried(able, params)
    describing = [n for n, t in resolution.views.items() if set(_breakdowns(able, params)) & set(t.columns)]
    nodes += [resolution.views[n].op() for n in describing] + [_whole(n, resolution) for n in describing]
    wanted = views.used(resolution, nodes, breakdowns)
    return views.materialise(resolution, wanted, database)


def _carried(able: Sequence[Resolved], params: Params) -> list[str]:
    """Columns that placing and breaking down may ask of any relation."""
    return [*_breakdowns(able, params), "customer_id", "product_id", "period_id", "transaction_id", "business_date"]


def _whole(name: str, resolution: Resolution) -> ops.Node:
    return ops.UnboundTable(name, resolution.views[name].schema())


def _breakdowns(kpis: Sequence[Resolved], params: Params) -> list[str]:
    own = [b for kpi in kpis for b in kpi.definition.breakdowns]
    return list(dict.fromkeys([*params.breakdowns, *own])) if kpis else []


def _shows(job: Job, breakdown: str, params: Params) -> bool:
    if breakdown == windows.TOTAL:
        return True
    return not job.variant and (breakdown in params.breakdowns or breakdown in job.kpi.definition.breakdowns)


def _broken(kpi: Resolved, resolution: Resolution, failures: Mapping[str, str]) -> str:
    used = resolution.lineage.reads(roots(kpi.estimate))[1] if kpi.estimate is not None else {}
    return next((failures[v] for v in used if v in failures), "")


def placer(catalog: Catalog, resolution: Resolution) -> Placer:
    """Knows the dates and keys of this catalogue's views."""
    known = {n: s.definition for n, s in catalog.views.items() if n in resolution.views}
    return Placer(known, {n: dict(resolution.views[n].schema().items()) for n in known})


def _schemas(resolution: Resolution) -> dict[str, Any]:
    tables = {name: model.schema(name) for name in model.TABLES}
    return {**tables, **{name: view.schema() for name, view in resolution.views.items()}}


def _benchmarks(database: Database, loaded: Loaded) -> dict[str, dict[str, Any]]:
    if not loaded.rows.get("benchmarks"):
        return {}
    rows = database.fetch(database.ibis.table("benchmarks").order_by("benchmark_id")).to_pylist()
    return {row["kpi_id"]: row for row in rows}


@dataclass(frozen=True)
class _Book:
    """Turns cells into rows, with the reasons that stand above any figure."""

    windows: Sequence[Window]
    judged: Mapping[str, Computability]
    resolution: Resolution
    failures: Mapping[str, str]
    params: Params

    def rows(self, cells: Sequence[Cell]) -> list[dict[str, Any]]:
        values = {(c.job.kpi.id, c.job.variant, c.segment_by, c.segment, c.period): c.figure for c in cells}
        found = []
        for cell in cells:
            window = self._window(cell)
            figure = self._figure(cell, window)
            row = _row(cell.job.kpi, cell.job.variant, cell.segment_by, cell.segment, window, figure)
            row["unit"] = cell.job.estimate.unit or row["unit"]
            before = values.get((cell.job.kpi.id, cell.job.variant, cell.segment_by, cell.segment, "previous"))
            if cell.period == "current" and before is not None and self._comparable(cell, figure, before):
                row["change"] = (figure.value or 0) - (before.value or 0)
                if cell.change is not None:
                    row["change_low"], row["change_high"] = cell.change
            found.append(row)
        return found

    def absent(self, present: set[tuple[str, str]]) -> list[dict[str, Any]]:
        """Rows for KPIs and periods without a figure: why not."""
        rows = []
        for kpi in self.resolution.kpis.values():
            missing = [w for w in self.windows if w.segment_by == "total" and (kpi.id, w.period) not in present]
            if isinstance(kpi.estimate, Linear) and kpi.estimate.formula.compares:
                missing = [w for w in missing if w.period == "current"]
            verdict = self.judged[kpi.id]
            failure = kpi.failure or _broken(kpi, self.resolution, self.failures)
            if failure:
                figure = Figure(status="failed", reason=rules.reason("kpi_failed", error=failure))
            elif verdict.state == "not":
                figure = Figure(status="missing_data", reason=verdict.reason)
            else:
                figure = Figure(status="undefined", reason=rules.reason("no_rows"))
            for window in missing:
                gap = "" if figure.status != "undefined" else history.gap(kpi.definition, kpi.settings, window)
                why = Figure(status="missing_data", reason=gap) if gap else figure
                rows.append(_row(kpi, "", windows.TOTAL, windows.TOTAL, window, why))
        return rows

    def _window(self, cell: Cell) -> Window:
        grain = cell.segment_by if cell.segment_by in windows.GRAINS else windows.TOTAL
        if cell.figure.status == "failed" or grain == windows.TOTAL:
            grain = label = windows.TOTAL
        else:
            label = cell.segment
        return next(w for w in self.windows if (w.period, w.segment_by, w.segment) == (cell.period, grain, label))

    def _figure(self, cell: Cell, window: Window) -> Figure:
        if cell.figure.status == "failed":
            return cell.figure
        gap = history.gap(cell.job.kpi.definition, cell.job.kpi.settings, window)
        if gap:
            return Figure(status="missing_data", reason=gap)
        split = cell.segment_by not in (windows.TOTAL, *windows.GRAINS)
        if split and cell.figure.n is not None and 0 < cell.figure.n < rules.PRIVACY_MINIMUM:
            return Figure(status="low_n", reason=rules.reason("privacy", minimum=rules.PRIVACY_MINIMUM))
        return cell.figure

    def _comparable(self, cell: Cell, now: Figure, before: Figure) -> bool:
        other = next(w for w in self.windows if w.period == "previous" and w.segment_by == windows.TOTAL)
        previous = self._figure(replace(cell, figure=before), other)
        return all(f.status == "ok" and f.value is not None for f in (now, previous))


def _row(kpi: Resolved, variant: str, segment_by: str, segment: str, window: Window, figure: Figure) -> dict[str, Any]:
    definition = kpi.definition
    return {
        "kpi": kpi.id,
        "family": definition.family,
        "title": definition.title,
        "segment_by": VARIANT if variant else segment_by,
        "segment": variant or segment,
        "period": window.period,
        "period_start": window.start,
        "period_end": window.end - timedelta(days=1),
        **asdict(figure),
        "unit": definition.unit,
        "better": definition.better,
        "definition_hash": kpi.hash,
        "origin": kpi.origin,
    }


def _ordered(rows: list[dict[str, Any]], resolution: Resolution) -> list[dict[str, Any]]:
    order = {name: i for i, name in enumerate(resolution.kpis)}
    rank = {windows.TOTAL: 0, VARIANT: 1}
    return sorted(rows, key=lambda r: (*_position(r, order, rank), r["segment"], r["period"]))


def _position(row: Mapping[str, Any], order: Mapping[str, int], rank: Mapping[str, int]) -> Iterator[Any]:
    yield order[row["kpi"]]
    yield rank.get(row["segment_by"], 2)
    yield row["segment_by"]
