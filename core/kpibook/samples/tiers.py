"""Status: three tiers, reviewed every half-year from the spend of the twelve months before."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import columns, world

NAMES = ("base", "silver", "gold")
FLOORS = (70_000, 160_000)  # cents in twelve months
REVIEWS = ("2023-01-01", "2023-07-01", "2024-01-01", "2024-07-01")


def spells(every: pd.DataFrame, lines: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """One row a spell: member (position), rank (0 lowest), second, until (-1 while it lasts)."""
    position = pd.Series(np.arange(len(members)), index=members["person"].to_numpy())
    card = (every["card"] & ~every["cancelled"]).to_numpy()[lines["receipt"]]
    shown = lines.loc[card, ["receipt", "net"]]
    holder = position.loc[every["person"].to_numpy()[shown["receipt"]]].to_numpy()
    second = every["second"].to_numpy()[shown["receipt"]]
    joined, closed = members["second"].to_numpy(), members["closed"].to_numpy()
    rank = np.zeros(len(members), dtype=np.int64)
    rows = [pd.DataFrame({"member": np.arange(len(members)), "rank": rank, "second": joined})]
    for date in REVIEWS:
        review = world.day_of(date) * world.DAY
        inside = (second >= review - 365 * world.DAY) & (second < review)
        spend = np.bincount(holder[inside], shown["net"].to_numpy()[inside], len(members))
        earned = np.searchsorted(np.array(FLOORS), spend, side="right")
        there = (joined < review) & ((closed < 0) | (closed > review))
        moved = np.flatnonzero(there & (earned != rank))
        rank = np.where(there, earned, rank)
        rows.append(pd.DataFrame({"member": moved, "rank": rank[moved], "second": review}))
    made = pd.concat(rows).sort_values(["member", "second"], kind="stable", ignore_index=True)
    following = made.groupby("member")["second"].shift(-1)
    made["until"] = following.fillna(pd.Series(closed[made["member"]], index=made.index)).astype(np.int64)
    return made


def history(made: pd.DataFrame) -> pa.Table:
    """``tier_history``."""
    return pa.table(
        {
            "member_id": columns.code("M", made["member"] + 1, 5),
            "tier_id": columns.choice(NAMES, made["rank"]),
            "tier_rank": (made["rank"] + 1).to_numpy(),
            "valid_from": columns.moment(made["second"]),
            "valid_to": columns.moment(made["until"], made["until"] >= 0),
        }
    )


def truth(made: pd.DataFrame) -> dict[str, Any]:
    """By review: members by tier before and after; nobody is lost on the day of a review."""
    found = {}
    for date in REVIEWS:
        review = world.day_of(date) * world.DAY
        open_ = (made["until"] < 0) | (made["until"] > review)
        before = made[(made["second"] < review) & ((made["until"] < 0) | (made["until"] >= review))]
        after = made[(made["second"] <= review) & open_]
        pair = before.set_index("member")["rank"].to_frame("before").join(after.set_index("member")["rank"])
        moves = np.bincount(pair["before"] * len(NAMES) + pair["rank"], minlength=len(NAMES) ** 2)
        ways = [f"{a}>{b}" for a in NAMES for b in NAMES]
        found[date] = dict(zip(ways, moves.tolist(), strict=True))
    return found
