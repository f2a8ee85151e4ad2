"""Marea's register: members, memberships and campaigns as canonical tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from . import campaigns, columns, world
from .tables import transaction_numbers


def members(rng: np.random.Generator, visits: pd.DataFrame, sales: pd.DataFrame) -> pd.DataFrame:
    """One row a member in order of joining: person, second, receipt (-1: before 2022), closed (second, -1: open)."""
    joined = visits[visits["joins"]].sort_values("time", kind="stable")
    last = visits.groupby("person")["time"].max()
    person = joined["person"].to_numpy()
    closed = last.to_numpy()[np.searchsorted(last.index.to_numpy(), person)] + 150
    closes = (closed < world.END) & (closed > world.START) & (rng.random(len(person)) < 0.05)
    at = sales[sales["joins"]]
    receipt = pd.Series(at.index.to_numpy(), index=at["person"].to_numpy()).reindex(person, fill_value=-1)
    return pd.DataFrame(
        {
            "person": person,
            "second": world.opening(joined["time"].to_numpy()),
            "receipt": receipt.to_numpy(),
            "closed": np.where(closes, world.opening(closed), -1),
        }
    )


def memberships(rng: np.random.Generator, every: pd.DataFrame, members: pd.DataFrame) -> pa.Table:
    size = len(members)
    number = transaction_numbers(every)
    receipt = members["receipt"].to_numpy()
    second = members["second"].to_numpy()
    done = second + rng.integers(60, 20 * world.DAY, size)
    onboarded = (rng.random(size) < 0.6) & (done < world.END * world.DAY)
    return pa.table(
        {
            "member_id": columns.code("M", np.arange(size) + 1, 5),
            "customer_id": columns.code("P", members["person"] + 1, 5),
            "programme_id": pa.array([world.PROGRAMME] * size),
            "enrolled_at": columns.moment(second),
            "enrol_channel": columns.choice(
                world.CHANNELS, np.where(receipt >= 0, every["channel"].to_numpy()[receipt], 0)
            ),
            "enrol_transaction_id": columns.code("T", number[receipt], 6, receipt >= 0),
            "closed_at": columns.moment(members["closed"], members["closed"] >= 0),
            "digital_card": rng.random(size) < 0.55,
            "onboarding_done_at": columns.moment(done, onboarded),
        }
    )


def campaign_tables(targets: pd.DataFrame, shelf: world.Shelf) -> dict[str, pa.Table]:
    """``campaigns`` and ``campaign_targets``; the last campaign has no control group."""
    every = campaigns.CAMPAIGNS
    start = np.array([world.day_of(c.start) for c in every]) * world.DAY + 9 * 3600
    product = [[f"A{i + 1:03d}" for i in np.flatnonzero(shelf.category == c.category)] for c in every]
    list_ = pa.table(
        {
            "campaign_id": pa.array([c.campaign_id for c in every]),
            "start_at": columns.moment(start),
            "end_at": columns.moment(start + campaigns.WINDOW * world.DAY),
            "channel": pa.array([c.channel for c in every]),
            "objective": pa.array([f"sell {world.CATEGORIES[c.category]}" for c in every]),
            "target_product_ids": pa.array(product),
            "target_min_quantity": pa.array([1.0] * len(every)),
            "response_window_days": pa.array([campaigns.WINDOW] * len(every)),
            "fixed_cost": columns.money([c.fixed_cents for c in every]),
            "contact_cost": columns.money([c.contact_cents for c in every]),
            "target_rule": pa.array([c.rule for c in every], pa.string()),
            "lifecycle_stage": pa.array([c.stage for c in every]),
            "offer_type": pa.array(["percent"] * len(every)),
            "is_personalised": pa.array([c.rule is not None for c in every]),
        }
    )
    number, treated = targets["campaign"].to_numpy(), ~targets["control"].to_numpy()
    random = np.array([c.controls > 0 for c in every])[number]
    share = np.array([1 - c.controls for c in every])[number]
    opened = targets["opened_second"].to_numpy()
    offer = columns.money(np.array([c.offer_cents for c in every])[number])
    rows = pa.table(
        {
            "campaign_id": columns.choice(tuple(c.campaign_id for c in every), number),
            "customer_id": columns.code("P", targets["person"] + 1, 5),
            "assigned_at": columns.moment(start[number] - 2 * world.DAY),
            "arm": columns.choice(("control", "treatment"), treated.astype(int)),
            "is_random": random,
            "assignment_prob": pa.array(np.where(treated, share, 1 - share)),
            "sent_at": columns.moment(start[number], treated),
            "delivered": pa.array(targets["delivered"].to_numpy(), mask=~treated),
            "opened_at": columns.moment(opened, targets["opened"]),
            "clicked_at": columns.moment(opened + 120, targets["clicked"]),
            "replied_at": columns.moment(opened + 7_200, targets["replied"]),
            "unsubscribed_at": columns.moment(opened + 240, targets["unsubscribed"]),
            "offer_value": offer,
            "predicted_uplift": np.round(targets["predicted"].to_numpy(), 4),
        }
    )
    return {"campaigns": list_, "campaign_targets": rows}
