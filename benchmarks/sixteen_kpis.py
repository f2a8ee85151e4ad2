"""Sixteen KPIs by total, month and channel through the engine, against SQL that one hand fused for them.

The engine computes intervals, changes and minimum samples beside, over tables that intake has loaded, with ids as
text; the SQL reads Parquet with whole numbers as ids and computes bare values. All values are compared.
``python benchmarks/sixteen_kpis.py [LINES …]``; without lines 1 million. Each round runs both, one after the other.
"""

from __future__ import annotations

import math
import os
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sixteen import fused, lines

from kpibook import book, intake, params, plugins
from kpibook.catalog import Catalog
from kpibook.engine.compute import Results, compute

ROUNDS = int(os.environ.get("ROUNDS", "5"))
PARAMS = """client: sixteen
title: Sixteen
language: en
currency: EUR
timezone: UTC
period: 2024-01-01/2024-12-31
compare: 2023-01-01/2023-12-31
source: .
tables:
  order_lines:
    from: lines.parquet
    columns: {{line_id: line_id, transaction_id: order_id, customer_id: customer_id, ts: ordered_at, channel: channel,
              product_id: product_id, quantity: "= 1", net_amount: amount, cogs: cost}}
breakdowns: [month, channel]
plugins: {plugins}
limits: {{memory: 4GB}}
"""


def agree(found: Results, file: Path) -> int:
    """How many values are equal to those of the fused SQL; an error when one is not."""
    values, cells = fused.computed(str(file))
    card = found.scorecard
    keys = zip(card["kpi"], card["period"], card["segment_by"], card["segment"], strict=True)
    ours = dict(zip(keys, card["value"], strict=True))
    for kpi in ("heavy_share", "rfm"):
        table = found.tables[kpi]
        for period, row, column, value in table[["period", "row", "column", "numerator"]].itertuples(index=False):
            ours[kpi, period, row, column] = value
    for key, value in (values | cells).items():
        assert math.isclose(ours[key], value, rel_tol=1e-9), (key, ours[key], value)
    return len(values) + len(cells)


def measured(rows: int) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        lines.write(folder / "lines.parquet", rows)
        own = Path(__file__).parent / "sixteen" / "plugin"
        (folder / "client.yaml").write_text(PARAMS.format(plugins=own), encoding="utf-8")
        client = params.load(folder / "client.yaml")
        found = plugins.discover(client.plugins).catalog
        sources = [s for s in found.sources if s.origin.endswith("definitions.py")]
        began = time.perf_counter()
        data = book.loaded(intake.load(client))
        read = time.perf_counter() - began
        equal = agree(compute(Catalog(tuple(sources)), client, data), folder / "lines.parquet")
        taken: list[tuple[float, float]] = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            fused.computed(str(folder / "lines.parquet"))
            between = time.perf_counter()
            last = compute(Catalog(tuple(sources)), client, data)
            taken.append((between - began, time.perf_counter() - between))
    by_hand, ours = (statistics.median(side) for side in zip(*taken, strict=True))
    ratios = sorted(b / a for a, b in taken)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{rows:>11,} lines, {equal} values equal, {len(last.scorecard)} rows in the scorecard, {last.queries} queries"
    )
    print(
        f"  fused by hand {by_hand:7.2f} s   engine {ours:7.2f} s   intake before {read:6.1f} s   peak {peak:6.0f} MB"
    )
    print(f"  engine / fused {statistics.median(ratios):6.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    for given in sys.argv[1:] or ["1000000"]:
        measured(int(given))
