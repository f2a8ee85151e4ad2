"""All KPIs of the pack against those of a client's everyday, on Complete Journey and on Marea.

Engine time in one process over the same loaded tables; what a client's tables cannot feed
costs its tracing only. Prints seconds and the ratio of the sums.
"""

from __future__ import annotations

from pathlib import Path

from fused_plan import EVERYDAY, only, timed

from kpibook import book, intake, params, plugins

CLIENTS = ("complete_journey", "marea")


def main() -> None:
    catalog = plugins.discover().catalog
    few = only(catalog, EVERYDAY)
    sums = [0.0, 0.0]
    for name in CLIENTS:
        client = params.load(Path(__file__).parents[1] / "params" / f"{name}.yaml")
        data = book.loaded(intake.load(client))
        timed(only(catalog, EVERYDAY[:1]), client, data)  # warm imports and file caches
        for place, chosen in enumerate((few, catalog)):
            card, seconds, queries = timed(chosen, client, data)
            sums[place] += seconds
            print(f"{name:18} {len(chosen.kpis):4} KPIs {seconds:7.2f} s {queries:4} queries {len(card):5} rows")
    print(f"ratio              {sums[1] / sums[0]:6.3f}")


if __name__ == "__main__":
    main()
