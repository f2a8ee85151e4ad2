"""Receipts and their lines: what is bought, at which price, with which discounts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from . import people, world

ANONYMOUS = 0.35


def receipts(
    rng: np.random.Generator, persons: pd.DataFrame, visits: pd.DataFrame, caused: pd.DataFrame
) -> pd.DataFrame:
    """One row a receipt in the period: person (-1 anonymous), second, channel, store, card and flags."""
    own = visits[visits["time"] >= world.START].assign(campaign=-1)
    extra = caused.assign(induced=False, joins=False, member=True)
    known = pd.concat([own, extra], ignore_index=True)
    size = len(known)
    habit = persons["habit"].to_numpy()[known["person"]]
    usual = known["joins"].eq(True) | (rng.random(size) < 0.85)
    known["channel"] = np.where(usual, habit, rng.integers(0, 3, size))
    shut = world.closed(known["time"].to_numpy().astype(np.int64)) & (known["channel"] == 0)
    known.loc[shut, "channel"] = 1
    known["token"] = persons["token"].to_numpy()[known["person"]]
    known["store"] = persons["shop"].to_numpy()[known["person"]]
    known["card"] = known["member"] & (known["joins"] | (rng.random(size) >= people.FORGOTTEN))
    known["cancelled"] = (known["channel"] > 0) & ~known["joins"] & (rng.random(size) < 0.02)
    walk_in = _walk_ins(rng, round(size * ANONYMOUS / (1 - ANONYMOUS)))
    staff = _walk_ins(rng, round(size * 0.008)).assign(staff=True, token=-1)
    tests = _walk_ins(rng, round(size * 0.003)).assign(test=True, token=-1, channel=1)
    every = pd.concat([known, walk_in, staff, tests], ignore_index=True)
    for flag in ("induced", "joins", "member", "card", "cancelled", "staff", "test"):
        every[flag] = every[flag].eq(True)
    every["campaign"] = every["campaign"].fillna(-1).astype(np.int64)
    every["token"] = every["token"].fillna(-1).astype(np.int64)
    every["second"] = world.opening(every["time"].to_numpy(dtype=np.float64))
    return every.drop(columns="time").sort_values(["second", "person"], kind="stable", ignore_index=True)


def _walk_ins(rng: np.random.Generator, size: int) -> pd.DataFrame:
    days = np.arange(world.START, world.END, dtype=np.float64)
    open_ = ~world.closed(days.astype(np.int64))
    day = days[world.pick(rng, world.season(days) * open_, size)]
    paid_by_card = rng.random(size) < 0.4
    return pd.DataFrame(
        {
            "person": -1,
            "time": day + rng.random(size),
            "channel": 0,
            "store": world.pick(rng, np.linspace(1.2, 0.8, len(world.STORES)), size),
            "token": np.where(paid_by_card, rng.integers(0, 9_000, size), -1),
        }
    )


def lines(rng: np.random.Generator, shelf: world.Shelf, every: pd.DataFrame, offers: pd.DataFrame) -> pd.DataFrame:
    """One row a line, money in cents: ``net = gross - general - loyalty - personal`` to the cent."""
    known = every["person"].to_numpy() >= 0
    count = 1 + rng.poisson(np.where(known, 1.25, 0.85))
    receipt = np.repeat(np.arange(len(every)), count)
    product = world.pick(rng, shelf.weight, len(receipt))
    once = np.unique(receipt * world.PRODUCTS + product)
    receipt, product = once // world.PRODUCTS, once % world.PRODUCTS
    quantity = np.minimum(rng.geometric(0.72, len(receipt)), 6).astype(np.int64)
    second = every["second"].to_numpy()[receipt]
    card = every["card"].to_numpy()[receipt]
    price = shelf.price_at(product, second)
    day = second // world.DAY
    general = price * shelf.promotion[product, day // 14] // 100
    loyalty = np.where(card, (price - general) * shelf.member_offer[product, day // world.OFFER_DAYS] // 100, 0)
    percent = np.where(card, _personal(every, receipt, shelf.category[product], offers), 0)
    personal = (price - general - loyalty) * percent // 100
    net = price - general - loyalty - personal
    remote = every["channel"].to_numpy()[receipt] > 0
    return pd.DataFrame(
        {
            "receipt": receipt,
            "product": product,
            "quantity": quantity,
            "gross": quantity * price,
            "general": quantity * general,
            "loyalty": quantity * loyalty,
            "personal": quantity * personal,
            "tender": np.int64(0),
            "net": quantity * net,
            "cogs": quantity * (price * shelf.cost_permille[product] // 1000),
            "variable": np.where(remote, 180 + quantity * net * 30 // 1000, quantity * (8 + net * 12 // 1000)),
            "funding": np.where(shelf.funded[product], quantity * ((loyalty + personal) // 2), 0),
            "of": np.int64(-1),
        }
    )


def _personal(every: pd.DataFrame, receipt: world.Ints, category: world.Ints, offers: pd.DataFrame) -> world.Ints:
    """Percent of personal discount per line; windows of two campaigns never overlap for one category."""
    percent = np.zeros(len(receipt), dtype=np.int64)
    person, second = every["person"].to_numpy()[receipt], every["second"].to_numpy()[receipt]
    for key, holders in offers.groupby(["from", "to", "category", "percent"])["person"]:
        start, end, wanted, size = np.array(key).tolist()
        holds = (second >= start) & (second < end) & (category == wanted)
        holds[holds] = np.isin(person[holds], holders.to_numpy())
        percent[holds] = size
    return percent


def counts(every: pd.DataFrame) -> pd.Series:
    """Receipts that count: completed, neither staff nor test."""
    return ~(every["cancelled"] | every["staff"] | every["test"])
