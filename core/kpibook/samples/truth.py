"""What is true of Marea, taken from the generator's own arrays and never from a KPI.

Purchases are completed orders of customers (no staff, no test) of which something was kept;
``sale`` counts returns in the year of the purchase, ``return`` in the year they came back.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from . import baskets, campaigns, points, world
from .effects import euros


def purchases(every: pd.DataFrame, lines: pd.DataFrame, sold: int) -> pd.DataFrame:
    """Purchases, after their returns: the receipts' columns, year, kept, margin before benefits and benefits given."""
    receipt = lines["receipt"].to_numpy()
    original = np.where(receipt < sold, receipt, every["original"].to_numpy()[receipt])
    before_benefits = lines["gross"] - lines["general"] - lines["cogs"] - lines["variable"]
    head = every.iloc[:sold].assign(
        year=world.year_of(every["second"].to_numpy()[:sold]),
        kept=np.bincount(original, lines["net"], sold).astype(np.int64),
        margin=np.bincount(original, before_benefits, sold).astype(np.int64),
        given=np.bincount(original, lines["loyalty"] + lines["personal"], sold).astype(np.int64),
    )
    return head[baskets.counts(head) & (head["kept"] > 0)]


def mean_margin(purchases: pd.DataFrame) -> int:
    """Cents before benefits that a purchase of an identified person leaves."""
    return int(purchases.loc[purchases["person"] >= 0, "margin"].sum()) // int((purchases["person"] >= 0).sum())


def truth(
    every: pd.DataFrame,
    lines: pd.DataFrame,
    members: pd.DataFrame,
    targets: pd.DataFrame,
    ledger: points.Ledger,
    purchases: pd.DataFrame,
) -> dict[str, Any]:
    receipt = lines["receipt"].to_numpy()
    lines_counted = lines[baskets.counts(every).to_numpy()[receipt]]
    came_in = world.year_of(every["second"].to_numpy()[lines_counted["receipt"]])
    joined, closed = members["second"].to_numpy(), members["closed"].to_numpy()
    years = {}
    for year in world.YEARS:
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
            "enrolments": int((world.year_of(joined) == year).sum()),
            "programme_caused_purchases": len(induced),
            "programme_caused_margin_before_benefits": euros(induced["margin"].sum()),
        }
    return {
        "years": years,
        "campaigns": {c.campaign_id: _campaign(i, targets, purchases) for i, c in enumerate(campaigns.CAMPAIGNS)},
        "points": _points(ledger),
    }


def _campaign(number: int, targets: pd.DataFrame, purchases: pd.DataFrame) -> dict[str, Any]:
    own = targets[targets["campaign"] == number]
    treated = int((~own["control"]).sum())
    kept = int((purchases["campaign"] == number).sum())
    high = own["predicted"] >= own["predicted"].median()
    return {
        "treated": treated,
        "controls": int(own["control"].sum()),
        "delivered": int(own["delivered"].sum()),
        "caused_purchases": kept,
        "caused_purchases_per_treated": round(kept / treated, 6),
        # of the reached, before cancelled and returned orders: upper half by prediction, lower half
        "caused_by_predicted_half": [int(own.loc[high == side, "caused"].sum()) for side in (True, False)],
    }


def _points(ledger: points.Ledger) -> dict[str, Any]:
    sums: dict[str, int] = {}
    for _, _, kind, moved, *_ in ledger.entries:
        sums[kind] = sums.get(kind, 0) + moved
    entry = pd.DataFrame(
        [(e[1], e[2], e[3], e[4]) for e in ledger.entries], columns=["second", "type", "points", "lot"]
    )
    given = entry["type"].isin(["earn", "bonus", "adjust"])
    born = pd.Series(world.year_of(entry.loc[given, "second"].to_numpy()), index=entry.loc[given, "lot"].to_numpy())
    year = born.loc[entry["lot"]].to_numpy()
    lots = {}
    for one in world.YEARS:
        own = entry[year == one]
        lost = own[~own["type"].isin(["earn", "bonus", "adjust"])].groupby("type")["points"].sum()
        issued = int(own.loc[own["points"] > 0, "points"].sum())
        gone = {str(kind): -int(moved) for kind, moved in lost.items()}
        lots[str(one)] = {"issued": issued, **gone, "open": int(own["points"].sum())}
    return {**dict(sorted(sums.items())), "open": sum(sums.values()), "lots_by_year_of_issue": lots}
