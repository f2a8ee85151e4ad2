"""Do nominal 95 % intervals hold the truth 95 times in 100? ``python -m simulations.coverage``.

Marea's customers are the population; docs/coverage.md says how samples are drawn, and by which road each figure is
tested. Counts are kept in docs/coverage.csv, from which docs/coverage.md is made. ``--kpi`` counts those KPIs anew and
leaves the others, ``--family`` those of a family (all take half an hour of CPU time); ``--page`` only makes the page.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from simulations import coverage_draws as draws
from simulations import coverage_engine as engine
from simulations import coverage_page
from simulations.coverage_draws import Found, Key, Source
from simulations.population import Population, population

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "coverage.md"
COUNTS = ROOT / "docs" / "coverage.csv"
SEED = 20_250_117
#: Rates of the samples that the engine computes to prove the other roads: as large as the population, and smaller.
PROOFS = (1.0, 2 / 7)
ENGINE = "engine"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m simulations.coverage", description=__doc__)
    parser.add_argument("--replicates", type=int, default=1_000, help="most samples of sums and rows")
    parser.add_argument(
        "--engine", type=int, default=60, help="samples that the engine computes; 0: what needs it waits"
    )
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--kpi", action="append", default=[], help="only this KPI; may be given several times")
    parser.add_argument("--family", action="append", default=[], help="only KPIs of this family; likewise")
    parser.add_argument("--missing", action="store_true", help="of these only readings that have no counts yet")
    parser.add_argument("--page", action="store_true", help="count nothing, make the page of what is counted")
    chosen = parser.parse_args(arguments)
    if not chosen.page:
        os.environ.update(dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"), "1"))
        with TemporaryDirectory(prefix="kpibook-coverage-") as folder:
            _count(chosen, Path(folder))
    PAGE.write_text(coverage_page.page(stored(), engine.definitions()), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}\n")
    return 0


def stored() -> pd.DataFrame:
    """The counts kept: a row for each KPI, reading and size."""
    words = ("kpi", "reading", "road", "why")
    table = pd.read_csv(COUNTS, keep_default_na=False, na_values=[""], dtype=dict.fromkeys(words, str))
    return table.fillna(dict.fromkeys(words, ""))


def _count(chosen: argparse.Namespace, folder: Path) -> None:
    families = {kpi for kpi, family, _ in engine.definitions() if family in chosen.family}
    kpis = tuple(sorted({*chosen.kpi, *families} or engine.pack().kpis))
    done = counted() if chosen.missing and COUNTS.exists() else set()
    alone = tuple(kpi for kpi in kpis if engine.SCORECARD not in engine.pack().definitions[kpi].definition.inputs)
    people = population(engine.CLIENT, folder / "population.duckdb")
    whole, asked = engine.asked(loaded := people.whole(), kpis)
    sources = engine.sources(loaded, asked, people.ids())
    loaded.backend.disconnect()
    cards = {number: sampled(people, number, alone, rate) for number, rate in enumerate(PROOFS)}
    proved = [keys - done for keys in _proved(sources, people, cards)]
    judged = done.copy()
    for rows in _each(chosen.processes, sources, proved, chosen.replicates):
        judged |= keep(rows)
    judged |= keep(_without(whole, judged))
    rest = {key for key in _with_interval(whole) if key not in judged}
    if rest and chosen.engine:
        keep(_by_engine(chosen, people, rest, whole))
    elif rest:
        keep(_waiting(rest - counted()))
    forget(kpis, judged | rest)


def counted() -> set[Key]:
    """The readings that have counts."""
    table = stored()
    return set(_keys(table[table["road"] != ""]))


def _waiting(keys: set[Key]) -> list[dict[str, Any]]:
    """Rows without a road for what only the engine can count, until it does."""
    why = "not counted yet: only the engine can (`python -m simulations.coverage --missing`)"
    return [{"kpi": kpi, "reading": reading, "road": "", "size": 0, "why": why} for kpi, reading in sorted(keys)]


def keep(rows: Sequence[dict[str, Any]]) -> set[Key]:
    """Put counts in the place of older ones of the same readings; which these are."""
    found = {(row["kpi"], row["reading"]) for row in rows}
    if not found:
        return found
    table = stored() if COUNTS.exists() else pd.DataFrame(columns=["kpi", "reading"])
    _store(pd.concat([table[[key not in found for key in _keys(table)]], pd.DataFrame(rows)], ignore_index=True))
    return found


def forget(kpis: Sequence[str], but: set[Key]) -> None:
    """Drop counts of readings of these KPIs that are no longer there."""
    table = stored() if COUNTS.exists() else pd.DataFrame(columns=["kpi", "reading", "size"])
    _store(table[[key[0] not in kpis or key in but for key in _keys(table)]])


def _keys(table: pd.DataFrame) -> list[Key]:
    return list(zip(table["kpi"], table["reading"], strict=True))


def _store(table: pd.DataFrame) -> None:
    table.sort_values(["kpi", "reading", "size"], kind="stable").to_csv(COUNTS, index=False, float_format="%.6g")


def sampled(people: Population, number: int, kpis: tuple[str, ...], rate: float = 1.0) -> pd.DataFrame:
    """Draw one sample and let the engine compute these KPIs."""
    loaded = people.sample(SEED, number, rate)
    try:
        return engine.computed(loaded, kpis)
    finally:
        loaded.backend.disconnect()


def _proved(sources: Sequence[Source], people: Population, cards: dict[int, pd.DataFrame]) -> list[set[Key]]:
    """Of each source the figures that are the engine's on every sample computed by it."""
    found = []
    for source in sources:
        agreed = []
        for number, card in cards.items():
            times = np.concatenate([[1], people.draws(SEED, number, PROOFS[number])])
            agreed.append(draws.agreeing(source, times, card))
        found.append({key for key in agreed[0] if all(said.get(key, False) for said in agreed)})
        for key in sorted(set(agreed[0]) - found[-1]):
            sys.stderr.write(f"not the engine's on a sample: {' '.join(key)}\n")
    return found


def _each(
    processes: int, sources: Sequence[Source], proved: Sequence[set[Key]], replicates: int
) -> Iterator[list[dict[str, Any]]]:
    """Counts of every source; forked, so that their arrays are not copied."""
    _SOURCES[:] = [(s, p, replicates) for s, p in zip(sources, proved, strict=True)]
    with ProcessPoolExecutor(processes, get_context("fork")) as pool:
        yield from pool.map(_one, range(len(sources)))


_SOURCES: list[tuple[Source, set[Key], int]] = []


def _one(number: int) -> list[dict[str, Any]]:
    source, proved, replicates = _SOURCES[number]
    return draws.simulated(source, proved, replicates, SEED + number)


def _by_engine(
    chosen: argparse.Namespace, people: Population, keys: set[Key], whole: pd.DataFrame
) -> list[dict[str, Any]]:
    """Counts of the readings that no cheaper road can judge."""
    kpis = tuple(sorted({kpi for kpi, _ in keys}))
    with ProcessPoolExecutor(chosen.processes, get_context("spawn")) as pool:
        jobs = [pool.submit(sampled, people, 1_000 + i, kpis) for i in range(chosen.engine)]
        cards = [_figures(job.result()) for job in jobs]
    truth = _figures(whole)
    place = {"road": ENGINE, "size": draws.POPULATION}
    return [draws.counted(key, [card.get(key) for card in cards], truth[key]) | place for key in sorted(keys)]


def _figures(card: pd.DataFrame) -> dict[Key, Found]:
    return {(row.kpi, row.reading): draws.of_row(row) for row in card.itertuples()}


def _with_interval(whole: pd.DataFrame) -> set[Key]:
    """Readings of which the population shows an interval, its own or its change's."""
    return {key for key, found in _figures(whole).items() if draws.told(found)}


def _without(whole: pd.DataFrame, judged: set[Key]) -> list[dict[str, Any]]:
    """A row without a road for each headline that shows no interval: why not."""
    rows = []
    told = _with_interval(whole)
    for key, found in _figures(whole).items():
        if key[1] == "" and key not in judged and key not in told:
            status = found.figure.status
            why = "no interval (a count of everything, or exact)" if status == "ok" else f"{status} on the population"
            rows.append({"kpi": key[0], "reading": "", "road": "", "size": 0, "why": why})
    return rows


if __name__ == "__main__":
    sys.exit(main())
