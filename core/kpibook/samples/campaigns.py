"""Campaigns to members: random controls and a known number of purchases caused, and one mailing without any."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from . import world

WINDOW = 28
CONSENTS = {"email": "consent_email", "app": "consent_push"}


@dataclass(frozen=True)
class Campaign:
    """``uplift``: expected extra purchases in the window per reached, still active person."""

    campaign_id: str
    start: str
    channel: str
    category: int
    percent: int
    uplift: float
    contact_cents: int
    fixed_cents: int
    controls: float = 0.35
    rule: str | None = "bought in the category in the last 12 months"
    stage: str = "stable"
    offer_cents: int = 400
    chosen: float = 0.9


CAMPAIGNS = (
    Campaign("K2301", "2023-03-06", "email", 0, 10, 0.30, 2, 90_000, rule=None, stage="new", offer_cents=300),
    Campaign("K2302", "2023-09-18", "app", 6, 15, 0.20, 1, 60_000, stage="growing"),
    Campaign("K2303", "2023-11-20", "post", 3, 20, 0.45, 85, 180_000, offer_cents=900),
    Campaign("K2401", "2024-02-12", "email", 1, 10, 0.25, 2, 90_000),
    Campaign("K2402", "2024-05-06", "post", 5, 15, 0.40, 90, 200_000, stage="declining", offer_cents=700),
    Campaign("K2403", "2024-06-24", "app", 7, 10, 0.0, 1, 60_000, rule=None, stage="growing", offer_cents=200),
    Campaign("K2404", "2024-10-07", "email", 2, 15, 0.25, 2, 90_000, controls=0.5, chosen=1.0),
    Campaign("K2405", "2024-11-25", "email", 4, 10, 0.20, 2, 70_000, controls=0.0, stage="lost"),
)


def run(rng: np.random.Generator, visits: pd.DataFrame, agreed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """(one row per campaign and person with ``caused``, the purchases caused) for all campaigns.

    Who unsubscribes is left alone from then on, and taken out of ``agreed``.
    """
    targets, extra = [], []
    for number, campaign in enumerate(CAMPAIGNS):
        consent = CONSENTS.get(campaign.channel)
        reachable = agreed[consent].to_numpy() if consent else np.ones(len(agreed), dtype=bool)
        rows = _targets(rng, number, campaign, visits, reachable)
        if consent:
            agreed.loc[rows.loc[rows["unsubscribed"], "person"], consent] = False
        targets.append(rows)
        times = rows.loc[rows.index.repeat(rows["caused"]), ["person"]].copy()
        times["time"] = world.day_of(campaign.start) + 1 + rng.uniform(0, WINDOW - 1, len(times))
        extra.append(times.assign(campaign=number))
    return pd.concat(targets, ignore_index=True), pd.concat(extra, ignore_index=True)


def _targets(
    rng: np.random.Generator, number: int, campaign: Campaign, visits: pd.DataFrame, reachable: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    start = world.day_of(campaign.start)
    known = visits[(visits["time"] < start - 14) & visits["member"]]
    last = visits[visits["time"] >= start].groupby("person")["time"].max()
    everyone = np.sort(known["person"].unique())
    person = everyone[(rng.random(len(everyone)) < campaign.chosen) & reachable[everyone]]
    size = len(person)
    control = rng.random(size) < campaign.controls
    delivered = ~control & (rng.random(size) < 0.97)
    keen = rng.random(size)  # who reacts more, with mean one half
    active = np.isin(person, last.index.to_numpy())
    caused = np.where(delivered & active, rng.poisson(2 * keen * campaign.uplift, size), 0)
    opened = delivered & (rng.random(size) < np.where(caused > 0, 0.8, 0.32))
    clicked = opened & (rng.random(size) < np.where(caused > 0, 0.6, 0.12))
    hours = rng.integers(1, 72, size)
    responsive = campaign.uplift * active * 2 * keen
    predicted = np.clip(0.5 * responsive + 0.5 * campaign.uplift + 0.08 * rng.standard_normal(size), 0, None)
    return pd.DataFrame(
        {
            "campaign": number,
            "person": person,
            "control": control,
            "delivered": delivered,
            "opened": opened,
            "clicked": clicked,
            "replied": opened & (rng.random(size) < 0.02),
            "predicted": predicted,
            "unsubscribed": opened & (rng.random(size) < 0.006),
            "opened_second": start * world.DAY + 9 * 3600 + hours * 3600,
            "caused": caused,
        }
    )


def offers(targets: pd.DataFrame) -> pd.DataFrame:
    """Personal offers in force: person, first and last second, category, percent."""
    start = np.array([world.day_of(c.start) for c in CAMPAIGNS], dtype=np.int64)
    sent = targets.loc[targets["delivered"], ["campaign", "person"]]
    number = sent["campaign"].to_numpy()
    return pd.DataFrame(
        {
            "person": sent["person"].to_numpy(),
            "from": start[number] * world.DAY,
            "to": (start[number] + WINDOW) * world.DAY,
            "category": np.array([c.category for c in CAMPAIGNS])[number],
            "percent": np.array([c.percent for c in CAMPAIGNS])[number],
        }
    )
