"""From journeys and app sessions to events: pages, stages, feelings, suggestions, bots."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from . import journeys, world

STAGES = ("acquisition", "activation", "opportunity", "conversion", "post_sale", "advocacy")
APP_USERS, BOTS, HIDDEN_BOTS = 700, 140, 3
_FEELING = {"social": -0.1, "community": 0.35, "blog": 0.15, "video": -0.4, "call": 0.2}
_ACTIVATES, _CONSIDERS = 0.45, 0.5  # of those who come a second time; of the activated who do not buy
_AFTER, _TELLS = 0.35, 0.4
_POST_SALE = ("review", "support_article")
_ACTIONS = ("wishlist_add", "profile_update", "article_read", "points_check", *_POST_SALE)


def steps(rng: np.random.Generator, types: world.Ints, made: pd.DataFrame) -> pd.DataFrame:
    """The touchpoints that visitors came to, one event each, and the stages that they reached there."""
    last = made["last"].to_numpy()
    count = last + 1
    visitor = np.repeat(np.arange(len(made)), count)
    step = np.arange(len(visitor)) - np.repeat(np.cumsum(count) - count, count)
    gap = 4_000 + (rng.exponential(2.0, types.shape) * world.DAY).astype(np.int64)
    back = np.cumsum(gap, axis=1)
    second = made["end"].to_numpy()[visitor] - np.where(
        last[visitor] > step, back[visitor, np.maximum(last[visitor] - step - 1, 0)], 0
    )
    frame = pd.DataFrame({"visitor": visitor, "step": step, "second": second, "type": types[visitor, step]})
    frame["name"] = "visit"
    frame["stage"] = np.where(step == 0, 0, -1)
    bought = made["bought"].to_numpy()
    activates = (bought & (rng.random(len(made)) < 0.85)) | ((last >= 1) & (rng.random(len(made)) < _ACTIVATES))
    considers = (bought & (rng.random(len(made)) < 0.9)) | (~bought & activates & (rng.random(len(made)) < _CONSIDERS))
    place = np.where(last >= 1, 1 + (rng.random(len(made)) * last).astype(np.int64), 0)
    parts = [frame]
    for stage, name, reached, at, delay in (
        (1, "account_opened", activates, place, 90),
        (2, "basket_filled", considers, last, 240),
        (3, "order", bought, last, 600),
    ):
        part = frame[reached[visitor] & (step == at[visitor])]
        parts.append(part.assign(stage=stage, name=name, second=part["second"] + delay))
    after = bought & (rng.random(len(made)) < _AFTER)
    tells = after & (rng.random(len(made)) < _TELLS)
    reviews = (rng.exponential(12.0, len(made)) * world.DAY).astype(np.int64) + 8_600
    shares = reviews + (rng.exponential(13.0, len(made)) * world.DAY).astype(np.int64) + 8_600
    for stage, name, reached, waits in ((4, "review", after, reviews), (5, "share", tells, shares)):
        part = frame[reached[visitor] & (step == last[visitor])]
        later = part["second"] + waits[part["visitor"]]
        parts.append(part.assign(stage=stage, name=name, step=part["step"] + stage, second=later))
    return pd.concat(parts, ignore_index=True)


def journey_events(rng: np.random.Generator, types: world.Ints, made: pd.DataFrame, shelf: world.Shelf) -> pd.DataFrame:
    """All events of journeys: the steps, and products looked at during them."""
    own = steps(rng, types, made)
    visits = own[own["name"] == "visit"]
    looks = visits.loc[visits.index.repeat(rng.poisson(0.7, len(visits)))].copy()
    looks["second"] += rng.integers(20, 85, len(looks))
    looks = looks.assign(name="product_view", stage=-1, product=world.pick(rng, shelf.weight, len(looks)))
    every = pd.concat([own, looks], ignore_index=True)
    order = every["name"].eq("order")
    about = made.iloc[every["visitor"].to_numpy()].reset_index(drop=True)
    every["receipt"] = np.where(order, about["receipt"], -1)
    known = every["step"].to_numpy() >= about["known_from"].to_numpy()
    every["person"] = np.where(known, about["person"], -1)
    feeling = np.array([_FEELING.get(t, np.nan) for t in journeys.TYPES])[every["type"]]
    rated = every["name"].eq("visit") & (rng.random(len(every)) < 0.5)
    said = np.clip(feeling + 0.4 * rng.standard_normal(len(every)), -1, 1)
    every["sentiment"] = np.where(rated, np.round(said, 2), np.nan)
    every["touchpoint"] = np.array(journeys.TYPES)[every["type"]]
    every["channel"] = np.where(every["touchpoint"].isin(["store", "call"]), "store", "web")
    every["visitor"] = "v" + every["visitor"].astype(str).str.zfill(6)
    every["session"] = every["visitor"] + "-" + every["step"].astype(str)
    return every.drop(columns=["type", "step"])


def app_events(
    rng: np.random.Generator, sales: pd.DataFrame, lines: pd.DataFrame, members: pd.DataFrame, shelf: world.Shelf
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Members' phones: sessions, actions that are no purchase, orders, and suggestions that some follow."""
    person = np.sort(rng.permutation(members.loc[members["closed"] < 0, "person"].to_numpy())[:APP_USERS])
    joined = members.set_index("person")["second"]
    mine = sales[(sales["channel"] == 2) & sales["person"].isin(person) & ~sales["cancelled"]]
    mine = mine[mine["second"] >= journeys.START * world.DAY]
    mine = mine[mine["second"].to_numpy() > joined.loc[mine["person"]].to_numpy() + 60]
    who = person[rng.integers(0, len(person), 9_000)]
    when = rng.integers(journeys.START * world.DAY, world.END * world.DAY, len(who))
    when = when // world.DAY * world.DAY + 7 * 3600 + rng.integers(0, 16 * 3600, len(who))
    there = when > joined.loc[who].to_numpy() + world.DAY
    opened = pd.DataFrame({"person": who[there], "second": when[there], "receipt": -1})
    orders = pd.DataFrame({"person": mine["person"], "second": mine["second"] - 300, "receipt": mine.index})
    sessions = pd.concat([opened, orders], ignore_index=True)
    sessions = sessions.sort_values(["person", "second"], kind="stable", ignore_index=True)
    near = (sessions["person"].diff() == 0) & (sessions["second"].diff() < 2_400) & (sessions["receipt"] < 0)
    sessions = sessions[~near].reset_index(drop=True)
    sessions["session"] = "a" + sessions["person"].astype(str).str.zfill(5) + "-" + sessions.index.astype(str)
    start = sessions.assign(name="app_open", stage=-1)
    acts = sessions[rng.random(len(sessions)) < 0.25]
    action = np.array(_ACTIONS)[rng.integers(0, len(_ACTIONS), len(acts))]
    acts = acts.assign(name=action, second=acts["second"] + 60, stage=np.where(np.isin(action, _POST_SALE), 4, -1))
    shown, known = _suggestions(rng, sessions, sales, lines, shelf)
    order = sessions[sessions["receipt"] >= 0]
    order = order.assign(name="order", stage=3, second=order["second"] + 300)
    start["receipt"], acts["receipt"], shown["receipt"] = -1, -1, -1
    every = pd.concat([start, acts, shown, order], ignore_index=True)
    every["visitor"] = "a" + every["person"].astype(str).str.zfill(5)
    return every.assign(touchpoint="app", channel="app"), known


def _suggestions(
    rng: np.random.Generator, sessions: pd.DataFrame, sales: pd.DataFrame, lines: pd.DataFrame, shelf: world.Shelf
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """A product shown in some sessions, sometimes one that the person is about to buy.

    ``lines`` with what was ``kept`` of them; accepted is what was bought within 14 days and not brought back.
    """
    shown = sessions[(rng.random(len(sessions)) < 0.4) & (sessions["receipt"] < 0)].reset_index(drop=True)
    shown["product"] = world.pick(rng, shelf.weight, len(shown))
    bought = lines.assign(
        person=sales["person"].to_numpy()[lines["receipt"]], second=sales["second"].to_numpy()[lines["receipt"]]
    )
    bought = bought[bought["person"].isin(shown["person"]) & (bought["kept"] > 0)].sort_values("second", kind="stable")
    dated = bought[["person", "product", "second"]].assign(bought=bought["second"])
    seen = shown.reset_index().sort_values("second", kind="stable")
    following = pd.merge_asof(
        seen, dated.rename(columns={"product": "next"}), on="second", by="person", direction="forward",
        tolerance=13 * world.DAY,
    ).sort_values("index")  # fmt: skip
    guided = following["next"].notna().to_numpy() & (rng.random(len(shown)) < 0.25)
    shown["product"] = np.where(guided, following["next"].fillna(0), shown["product"]).astype(np.int64)
    shown = shown.assign(name="suggestion_shown", stage=-1, second=shown["second"] + 30)
    return shown, {str(year): _accepted(shown, dated, year) for year in (2023, 2024)}


def _accepted(shown: pd.DataFrame, dated: pd.DataFrame, year: int) -> dict[str, int]:
    own = shown[world.year_of(shown["second"].to_numpy()) == year].sort_values("second", kind="stable")
    following = pd.merge_asof(
        own[["person", "product", "second"]], dated, on="second", by=["person", "product"], direction="forward",
        tolerance=14 * world.DAY,
    )  # fmt: skip
    return {"shown": len(own), "bought_within_14_days_and_kept": int(following["bought"].notna().sum())}


def bots(rng: np.random.Generator) -> pd.DataFrame:
    """Declared robots, and a few that nobody declared: hundreds of pages within a day."""
    count = np.concatenate([rng.integers(20, 60, BOTS), np.full(HIDDEN_BOTS, 600)])
    number = np.repeat(np.arange(len(count)), count)
    day = rng.integers(journeys.START, world.END - 1, len(count))
    second = day[number] * world.DAY + np.sort(rng.integers(0, world.DAY, len(number)))
    frame = pd.DataFrame({"number": number, "second": second}).sort_values(["number", "second"], kind="stable")
    pause = (frame["second"].diff() > 1_800) | (frame["number"].diff() != 0)
    visitor = "b" + frame["number"].astype(str).str.zfill(4)
    return frame.assign(
        visitor=visitor,
        session=visitor + "-" + pause.cumsum().astype(str),
        person=-1,
        receipt=-1,
        stage=-1,
        name="page_view",
        touchpoint="website",
        channel="web",
        bot=frame["number"] < BOTS,
    ).drop(columns="number")
