"""Surveys of those who are no customers (staff, a market panel), and all surveys as canonical tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import columns, moments, opinions, surveys, world

STAFF_WAVES = ("2023-11-06", "2024-11-04")
SERVQUAL_WAVES = ("2023Q2", "2024Q2")
OUT_OF_RANGE = 14
_MARKET = 400


def staff(rng: np.random.Generator) -> surveys.Asked:
    """Everybody employed is asked, anonymously, once a year."""
    invited, answers, known = [], [], {}
    for date in STAFF_WAVES:
        second, wave = world.day_of(date) * world.DAY + 9 * 3600, date[:4]
        mood = rng.standard_normal(moments.HEADS) + 0.15 * (wave == "2024")
        recommends = np.clip(np.round(7.0 + 1.9 * mood + 0.8 * rng.standard_normal(len(mood))), 0, 10)
        content = np.clip(np.round(3.5 + 0.8 * mood + 0.4 * rng.standard_normal(len(mood))), 1, 5)
        replied = rng.random(len(mood)) < 0.64
        when = second + rng.integers(600, 14 * world.DAY, len(mood))
        rows = pd.DataFrame({"second": second, "responded": np.where(replied, when, -1)})
        invited.append(rows.assign(survey="staff", wave=wave, kind="employee", person=-1))
        for question, score, low, high in (("ENPS", recommends, 0, 10), ("JOB_SAT", content, 1, 5)):
            part = pd.DataFrame({"second": when, "score": score})[replied]
            answers.append(
                part.assign(
                    survey="staff", wave=wave, kind="employee", person=-1, question=question, low=low, high=high
                )
            )
        known[wave] = {
            "asked": len(mood),
            "answered": int(replied.sum()),
            "enps_of_all": round(100 * float((recommends >= 9).mean() - (recommends <= 6).mean()), 6),
            "job_satisfied_of_all": round(float((content >= 4).mean()), 6),
        }
    return surveys.Asked(pd.concat(invited), pd.concat(answers).assign(better=True), known)


def market(rng: np.random.Generator) -> pd.DataFrame:
    """Answers of people outside the customer base, for first choice and recommendation."""
    second = opinions.starts("2024Q2") + rng.integers(0, 14 * world.DAY, _MARKET)
    rows = pd.DataFrame({"second": second, "survey": "market", "wave": "2024Q2", "kind": "market_panel", "person": -1})
    first = (rng.random(_MARKET) < 0.16).astype(np.float64)
    nps = np.clip(np.round(6.2 + 2.0 * rng.standard_normal(_MARKET)), 0, 10)
    return pd.concat(
        [
            rows.assign(question="FIRST_CHOICE", score=first, low=0, high=1, better=True),
            rows.assign(question="NPS", score=nps, low=0, high=10, better=True),
        ]
    )


def spoil(rng: np.random.Generator, answers: pd.DataFrame) -> pd.DataFrame:
    """A few scores that their scale does not have."""
    possible = np.flatnonzero((answers["survey"] == "relation") & answers["question"].isin(["NPS", "CSAT"]))
    chosen = np.sort(rng.permutation(possible)[:OUT_OF_RANGE])
    spoilt = answers.copy()
    beyond = answers["high"].to_numpy()[chosen] + 1
    spoilt.loc[chosen, "score"] = np.where(np.arange(OUT_OF_RANGE) % 3 == 0, 99.0, beyond)
    return spoilt


def together(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """All answers in order of time, with scale bounds for the relation survey."""
    every = pd.concat(parts, ignore_index=True)
    own = every["survey"] == "relation"
    wide = own & (every["question"] == "CSAT") & (every["wave"] < "2023")
    for name, place in (("low", 0), ("high", 1), ("better", 2)):
        scale = every["question"].map({q: s[place] for q, s in surveys.SCALES.items()})
        every[name] = np.where(own, scale, every[name])
    every.loc[wide, "high"] = 10
    every["kind"] = every["kind"].fillna("customer")
    every["weight"] = every["weight"].fillna(1.0)
    return every.sort_values(["second", "survey", "person"], kind="stable", ignore_index=True)


def tables(invited: pd.DataFrame, answers: pd.DataFrame) -> dict[str, pa.Table]:
    """``survey_invitations`` and ``survey_responses``."""
    invited = invited.sort_values(["second", "survey", "person"], kind="stable", ignore_index=True)
    kind = invited["kind"].fillna("customer")
    sent = pa.table(
        {
            "invitation_id": columns.code("I", np.arange(len(invited)) + 1, 6),
            "survey_id": pa.array(invited["survey"].tolist()),
            "wave_id": pa.array(invited["wave"].tolist()),
            "respondent_type": pa.array(kind.tolist()),
            "customer_id": columns.code("P", invited["person"] + 1, 5, invited["person"] >= 0),
            "sent_at": columns.moment(invited["second"]),
            "responded_at": columns.moment(invited["responded"], invited["responded"] >= 0),
        }
    )

    def words(name: str) -> pa.Array:
        values: list[Any] = answers[name].tolist()
        return pa.array([v if isinstance(v, str) else None for v in values], pa.string())

    ticket = answers["ticket"].fillna(-1).astype(np.int64)
    item = answers["item"].fillna(-1).astype(np.int64)
    said = pa.table(
        {
            "response_id": columns.code("V", np.arange(len(answers)) + 1, 6),
            "survey_id": words("survey"),
            "wave_id": words("wave"),
            "respondent_type": words("kind"),
            "customer_id": columns.code("P", answers["person"] + 1, 5, answers["person"] >= 0),
            "ts": columns.moment(answers["second"]),
            "touchpoint_type": words("touchpoint"),
            "channel": words("channel"),
            "ticket_id": columns.code("Q", ticket, 5, ticket >= 0),
            "question_code": words("question"),
            "dimension": words("dimension"),
            "item_no": pa.array(item.to_numpy(), mask=(item < 0).to_numpy()),
            "scale_min": answers["low"].astype(np.int64).to_numpy(),
            "scale_max": answers["high"].astype(np.int64).to_numpy(),
            "higher_is_better": answers["better"].astype(bool).to_numpy(),
            "score": columns.money((answers["score"].to_numpy() * 100).astype(np.int64)),
            "weight": answers["weight"].to_numpy(),
        }
    )
    return {"survey_invitations": sent, "survey_responses": said}


def every(
    rng: np.random.Generator,
    sales: pd.DataFrame,
    members: pd.DataFrame,
    asked: pd.DataFrame,
    mood: world.Floats,
    deleted: world.Ints,
) -> tuple[dict[str, pa.Table], dict[str, Any]]:
    """(tables, truth) of all surveys; ``asked`` are the tickets."""
    relation = surveys.relation(rng, sales, members, mood, deleted)
    contact, bought = moments.contacts(rng, asked, mood), moments.purchases(rng, sales, mood)
    served = {wave: moments.quality(rng, relation.invitations, wave, deleted) for wave in SERVQUAL_WAVES}
    inside = staff(rng)
    parts = [relation, contact, bought, *served.values(), inside]
    answers = spoil(rng, together([*(p.answers for p in parts), market(rng)]))
    answers = answers[answers["second"] < world.END * world.DAY].reset_index(drop=True)
    made = tables(pd.concat([p.invitations for p in parts], ignore_index=True), answers)
    truth = {
        "relation": relation.truth,
        "contact": contact.truth,
        "purchase": bought.truth,
        "servqual": {wave: part.truth for wave, part in served.items()},
        "staff": inside.truth,
    }
    return made, truth
