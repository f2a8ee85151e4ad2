"""What several queries start from is computed once.

An estimate may start from a relation that its KPI built itself, such as persons joined
with periods. Its queries by total, month and segment would each build it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import ibis.expr.operations as ops
import ibis.expr.types as ir

from kpibook.engine import repeated
from kpibook.engine.jobs import Job
from kpibook.engine.lifting import lifted
from kpibook.engine.pipeline import Create, Task, Work
from kpibook.engine.placing import Placer
from kpibook.engine.rebinding import rebound, used
from kpibook.estimates import Curve, Estimate, Linear, Modelled, Quantile
from kpibook.lineage import Lineage
from kpibook.tracing import mapped, roots


def shared(
    jobs: Sequence[Job], placer: Placer, kept: Iterable[str], lineage: Lineage, times: Callable[[Job], int]
) -> tuple[list[Job], Placer, list[Task]]:
    """The jobs over materialised bases, a placer that knows those, and the tasks that make them.

    ``kept`` are columns, such as breakdowns, to keep wherever a base has them; ``times`` is the
    number of breakdowns that a job is shown by. A base that cannot be made is not missed: its
    jobs keep what they were over, and say what is wrong.
    """
    jobs = [replace(job, estimate=_lowered(job.estimate)) for job in jobs]
    bases: dict[ops.Relation, list[Job]] = {}
    for job in jobs:
        if not isinstance(job.estimate, Modelled):
            bases.setdefault(job.estimate.base, []).append(job)
    built = [base for base, over in bases.items() if _asked_again(over, times) and placer.places(base)]
    parts = repeated.aggregates(list(bases), lineage)
    swaps: dict[ops.Relation, ops.Relation] = {}
    names = {table.name for table in parts.values()}
    facts, tasks = dict(placer.bases), []
    for part, table in parts.items():
        inner = part.replace({other: made for other, made in parts.items() if other != part})
        tasks.append(_task(table.name, inner.to_expr(), lineage, names))
    for number, base in enumerate(built):
        read = used((root for job in bases[base] for root in roots(job.estimate)), base)
        key, date = placer.facts(base)
        wanted = read | set(key) | ({date} if date else set()) | set(kept)
        columns = [c for c in base.schema.names if c in wanted] or [base.schema.names[0]]
        table = base.replace(parts).to_expr().select(*columns)
        name = f"_base_{number}"
        swaps[base] = ops.UnboundTable(name, table.schema())
        facts[name] = (key, date)
        tasks.append(_task(name, table, lineage, names))
    if parts:
        swaps |= {base: base.replace(parts) for base in bases if base not in swaps}
    moved = [_moved(job, swaps) for job in jobs]
    return moved, replace(placer, bases=facts), tasks


def _asked_again(jobs: Sequence[Job], times: Callable[[Job], int]) -> bool:
    """Whether more than one query would build the base of ``jobs`` anew."""
    first = jobs[0].estimate
    if isinstance(first, Modelled) or isinstance(first.base, ops.UnboundTable):
        return False
    linear = [job.estimate for job in jobs if isinstance(job.estimate, Linear) and job.estimate.kind != "mean"]
    clusters = {None if e.cluster is None else e.cluster.op() for e in linear}
    fused = len(linear) == len(jobs) and len(clusters) == 1
    alone = len(jobs) == 1 and isinstance(first, Quantile | Curve)
    return not (fused or alone) or any(times(job) > 1 for job in jobs)


def _task(name: str, table: ir.Table, lineage: Lineage, parts: Iterable[str]) -> Task:
    tables, views = lineage.reads([table.op()])
    return Task(name, _make(name, table), frozenset(views) | set(tables).intersection(parts))


def _make(name: str, table: ir.Table) -> Work:
    try:
        yield Create(name, table)
    except Exception:  # noqa: BLE001  the query of the KPI at fault fails again, and is reported
        return


def _lowered(estimate: Estimate) -> Estimate:
    return lifted(estimate) if isinstance(estimate, Linear) else estimate


def _moved(job: Job, swaps: Mapping[ops.Relation, ops.Relation]) -> Job:
    if isinstance(job.estimate, Modelled):
        return job
    base = job.estimate.base
    other = swaps.get(base, base)
    if other == base:
        return job
    over = mapped(job.estimate, lambda value: rebound(value, base, other))
    return replace(job, estimate=over, unmoved=job.estimate)
