"""Which tasks a client's KPIs make: shared views, bases, and the pieces that figures come from."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import ibis.expr.operations as ops
import pandas as pd

from kpibook import results, windows
from kpibook.catalog import Catalog
from kpibook.engine import bases, views
from kpibook.engine.computable import Computability
from kpibook.engine.execute import Executor
from kpibook.engine.frames import Frames
from kpibook.engine.jobs import Job
from kpibook.engine.pipeline import Task
from kpibook.engine.placing import Placer
from kpibook.estimates import Modelled
from kpibook.params import Params
from kpibook.tracing import Resolution, Resolved, roots


@dataclass(frozen=True)
class Plan:
    """``wanted`` are the columns of each view that somebody reads; by those in ``describing`` others are broken down.

    ``failures`` and ``tables`` fill as tasks are done.
    """

    params: Params
    resolution: Resolution
    place: Placer
    able: Sequence[Resolved]
    jobs: Sequence[Job]
    wanted: Mapping[str, tuple[str, ...]]
    describing: Mapping[str, frozenset[str]]
    failures: dict[str, str] = field(default_factory=dict)
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def tasks(self) -> Iterator[Task]:
        """All but those of KPIs that read the scorecard."""
        params = self.params
        yield from views.tasks(self.resolution, self.wanted, self.failures)
        chosen = (windows.TOTAL, *_breakdowns(self.able, params))
        times, kept = partial(_times, chosen, params), _carried(self.able, params)
        over, where, made_once = bases.shared(self.jobs, self.place, kept, self.resolution.lineage, times)
        yield from made_once
        yield from self._executor(where).tasks({b: [j for j in over if _shows(j, b, params)] for b in chosen})
        framed = [kpi for kpi in self.able if kpi.definition.frames and not _reads_scorecard(kpi)]
        yield from _modelled(self._executor(where), framed, params, results.scorecard([]))

    def last(self, card: pd.DataFrame) -> Iterator[Task]:
        """Those of KPIs that read the scorecard, once it is there."""
        yield from _modelled(self._executor(self.place), self._reading(), self.params, card)

    def always(self) -> frozenset[Hashable]:
        """What the last tasks will need."""
        schemas = self.resolution.schemas
        read = [ops.UnboundTable(name, schemas[name]) for kpi in self._reading() for name in Frames.of(kpi)]
        return self._executor(self.place).needs(read, (windows.TOTAL,))

    def _reading(self) -> list[Resolved]:
        return [kpi for kpi in self.able if kpi.definition.frames and _reads_scorecard(kpi)]

    def _executor(self, place: Placer) -> Executor:
        spans = ("current",) if self.params.compare is None else ("current", "previous")
        needs = partial(_needs, self.resolution, self.describing)
        return Executor(place, self.resolution.schemas, spans, needs, self.tables)


def planned(
    catalog: Catalog, params: Params, resolution: Resolution, judged: Sequence[Computability], place: Placer
) -> Plan:
    """The plan of the KPIs that are ``judged`` to be computable."""
    jobs = _jobs(resolution, judged)
    able = [resolution.kpis[verdict.kpi] for verdict in judged if verdict.state != "not"]
    jobs = [job for job in jobs if job.kpi in able]
    wanted = _views(resolution, jobs, able, params, catalog, place)
    described = [name for name, source in catalog.views.items() if source.definition.describes and name in wanted]
    columns = {name: frozenset(resolution.views[name].columns) for name in described}
    return Plan(params, resolution, place, able, jobs, wanted, columns)


def _jobs(resolution: Resolution, judged: Sequence[Computability]) -> list[Job]:
    jobs = []
    for verdict in judged:
        kpi = resolution.kpis[verdict.kpi]
        if verdict.state == "not" or kpi.estimate is None:
            continue
        jobs.append(Job(kpi, "", kpi.estimate))
        jobs += [Job(kpi, name, e) for name, e in kpi.estimate.variants.items() if name not in verdict.lost]
    return jobs


def _views(
    resolution: Resolution,
    jobs: Sequence[Job],
    able: Sequence[Resolved],
    params: Params,
    catalog: Catalog,
    place: Placer,
) -> dict[str, tuple[str, ...]]:
    """The columns of each view that somebody reads, or that breakdowns may ask."""
    dates = {name: source.definition.date for name, source in catalog.views.items()}
    describing = {name for name, source in catalog.views.items() if source.definition.describes}
    nodes: list[ops.Node] = [node for job in jobs for node in roots(job.estimate)]
    schemas = resolution.schemas
    for kpi in able:
        for name, columns in kpi.definition.columns.items():
            if name in schemas:
                whole = ops.UnboundTable(name, schemas[name])
                nodes += [ops.Field(whole, column) for column in dict.fromkeys((*columns, *place.key(whole)))]
    carried, by = _carried(able, params), set(_breakdowns(able, params))
    having = {name: table for name, table in resolution.views.items() if by & set(table.columns)}
    read = {*resolution.lineage.reads(nodes)[1], *describing}
    while waiting := [name for name in having if name in read]:
        for name in waiting:
            whole = ops.UnboundTable(name, having[name].schema())
            nodes += [whole, *(ops.Field(whole, column) for column in having.pop(name).columns if column in carried)]
        read = {*resolution.lineage.reads(nodes)[1]}
    return views.used(resolution, nodes, carried, dates)


def _needs(
    resolution: Resolution,
    describing: Mapping[str, frozenset[str]],
    read: Sequence[ops.Relation],
    breakdowns: Sequence[str],
) -> frozenset[Hashable]:
    """Names of the tasks that make what is read: bases, views, and views that breakdowns may ask."""
    bases_read = {table.name for base in read for table in base.find(ops.UnboundTable)}
    asked = {name for name, columns in describing.items() if columns.intersection(breakdowns)}
    return frozenset({*bases_read, *resolution.lineage.reads(read)[1], *asked})


def _reads_scorecard(kpi: Resolved) -> bool:
    return "scorecard" in kpi.definition.inputs


def _modelled(executor: Executor, kpis: Sequence[Resolved], params: Params, card: pd.DataFrame) -> Iterator[Task]:
    for breakdown in (windows.TOTAL, *_breakdowns(kpis, params)):
        shown = [kpi for kpi in kpis if _shows(Job(kpi, "", Modelled(None)), breakdown, params)]
        if breakdown != windows.TOTAL:  # the scorecard is that of the whole
            shown = [kpi for kpi in shown if not _reads_scorecard(kpi)]
        yield from executor.modelled(shown, breakdown, card)


def _carried(able: Sequence[Resolved], params: Params) -> list[str]:
    """Columns that placing and breaking down may ask of any relation."""
    return [*_breakdowns(able, params), "customer_id", "product_id", "period_id", "transaction_id", "business_date"]


def _breakdowns(kpis: Sequence[Resolved], params: Params) -> list[str]:
    own = [b for kpi in kpis for b in kpi.definition.breakdowns]
    return list(dict.fromkeys([*params.breakdowns, *own])) if kpis else []


def _shows(job: Job, breakdown: str, params: Params) -> bool:
    if breakdown == windows.TOTAL:
        return True
    definition = job.kpi.definition
    if job.variant or (breakdown not in windows.GRAINS and not definition.by_columns):
        return False
    return breakdown in params.breakdowns or breakdown in definition.breakdowns


def _times(breakdowns: Sequence[str], params: Params, job: Job) -> int:
    return sum(_shows(job, breakdown, params) for breakdown in breakdowns)
