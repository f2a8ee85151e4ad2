"""What the programme caused, counted from the purchases it added: by year, cohort and month since enrolment.

Y, as in ``incremental_margin``: gross - general discount - cogs - variable cost, returns netted into
the purchase. Caused are the purchases that joining added and those that campaigns to members added;
without them everybody's history is the one without the programme. Month 0 is the month of enrolment.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from . import world

MONTHS = 12
HISTORIES = (0, 6, 12)
_LAST = np.datetime64("2024-12", "M").astype(int)


def truth(purchases: pd.DataFrame, members: pd.DataFrame, persons: pd.DataFrame) -> dict[str, Any]:
    """``purchases`` with second, person, kept, margin, given, induced, campaign, as in ``truth.truth``."""
    own = _frame(purchases, members)
    month = world.month_of(members["second"].to_numpy()).astype(int)
    past = np.maximum(month - _first_month(purchases, members), 0)
    return {
        "rollout": {
            name: str(world.ORIGIN.astype("datetime64[D]") + int(day))
            for name, day in zip((*world.STORES, "online"), world.ROLLOUT, strict=True)
        },
        "years": {str(year): _year(year, own, purchases, members, persons) for year in world.YEARS},
        "members": {
            "all": len(members),
            "with_6_months_before": int((past >= 6).sum()),
            "with_12_months_before": int((past >= 12).sum()),
            "joined_in_month_of_first_purchase": int((past == 0).sum()),
        },
        "months_since_enrolment": {_name(h): _months(own, month, past, h) for h in HISTORIES},
        "cohorts": {_name(h): _cohorts(own, month, past, h) for h in HISTORIES},
    }


def _name(history: int) -> str:
    return f"with_{history}_months_before" if history else "all"


def _first_month(purchases: pd.DataFrame, members: pd.DataFrame) -> world.Ints:
    """Month of each member's first purchase in the data."""
    first = purchases[purchases["person"] >= 0].groupby("person")["second"].min()
    joined = members.set_index("person")["second"]
    seen = first.reindex(joined.index).fillna(joined).to_numpy(dtype=np.int64)
    return world.month_of(seen).astype(int)


def _frame(purchases: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """Purchases of members after they joined, with position, ``since`` in months and ``caused``."""
    place = np.full(int(purchases["person"].max()) + 2, -1, dtype=np.int64)
    place[members["person"].to_numpy()] = np.arange(len(members))
    own = purchases.assign(member=place[purchases["person"].to_numpy()])
    own = own[own["member"] >= 0]
    joined = members["second"].to_numpy()[own["member"]]
    own = own[own["second"].to_numpy() >= joined]
    joined = members["second"].to_numpy()[own["member"]]
    since = world.month_of(own["second"].to_numpy()).astype(int) - world.month_of(joined).astype(int)
    return own.assign(since=since, caused=own["induced"] | (own["campaign"] >= 0))


def _year(
    year: int, own: pd.DataFrame, purchases: pd.DataFrame, members: pd.DataFrame, persons: pd.DataFrame
) -> dict[str, Any]:
    inside = own[own["year"] == year]
    caused, others = inside[inside["caused"]], inside[~inside["caused"]]
    every = purchases[(purchases["year"] == year) & (purchases["person"] >= 0)]
    won = every[persons["won"].to_numpy()[every["person"]]]
    start = world.day_of(f"{year}-01-01") * world.DAY
    there = members[(members["second"] < start) & ((members["closed"] < 0) | (members["closed"] >= start))]
    theirs = every[every["person"].isin(there["person"])]
    known = purchases.loc[(purchases["second"] < start) & (purchases["person"] >= 0), "person"].unique()
    rest = known[~np.isin(known, members.loc[members["second"] < start, "person"])]
    outside = every[every["person"].isin(rest)]
    return {
        "caused_purchases": len(caused),
        "caused_by_joining_purchases": int(caused["induced"].sum()),
        "caused_by_campaigns_purchases": int((caused["campaign"] >= 0).sum()),
        "caused_margin": euros(caused["margin"]),
        "caused_revenue": euros(caused["kept"]),
        "benefits_on_purchases_not_caused": euros(others["given"]),
        "revenue_effect": euros(caused["kept"].sum() - others["given"].sum()),
        "caused_margin_of_members_at_start": euros(caused.loc[caused["member"].isin(there.index), "margin"]),
        "margin_of_members_at_start": euros(theirs["margin"]),
        "members_at_start": len(there),
        "margin_of_customers_known_and_no_members_at_start": euros(outside["margin"]),
        "customers_known_and_no_members_at_start": len(rest),
        "won_customers_margin": euros(won["margin"]),
        "won_customers_revenue": euros(won["kept"]),
    }


def _months(own: pd.DataFrame, month: world.Ints, past: world.Ints, history: int) -> list[dict[str, Any]]:
    """k = 1 .. 12: members whose month k lies in the data, and what the programme caused in it."""
    chosen = np.flatnonzero(past >= history)
    inside = own[own["member"].isin(chosen)]
    found = []
    for k in range(1, MONTHS + 1):
        now = inside[(inside["since"] == k)]
        caused, others = now[now["caused"]], now[~now["caused"]]
        found.append(
            {
                "k": k,
                "members": int((month[chosen] + k <= _LAST).sum()),
                "caused_purchases": len(caused),
                "caused_margin": euros(caused["margin"]),
                "revenue_effect": euros(caused["kept"].sum() - others["given"].sum()),
                "margin": euros(now["margin"]),
            }
        )
    return found


def _cohorts(own: pd.DataFrame, month: world.Ints, past: world.Ints, history: int) -> dict[str, Any]:
    """By month of enrolment: members, and lists over k = 1 .. 12 as far as the data go."""
    chosen = past >= history
    inside = own[chosen[own["member"]] & own["since"].between(1, MONTHS)]
    cohort = month[inside["member"]]
    found = {}
    for g in np.unique(month[chosen]):
        length = min(MONTHS, _LAST - int(g))
        now = inside[cohort == g]
        caused = now["caused"].to_numpy()
        k = now["since"].to_numpy() - 1
        effect = np.where(caused, now["kept"], -now["given"])
        found[str(np.datetime64(int(g), "M"))] = {
            "members": int((chosen & (month == g)).sum()),
            "caused_margin": [euros(v) for v in np.bincount(k, now["margin"] * caused, MONTHS)[:length]],
            "revenue_effect": [euros(v) for v in np.bincount(k, effect, MONTHS)[:length]],
        }
    return found


def euros(cents: Any) -> str:
    return f"{int(np.sum(cents)) / 100:.2f}"
