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

PEOPLE = 7_000
EFFECT = 0.15
WON = 0.04
FORGOTTEN = 0.08


def persons(rng: np.random.Generator) -> pd.DataFrame:
    """One row a person, in order of the first purchase: rate per day, chance to leave, readiness to join, habits.

    Persons ``won`` would not have come without the programme: they arrive after it reached their outlet.
    """
    early = rng.random(PEOPLE) < 0.5
    arrival = np.where(early, rng.uniform(0, world.START, PEOPLE), rng.uniform(world.START, world.END, PEOPLE))
    rate = rng.gamma(1.3, 1 / 30, PEOPLE)
    rank = np.argsort(np.argsort(rate, kind="stable"), kind="stable") / PEOPLE
    made = pd.DataFrame(
        {
            "rate": rate,
            "leaves": rng.beta(0.7, 13.0, PEOPLE),
            "joins_first": 0.08 + 0.2 * rank,
            "joins_later": np.where(rng.random(PEOPLE) < 0.22, 0.0, 0.12 + 0.06 * rank),
            "habit": world.pick(rng, np.array([0.66, 0.2, 0.14]), PEOPLE),
            "shop": world.pick(rng, np.linspace(1.6, 0.6, len(world.STORES)), PEOPLE),
        }
    )
    reached = world.ROLLOUT[world.outlet(made["habit"].to_numpy(), made["shop"].to_numpy())]
    won = rng.random(PEOPLE) < WON
    arrival = np.where(won & (arrival < reached), rng.uniform(reached, world.END), arrival)
    made = made.assign(arrival=arrival, won=won, reached=reached).sort_values("arrival", ignore_index=True)
    made["token"] = np.where(rng.random(PEOPLE) < 0.35, 10_000 + np.arange(PEOPLE), -1)
    return made


def visits(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Purchases of identified persons from ``ORIGIN`` on, in order: person, time, induced, joins, member."""
    who = np.arange(len(people))
    time = people["arrival"].to_numpy().copy()
    rate = people["rate"].to_numpy() / world.season(np.arange(365.0)).mean()
    leaves, first, later, reached = (people[c].to_numpy() for c in ("leaves", "joins_first", "joins_later", "reached"))
    online = people["habit"].to_numpy() > 0
    member = np.zeros(len(people), dtype=bool)
    rounds: list[pd.DataFrame] = []
    while len(who):
        opens = not rounds
        buys = np.ones(len(who), dtype=bool) if opens else rng.random(len(who)) < world.season(time[who])
        induced = buys & member[who] & (rng.random(len(who)) < EFFECT / (1 + EFFECT))
        chance = first[who] if opens else later[who]
        possible = (time[who] > reached[who]) & (online[who] | ~world.closed(time[who].astype(np.int64)))
        joins = buys & ~member[who] & possible & (rng.random(len(who)) < chance)
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
