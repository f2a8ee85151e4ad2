"""One plan for the KPIs of a client's everyday against one plan a KPI, on the 1.47 M lines of Complete Journey.

Both sides compute the same scorecard rows over the same loaded tables, with the same
two breakdowns, in one process. Prints seconds and their ratio; the values are compared.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from kpibook import book, intake, params, plugins
from kpibook.catalog import Catalog
from kpibook.engine.compute import Loaded, compute
from kpibook.params import Params

PARAMS = Path(__file__).parents[1] / "params" / "complete_journey.yaml"
NUMBERS = ["value", "low", "high"]
EVERYDAY = [
    "net_sales",
    "avg_receipt",
    "avg_receipt_card",
    "avg_receipt_no_card",
    "avg_receipt_gap",
    "avg_receipt_change",
    "spend_per_customer",
    "member_revenue_share",
    "identified_sales_share",
    "active_customers",
    "customer_base_growth",
    "growth_accounting",
    "purchase_frequency",
    "repeat_purchase_rate",
    "second_purchase_rate",
    "interpurchase_time",
    "retention_rate",
    "cohort_retention",
    "churn_rate",
    "rfm_segments",
    "usage_class_share",
    "pareto_share",
    "low_to_heavy_conversion",
    "campaign_response_rate",
    "cross_sell_rate",
]


def only(catalog: Catalog, kpis: Iterable[str]) -> Catalog:
    """The catalogue with some KPIs and the views they rest on."""
    wanted: set[str] = set()
    waiting = list(kpis)
    while waiting:
        name = waiting.pop()
        if name in catalog.definitions and name not in wanted:
            wanted.add(name)
            waiting += catalog.definitions[name].definition.inputs
    return Catalog(tuple(s for s in catalog.sources if s.definition.id in wanted))


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
    kpis = [name for name in catalog.kpis if name in EVERYDAY]  # the order of the scorecard
    timed(only(catalog, kpis[:1]), client, data)  # warm imports and file caches
    together, one_plan, queries = timed(only(catalog, kpis), client, data)
    parts = [timed(only(catalog, [kpi]), client, data) for kpi in kpis]
    separate = sum(seconds for _, seconds, _ in parts)
    single = pd.concat([card for card, _, _ in parts], ignore_index=True)
    pd.testing.assert_frame_equal(together[NUMBERS], single[NUMBERS], rtol=1e-9)
    print(f"{len(kpis)} KPIs, {len(client.breakdowns)} breakdowns, {len(together)} rows")
    print(f"one plan          {one_plan:6.2f} s  {queries} queries")
    print(f"one plan a KPI    {separate:6.2f} s  {sum(q for _, _, q in parts)} queries")
    print(f"ratio             {one_plan / separate:6.3f}")


if __name__ == "__main__":
    main()
