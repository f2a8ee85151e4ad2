"""Do nominal 95 % intervals hold the truth 95 times in 100? ``python -m simulations.coverage --replicates 200``.

Marea's customers are the population. Samples of as many units are drawn with replacement, the engine
computes every KPI on each, and the interval is asked for the KPI's value on the whole population.
Writes docs/coverage.md. Replicates are kept in data/coverage and not computed twice, until data or code
change; ``--fresh`` begins anew.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context
from pathlib import Path

import pandas as pd

from kpibook import params
from kpibook.catalog import Catalog, build
from kpibook.engine.compute import Loaded, compute
from kpibook.params import Limits
from kpibook.plugins import discover
from kpibook.tracing import Resolved
from simulations import coverage_page
from simulations.population import Population, population

ROOT = Path(__file__).parents[1]
CLIENT = ROOT / "params" / "marea.yaml"
WORK = ROOT / "data" / "coverage"
PAGE = ROOT / "docs" / "coverage.md"
SEED = 20_250_117
KEPT = ["kpi", "segment_by", "segment", "value", "low", "high", "n", "status", "change", "change_low", "change_high"]


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m simulations.coverage", description=__doc__)
    parser.add_argument("--replicates", type=int, default=200)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kpi", action="append", default=[], help="only this KPI; may be given several times")
    parser.add_argument("--fresh", action="store_true", help="forget replicates computed before")
    chosen = parser.parse_args(arguments)
    folder = WORK / _key(chosen.kpi)
    people = population(CLIENT, folder / "population.duckdb")
    if chosen.fresh:
        for path in folder.glob("*.parquet"):
            path.unlink()
    truth = _truth(people, folder, tuple(chosen.kpi))
    wanted = tuple(sorted(with_interval(truth)))
    open_ = [number for number in range(chosen.replicates) if not _file(folder, number).exists()]
    with ProcessPoolExecutor(chosen.processes, get_context("spawn")) as pool:
        jobs = [pool.submit(replicate, people, folder, number, wanted) for number in open_]
        for job in jobs:
            job.result()
            sys.stderr.write(".")
            sys.stderr.flush()
    drawn = pd.concat(
        [pd.read_parquet(_file(folder, number)).assign(replicate=number) for number in range(chosen.replicates)],
        ignore_index=True,
    )
    text = coverage_page.page(truth, drawn, chosen.replicates, definitions(tuple(chosen.kpi)))
    if chosen.kpi:
        sys.stdout.write(text)
    else:
        PAGE.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
    return 0


def replicate(people: Population, folder: Path, number: int, kpis: tuple[str, ...]) -> None:
    """Draw one sample, compute, keep what the page needs."""
    loaded = people.sample(SEED, number)
    found = computed(loaded, kpis)
    loaded.backend.disconnect()
    draft = _file(folder, number).with_suffix(".tmp")
    found.to_parquet(draft)
    draft.rename(_file(folder, number))


def computed(loaded: Loaded, kpis: tuple[str, ...] = ()) -> pd.DataFrame:
    """Totals and variants of the reporting period; all KPIs, or these with what they rest on."""
    client = params.load(CLIENT).model_copy(update={"breakdowns": (), "limits": Limits(memory="4GB", threads=1)})
    results = compute(catalog(kpis), client, loaded)
    card = results.scorecard
    card = card[(card["period"] == "current") & card["segment_by"].isin(["total", "variant"])]
    numbers = ["value", "low", "high", "change", "change_low", "change_high"]
    plain = card[KEPT].astype(dict.fromkeys(numbers, "float64"))
    return plain.astype({"kpi": str, "segment_by": str, "segment": str, "status": str, "n": "float64"})


@cache
def catalog(kpis: tuple[str, ...] = ()) -> Catalog:
    """The installed pack, or the part of it that these KPIs need."""
    every = discover().catalog
    if not kpis:
        return every
    wanted: set[str] = set()
    waiting = list(kpis)
    while waiting:
        name = waiting.pop()
        if name in every.definitions and name not in wanted:
            wanted.add(name)
            waiting += every.definitions[name].definition.inputs
    return build(source for name, source in every.definitions.items() if name in wanted)


def definitions(kpis: tuple[str, ...] = ()) -> list[tuple[str, str, str]]:
    """(kpi, family, kind of its estimate) in the order of the catalogue."""
    resolution = catalog(kpis).resolve(params.load(CLIENT).settings)
    every = resolution.kpis.values()
    return [(k.id, k.definition.family, _kind(k)) for k in every if not kpis or k.id in kpis]


def with_interval(truth: pd.DataFrame) -> set[str]:
    """KPIs of which the population shows an interval, the headline's or a variant's."""
    return set(truth.loc[truth["low"].notna() & (truth["low"] < truth["high"]), "kpi"])


def _kind(kpi: Resolved) -> str:
    estimate = kpi.estimate
    if estimate is None:
        return "from frames"
    return str(getattr(estimate, "kind", type(estimate).__name__.lower()))


def _truth(people: Population, folder: Path, kpis: tuple[str, ...]) -> pd.DataFrame:
    path = folder / "population.parquet"
    if not path.exists():
        computed(people.whole(), kpis).to_parquet(path)
    return pd.read_parquet(path)


def _key(kpis: Iterable[str]) -> str:
    """One folder for each state of data, code and choice."""
    code = [ROOT / "core" / "kpibook", *(ROOT / "core" / "kpibook" / part for part in ("engine", "intake", "stats"))]
    files = [CLIENT, *sorted((ROOT / "data" / CLIENT.stem).iterdir())]
    for folder in (*code, ROOT / "kpi_plugins" / "loyalty_kpis"):
        files += sorted(folder.glob("*.py"))
    state = [[path.name, hashlib.sha256(path.read_bytes()).hexdigest()] for path in files]
    return hashlib.sha256(json.dumps([SEED, state, sorted(kpis)]).encode()).hexdigest()[:12]


def _file(folder: Path, number: int) -> Path:
    return folder / f"replicate-{number:04d}.parquet"


if __name__ == "__main__":
    sys.exit(main())
