"""A client's run again with one setting changed, from the store of the first run: Complete Journey and Marea.

Engine time with intake, in one process, each round with a store of its own that is empty at first: find the KPIs, read
the data, compute everything, keep it; then the same with one setting changed. The scorecard of the second is that of a
run without a store, to the last bit. Prints the medians of ROUNDS rounds (``cached_rerun.py ROUNDS CLIENT...``) and the
ratio, of which the largest counts.
"""

from __future__ import annotations

import ast
import os
import shutil
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from kpibook import book, intake, params, plugins
from kpibook.cache.store import Store, size
from kpibook.engine.compute import Results, compute
from kpibook.params import Params

ROUNDS = int(os.environ.get("ROUNDS", "5"))
HERE = Path(__file__).parents[1]
#: By client: a setting of a KPI in tables, and of one that is asked together with many others or in pandas.
CHANGES = {
    "complete_journey": ("churn_rate.churn_days=60", "avg_receipt.trim=0.05"),
    "marea": ("churn_rate.churn_days=60", "clv.yearly_discount=0.05"),
}


@dataclass(frozen=True)
class Timed:
    results: Results
    seconds: float


def run(client: Params, store: Store | None) -> Timed:
    """What ``kpibook.open`` does, timed."""
    began = time.perf_counter()
    catalog = plugins.discover(client.plugins).catalog
    data = intake.load(client, store=store)
    found = compute(catalog, client, book.loaded(data), client.privacy.min_persons, store)
    if store is not None:
        store.trim()
    return Timed(found, time.perf_counter() - began)


def changed(client: Params, change: str) -> Params:
    """The client with ``id.setting=number``."""
    place, _, value = change.partition("=")
    name, _, setting = place.partition(".")
    own = {**client.settings.get(name, {}), setting: ast.literal_eval(value)}
    other = client.model_copy(update={"settings": {**client.settings, name: own}})
    other._document = client._document  # noqa: SLF001  what model_copy leaves behind
    return other


def in_turn(client: Params, other: Params) -> tuple[Timed, Timed]:
    """A first run, and one with the changed setting, from a store of their own."""
    folder = Path(tempfile.mkdtemp(prefix="kpibook-bench-"))
    try:
        return tuple(run(each, Store(folder, client.client, size(client.limits.cache))) for each in (client, other))
    finally:
        shutil.rmtree(folder)


def main(rounds: int = ROUNDS, *names: str) -> None:
    ratios: dict[str, float] = {}
    for name in names or CHANGES:
        client = params.load(HERE / "params" / f"{name}.yaml")
        run(client, None)  # warm imports and file caches
        for change in CHANGES[name]:
            other = changed(client, change)
            alone = run(other, None)
            done = [in_turn(client, other) for _ in range(rounds)]
            for _, again in done:
                pd.testing.assert_frame_equal(again.results.scorecard, alone.results.scorecard, check_exact=True)
            first, again = (statistics.median(each.seconds for each in side) for side in zip(*done, strict=True))
            ratio = statistics.median(two.seconds / one.seconds for one, two in done)
            ratios[f"{name} {change}"] = ratio
            pieces = f"{done[-1][1].results.computed} of {done[-1][0].results.computed} pieces computed"
            print(f"{name:17} {change:27} without a store {alone.seconds:6.2f} s")
            print(f"{'':17} first {first:6.2f} s, again {again:6.2f} s, {pieces}, ratio {ratio:.3f}")
    worst = max(ratios, key=lambda each: ratios[each])
    print(f"ratio              {ratios[worst]:6.3f}  the largest, of {worst}; {rounds} rounds")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
