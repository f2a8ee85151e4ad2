"""What several queries start from is computed once.

An estimate may start from a relation that its KPI built itself, such as persons joined
with periods. Its queries by total, month and segment would each build it again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import ibis.expr.operations as ops

from kpibook.engine.backend import Database
from kpibook.engine.execute import Job
from kpibook.engine.guards import guarded
from kpibook.engine.lifting import lifted
from kpibook.engine.placing import Placer
from kpibook.estimates import Estimate, Linear, Modelled
from kpibook.tracing import mapped, roots


def shared(jobs: Sequence[Job], placer: Placer, kept: Iterable[str], database: Database) -> tuple[list[Job], Placer]:
    """The jobs over materialised bases, and a placer that knows those.

    ``kept`` are columns, such as breakdowns, to keep wherever a base has them. A base that
    cannot be made stays as it is: its own query will say what is wrong.
    """
    jobs = [replace(job, estimate=_lowered(job.estimate)) for job in jobs]
    bases: dict[ops.Relation, list[Job]] = {}
    for job in jobs:
        if not isinstance(job.estimate, Modelled):
            bases.setdefault(job.estimate.base, []).append(job)
    built = [base for base in bases if not isinstance(base, ops.UnboundTable) and placer.places(base)]

    def make(numbered: tuple[int, ops.Relation]) -> tuple[ops.Relation, Any] | None:
        number, base = numbered
        users = bases[base]
        used = {f.name for job in users for root in roots(job.estimate) for f in root.find(ops.Field) if f.rel == base}
        key, date = placer.facts(base)
        wanted = used | set(key) | ({date} if date else set()) | set(kept)
        columns = [c for c in base.schema.names if c in wanted] or [base.schema.names[0]]
        name = f"_base_{number}"
        try:
            table = base.to_expr().select(*columns)
            database.create(name, guarded(table))
        except Exception:  # noqa: BLE001  the query of the KPI at fault fails again, and is reported
            return None
        return base, (ops.UnboundTable(name, table.schema()), (key, date))

    made = dict(found for found in database.each(make, enumerate(built)) if found is not None)
    swaps = {base: table for base, (table, _) in made.items()}
    facts = {**placer.bases, **{table.name: known for table, known in made.values()}}
    moved = [replace(job, estimate=_moved(job, swaps)) for job in jobs]
    return moved, replace(placer, bases=facts)


def _lowered(estimate: Estimate) -> Estimate:
    return lifted(estimate) if isinstance(estimate, Linear) else estimate


def _moved(job: Job, swaps: dict[ops.Relation, ops.Relation]) -> Any:
    if isinstance(job.estimate, Modelled) or job.estimate.base not in swaps:
        return job.estimate
    base = job.estimate.base
    return mapped(job.estimate, lambda value: value.op().replace({base: swaps[base]}).to_expr())
