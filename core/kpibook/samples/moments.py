"""Surveys after a contact or a purchase, of staff, and of the service's quality (SERVQUAL)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from . import baskets, surveys, tickets, world

#: What a channel adds to the satisfaction with a contact or a purchase, in steps of a five-point scale.
CHANNEL_EFFECT = {"email": -0.3, "phone": 0.35, "chat": 0.1, "web": -0.1, "social": -0.5, "store": 0.3, "app": -0.2}
_CALLED = {"email": "email", "phone": "call", "chat": "website", "web": "website", "social": "social"}
_PLACES = {"store": "store", "web": "website", "app": "app"}
DIMENSIONS = {"R": 5, "A": 4, "T": 4, "E": 5, "RS": 4}
GAPS = {"R": -0.9, "A": -0.5, "T": 0.1, "E": -0.6, "RS": -1.1}
_IMPORTANCE = np.array([0.3, 0.2, 0.12, 0.16, 0.22])
HEADS = 190


def contacts(rng: np.random.Generator, asked: pd.DataFrame, mood: world.Floats) -> surveys.Asked:
    """A day after a ticket is settled: effort (CES 1.0 until 2022, CES 2.0 since) and satisfaction."""
    settled = asked["resolved"].between(0, (world.END - 14) * world.DAY) & ~asked["proactive"] & (asked["person"] >= 0)
    own = asked[settled]
    size = len(own)
    channel = np.array(tickets.CHANNELS)[own["channel"]]
    base = mood[own["person"]] + np.array([CHANNEL_EFFECT[c] for c in channel]) - 0.4 * (own["contacts"] > 1).to_numpy()
    late = rng.random(size) < 0.03
    when = own["resolved"].to_numpy() + world.DAY + (rng.exponential(1.0, size) * world.DAY).astype(np.int64)
    on_time = np.minimum(when, own["resolved"].to_numpy() + 7 * world.DAY - 60)
    when = np.where(late, own["resolved"].to_numpy() + 10 * world.DAY, on_time)
    responded = rng.random(size) < 0.38
    old = world.year_of(own["created"].to_numpy()) < 2023
    effort = base + 0.7 * rng.standard_normal(size)
    ces = np.where(old, np.clip(np.round(2.4 - 0.8 * effort), 1, 5), np.clip(np.round(5.2 + 1.2 * effort), 1, 7))
    csat = np.clip(np.round(3.6 + 0.8 * (base + 0.7 * rng.standard_normal(size))), 1, 5)
    rows = pd.DataFrame(
        {
            "person": own["person"].to_numpy(),
            "survey": "contact",
            "wave": quarters(own["created"].to_numpy()),
            "second": own["resolved"].to_numpy() + world.DAY,
            "responded": np.where(responded, when, -1),
            "ticket": own.index.to_numpy() + 1,
            "channel": channel,
            "touchpoint": np.array([_CALLED[c] for c in channel]),
        }
    )
    both = [
        rows.assign(question="CES", score=ces, low=1, high=np.where(old, 5, 7), better=~old),
        rows.assign(question="CSAT", score=csat, low=1, high=5, better=True),
    ]
    answers = pd.concat([frame[responded] for frame in both], ignore_index=True)
    new = ~old
    known = {
        "ces_5_to_7_of_all_asked_since_2023": round(float((ces[new] >= 5).mean()), 6),
        "csat_mean_by_channel_of_all_asked": _by(channel, csat),
        "answers_later_than_7_days": int((late & responded).sum()),
    }
    return surveys.Asked(rows.drop(columns=["ticket", "channel", "touchpoint"]), _answered(answers), known)


def purchases(rng: np.random.Generator, sales: pd.DataFrame, mood: world.Floats) -> surveys.Asked:
    """A day after a purchase, from 2023: satisfaction by channel."""
    possible = baskets.counts(sales) & (sales["person"] >= 0)
    inside = sales["second"].between(world.day_of("2023-01-01") * world.DAY, (world.END - 7) * world.DAY)
    known = sales[possible & inside]
    own = known.iloc[np.sort(rng.permutation(len(known))[:4_000])]
    channel = np.array(world.CHANNELS)[own["channel"].to_numpy(dtype=np.int64)]
    base = mood[own["person"]] + np.array([CHANNEL_EFFECT[c] for c in channel]) + 0.7 * rng.standard_normal(len(own))
    csat = np.clip(np.round(3.7 + 0.8 * base), 1, 5)
    responded = rng.random(len(own)) < 0.27
    sent = own["second"].to_numpy() + world.DAY
    rows = pd.DataFrame(
        {
            "person": own["person"].to_numpy(),
            "survey": "purchase",
            "wave": quarters(own["second"].to_numpy()),
            "second": sent,
            "responded": np.where(responded, sent + rng.integers(600, 4 * world.DAY, len(own)), -1),
            "channel": channel,
            "touchpoint": np.array([_PLACES[c] for c in channel]),
        }
    )
    answers = rows.assign(question="CSAT", score=csat, low=1, high=5, better=True)[responded]
    truth = {"csat_mean_by_channel_of_all_asked": _by(channel, csat)}
    return surveys.Asked(rows.drop(columns=["channel", "touchpoint"]), _answered(answers), truth)


def quality(rng: np.random.Generator, asked: pd.DataFrame, wave: str, deleted: world.Ints) -> surveys.Asked:
    """SERVQUAL of the persons invited to the relation survey of a wave: 22 expectations, 22 perceptions, weights."""
    own = asked[asked["wave"] == wave]
    gone = deleted[own["person"]]
    own = own[(gone < 0) | (gone > own["second"] + 40 * world.DAY)].reset_index(drop=True)
    size = len(own)
    names = np.repeat(list(DIMENSIONS), list(DIMENSIONS.values()))
    gap = np.repeat([GAPS[d] for d in DIMENSIONS], list(DIMENSIONS.values()))
    person, item = rng.standard_normal((2, size, 1)), rng.standard_normal((2, size, len(names)))
    expected = np.clip(np.round(6.0 + 0.4 * person[0] + 0.6 * item[0]), 1, 7)
    seen = np.clip(np.round(6.0 + gap + 0.2 * person[0] + 0.6 * person[1] + 0.7 * item[1]), 1, 7)
    points = 5.0 * rng.multinomial(20, _IMPORTANCE, size)
    responded, half, gaps = rng.random(size) < 0.4, rng.random(size) < 0.08, rng.random(size) < 0.04
    sent = own["second"].to_numpy() + 20 * world.DAY
    when = sent + rng.integers(600, 15 * world.DAY, size)
    skipped = gaps[:, None] & (rng.random((size, len(names))) < 0.35)
    blocks = (
        ("SQ_E", expected, names, ~skipped & ~half[:, None], 1, 7),
        ("SQ_P", seen, names, ~skipped, 1, 7),
        ("SQ_WEIGHT", points, np.array(list(DIMENSIONS)), np.broadcast_to(~half[:, None], points.shape), 0, 100),
    )
    answers = []
    for question, scores, dimension, given, low, high in blocks:
        at, column = np.nonzero(given & responded[:, None])
        part = pd.DataFrame({"person": own["person"].to_numpy()[at], "second": when[at], "score": scores[at, column]})
        number = column + 1 if question != "SQ_WEIGHT" else -1
        answers.append(
            part.assign(question=question, dimension=dimension[column], item=number, low=low, high=high, better=True)
        )
    rows = own[["person"]].assign(survey="servqual", wave=wave, second=sent, responded=np.where(responded, when, -1))
    difference = seen - expected
    by_dimension = np.stack([difference[:, names == d].mean(axis=1) for d in DIMENSIONS], axis=1)
    weighted = (by_dimension * points / 100).sum(axis=1)
    known: dict[str, Any] = {
        "gap_by_dimension_of_all_asked": {
            d: round(float(v), 6) for d, v in zip(DIMENSIONS, by_dimension.mean(axis=0), strict=True)
        },
        "weighted_gap_of_all_asked": round(float(weighted.mean()), 6),
        "expectation_met_of_all_asked": round(float((weighted >= 0).mean()), 6),
        "respondents": int(responded.sum()),
        "respondents_with_one_half": int((responded & half).sum()),
        "respondents_with_items_missing": int((responded & gaps & ~half).sum()),
    }
    made = pd.concat(answers, ignore_index=True).assign(survey="servqual", wave=wave)
    return surveys.Asked(rows, made, known)


def quarters(second: world.Ints) -> np.ndarray[Any, Any]:
    month = world.month_of(second).astype(np.int64)
    return np.char.add((1970 + month // 12).astype(str), np.char.add("Q", (month % 12 // 3 + 1).astype(str)))


def _answered(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(second=rows["responded"]).drop(columns="responded").reset_index(drop=True)


def _by(channel: Any, score: world.Floats) -> dict[str, float]:
    means = pd.Series(score).groupby(channel).mean()
    return {str(name): round(float(value), 6) for name, value in means.items()}
