"""The definitions of ecom_clickstream in plain pandas over the clicks."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

DATA = Path(__file__).parents[1] / "data"
EVENTS = {
    "activation": "product_view",
    "opportunity": "add_to_cart",
    "checkout": "payment_details",
    "conversion": "purchase",
    "after_sale": "review_page",
}
#: The six stages of the reference stand, in order, on the six of the model.
REACHED = dict(
    zip(
        ("acquisition", *EVENTS),
        ("acquisition", "activation", "opportunity", "conversion", "post_sale", "advocacy"),
        strict=True,
    )
)


@cache
def clicks() -> pd.DataFrame:
    return pd.read_csv(DATA / "ecom_clickstream.csv.gz", parse_dates=["timestamp"])


def totals() -> dict[str, float | str]:
    """Sessions per user are sessions over users; conversions those with a purchase out of all."""
    rows = clicks()
    users, sessions = rows["user_id"].nunique(), rows["session_id"].nunique()
    bought = rows[rows["event"] == "purchase"]
    return {
        "events": len(rows),
        "first_ts": str(rows["timestamp"].min()),
        "last_ts": str(rows["timestamp"].max()),
        "purchases": len(bought),
        "sessions": sessions,
        "users": users,
        "sessions_per_user": sessions / users,
        "session_conversion": bought["session_id"].nunique() / sessions,
        "user_conversion": bought["user_id"].nunique() / users,
    }


def any_order() -> dict[str, dict[str, float]]:
    """By ``user`` and ``session``: how many have at least one event of the stage."""
    return {unit: _named(_any_order(f"{unit}_id")) for unit in ("user", "session")}


def ordered() -> dict[str, dict[str, float]]:
    """By ``user`` and ``session``: first event of each stage at or after the time at which the one before was met."""
    return {unit: _named(_ordered(f"{unit}_id")) for unit in ("user", "session")}


def conversion() -> dict[str, pd.Series]:
    """``<column>_<field>``: sessions, those with a purchase, their share, by a column or the first event's month."""
    rows = clicks()
    first = rows.sort_values("timestamp", kind="stable").groupby("session_id").first()
    first["bought"] = rows.assign(bought=rows["event"] == "purchase").groupby("session_id")["bought"].any()
    first["month"] = first["timestamp"].dt.strftime("%Y-%m")
    found = {}
    for column in ("acquisition_channel", "platform", "user_lifecycle", "month"):
        by = first.groupby(column)["bought"]
        found |= {f"{column}_sessions": by.size(), f"{column}_purchasing_sessions": by.sum()}
        found[f"{column}_conversion"] = by.mean()
    return found


def per_purchase() -> dict[str, float]:
    """Of each purchase, the user's sessions that began at or before it."""
    rows = clicks()
    begun = rows.groupby(["user_id", "session_id"], as_index=False)["timestamp"].min()
    bought = rows[rows["event"] == "purchase"].reset_index()[["index", "user_id", "timestamp"]]
    pairs = bought.merge(begun, on="user_id", suffixes=("", "_begun"))
    counts = pairs[pairs["timestamp_begun"] <= pairs["timestamp"]].groupby("index").size()
    return {
        "purchases": len(counts),
        "mean_sessions": counts.mean(),
        "median_sessions": counts.median(),
        "max_sessions": counts.max(),
    }


def _any_order(unit: str) -> list[int]:
    rows = clicks()
    return [rows[unit].nunique(), *(rows.loc[rows["event"] == event, unit].nunique() for event in EVENTS.values())]


def _ordered(unit: str) -> list[int]:
    rows = clicks()
    reached = rows.groupby(unit)["timestamp"].min()
    counts = [len(reached)]
    for event in EVENTS.values():
        own = rows[rows["event"] == event]
        since = own[unit].map(reached)
        reached = own[own["timestamp"] >= since].groupby(unit)["timestamp"].min()
        counts.append(len(reached))
    return counts


def _named(counts: list[int]) -> dict[str, float]:
    return {f"reached_{stage}": n for stage, n in zip(REACHED.values(), counts, strict=True)}
