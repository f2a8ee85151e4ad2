"""The engine on whole samples of the population, and what it asked for on the way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, ClassVar
from unittest.mock import patch

import ibis.expr.types as ir
import pandas as pd

from kpibook import params, windows
from kpibook.catalog import Catalog, build
from kpibook.engine import planning
from kpibook.engine.compute import Loaded, compute
from kpibook.engine.execute import Executor
from kpibook.engine.frames import Frames
from kpibook.engine.jobs import Job
from kpibook.engine.moments import Moments
from kpibook.engine.on_duckdb import DuckDB
from kpibook.engine.pipeline import Work
from kpibook.engine.placing import Placer
from kpibook.params import Limits
from kpibook.plugins import discover
from kpibook.tracing import Resolved
from simulations.coverage_frames import BESIDE, Curved, Written, curved, written
from simulations.coverage_sums import WHOSE, Sums, additive, sums

CLIENT = Path(__file__).parents[1] / "params" / "marea.yaml"
NUMBERS = ["value", "low", "high", "n", "change", "change_low", "change_high"]
WORDS = ["kpi", "segment_by", "segment", "status"]
SCORECARD = "scorecard"
#: What is chosen on the data must be chosen beforehand: the touchpoint that most visitors of the population met.
CHOSEN = {"touchpoint_effect": {"touchpoint": "website"}}
#: What a KPI takes from the scorecard, where that is not everything.
TAKEN = dict.fromkeys(("total_programme_cost", "programme_cost_per_active_member"), ("points_liability",))


@dataclass
class Asked:
    """What the engine asked in one run: groups of estimates in one query, curves, and KPIs in pandas."""

    groups: list[tuple[Placer, Sequence[Job]]] = field(default_factory=list)
    curves: list[tuple[Placer, Sequence[Job]]] = field(default_factory=list)
    written: list[tuple[Placer, Mapping[str, Any], Resolved]] = field(default_factory=list)


def computed(loaded: Loaded, kpis: tuple[str, ...]) -> pd.DataFrame:
    """Totals and variants of these KPIs in the reporting period, on data that no later call will see."""
    with patch("kpibook.engine.compute.opened", Remembering):
        return _card(loaded, kpis)


def asked(loaded: Loaded, kpis: tuple[str, ...]) -> tuple[pd.DataFrame, Asked]:
    """The same, with what was asked; its tables are still in the database."""
    found = Asked()

    class Recording(Executor):
        def _linear(self, shown: Any, jobs: list[Job]) -> Work:
            own = [job for job in jobs if windows.TOTAL in shown[job.name] and job.kpi.id in kpis]
            found.groups.extend([(self.placer, own)] if own else [])
            return (yield from super()._linear(shown, jobs))

        def _curve(self, breakdown: str, jobs: list[Job]) -> Work:
            own = [job for job in jobs if job.kpi.id in kpis]
            if breakdown == windows.TOTAL and own:
                found.curves.append((self.placer, own))
            return (yield from super()._curve(breakdown, jobs))

        def _model(self, kpi: Resolved, shared: Frames) -> Work:
            if shared.breakdown == windows.TOTAL and kpi.id in kpis and SCORECARD not in kpi.definition.inputs:
                found.written.append((self.placer, self.schemas, kpi))
            return (yield from super()._model(kpi, shared))

    carried = planning._carried
    ids = (*WHOSE, *BESIDE)  # kept in every view, so that it can be told whose a row is
    with (
        patch("kpibook.engine.planning.Executor", Recording),
        patch("kpibook.engine.planning._carried", lambda *known: [*carried(*known), *ids]),
    ):
        return _card(loaded, kpis), found


def sources(loaded: Loaded, asked: Asked, ids: pd.DataFrame) -> list[Sums | Written | Curved]:
    """What samples are drawn of without the engine: one a query, curve or function."""
    database = DuckDB(loaded.backend, 1)
    found: list[Sums | Written | Curved | None] = []
    for placer, jobs in asked.groups:
        own = [job for job in jobs if additive(job)]
        found.append(sums(own, placer, database, ids) if own else None)
    found += [curved(jobs, placer, database, ids) for placer, jobs in asked.curves]
    found += [written(kpi, placer, schemas, database, ids) for placer, schemas, kpi in asked.written]
    return [source for source in found if source is not None]


def _card(loaded: Loaded, kpis: tuple[str, ...]) -> pd.DataFrame:
    settings = {kpi: own for kpi, own in CHOSEN.items() if kpi in catalog(kpis).kpis}
    alone = {"breakdowns": (), "limits": Limits(memory="4GB", threads=1), "settings": settings}
    client = params.load(CLIENT).model_copy(update=alone)
    card = compute(catalog(kpis), client, loaded).scorecard
    card = card[(card["period"] == "current") & card["segment_by"].isin(["total", "variant"]) & card["kpi"].isin(kpis)]
    if failed := sorted(set(card.loc[card["status"] == "failed", "kpi"])):
        raise RuntimeError(f"failed, so that nothing can be said of their intervals: {', '.join(failed)}")
    kinds = {**dict.fromkeys(NUMBERS, "float64"), **dict.fromkeys(WORDS, str)}
    found = card[[*WORDS, *NUMBERS]].astype(kinds).reset_index(drop=True)
    return found.assign(reading=found["segment"].where(found["segment_by"] == "variant", ""))


class Remembering(DuckDB):
    """Compiles a table once in a process: one catalogue asks every sample the same."""

    statements: ClassVar[dict[Any, str]] = {}

    def sql(self, table: ir.Table | Moments) -> str:
        if isinstance(table, Moments):  # remembered is what it is around
            return super().sql(table)
        key = table.op()
        if key not in self.statements:
            self.statements[key] = super().sql(table)
        return self.statements[key]


@cache
def pack() -> Catalog:
    return discover().catalog


@cache
def catalog(kpis: tuple[str, ...]) -> Catalog:
    """The part of the installed pack that these KPIs need."""
    wanted = needed(pack(), kpis)
    return build(source for name, source in pack().definitions.items() if name in wanted)


def needed(catalog: Catalog, kpis: Iterable[str]) -> set[str]:
    """These KPIs with the views they rest on, and with those that they take from the scorecard."""
    wanted: set[str] = set()
    waiting = list(kpis)
    while waiting:
        name = waiting.pop()
        if name in catalog.definitions and name not in wanted:
            wanted.add(name)
            inputs = catalog.definitions[name].definition.inputs
            waiting += [*inputs, *(TAKEN.get(name, catalog.kpis) if SCORECARD in inputs else ())]
    return wanted


def definitions() -> list[tuple[str, str, str]]:
    """(kpi, family, kind of its estimate) in the order of the catalogue."""
    resolution = pack().resolve(params.load(CLIENT).settings)
    return [(k.id, k.definition.family, _kind(k)) for k in resolution.kpis.values()]


def _kind(kpi: Resolved) -> str:
    estimate = kpi.estimate
    if estimate is None:
        return "from frames"
    return str(getattr(estimate, "kind", type(estimate).__name__.lower()))
