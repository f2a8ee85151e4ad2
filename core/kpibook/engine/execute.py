"""All KPIs over all breakdowns, fused: the scorecard's rows.

A query that fails is taken apart, so that only the KPI at fault is reported as failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from kpibook import figures, rules, windows
from kpibook.engine import curves, frames, linear, matrices, quantiles, tails
from kpibook.engine.guards import guarded
from kpibook.engine.placing import PERIOD, SEGMENT, Placer
from kpibook.estimates import Curve, Estimate, Linear, Matrix, Modelled, Quantile
from kpibook.figures import Figure
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
    """Runs jobs on one backend. ``run`` executes an Ibis table and gives Arrow."""

    run: Callable[[ir.Table], Any]
    placer: Placer
    schemas: Mapping[str, Any]
    periods: tuple[str, ...]
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    queries: int = 0

    def fetch(self, table: ir.Table) -> pd.DataFrame:
        """Execute a guarded table."""
        self.queries += 1
        return self.run(guarded(table)).to_pandas(types_mapper=None)

    def cells(self, jobs: Sequence[Job], breakdown: str) -> Iterator[Cell]:
        """Figures of all jobs by one breakdown."""
        for group in _fused(jobs):
            yield from self._guarded(group, breakdown, self._linear)
        for job in jobs:
            if not isinstance(job.estimate, Linear):
                yield from self._guarded([job], breakdown, self._single)

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
                yield _failed(job, breakdown, error)

    def _guarded(
        self, jobs: list[Job], breakdown: str, compute: Callable[[list[Job], str], Iterator[Cell]]
    ) -> Iterator[Cell]:
        try:
            yield from list(compute(jobs, breakdown))
        except Exception as error:  # noqa: BLE001  one KPI's error must not cost the others
            if len(jobs) == 1:
                yield _failed(jobs[0], breakdown, error)
                return
            for job in jobs:
                yield from self._guarded([job], breakdown, compute)

    def _linear(self, jobs: list[Job], breakdown: str) -> Iterator[Cell]:
        estimates = {id(job): _headline(job.estimate) for job in jobs}
        known = [e for e in estimates.values() if e is not None]
        query = linear.query(known, breakdown, self.placer, self.periods)
        if query is None:
            return
        heavy = self._tails(known, breakdown)
        keys = [k for k in (PERIOD, SEGMENT) if k in query.table.columns]
        self.queries += 1
        for row in self.run(guarded(query.table.order_by(keys))).to_pylist():
            for job in jobs:
                estimate = estimates[id(job)]
                if estimate is None or (estimate.formula.compares and breakdown in windows.GRAINS):
                    continue
                totals = query.totals(row, estimate)
                if breakdown != windows.TOTAL and not any(totals.units.values()):
                    continue
                compared = len(totals.units) > 1 and not estimate.formula.compares
                change = figures.change_figure(estimate, totals) if compared else None
                for period in totals.units:
                    figure = figures.linear_figure(estimate, totals, period)
                    tail = heavy.get((id(estimate), period, row[SEGMENT]))
                    if tail is not None and figure.status == "ok":
                        figure = replace(figure, low=tail[0].low, high=tail[0].high, reason=tail[1])
                    if estimate.formula.compares and period != "current":
                        continue
                    yield Cell(job, breakdown, row[SEGMENT], period, figure, change if period == "current" else None)

    def _tails(self, estimates: Sequence[Linear], breakdown: str) -> dict[Any, tuple[Interval, str]]:
        return {
            (id(estimate), period, segment): (interval, why)
            for estimate in estimates
            if estimate.kind == "mean"
            for period, segment, interval, why in tails.heavy(estimate, breakdown, self.placer, self.fetch)
        }

    def _single(self, jobs: list[Job], breakdown: str) -> Iterator[Cell]:
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


def _failed(job: Job, breakdown: str, error: Exception) -> Cell:
    first = next(iter(str(error).splitlines()), "")
    why = rules.reason("kpi_failed", error=f"{job.kpi.id}: {type(error).__name__}: {first}")
    return Cell(job, breakdown, windows.TOTAL, "current", Figure(status="failed", reason=why))
