"""Everyone ever identified: the canonical table ``customers``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import bonds, columns, world

BANDS = ("A", "B", "C", "D", "E")
SOURCES = ("store", "web", "app", "social", "referral")
REASONS = ("programme", "recommendation", "advertising", "price", "location", "other", "unknown")
_PROGRAMME, _RECOMMENDED, _REFERRAL = 0, 1, 4
ODD_YEARS = 20


def reasons(rng: np.random.Generator, persons: pd.DataFrame, made: bonds.Bonds) -> tuple[world.Ints, Any, Any]:
    """(reason, whether asked, whether brought by a friend): the won often say so, so do some others."""
    size = len(persons)
    friend = np.isin(np.arange(size), made.sent["friend"])
    reason = world.pick(rng, np.array([0.07, 0.08, 0.15, 0.22, 0.28, 0.1, 0.1]), size)
    reason = np.where(persons["won"] & (rng.random(size) < 0.7), _PROGRAMME, reason)
    reason = np.where(friend & (rng.random(size) < 0.75), _RECOMMENDED, reason)
    return reason, rng.random(size) < 0.92, friend


def consents(rng: np.random.Generator, visits: pd.DataFrame, size: int) -> pd.DataFrame:
    """Who agreed to what, a column each; members are asked when they join and agree more often."""
    joined = np.isin(np.arange(size), visits.loc[visits["joins"], "person"])
    shares = {"consent_email": (0.55, 0.85), "consent_push": (0.25, 0.6), "consent_profiling": (0.4, 0.7)}
    return pd.DataFrame(
        {name: rng.random(size) < np.where(joined, inside, outside) for name, (outside, inside) in shares.items()}
    )


def leavers(rng: np.random.Generator, visits: pd.DataFrame, members: pd.DataFrame, size: int) -> world.Ints:
    """Second at which a person asked to be deleted, long after the last purchase and any membership; else -1."""
    last = visits.groupby("person")["time"].max().to_numpy()
    closed = np.zeros(size, dtype=np.int64)
    closed[members["person"].to_numpy()] = np.where(members["closed"] >= 0, members["closed"], world.END * world.DAY)
    when = np.maximum(world.opening(last + 200), closed + 20 * world.DAY)
    luck = rng.random(size)
    asks = (luck < np.where(closed > 0, 0.4, 0.05)) & (when < world.END * world.DAY) & (when >= world.START * world.DAY)
    return np.where(asks, when, -1)


def customers(
    rng: np.random.Generator,
    persons: pd.DataFrame,
    visits: pd.DataFrame,
    members: pd.DataFrame,
    made: bonds.Bonds,
    agreed: pd.DataFrame,
    deleted: world.Ints,
) -> tuple[pa.Table, dict[str, Any]]:
    """The table, and what is true of it; also persons who bought before 2022 only. The deleted agree to nothing."""
    size = len(persons)
    first = visits.groupby("person")["time"].min().to_numpy()
    joined = np.isin(np.arange(size), members["person"].to_numpy())
    band = np.where(
        joined,
        world.pick(rng, np.array([0.1, 0.24, 0.33, 0.23, 0.1]), size),
        world.pick(rng, np.array([0.08, 0.2, 0.32, 0.26, 0.14]), size),
    )
    reason, asked, friend = reasons(rng, persons, made)
    kept = deleted < 0
    by = np.full(size, -1, dtype=np.int64)
    came = made.sent[made.sent["friend"] >= 0]
    by[came["friend"].to_numpy()] = came["person"].to_numpy()
    linked = (by >= 0) & (rng.random(size) < 0.9)
    source = world.pick(rng, np.array([0.5, 0.2, 0.1, 0.12, 0.08]), size)
    birth = rng.integers(1940, 2005, size)
    birth_known = (rng.random(size) >= 0.15) & kept
    odd = np.flatnonzero(birth_known)[np.sort(rng.permutation(int(birth_known.sum()))[:ODD_YEARS])]
    birth[odd] = np.where(np.arange(ODD_YEARS) % 2, 1900, 2020)
    likes = rng.random((size, len(world.CATEGORIES))) < 0.25
    told = (rng.random(size) < 0.6) & kept
    interests = [[c for c, own in zip(world.CATEGORIES, row, strict=True) if own] for row in likes]
    table = pa.table(
        {
            "customer_id": columns.code("P", np.arange(size) + 1, 5),
            "household_id": columns.code("H", made.household + 1, 4, made.household >= 0),
            "created_at": columns.moment(world.opening(first)),
            "birth_year": pa.array(birth, mask=~birth_known),
            "postal_area": columns.code("I", rng.integers(10, 99, size), 2, kept),
            "socio_economic_band": columns.choice(BANDS, band, (rng.random(size) < 0.9) & kept),
            "interests": pa.array([i if t else None for i, t in zip(interests, told, strict=True)]),
            "acquisition_channel": columns.choice(SOURCES, np.where(linked, _REFERRAL, source)),
            "acquisition_reason": columns.choice(REASONS, reason, asked),
            "referred_by_customer_id": columns.code("P", by + 1, 5, linked),
            **{name: agreed[name].to_numpy() & kept for name in agreed},
            "deleted_at": columns.moment(deleted, ~kept),
        }
    )
    return table, _truth(world.opening(first), persons["won"].to_numpy(), reason, asked, linked | friend, deleted)


def _truth(first: world.Ints, won: Any, reason: world.Ints, asked: Any, friend: Any, deleted: world.Ints) -> Any:
    year = world.year_of(first)
    gone = world.year_of(np.maximum(deleted, 0))
    found = {}
    for one in world.YEARS:
        own = year == one
        found[str(one)] = {
            "new": int(own.sum()),
            "won_by_the_programme": int((own & won).sum()),
            "declared_programme": int((own & asked & (reason == _PROGRAMME)).sum()),
            "declared_recommendation": int((own & asked & (reason == _RECOMMENDED)).sum()),
            "reason_unknown": int((own & (~asked | (reason == len(REASONS) - 1))).sum()),
            "brought_by_a_friend": int((own & friend).sum()),
            "deleted": int(((deleted >= 0) & (gone == one)).sum()),
        }
    return found
