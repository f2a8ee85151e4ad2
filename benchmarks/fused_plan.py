"""One plan for the 26 KPIs of a client's everyday against one plan a KPI, on the 1.47 M lines of Complete Journey.

Both sides compute the same scorecard rows over the same loaded tables, with the same
two breakdowns, in one process; each plan makes only the views that its KPIs need.
target_attainment is judged from the figures of the KPIs that have a target, so its own plan
holds these. In each of ROUNDS rounds both sides are timed one after the other, so that a machine that
is slow for a while is slow for both; the median round counts. Prints seconds and their ratio; the
values are compared.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from kpibook import book, intake, params, plugins
from kpibook.catalog import Catalog
from kpibook.engine.compute import Loaded, compute
from kpibook.params import Params

ROUNDS = int(os.environ.get("ROUNDS", "5"))
PARAMS = Path(__file__).parents[1] / "params" / "complete_journey.yaml"
SAME = ["kpi", "segment_by", "segment", "period", "value", "low", "high", "status"]
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
    "target_attainment",
]


def only(catalog: Catalog, kpis: Iterable[str], aimed_at: Iterable[str] = ()) -> Catalog:
    """The catalogue with some KPIs and what they rest on; target_attainment on the KPIs aimed at."""
    wanted: set[str] = set()
    waiting = list(kpis)
    while waiting:
        name = waiting.pop()
        if name in catalog.definitions and name not in wanted:
            wanted.add(name)
            waiting += catalog.definitions[name].definition.inputs
            waiting += aimed_at if name == "target_attainment" else ()
    return Catalog(tuple(s for s in catalog.sources if s.definition.id in wanted))


def timed(catalog: Catalog, client: Params, data: Loaded) -> tuple[pd.DataFrame, float, int]:
    """Scorecard, seconds, queries of a plan made anew."""
    known = {name: given for name, given in client.settings.items() if name in catalog.definitions}
    client = client.model_copy(update={"settings": known})
    fresh = Catalog(catalog.sources)
    began = time.perf_counter()
    found = compute(fresh, client, data)
    return found.scorecard, time.perf_counter() - began, found.queries


def main() -> None:
    client = params.load(PARAMS)
    aimed_at = [target.kpi for target in client.targets]
    catalog = plugins.discover().catalog
    data = book.loaded(intake.load(client))
    kpis = [name for name in catalog.kpis if name in EVERYDAY]  # the order of the scorecard
    whole, single = only(catalog, kpis), {kpi: only(catalog, [kpi], aimed_at) for kpi in kpis}
    timed(single[kpis[0]], client, data)  # warm imports and file caches
    rounds = []
    for _ in range(ROUNDS):
        together, one_plan, queries = timed(whole, client, data)
        parts = {kpi: timed(alone, client, data) for kpi, alone in single.items()}
        rounds.append((one_plan, sum(seconds for _, seconds, _ in parts.values())))
        cards = [card[card["kpi"] == kpi] for kpi, (card, _, _) in parts.items()]
        pd.testing.assert_frame_equal(together[SAME], pd.concat(cards, ignore_index=True)[SAME], rtol=1e-9)
    one_plan, separate = sorted(rounds, key=lambda seconds: seconds[0] / seconds[1])[ROUNDS // 2]
    ratios = sorted(one / apart for one, apart in rounds)
    print(f"{len(kpis)} KPIs, {len(client.breakdowns)} breakdowns, {len(together)} rows, {ROUNDS} rounds")
    print(f"one plan          {one_plan:6.2f} s  {queries} queries")
    print(f"one plan a KPI    {separate:6.2f} s  {sum(q for _, _, q in parts.values())} queries")
    print(f"ratio             {one_plan / separate:6.3f}  rounds from {ratios[0]:.3f} to {ratios[-1]:.3f}")


if __name__ == "__main__":
    main()
