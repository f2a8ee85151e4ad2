"""All KPIs over all breakdowns, fused: the scorecard's rows.

A query that fails is taken apart, so that only the KPI at fault is reported as failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from kpibook import figures, rules, windows
from kpibook.engine import curves, frames, linear, matrices, quantiles, tails
from kpibook.engine.backend import Database
from kpibook.engine.guards import guarded
from kpibook.engine.placing import SEGMENT, Placer
from kpibook.estimates import Curve, Estimate, Linear, Matrix, Modelled, Quantile
from kpibook.figures import Figure, Totals
from kpibook.stats.intervals import Interval
from kpibook.tracing import Resolved

VARIANT = "variant"


@dataclass(frozen=True)
class Job:
    """One estimate of one KPI: its headline (``variant`` is empty) or a further reading."""

    kpi: Resolved
    variant: str
    estimate: Estimate


@dataclass(frozen=True)
class Cell:
    """One figure found: where it belongs, and its change when both periods are known."""

    job: Job
    segment_by: str
    segment: str
    period: str
    figure: Figure
    change: Interval | None = None


@dataclass
class Executor:
    """Runs jobs on one database, several queries at once."""

    database: Database
    placer: Placer
    schemas: Mapping[str, Any]
    periods: tuple[str, ...]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def fetch(self, table: ir.Table) -> pd.DataFrame:
        """Execute with every guard."""
        return self._rows(table).to_pandas()

    def cells(self, jobs: Mapping[str, Sequence[Job]]) -> list[Cell]:
        """Figures of all jobs by breakdown."""
        shown: dict[int, list[str]] = {}
        for breakdown, wanted in jobs.items():
            for job in wanted:
                shown.setdefault(id(job), []).append(breakdown)
        every = list({id(job): job for wanted in jobs.values() for job in wanted}.values())
        tasks: list[tuple[list[Job], str, Any]] = []
        for group in _fused(every):
            if _small(group[0]):
                tasks.append((group, windows.TOTAL, partial(self._linear, shown)))
                continue
            for breakdown in jobs:
                part = [job for job in group if breakdown in shown[id(job)]]
                once = {id(job): [breakdown] for job in part}
                tasks += [(part, breakdown, partial(self._linear, once))] if part else []
        for breakdown, wanted in jobs.items():
            single = partial(self._single, breakdown)
            tasks += [([job], breakdown, single) for job in wanted if not isinstance(job.estimate, Linear)]
        found = self.database.each(lambda task: list(self._guarded(*task)), tasks)
        return [cell for cells in found for cell in cells]

    def _rows(self, table: ir.Table) -> pa.Table:
        self.asked.append("")
        return self.database.fetch(guarded(table))

    def modelled(self, kpis: Sequence[Resolved], breakdown: str, scorecard: pd.DataFrame) -> Iterator[Cell]:
        """Figures of KPIs written in pandas."""
        for kpi in kpis:
            job = Job(kpi, "", Modelled(None))
            try:
                found = list(frames.figures(kpi, breakdown, self.placer, self.schemas, self.fetch, scorecard))
                for period, segment, result in found:
                    yield Cell(job, breakdown, segment, period, _figure(result))
                    for by, parts in result.parts.items():
                        for name, part in parts.items():
                            yield Cell(job, by, name, period, _figure(part))
            except Exception as error:  # noqa: BLE001  an author's error fails this KPI only
                yield from self._failed(job, breakdown, error)

    def _guarded(
        self, jobs: list[Job], breakdown: str, compute: Callable[[list[Job]], Iterator[Cell]]
    ) -> Iterator[Cell]:
        try:
            yield from list(compute(jobs))
        except Exception as error:  # noqa: BLE001  one KPI's error must not cost the others
            if len(jobs) == 1:
                yield from self._failed(jobs[0], breakdown, error)
                return
            for job in jobs:
                yield from self._guarded([job], breakdown, compute)

    def _failed(self, job: Job, breakdown: str, error: Exception) -> Iterator[Cell]:
        first = next(iter(str(error).splitlines()), "")
        why = rules.reason("kpi_failed", error=f"{job.kpi.id}: {type(error).__name__}: {first}")
        for period in self.periods:
            yield Cell(job, breakdown, windows.TOTAL, period, Figure(status="failed", reason=why))

    def _linear(self, shown: Mapping[int, Sequence[str]], jobs: list[Job]) -> Iterator[Cell]:
        estimates = {id(job): _headline(job.estimate) for job in jobs}
        known = [e for e in estimates.values() if e is not None]
        breakdowns = list(dict.fromkeys(by for job in jobs for by in shown[id(job)]))
        query = linear.query(known, breakdowns, self.placer, self.periods)
        if query is None:
            return
        wanted = [(job, e) for job in jobs if (e := estimates[id(job)]) is not None]
        heavy = self._tails(wanted, shown)
        for row in self._rows(query.table.order_by([linear.BY, SEGMENT])).to_pylist():
            for job, estimate in wanted:
                if row[linear.BY] in shown[id(job)]:
                    yield from self._figures(job, estimate, row, query.totals(row, estimate), heavy)

    def _figures(
        self, job: Job, estimate: Linear, row: dict[str, Any], totals: Totals, heavy: Mapping[Any, Any]
    ) -> Iterator[Cell]:
        breakdown, segment = row[linear.BY], row[SEGMENT]
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
        self, wanted: Sequence[tuple[Job, Linear]], shown: Mapping[int, Sequence[str]]
    ) -> dict[Any, tuple[Interval, str]]:
        return {
            (id(estimate), breakdown, period, segment): (interval, why)
            for job, estimate in wanted
            if estimate.kind == "mean"
            for breakdown in shown[id(job)]
            for period, segment, interval, why in tails.heavy(estimate, breakdown, self.placer, self.fetch)
        }

    def _single(self, breakdown: str, jobs: list[Job]) -> Iterator[Cell]:
        job = jobs[0]
        estimate = job.estimate
        if isinstance(estimate, Matrix) and breakdown == windows.TOTAL:
            self.tables[_table_name(job)] = matrices.table(estimate, self.placer, self.fetch)
        elif isinstance(estimate, Quantile):
            for period, segment, figure in quantiles.figures(estimate, breakdown, self.placer, self.fetch):
                yield Cell(job, breakdown, segment, period, figure)
        elif isinstance(estimate, Curve):
            found = list(curves.figures(estimate, breakdown, self.placer, self.fetch))
            for period, segment, figure, _ in found:
                yield Cell(job, breakdown, segment, period, figure)
            if found and breakdown == windows.TOTAL and not _drawn_already(job):
                self.tables[_table_name(job)] = pd.concat([p.assign(period=period) for period, _, _, p in found])


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


def _table_name(job: Job) -> str:
    return f"{job.kpi.id}.{job.variant}" if job.variant else job.kpi.id


def _figure(result: Modelled) -> Figure:
    if not isinstance(result, Modelled):
        raise TypeError(f"it returned {type(result).__name__}, not modelled(...)")
    parts = (result.value, result.low, result.high, result.n, result.numerator, result.denominator)
    status = "undefined" if result.value is None and result.status == "ok" else result.status
    return Figure(*parts, status=status, reason=result.reason)
