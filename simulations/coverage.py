"""Do nominal 95 % intervals hold the truth 95 times in 100? ``python -m simulations.coverage --replicates 200``.

Marea's customers are the population. Samples of as many units are drawn with replacement, the engine
computes every KPI on each, and the interval is asked for the KPI's value on the whole population.
Writes docs/coverage.md from all samples known. Samples are kept in data/coverage and not computed twice until the
data or what a KPI rests on change; ``--fresh`` begins anew. ``--kpi`` adds samples of the KPIs named only.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from unittest.mock import patch

import ibis.expr.types as ir
import pandas as pd

from kpibook import params
from kpibook.catalog import Catalog, build
from kpibook.engine.backend import Database
from kpibook.engine.compute import Loaded, compute
from kpibook.engine.moments import Moments
from kpibook.params import Limits
from kpibook.plugins import discover
from kpibook.tracing import Resolved
from simulations import coverage_page
from simulations.coverage_store import WHOLE, Store, needed, states
from simulations.population import Population, population

ROOT = Path(__file__).parents[1]
CLIENT = ROOT / "params" / "marea.yaml"
WORK = ROOT / "data" / "coverage"
PAGE = ROOT / "docs" / "coverage.md"
SEED = 20_250_117
NUMBERS = ["value", "low", "high", "n", "change", "change_low", "change_high"]
WORDS = ["kpi", "segment_by", "segment", "status"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m simulations.coverage", description=__doc__)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kpi", action="append", default=[], help="only this KPI; may be given several times")
    parser.add_argument("--fresh", action="store_true", help="forget samples computed before")
    chosen = parser.parse_args(arguments)
    store = Store(WORK)
    if chosen.fresh:
        store.clear()
    every = current()
    with TemporaryDirectory(prefix="kpibook-coverage-") as folder:
        _compute(store, every, chosen, Path(folder))
    rows = store.rows(every)
    truth, drawn = rows[rows["sample"] == WHOLE], rows[rows["sample"] != WHOLE]
    PAGE.write_text(coverage_page.page(truth, drawn, definitions()), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
    return 0


def _compute(store: Store, every: Mapping[str, str], chosen: argparse.Namespace, folder: Path) -> None:
    """Draw and compute what the store lacks: the population of all KPIs, samples of those with an interval."""
    people: Population | None = None
    for _, kpis in store.missing(every, [WHOLE]):
        people = people or population(CLIENT, folder / "population.duckdb")
        store.put(computed(people.whole(), kpis), WHOLE, every)
    rows = store.rows(every)
    wanted = with_interval(rows[rows["sample"] == WHOLE])
    asked = {kpi: state for kpi, state in every.items() if kpi in wanted and (not chosen.kpi or kpi in chosen.kpi)}
    missing = store.missing(asked, range(chosen.replicates))
    if not missing:
        return
    people = people or population(CLIENT, folder / "population.duckdb")
    os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"))
    with ProcessPoolExecutor(chosen.processes, get_context("spawn")) as pool:
        for job in [pool.submit(replicate, people, number, kpis) for number, kpis in missing]:
            number, found = job.result()
            store.put(found, number, {kpi: every[kpi] for kpi in set(found["kpi"])})
            sys.stderr.write(".")
            sys.stderr.flush()


def replicate(people: Population, number: int, kpis: tuple[str, ...]) -> tuple[int, pd.DataFrame]:
    """Draw one sample and compute these KPIs."""
    loaded = people.sample(SEED, number)
    try:
        return number, computed(loaded, kpis)
    finally:
        loaded.backend.disconnect()


def computed(loaded: Loaded, kpis: tuple[str, ...]) -> pd.DataFrame:
    """Totals and variants of these KPIs in the reporting period."""
    client = params.load(CLIENT).model_copy(update={"breakdowns": (), "limits": Limits(memory="4GB", threads=1)})
    with patch("kpibook.engine.compute.Database", Remembering):
        card = compute(catalog(kpis), client, loaded).scorecard
    card = card[(card["period"] == "current") & card["segment_by"].isin(["total", "variant"]) & card["kpi"].isin(kpis)]
    if failed := sorted(set(card.loc[card["status"] == "failed", "kpi"])):
        raise RuntimeError(f"failed, so that nothing can be said of their intervals: {', '.join(failed)}")
    kinds = {**dict.fromkeys(NUMBERS, "float64"), **dict.fromkeys(WORDS, str)}
    return card[[*WORDS, *NUMBERS]].astype(kinds).reset_index(drop=True)


class Remembering(Database):
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
def _pack() -> Catalog:
    return discover().catalog


@cache
def catalog(kpis: tuple[str, ...]) -> Catalog:
    """The part of the installed pack that these KPIs need."""
    wanted = needed(_pack(), kpis)
    return build(source for name, source in _pack().definitions.items() if name in wanted)


def current() -> dict[str, str]:
    """The state of every KPI of the installed pack."""
    data = [CLIENT, *sorted((ROOT / "data" / CLIENT.stem).iterdir())]
    return states(_pack(), _pack().kpis, data, ["simulations.population"])


def definitions() -> list[tuple[str, str, str]]:
    """(kpi, family, kind of its estimate) in the order of the catalogue."""
    resolution = _pack().resolve(params.load(CLIENT).settings)
    return [(k.id, k.definition.family, _kind(k)) for k in resolution.kpis.values()]


def with_interval(truth: pd.DataFrame) -> set[str]:
    """KPIs of which the population shows an interval, the headline's or a variant's."""
    return set(truth.loc[truth["low"].notna() & (truth["low"] < truth["high"]), "kpi"])


def _kind(kpi: Resolved) -> str:
    estimate = kpi.estimate
    if estimate is None:
        return "from frames"
    return str(getattr(estimate, "kind", type(estimate).__name__.lower()))


if __name__ == "__main__":
    sys.exit(main())
