"""What every customer would answer, asked or not: the population that a survey's truth is about."""

from __future__ import annotations

import numpy as np
import pandas as pd

from . import baskets, world

WAVES = tuple(f"{year}Q{quarter}" for year in world.YEARS for quarter in (1, 2, 3, 4))
CLASSES = ("light", "medium", "heavy")
_BOUNDS = (6, 16)  # purchases in the year before
_POSITIVE, _NEGATIVE = np.array([0.1, 0.2, 0.5, 1.2, 2.5]), np.array([4.0, 2.5, 0.8, 0.2, 0.1])
_FIRST = np.array([0.12, 0.45, 0.75])


def starts(wave: str) -> int:
    """Second at which a wave's invitations go out: the 10th of the quarter's middle month."""
    month = 3 * int(wave[-1]) - 1
    return world.day_of(f"{wave[:4]}-{month:02d}-10") * world.DAY + 10 * 3600


def moods(rng: np.random.Generator, persons: pd.DataFrame) -> world.Floats:
    """Lasting satisfaction of each person; who is less ready to leave is more content."""
    loyal = np.argsort(np.argsort(-persons["leaves"].to_numpy(), kind="stable"), kind="stable")
    return 0.6 * np.sort(rng.standard_normal(len(persons)))[loyal] + 0.65 * rng.standard_normal(len(persons))


def population(sales: pd.DataFrame, members: pd.DataFrame, second: int, deleted: world.Ints) -> pd.DataFrame:
    """Who bought in the year before and may still be asked: person, usage class (0 light), member, stratum."""
    since = max(second - 365 * world.DAY, world.START * world.DAY)
    here = ((deleted < 0) | (deleted > second))[sales["person"].to_numpy()]
    bought = baskets.counts(sales) & (sales["person"] >= 0) & here & sales["second"].between(since, second - 1)
    count = sales.loc[bought, "person"].value_counts().sort_index()
    usage = np.searchsorted(np.array(_BOUNDS), count.to_numpy(), side="right")
    if second - since < 300 * world.DAY:  # the data have just begun: less than a year to count
        usage = np.searchsorted(
            np.array(_BOUNDS) * (second - since) / (365 * world.DAY), count.to_numpy(), side="right"
        )
    open_ = (members["second"] < second) & ((members["closed"] < 0) | (members["closed"] > second))
    member = np.isin(count.index, members.loc[open_, "person"])
    return pd.DataFrame(
        {"person": count.index.to_numpy(), "usage": usage, "member": member, "stratum": usage * 2 + member}
    )


def answers(rng: np.random.Generator, people: pd.DataFrame, mood: world.Floats, wave: str) -> pd.DataFrame:
    """A column a question, a row a person of ``people``; NaN where a question does not apply."""
    size, member = len(people), people["member"].to_numpy()
    usage = people["usage"].to_numpy()
    base = mood[people["person"]] + 0.22 * (usage - 1) + 0.12 * member + 0.025 * WAVES.index(wave)

    def scale(middle: float, spread: float, low: int, high: int, noise: float = 0.55) -> world.Floats:
        return np.clip(np.round(middle + spread * (base + noise * rng.standard_normal(size))), low, high)

    made = {"NPS": scale(7.5, 1.8, 0, 10)}
    made["CSAT"] = scale(7.3, 1.7, 1, 10) if wave < "2023" else scale(3.7, 0.85, 1, 5)
    made["SAT_OVERALL"] = scale(7.4, 1.5, 1, 10)
    made["SAT_EXPECT"] = scale(6.9, 1.6, 1, 10)
    made["SAT_IDEAL"] = scale(6.5, 1.6, 1, 10)
    feeling = np.clip(np.round(3.7 + 0.85 * base), 1, 5).astype(np.int64) - 1
    made["TOLD_POS"] = rng.poisson(_POSITIVE[feeling]).astype(np.float64)
    made["TOLD_NEG"] = rng.poisson(_NEGATIVE[feeling]).astype(np.float64)
    kind = np.searchsorted([7, 9], made["NPS"], side="right")
    made["FIRST_CHOICE"] = (rng.random(size) < _FIRST[kind]).astype(np.float64)
    inside = {
        "CSAT_PROGRAMME": scale(3.5, 0.9, 1, 5, noise=0.8),
        "REWARD": np.clip(np.round(3.5 + 0.6 * usage + 0.7 * base + rng.standard_normal(size)), 1, 7),
        "EFFORT": np.clip(np.round(4.1 - 0.2 * base + rng.standard_normal(size)), 1, 7),
    }
    made |= {name: np.where(member, values, np.nan) for name, values in inside.items()}
    return pd.DataFrame(made)
