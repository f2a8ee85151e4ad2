"""Who lives with whom and who brought whom: households and invitations to friends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import columns, world

REWARD_CENTS = 500
SELF = 12
_PAIRS = 800
_SINGLES = 1_600
_UNANSWERED = 4


@dataclass(frozen=True)
class Bonds:
    """``household`` by person (-1 unknown); ``sent``: one row an invitation, ``friend`` -1 when nobody came."""

    household: world.Ints
    sent: pd.DataFrame


def make(rng: np.random.Generator, persons: pd.DataFrame, visits: pd.DataFrame) -> Bonds:
    """Households and invitations. Writes the payment tokens of planted self-referrals into ``persons``."""
    size = len(persons)
    household = np.full(size, -1, dtype=np.int64)
    order = rng.permutation(size)
    household[order[: 2 * _PAIRS]] = np.arange(2 * _PAIRS) // 2
    household[order[2 * _PAIRS : 2 * _PAIRS + _SINGLES]] = _PAIRS + np.arange(_SINGLES)

    arrival = persons["arrival"].to_numpy()
    brought = (arrival > world.START + 30) & (rng.random(size) < np.where(persons["won"], 0.3, 0.06))
    friend = np.flatnonzero(brought)
    made = [_invitations(rng, visits, arrival[friend] - 60, arrival[friend], friend)]
    count = len(friend) * _UNANSWERED
    until = rng.uniform(world.START + 30, world.END, count)
    made.append(_invitations(rng, visits, until - 30, until, np.full(count, -1)))
    sent = pd.concat(made, ignore_index=True)
    member = sent["member"].to_numpy()
    sent["incentivised"] = member & (rng.random(len(sent)) < 0.6)
    sent["hash"] = np.where(sent["friend"] >= 0, sent["friend"], size + rng.integers(0, count, len(sent)))
    sent["self"] = False
    paid = np.flatnonzero((sent["friend"] >= 0) & sent["incentivised"])
    planted = paid[np.arange(SELF) * len(paid) // SELF]
    sent.loc[planted, "self"] = True
    tokens = persons["token"].to_numpy().copy()
    for number, row in enumerate(planted.tolist()):
        pair = [int(sent["person"][row]), int(sent["friend"][row])]
        if number % 2:
            tokens[pair] = 60_000 + number
        else:
            household[pair] = _PAIRS + _SINGLES + number
    persons["token"] = tokens
    return Bonds(household, sent.sort_values(["second", "person"], kind="stable", ignore_index=True))


def _invitations(
    rng: np.random.Generator, visits: pd.DataFrame, start: world.Floats, end: world.Floats, friend: world.Ints
) -> pd.DataFrame:
    """Each from somebody who bought between ``start`` and ``end``, sent after that purchase and before ``end``."""
    ordered = visits.sort_values("time", kind="stable")
    time = ordered["time"].to_numpy()
    low, high = np.searchsorted(time, start), np.searchsorted(time, end - 0.5)
    at = np.minimum(low + (rng.random(len(friend)) * np.maximum(high - low, 1)).astype(np.int64), len(time) - 1)
    when = time[at] + rng.random(len(friend)) * np.maximum(end - time[at], 0)
    made = pd.DataFrame(
        {
            "person": ordered["person"].to_numpy()[at],
            "friend": friend,
            "member": ordered["member"].to_numpy()[at],
            "second": world.opening(when),
        }
    )
    return made[(made["person"] != made["friend"]) & (when < end) & (made["second"] >= world.START * world.DAY)]


def referrals(bonds: Bonds, first: world.Ints) -> pa.Table:
    """``referrals``; ``first`` is the second of each person's first purchase."""
    sent = bonds.sent
    friend = sent["friend"].to_numpy()
    came = friend >= 0
    return pa.table(
        {
            "referral_id": columns.code("F", np.arange(len(sent)) + 1, 5),
            "referrer_customer_id": columns.code("P", sent["person"] + 1, 5),
            "invitee_hash": columns.code("h", sent["hash"], 6),
            "sent_at": columns.moment(sent["second"]),
            "mode": columns.choice(("organic", "incentivised"), sent["incentivised"].astype(int)),
            "referred_customer_id": columns.code("P", friend + 1, 5, came),
            "first_purchase_at": columns.moment(first[friend], came),
            "reward_cost": columns.money(reward_cents(bonds)),
        }
    )


def reward_cents(bonds: Bonds) -> world.Ints:
    return np.where(bonds.sent["incentivised"] & (bonds.sent["friend"] >= 0), REWARD_CENTS, 0)


def truth(bonds: Bonds) -> dict[str, Any]:
    """By the year in which an invitation was sent."""
    sent = bonds.sent.assign(year=world.year_of(bonds.sent["second"].to_numpy()))
    came = sent["friend"] >= 0
    return {
        str(year): {
            "sent": int((sent["year"] == year).sum()),
            "invitees": int(sent.loc[sent["year"] == year, "hash"].nunique()),
            "converted": int((came & (sent["year"] == year)).sum()),
            "converted_organic": int((came & ~sent["incentivised"] & (sent["year"] == year)).sum()),
            "self_referrals": int((sent["self"] & (sent["year"] == year)).sum()),
        }
        for year in world.YEARS
    }
