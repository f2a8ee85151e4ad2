"""One plan for all KPIs against one plan a KPI, on the 1.47 M lines of Complete Journey.

Both sides compute the same scorecard rows over the same loaded tables, with the same
two breakdowns, in one process. Prints seconds and their ratio; the values are compared.
"""

from __future__ import annotations

import time
from pathlib import Path

import pandas as pd

from kpibook import book, intake, params, plugins
from kpibook.catalog import Catalog
from kpibook.engine.compute import Loaded, compute
from kpibook.params import Params

PARAMS = Path(__file__).parents[1] / "params" / "complete_journey.yaml"
NUMBERS = ["value", "low", "high"]


def alone(catalog: Catalog, kpi: str) -> Catalog:
    """The catalogue with one KPI and all views."""
    return Catalog(tuple(s for s in catalog.sources if s.definition.kind == "view" or s.definition.id == kpi))


def timed(catalog: Catalog, client: Params, data: Loaded) -> tuple[pd.DataFrame, float, int]:
    """Scorecard, seconds, queries."""
    known = {name: given for name, given in client.settings.items() if name in catalog.definitions}
    began = time.perf_counter()
    found = compute(catalog, client.model_copy(update={"settings": known}), data)
    return found.scorecard, time.perf_counter() - began, found.queries


def main() -> None:
    client = params.load(PARAMS)
    catalog = plugins.discover().catalog
    data = book.loaded(intake.load(client))
    kpis = [name for name in catalog.kpis if name != "target_attainment"]  # reads the others' results
    timed(alone(catalog, kpis[0]), client, data)  # warm imports and file caches
    whole = Catalog(tuple(s for s in catalog.sources if s.definition.id != "target_attainment"))
    together, one_plan, queries = timed(whole, client, data)
    parts = [timed(alone(catalog, kpi), client, data) for kpi in kpis]
    separate = sum(seconds for _, seconds, _ in parts)
    single = pd.concat([card for card, _, _ in parts], ignore_index=True)
    pd.testing.assert_frame_equal(together[NUMBERS], single[NUMBERS], rtol=1e-9)
    print(f"{len(kpis)} KPIs, {len(client.breakdowns)} breakdowns, {len(together)} rows")
    print(f"one plan          {one_plan:6.2f} s  {queries} queries")
    print(f"one plan a KPI    {separate:6.2f} s  {sum(q for _, _, q in parts)} queries")
    print(f"ratio             {one_plan / separate:6.3f}")


if __name__ == "__main__":
    main()
