"""What comes back: single lines and whole orders, some after the 30 days that count."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import world

if TYPE_CHECKING:
    import pandas as pd

LINE_RATE = 0.028
ORDER_RATE = 0.005
_SCALED = ("gross", "general", "loyalty", "personal", "net", "cogs", "funding")


def returns(rng: np.random.Generator, every: pd.DataFrame, lines: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(return receipts with ``original``, negative lines with ``of`` = index of the line brought back).

    Lines refer to their receipt by position in the returned frame; handling is a cost of its own.
    """
    whole = rng.random(len(every)) < ORDER_RATE
    delay = 1 + rng.exponential(11.0, len(every)) + np.where(rng.random(len(every)) < 0.12, 30.0, 0.0)
    back = every["second"].to_numpy() + (delay.astype(np.int64) * world.DAY)
    for _ in range(2):
        back += np.where(world.closed(np.minimum(back // world.DAY, world.END)), world.DAY, 0)
    possible = ~(every["cancelled"] | every["test"] | every["staff"]).to_numpy() & (back < world.END * world.DAY)
    receipt = lines["receipt"].to_numpy()
    chosen = possible[receipt] & (whole[receipt] | (rng.random(len(lines)) < LINE_RATE))
    bought = lines["quantity"].to_numpy()
    part = ~whole[receipt] & (rng.random(len(lines)) < 0.5)
    quantity = np.where(part, (bought + 1) // 2, bought)[chosen]
    original = np.unique(receipt[chosen])

    brought = every.iloc[original].copy()
    brought["second"] = back[original]
    brought["original"] = original
    negative = lines[chosen].copy()
    for name in _SCALED:
        negative[name] = -(negative[name] // negative["quantity"] * quantity)
    negative["quantity"] = -quantity
    negative["variable"] = 120
    negative["of"] = np.flatnonzero(chosen)
    negative["receipt"] = np.searchsorted(original, receipt[chosen])
    return brought.reset_index(drop=True), negative.reset_index(drop=True)
