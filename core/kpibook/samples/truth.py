"""What is true of Marea, taken from the generator's own arrays and never from a KPI.

Purchases are completed orders of customers (no staff, no test) of which something was kept;
``sale`` counts returns in the year of the purchase, ``return`` in the year they came back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import baskets, campaigns, points, world

if TYPE_CHECKING:
    import pandas as pd


def euros(cents: Any) -> str:
    return f"{int(cents) / 100:.2f}"


def truth(
    every: pd.DataFrame,
    lines: pd.DataFrame,
    members: pd.DataFrame,
    targets: pd.DataFrame,
    ledger: points.Ledger,
    sold: int,
) -> dict[str, Any]:
    receipt = lines["receipt"].to_numpy()
    original = np.where(receipt < sold, receipt, every["original"].to_numpy()[receipt])
    before_benefits = lines["gross"] - lines["general"] - lines["cogs"] - lines["variable"]
    head = every.iloc[:sold].assign(
        year=_year(every["second"].iloc[:sold]),
        kept=np.bincount(original, lines["net"], sold).astype(np.int64),
        margin=np.bincount(original, before_benefits, sold).astype(np.int64),
    )
    purchases = head[baskets.counts(head) & (head["kept"] > 0)]
    lines_counted = lines[baskets.counts(every).to_numpy()[receipt]]
    came_in = _year(every["second"].to_numpy()[lines_counted["receipt"]])
    joined, closed = members["second"].to_numpy(), members["closed"].to_numpy()
    years = {}
    for year in (2022, 2023, 2024):
        own = purchases[purchases["year"] == year]
        start = world.day_of(f"{year}-01-01") * world.DAY
        induced = own[own["induced"]]
        years[str(year)] = {
            "purchases": len(own),
            "anonymous_purchases": int((own["person"] < 0).sum()),
            "card_purchases": int(own["card"].sum()),
            "active_customers": int(own.loc[own["person"] >= 0, "person"].nunique()),
            "net_sales_sale": euros(own["kept"].sum()),
            "net_sales_return": euros(lines_counted.loc[came_in == year, "net"].sum()),
            "returned_lines": int(((lines_counted["of"] >= 0) & (came_in == year)).sum()),
            "members_at_start": int(((joined < start) & ((closed < 0) | (closed >= start))).sum()),
            "enrolments": int((_year(joined) == year).sum()),
            "programme_caused_purchases": len(induced),
            "programme_caused_margin_before_benefits": euros(induced["margin"].sum()),
        }
    return {
        "years": years,
        "campaigns": {c.campaign_id: _campaign(i, targets, purchases) for i, c in enumerate(campaigns.CAMPAIGNS)},
        "points": _points(ledger),
    }


def _year(seconds: Any) -> world.Ints:
    years = world.stamps(np.asarray(seconds, dtype=np.int64)).astype("datetime64[Y]")
    return years.astype(np.int64) + 1970


def _campaign(number: int, targets: pd.DataFrame, purchases: pd.DataFrame) -> dict[str, Any]:
    own = targets[targets["campaign"] == number]
    treated = int((~own["control"]).sum())
    kept = int((purchases["campaign"] == number).sum())
    return {
        "treated": treated,
        "controls": int(own["control"].sum()),
        "delivered": int(own["delivered"].sum()),
        "caused_purchases": kept,
        "caused_purchases_per_treated": round(kept / treated, 6),
    }


def _points(ledger: points.Ledger) -> dict[str, int]:
    sums: dict[str, int] = {}
    for _, _, kind, moved, *_ in ledger.entries:
        sums[kind] = sums.get(kind, 0) + moved
    return {**dict(sorted(sums.items())), "open": sum(sums.values())}
