"""The relation survey: quarterly waves, non-response by usage and membership, weights that mend it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from . import opinions, world

INVITED = 1_000
_RESPONDS = np.array([0.24, 0.34, 0.44])
_MEMBER_RESPONDS = 0.06
#: (lowest, highest, whether more is better); the CSAT of 2022 had ten steps.
SCALES = {
    "NPS": (0, 10, True),
    "CSAT": (1, 5, True),
    "SAT_OVERALL": (1, 10, True),
    "SAT_EXPECT": (1, 10, True),
    "SAT_IDEAL": (1, 10, True),
    "TOLD_POS": (0, 99, True),
    "TOLD_NEG": (0, 99, False),
    "FIRST_CHOICE": (0, 1, True),
    "CSAT_PROGRAMME": (1, 5, True),
    "REWARD": (1, 7, True),
    "EFFORT": (1, 7, False),
}


@dataclass(frozen=True)
class Asked:
    """Invitations (person, survey, wave, second, responded) and answers, one row an item."""

    invitations: pd.DataFrame
    answers: pd.DataFrame
    truth: dict[str, Any]


def relation(
    rng: np.random.Generator, sales: pd.DataFrame, members: pd.DataFrame, mood: world.Floats, deleted: world.Ints
) -> Asked:
    invited, answered, known = [], [], {}
    for wave in opinions.WAVES:
        second = opinions.starts(wave)
        people = opinions.population(sales, members, second, deleted)
        said = opinions.answers(rng, people, mood, wave)
        chosen = np.sort(rng.permutation(len(people))[:INVITED])
        asked = people.iloc[chosen]
        responds = _RESPONDS[asked["usage"]] + _MEMBER_RESPONDS * asked["member"].to_numpy()
        replied = rng.random(len(asked)) < responds
        when = second + (rng.exponential(4.0, len(asked)) * world.DAY).astype(np.int64) + 600
        when = np.minimum(when, second + 30 * world.DAY)
        invited.append(
            pd.DataFrame(
                {
                    "person": asked["person"].to_numpy(),
                    "survey": "relation",
                    "wave": wave,
                    "second": second,
                    "responded": np.where(replied, when, -1),
                }
            )
        )
        rows = chosen[replied]
        weight = _weights(people["stratum"].to_numpy(), rows)
        answered.append(_items(rng, people, said, rows, when[replied], weight).assign(wave=wave))
        known[wave] = {"invited": len(asked), "responded": int(replied.sum()), **population_truth(people, said, wave)}
    known |= {str(year): _year([known[w] for w in opinions.WAVES if w[:4] == str(year)]) for year in world.YEARS}
    return Asked(pd.concat(invited, ignore_index=True), pd.concat(answered, ignore_index=True), known)


def _year(waves: list[dict[str, Any]]) -> dict[str, float]:
    """A year's waves together, each with the weight of its respondents."""
    heads = np.array([wave["responded"] for wave in waves])
    names = [n for n, value in waves[0].items() if isinstance(value, float) and all(n in wave for wave in waves)]
    return {n: round(float(np.average([wave[n] for wave in waves], weights=heads)), 6) for n in names}


def _weights(stratum: world.Ints, rows: world.Ints) -> world.Floats:
    """Post-stratification: share of the population over share of the respondents; their mean is 1."""
    whole, answered = np.bincount(stratum, minlength=6), np.bincount(stratum[rows], minlength=6)
    share = whole / whole[answered > 0].sum()
    return np.round(share[stratum[rows]] * len(rows) / answered[stratum[rows]], 6)


def _items(
    rng: np.random.Generator,
    people: pd.DataFrame,
    said: pd.DataFrame,
    rows: world.Ints,
    when: world.Ints,
    weight: world.Floats,
) -> pd.DataFrame:
    made = []
    for question in SCALES:
        score = said[question].to_numpy()[rows]
        given = ~np.isnan(score) & (rng.random(len(rows)) >= 0.03)
        made.append(
            pd.DataFrame(
                {
                    "person": people["person"].to_numpy()[rows][given],
                    "survey": "relation",
                    "second": when[given],
                    "question": question,
                    "score": score[given],
                    "weight": weight[given],
                }
            )
        )
    return pd.concat(made, ignore_index=True)


def population_truth(people: pd.DataFrame, said: pd.DataFrame, wave: str) -> dict[str, Any]:
    """What an interview of every current customer would have shown."""
    nps, member = said["NPS"], people["member"]
    satisfied = said["CSAT"] >= (8 if wave < "2023" else 4)
    content = said["CSAT_PROGRAMME"] >= 4
    index = (said[["SAT_OVERALL", "SAT_EXPECT", "SAT_IDEAL"]].mean(axis=1) - 1) / 9 * 100
    balanced = (said["REWARD"] >= said["EFFORT"])[member]
    shares = {
        "nps": 100 * ((nps >= 9).mean() - (nps <= 6).mean()),
        "promoters": (nps >= 9).mean(),
        "detractors": (nps <= 6).mean(),
        "csat_top_two": satisfied.mean(),
        "satisfaction_index": index.mean(),
        "told_positive_per_100": 100 * said["TOLD_POS"].mean(),
        "told_negative_per_100": 100 * said["TOLD_NEG"].mean(),
        "first_choice": said["FIRST_CHOICE"].mean(),
        "programme_top_two_of_members": content[member].mean(),
        "both_top_two_of_members": (content & satisfied)[member].mean(),
        "reward_at_least_effort_of_members": balanced.mean(),
    }
    by_class = balanced.groupby(people.loc[member, "usage"]).mean()
    classes = {opinions.CLASSES[int(str(u))]: round(float(v), 6) for u, v in by_class.items()}
    return {
        "population": len(people),
        **{name: round(float(value), 6) for name, value in shares.items() if value == value},
        "reward_at_least_effort_by_class": classes,
    }
