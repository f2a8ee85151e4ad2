"""All touchpoints of visitors as the canonical table ``funnel_events``, and what is true of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import clicks, columns, journeys, world


def every(
    rng: np.random.Generator,
    sales: pd.DataFrame,
    lines: pd.DataFrame,
    members: pd.DataFrame,
    shelf: world.Shelf,
    deleted: world.Ints,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """All events in order of time, and the truth; ``sales`` by position, their lines in ``lines``."""
    types = journeys.met(rng)
    made = journeys.make(rng, types, sales, deleted)
    new = clicks.journey_events(rng, types, made, shelf)
    phones, suggestions = clicks.app_events(rng, sales, lines, members, shelf)
    rows = pd.concat([new, phones, clicks.bots(rng)], ignore_index=True)
    inside = rows["second"].between(journeys.START * world.DAY, world.END * world.DAY - 1)
    rows = rows[inside].sort_values(["second", "visitor", "name"], kind="stable", ignore_index=True)
    rows["bot"] = rows["bot"].eq(True)
    rated = rows[rows["sentiment"].notna()].groupby("touchpoint")["sentiment"]
    feelings = {
        str(name): {"rated": len(said), "above_0.2": int((said > 0.2).sum()), "below_-0.2": int((said < -0.2).sum())}
        for name, said in rated
    }
    truth = {
        "sentiment": feelings,
        "journeys": journeys.truth(types, made),
        "suggestions": suggestions,
        "years": _years(rows),
    }
    return rows, truth


def _years(rows: pd.DataFrame) -> dict[str, Any]:
    """Counts of the events' year, without declared bots; by stage, distinct visitors who have such an event."""
    year = world.year_of(rows["second"].to_numpy())
    found = {}
    for one in (2023, 2024):
        own = rows[(year == one) & ~rows["bot"]]
        found[str(one)] = {
            "events": len(own),
            "events_of_bots": int(((year == one) & rows["bot"]).sum()),
            "visitors": int(own["visitor"].nunique()),
            "sessions": int(own["session"].nunique()),
            "identified_sessions": int(own.loc[own["person"] >= 0, "session"].nunique()),
            "visitors_by_stage": {
                name: int(own.loc[own["stage"] == stage, "visitor"].nunique())
                for stage, name in enumerate(clicks.STAGES)
            },
            "orders": int((own["receipt"] >= 0).sum()),
        }
    return found


def table(rows: pd.DataFrame, number: world.Ints) -> pa.Table:
    """``funnel_events``; events that reach no stage of their own carry the stage of the visitor's way so far."""
    stage = rows["stage"].to_numpy()
    reached = pd.Series(np.maximum(stage, 0)).groupby(rows["visitor"].to_numpy()).cummax().to_numpy()
    stage = np.where(stage >= 0, stage, reached)
    product, receipt = rows["product"].fillna(-1).astype(np.int64), rows["receipt"].to_numpy()
    feeling = rows["sentiment"].to_numpy()
    rated = ~np.isnan(feeling)
    cents = columns.money(np.where(rated, np.round(np.nan_to_num(feeling) * 100), 0).astype(np.int64))
    return pa.table(
        {
            "event_id": columns.code("X", np.arange(len(rows)) + 1, 6),
            "visitor_id": pa.array(rows["visitor"].tolist()),
            "customer_id": columns.code("P", rows["person"] + 1, 5, rows["person"] >= 0),
            "session_id": pa.array(rows["session"].tolist()),
            "ts": columns.moment(rows["second"]),
            "channel": pa.array(rows["channel"].tolist()),
            "stage": columns.choice(clicks.STAGES, stage),
            "event_name": pa.array(rows["name"].tolist()),
            "touchpoint_type": pa.array(rows["touchpoint"].tolist()),
            "product_id": columns.code("A", product + 1, 3, product >= 0),
            "transaction_id": columns.code("T", number[receipt], 6, receipt >= 0),
            "sentiment": pa.array(cents.to_pylist(), cents.type, mask=~rated),
            "is_bot": rows["bot"].to_numpy(),
        }
    )
