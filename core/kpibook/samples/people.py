"""Who buys, when, and who joins: a Beta-Geometric/NBD process with a programme of known effect.

Each person has a gamma-distributed purchase rate and a beta-distributed chance of leaving
after a purchase (Fader, Hardie & Lee 2005). Joining multiplies the rate by ``1 + EFFECT``;
of the purchases after joining, each is ``induced`` with probability EFFECT / (1 + EFFECT),
and induced purchases never end a relation. Taking them away therefore leaves exactly the
history the same person would have had without the programme.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from . import world

PEOPLE = 6_000
EFFECT = 0.15
FORGOTTEN = 0.08


def persons(rng: np.random.Generator) -> pd.DataFrame:
    """One row a person: first purchase, rate per day, chance to leave, readiness to join, habits."""
    early = rng.random(PEOPLE) < 0.38
    arrival = np.where(early, rng.uniform(0, world.START, PEOPLE), rng.uniform(world.START, world.END, PEOPLE))
    arrival = np.sort(arrival)
    rate = rng.gamma(1.3, 1 / 30, PEOPLE)
    rank = np.argsort(np.argsort(rate, kind="stable"), kind="stable") / PEOPLE
    return pd.DataFrame(
        {
            "arrival": arrival,
            "rate": rate,
            "leaves": rng.beta(0.7, 13.0, PEOPLE),
            "joins_first": 0.25 + 0.35 * rank,
            "joins_later": np.where(rng.random(PEOPLE) < 0.35, 0.0, 0.06),
            "habit": world.pick(rng, np.array([0.66, 0.2, 0.14]), PEOPLE),
            "shop": world.pick(rng, np.linspace(1.6, 0.6, len(world.STORES)), PEOPLE),
        }
    )


def visits(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Purchases of identified persons from ``ORIGIN`` on, in order: person, time, induced, joins, member."""
    who = np.arange(len(people))
    time = people["arrival"].to_numpy().copy()
    rate = people["rate"].to_numpy() / world.season(np.arange(365.0)).mean()
    leaves, first, later = (people[c].to_numpy() for c in ("leaves", "joins_first", "joins_later"))
    member = np.zeros(len(people), dtype=bool)
    rounds: list[pd.DataFrame] = []
    while len(who):
        opens = not rounds
        buys = np.ones(len(who), dtype=bool) if opens else rng.random(len(who)) < world.season(time[who])
        induced = buys & member[who] & (rng.random(len(who)) < EFFECT / (1 + EFFECT))
        chance = first[who] if opens else later[who]
        joins = buys & ~member[who] & (time[who] > world.LAUNCH) & (rng.random(len(who)) < chance)
        member[who[joins]] = True
        rounds.append(
            pd.DataFrame({"person": who, "time": time[who], "induced": induced, "joins": joins, "member": member[who]})[
                buys
            ]
        )
        stays = ~(buys & ~induced & (rng.random(len(who)) < leaves[who]))
        who = who[stays]
        time[who] += rng.exponential(1.0, len(who)) / (rate[who] * (1 + EFFECT * member[who]))
        who = who[time[who] < world.END]
    return pd.concat(rounds, ignore_index=True).sort_values(["person", "time"], ignore_index=True)
