"""Service contacts: what is asked by which channel, when it is answered, and what stays open."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import baskets, calendars, columns, world

SIZE = 5_400
CHANNELS = ("email", "phone", "chat", "web", "social")
SLA_MINUTES = np.array([480, 5, 3, 480, 240])
_WEIGHTS = np.array([0.38, 0.3, 0.14, 0.12, 0.06])
_MEDIAN = np.array([230.0, 3.0, 2.0, 280.0, 120.0])  # business minutes to a human answer
_WRITTEN = np.array([True, False, False, True, True])
_FASTER_IN_2024 = 0.75


def make(rng: np.random.Generator, sales: pd.DataFrame) -> pd.DataFrame:
    """One row a ticket in order of time; seconds, -1 where there is none."""
    known = sales[baskets.counts(sales) & (sales["person"] >= 0)]
    about = known.iloc[rng.integers(0, len(known), SIZE)]
    channel = world.pick(rng, _WEIGHTS, SIZE)
    linked = rng.random(SIZE) < 0.8
    after = about["second"].to_numpy() + (rng.exponential(6.0, SIZE) * world.DAY).astype(np.int64)
    start, end = world.START * world.DAY, world.END * world.DAY
    created = np.where(linked, after, rng.integers(start, end, SIZE))
    created = created // world.DAY * world.DAY + 7 * 3600 + rng.integers(0, 16 * 3600, SIZE)
    spoken = calendars.moment(calendars.business(np.minimum(created, end - 1)) + rng.integers(0, 1800, SIZE))
    created = np.where(_WRITTEN[channel], created, spoken)
    spam = ~linked & (channel == 0) & (rng.random(SIZE) < 0.6)
    proactive = linked & np.isin(channel, [0, 1]) & (rng.random(SIZE) < 0.16)
    inbound = ~spam & ~proactive
    abandoned = inbound & ~_WRITTEN[channel] & (rng.random(SIZE) < 0.12)
    forgotten = inbound & _WRITTEN[channel] & (rng.random(SIZE) < 0.03)
    recent = created >= world.day_of("2024-01-01") * world.DAY
    median = _MEDIAN[channel] * np.where(recent, _FASTER_IN_2024, 1.0)
    delay = np.maximum((median * 60 * np.exp(rng.standard_normal(SIZE))).astype(np.int64), 5)
    reply = np.minimum(calendars.moment(calendars.business(np.minimum(created, end - 1)) + delay), end)
    answered = inbound & ~abandoned & ~forgotten & (reply < end)
    once = rng.random(SIZE) < 0.64
    contacts = np.where(once, 1, 2 + rng.poisson(0.7, SIZE))
    taken = np.where(once, rng.exponential(1_800.0, SIZE), rng.exponential(3.0 * world.DAY, SIZE) + 3_600)
    resolved = reply + taken.astype(np.int64)
    settled = answered & (resolved < end) & (rng.random(SIZE) < 0.985)
    made = pd.DataFrame(
        {
            "person": np.where(linked, about["person"].to_numpy(), -1),
            "channel": channel,
            "created": created,
            "proactive": proactive,
            "auto": np.where(inbound & np.isin(channel, [0, 3]) & (rng.random(SIZE) < 0.85), created + 45, -1),
            "delay": np.where(inbound & ~abandoned & ~forgotten, delay, -1),
            "reply": np.where(answered, reply, -1),
            "resolved": np.where(settled, resolved, np.where(proactive, created + 600, -1)),
            "contacts": contacts,
            "reopened": np.where(settled & (rng.random(SIZE) < np.where(once, 0.05, 0.1)), 1, 0),
            "complaint": inbound & (rng.random(SIZE) < 0.27),
            "spam": spam,
            "abandoned": abandoned,
            "credited": rng.random(SIZE) < 0.4,
        }
    )
    made = made[(made["created"] >= start) & (made["created"] < end) & (made["resolved"] < end)]
    return made.sort_values(["created", "person"], kind="stable", ignore_index=True)


def goodwill(made: pd.DataFrame, members: pd.DataFrame) -> pd.DataFrame:
    """Points given to members when their complaint was settled: person, second."""
    held = members.set_index("person")[["second", "closed"]].reindex(made["person"]).reset_index(drop=True)
    member = (held["second"] < made["resolved"]) & ((held["closed"] < 0) | (held["closed"] > made["resolved"]))
    given = made["complaint"] & (made["resolved"] >= 0) & made["credited"] & member
    return made.loc[given, ["person", "resolved"]].rename(columns={"resolved": "second"})


def table(made: pd.DataFrame) -> pa.Table:
    """``tickets``."""
    return pa.table(
        {
            "ticket_id": columns.code("Q", np.arange(len(made)) + 1, 5),
            "customer_id": columns.code("P", made["person"] + 1, 5, made["person"] >= 0),
            "channel": columns.choice(CHANNELS, made["channel"]),
            "direction": columns.choice(("inbound", "proactive"), made["proactive"].astype(int)),
            "created_at": columns.moment(made["created"]),
            "auto_reply_at": columns.moment(made["auto"], made["auto"] >= 0),
            "first_human_reply_at": columns.moment(made["reply"], made["reply"] >= 0),
            "resolved_at": columns.moment(made["resolved"], made["resolved"] >= 0),
            "contacts_count": made["contacts"].to_numpy(),
            "reopened_count": made["reopened"].to_numpy(),
            "is_complaint": made["complaint"].to_numpy(),
            "is_spam": made["spam"].to_numpy(),
            "abandoned": made["abandoned"].to_numpy(),
            "sla_reply_minutes": SLA_MINUTES[made["channel"].to_numpy()],
        }
    )


def truth(made: pd.DataFrame) -> dict[str, Any]:
    """By year of creation. The delays are those that would be seen if nobody stopped looking."""
    year = world.year_of(made["created"].to_numpy())
    found = {}
    for one in world.YEARS:
        own = made[year == one]
        asked = own[~own["spam"] & ~own["proactive"]]
        waited = asked[asked["delay"] >= 0]
        found[str(one)] = {
            "inbound": len(asked),
            "proactive": int(own["proactive"].sum()),
            "spam": int(own["spam"].sum()),
            "abandoned": int(asked["abandoned"].sum()),
            "never_answered_by_plan": int(((asked["delay"] < 0) & ~asked["abandoned"]).sum()),
            "without_answer_at_the_end": int((asked["reply"] < 0).sum()),
            "answered": int((asked["reply"] >= 0).sum()),
            "complaints": int(asked["complaint"].sum()),
            "median_business_minutes_of_answers": round(float(waited["delay"].median()) / 60, 4),
            "within_sla_of_answers": round(
                float((waited["delay"] <= SLA_MINUTES[waited["channel"].to_numpy()] * 60).mean()), 6
            ),
            "resolved": int((asked["resolved"] >= 0).sum()),
            "resolved_at_first_contact": int(
                ((asked["resolved"] >= 0) & (asked["contacts"] == 1) & (asked["reopened"] == 0)).sum()
            ),
        }
    return found
