"""Ways of new visitors: touchpoint after touchpoint, each with a known influence on the chance to buy.

At every step a visitor meets a touchpoint, buys with a hazard that depends on the step and on
what was met so far, or else goes on with a fixed chance. What is met does not depend on the past,
so the influence of a touchpoint can be taken away and the chance to buy computed exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from . import baskets, world

SIZE = 26_000
STEPS = 8
START = world.day_of("2023-01-01")
TYPES = ("seo", "social", "ads", "partnership", "blog", "website", "email", "video", "community", "store", "call")
FIRST = np.array([0.32, 0.17, 0.2, 0.05, 0.06, 0.2, 0.0, 0.0, 0.0, 0.0, 0.0])
LATER = np.array([0.12, 0.1, 0.14, 0.02, 0.07, 0.27, 0.1, 0.09, 0.05, 0.02, 0.02])
#: Added to the log-odds of buying, from the meeting on: the video is harmful.
INFLUENCE = {"video": -1.1, "community": 0.7, "email": 0.35, "call": 0.5}
_BASE, _STEP, _GOES_ON = -3.1, 0.25, 0.62


def met(rng: np.random.Generator) -> world.Ints:
    """Touchpoints by visitor and step, whether the visitor gets so far or not."""
    first = world.pick(rng, FIRST, SIZE)
    return np.column_stack([first, world.pick(rng, LATER, SIZE * (STEPS - 1)).reshape(SIZE, STEPS - 1)])


def hazards(types: world.Ints, without: str | None = None) -> world.Floats:
    """Chance to buy at each step; ``without`` takes one touchpoint's influence away."""
    odds = np.broadcast_to(_BASE + _STEP * np.minimum(np.arange(STEPS), 4), types.shape).copy()
    for name, size in INFLUENCE.items():
        if name != without:
            odds += size * np.maximum.accumulate(types == TYPES.index(name), axis=1)
    return 1 / (1 + np.exp(-odds))


def chance(hazard: world.Floats) -> tuple[world.Floats, world.Floats]:
    """(chance to reach each step, chance to buy at each step)."""
    stays = (1 - hazard) * _GOES_ON
    reached = np.column_stack([np.ones(len(hazard)), np.cumprod(stays, axis=1)[:, :-1]])
    return reached, reached * hazard


def make(rng: np.random.Generator, types: world.Ints, sales: pd.DataFrame, deleted: world.Ints) -> pd.DataFrame:
    """One row a visitor: steps made, whether bought, receipt (-1), person (-1 never known), end (second), known from.

    Buyers get purchases of identified persons on site and app, drawn at random.
    """
    buys = rng.random(types.shape) < hazards(types)
    stops = buys | (rng.random(types.shape) >= _GOES_ON)
    stops[:, -1] = True
    last = np.argmax(stops, axis=1)
    bought = buys[np.arange(SIZE), last]
    possible = baskets.counts(sales) & (sales["person"] >= 0) & (sales["channel"] > 0)
    possible &= sales["second"] >= (START + 45) * world.DAY
    receipts = np.flatnonzero(possible)
    chosen = np.full(SIZE, -1, dtype=np.int64)
    chosen[bought] = rng.permutation(receipts)[: int(bought.sum())]
    end = rng.integers((START + 30) * world.DAY, world.END * world.DAY, SIZE)
    end = end // world.DAY * world.DAY + 7 * 3600 + rng.integers(0, 16 * 3600, SIZE)
    end = np.where(bought, sales["second"].to_numpy()[chosen] - 600, end)
    person = np.where(bought, sales["person"].to_numpy()[chosen], -1)
    passing = sales.loc[(sales["person"] >= 0) & (sales["second"] < START * world.DAY), "person"].unique()
    passing = np.sort(passing[deleted[passing] < 0])
    guest = passing[rng.integers(0, len(passing), SIZE)]
    person = np.where(~bought & (rng.random(SIZE) < 0.2), guest, person)
    known_from = np.where(person < 0, STEPS, np.where(bought & (rng.random(SIZE) < 0.5), last, (last + 1) // 2))
    return pd.DataFrame(
        {"last": last, "bought": bought, "receipt": chosen, "end": end, "person": person, "known_from": known_from}
    )


def truth(types: world.Ints, made: pd.DataFrame) -> dict[str, Any]:
    """Influence of every touchpoint: log-odds, and conversions in per cent of all without its influence."""
    reached, buying = chance(hazards(types))
    base = float(buying.sum())
    found: dict[str, Any] = {}
    at = np.arange(STEPS)[None, :] <= made["last"].to_numpy()[:, None]
    for number, name in enumerate(TYPES):
        seen = ((types == number) & at).any(axis=1)
        bought = made["bought"].to_numpy()
        found[name] = {
            "log_odds": INFLUENCE.get(name, 0.0),
            "visitors_who_met_it": int(seen.sum()),
            "conversion_with": round(float(bought[seen].mean()), 6),
            "conversion_of_others": round(float(bought[~seen].mean()), 6),
            "conversion_change_of_all_by_it": round(base / float(chance(hazards(types, name))[1].sum()) - 1, 6),
        }
    return {
        "journeys": SIZE,
        "bought": int(made["bought"].sum()),
        "expected_conversion": round(base / SIZE, 6),
        "expected_steps": round(float(reached.sum()) / SIZE, 6),
        "touchpoints": found,
    }
