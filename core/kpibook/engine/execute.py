"""All KPIs over all breakdowns, fused: the scorecard's rows.

A query that fails is taken apart, so that only the KPI at fault is reported as failed.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from typing import Any

import ibis.expr.operations as ops
import pandas as pd

from kpibook import figures, rules, windows, withheld
from kpibook.engine import curves, linear, matrices, quantiles, tails
from kpibook.engine.frames import Frames, with_persons
from kpibook.engine.jobs import VARIANT, Cell, Job, Name, Piece, table_name
from kpibook.engine.pipeline import Task, Work
from kpibook.engine.placing import BY, SEGMENT, Placer
from kpibook.estimates import Curve, Estimate, Linear, Matrix, Modelled, Quantile
from kpibook.figures import Figure, Totals
from kpibook.tracing import Resolved


@dataclass
class Executor:
    """Turns jobs into tasks whose results are cells; ``tables`` fills as they are done.

    ``needs`` names what must be made before relations can be read by breakdowns.
    """

    placer: Placer
    schemas: Mapping[str, Any]
    periods: tuple[str, ...]
    needs: Callable[[Sequence[ops.Relation], Sequence[str]], frozenset[Hashable]]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def tasks(self, jobs: Mapping[str, Sequence[Job]]) -> list[Task]:
        """Figures of all jobs by breakdown: a task for each query or so, its result a list of cells."""
        shown: dict[Name, list[str]] = {}
        for breakdown, wanted in jobs.items():
            for job in wanted:
                shown.setdefault(job.name, []).append(breakdown)
        every = list({job.name: job for wanted in jobs.values() for job in wanted}.values())
        tasks = []
        for group in _fused(every):
            if _small(group[0]):
                tasks.append(self._task("linear", group, windows.TOTAL, partial(self._linear, shown), shown))
                continue
            for breakdown in jobs:
                part = [job for job in group if breakdown in shown[job.name]]
                once = {job.name: [breakdown] for job in part}
                tasks += [self._task("linear", part, breakdown, partial(self._linear, once))] if part else []
        for breakdown, wanted in jobs.items():
            single = [job for job in wanted if not isinstance(job.estimate, Linear | Modelled | Curve)]
            tasks += [self._task("single", [job], breakdown, partial(self._single, breakdown)) for job in single]
            curved = _same_curves(wanted)
            tasks += [self._task("curve", same, breakdown, partial(self._curve, breakdown)) for same in curved]
        return tasks

    def modelled(self, kpis: Sequence[Resolved], breakdown: str, scorecard: pd.DataFrame) -> Iterator[Task]:
        """Tasks of KPIs written in pandas, each after those that fetch what it asks for."""
        shared, fetched = Frames(kpis, breakdown, scorecard), set()
        for kpi in kpis:
            for name in shared.of(kpi):
                if name not in fetched:
                    fetched.add(name)
                    read = [ops.UnboundTable(name, self.schemas[name])]
                    work = shared.fetched(name, self.placer, self.schemas)
                    yield Task(("frame", name, breakdown), work, self.needs(read, [breakdown]))
            after = frozenset(("frame", name, breakdown) for name in shared.of(kpi))
            piece = Piece("model", (Job(kpi, "", Modelled(None)),), ((breakdown,),), shared)
            yield Task(("cells", kpi.id), self._model(kpi, shared), after, asks=False, piece=piece)

    def _task(
        self,
        kind: str,
        jobs: list[Job],
        breakdown: str,
        compute: Callable[[list[Job]], Work],
        shown: Mapping[Name, Sequence[str]] | None = None,
    ) -> Task:
        read = [job.estimate.base for job in jobs if not isinstance(job.estimate, Modelled)]
        piece = Piece(kind, tuple(jobs), tuple(tuple(shown[job.name] if shown else (breakdown,)) for job in jobs))
        work = self._guarded(jobs, breakdown, compute)
        return Task(("cells", jobs[0].kpi.id), work, self.needs(read, piece.breakdowns), piece=piece)

    def _model(self, kpi: Resolved, shared: Frames) -> Work:
        job, breakdown = Job(kpi, "", Modelled(None)), shared.breakdown
        cells: list[Cell] = []
        try:
            for period, segment, result in shared.figures(kpi):
                figure = _figure(result)
                empty = figure.value is None and not figure.n and breakdown not in kpi.definition.not_by
                if breakdown != windows.TOTAL and empty:
                    continue
                cells.append(Cell(Job(kpi, "", result), breakdown, segment, period, figure))
                if breakdown == windows.TOTAL:
                    cells += self._parts(kpi, period, result)
        except Exception as error:  # noqa: BLE001  an author's error fails this KPI only
            return list(self._failed(job, breakdown, error))
        finally:
            shared.over(kpi)
        return cells
        yield

    def _parts(self, kpi: Resolved, period: str, result: Modelled) -> Iterator[Cell]:
        """Further readings and segments of the KPI's own; its table, once."""
        for by, parts in result.parts.items():
            for name, part in parts.items():
                figure = _figure(part.within(result))
                if by == VARIANT:
                    yield Cell(Job(kpi, name, part), windows.TOTAL, windows.TOTAL, period, figure)
                else:
                    yield Cell(Job(kpi, "", part), by, name, period, figure)
        if result.table is not None and (period == "current" or kpi.id not in self.tables):
            self.tables[kpi.id] = with_persons(result)

    def _guarded(self, jobs: list[Job], breakdown: str, compute: Callable[[list[Job]], Work]) -> Work:
        try:
            return (yield from compute(jobs))
        except Exception as error:  # noqa: BLE001  one KPI's error must not cost the others
            if len(jobs) > 1 or jobs[0].unmoved is not None:
                cells: list[Cell] = []
                for job in jobs:
                    alone = replace(job, estimate=job.unmoved or job.estimate, unmoved=None)
                    cells += yield from self._guarded([alone], breakdown, compute)
                return cells
            return list(self._failed(jobs[0], breakdown, error))

    def _failed(self, job: Job, breakdown: str, error: Exception) -> Iterator[Cell]:
        what = withheld.told(error)
        remedy = "" if " · " in what else f" · mend the function ({job.kpi.definition.where})"
        why = rules.reason("kpi_failed", error=f"{job.kpi.id}: {what}{remedy}")
        for period in self.periods:
            yield Cell(job, breakdown, windows.TOTAL, period, Figure(status="failed", reason=why))

    def _linear(self, shown: Mapping[Name, Sequence[str]], jobs: list[Job]) -> Work:
        wanted = [(job, e) for job in jobs if (e := _headline(job.estimate)) is not None]
        breakdowns = list(dict.fromkeys(by for job in jobs for by in shown[job.name]))
        query = linear.query([e for _, e in wanted], breakdowns, self.placer, self.periods)
        if query is None:
            return []
        rows = (yield query.table).to_pylist()
        heavy = yield from self._tails(query, rows, wanted, shown)
        return [
            cell
            for row in rows
            for job, estimate in wanted
            if row[BY] in shown[job.name]
            for cell in self._figures(job, estimate, row, query.totals(row, estimate), heavy)
        ]

    def _figures(
        self, job: Job, estimate: Linear, row: dict[str, Any], totals: Totals, heavy: Mapping[Any, Any]
    ) -> Iterator[Cell]:
        breakdown, segment = row[BY], row[SEGMENT]
        by_time = breakdown in windows.GRAINS
        if breakdown != windows.TOTAL and (not any(totals.units.values()) or (by_time and estimate.formula.compares)):
            return
        change = None
        if len(totals.units) > 1 and not estimate.formula.compares and not by_time:
            change = figures.change_figure(estimate, totals)
        for period, units in totals.units.items():
            if (by_time and not units) or (estimate.formula.compares and period != "current"):
                continue
            figure = figures.linear_figure(estimate, totals, period)
            tail = heavy.get((id(estimate), breakdown, period, segment))
            if tail is not None and figure.status == "ok":
                figure = replace(figure, low=tail[0].low, high=tail[0].high, reason=tail[1])
            yield Cell(job, breakdown, segment, period, figure, change if period == "current" else None)

    def _tails(
        self,
        query: linear.LinearQuery,
        rows: Sequence[dict[str, Any]],
        wanted: Sequence[tuple[Job, Linear]],
        shown: Mapping[Name, Sequence[str]],
    ) -> Work:
        found = {}
        means = [(job, estimate) for job, estimate in wanted if estimate.kind == "mean"]
        for row, (job, estimate) in product(rows, means):
            breakdown, segment = row[BY], row[SEGMENT]
            for period in query.sides if breakdown in shown[job.name] else ():
                share, persons = query.heaviest(row, estimate, period)
                if tails.is_heavy(share, persons):
                    told = yield from tails.interval(estimate, breakdown, self.placer, period, segment, share)
                    found[id(estimate), breakdown, period, segment] = told
        return found

    def _single(self, breakdown: str, jobs: list[Job]) -> Work:
        job = jobs[0]
        estimate = job.estimate
        if isinstance(estimate, Matrix) and breakdown == windows.TOTAL:
            self.tables[table_name(job)] = yield from matrices.table(estimate, self.placer)
        elif isinstance(estimate, Quantile):
            figures_found = yield from quantiles.figures(estimate, breakdown, self.placer)
            return [Cell(job, breakdown, segment, period, figure) for period, segment, figure in figures_found]
        return []

    def _curve(self, breakdown: str, jobs: list[Job]) -> Work:
        """Readings of one curve."""
        readings = [job.estimate for job in jobs if isinstance(job.estimate, Curve)]
        found = yield from curves.figures(readings, breakdown, self.placer)
        if found and breakdown == windows.TOTAL:
            points = pd.concat([p.assign(period=period) for period, _, _, p in found])
            self.tables.update({table_name(job): points for job in jobs if not _drawn_already(job)})
        return [
            Cell(job, breakdown, segment, period, figure)
            for period, segment, figures_found, _ in found
            for job, figure in zip(jobs, figures_found, strict=True)
        ]


def _fused(jobs: Sequence[Job]) -> list[list[Job]]:
    """Jobs that one query can answer: one base and one cluster; estimates without a cluster join where they can."""
    groups: dict[Any, list[Job]] = {}
    flat: list[tuple[Any, Job, bool]] = []
    for job in jobs:
        headline = _headline(job.estimate)
        if headline is None:
            continue
        if headline.cluster is None:
            flat.append((headline.base, job, linear.additive(headline)))
        else:
            groups.setdefault((headline.base, headline.cluster.op()), []).append(job)
    for base, job, joins in flat:
        host = next((key for key in groups if key[0] == base and key[1] is not None), None) if joins else None
        groups.setdefault(host or (base, None), []).append(job)
    return list(groups.values())


def _same_curves(jobs: Sequence[Job]) -> list[list[Job]]:
    """Jobs that read one curve at different times."""
    groups: dict[Any, list[Job]] = {}
    for job in jobs:
        e = job.estimate
        if isinstance(e, Curve):
            cluster = None if e.cluster is None else e.cluster.op()
            groups.setdefault((e.base, e.duration.op(), e.event.op(), cluster), []).append(job)
    return list(groups.values())


def _small(job: Job) -> bool:
    """Rows that are persons of a period, not receipts: cheap enough to be copied for every breakdown."""
    headline = _headline(job.estimate)
    return headline is not None and "period_id" in headline.base.schema.names


def _drawn_already(job: Job) -> bool:
    """Another reading of the headline's own curve."""
    headline = job.kpi.estimate
    other = headline.variants[job.variant] if headline is not None and job.variant else None
    if not isinstance(headline, Curve) or not isinstance(other, Curve):
        return False
    return bool(headline.duration.op() == other.duration.op() and headline.event.op() == other.event.op())


def _headline(estimate: Estimate) -> Linear | None:
    if isinstance(estimate, Matrix):
        return estimate.headline
    return estimate if isinstance(estimate, Linear) else None


def _figure(result: Modelled) -> Figure:
    if not isinstance(result, Modelled):
        raise TypeError(f"it returned {type(result).__name__}, not modelled(...) · return modelled(value, n=...)")
    parts = (result.value, result.low, result.high, result.n, result.numerator, result.denominator)
    status = "undefined" if result.value is None and result.status == "ok" else result.status
    return Figure(*parts, status=status, reason=result.reason, persons=result.persons, grade=result.grade)
