"""Recommendation: would customers recommend us, and how far that score can be trusted."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pandas as pd

from kpibook import kpi, modelled
from kpibook.rules import reason
from kpibook.stats.intervals import Z, normal
from kpibook.stats.net_scores import adjusted_wald, net_error
from kpibook.stats.respondent_bootstrap import percentile, person_sums, replicates
from kpibook.stats.survey_weights import kish
from loyalty_kpis.survey_figures import (
    ANSWERS,
    asked,
    boxed,
    counted,
    counting,
    latest,
    mean_of,
    note,
    nothing,
    persons,
    share_of,
    survey_rule,
    with_parts,
)

SCALE, PROMOTER, DETRACTOR = "0-10", 9, 6
#: Respondents who answered both questions.
PAIRED = 200
#: A change found in four cases of five at the usual 5 %: 1.96 + 0.84.
DETECTED = Z + 0.8416212335729143


@kpi(
    unit="points",
    better="higher",
    family="satisfaction",
    question="Would current customers recommend us?",
    columns={"survey_answers": ANSWERS},
)
def nps(survey_answers: pd.DataFrame):
    """Net Promoter Score: 100 times the weighted share of customers who answer 9 or 10 minus that of those who answer
    0 to 6, out of the whole numbers from 0 to 10.

    Answers without a score, outside 0 to 10 or between whole numbers are left out and listed, never moved to the
    nearest class. The variants show it unweighted, with the multinomial interval, that standard error, and the mean.
    """
    rows = eleven_points(survey_answers)
    valid = counting(rows)
    scored = net_score(valid)
    if scored is None:
        return nothing(rows)
    plain = net_score(valid.assign(weight=1.0))
    further = {
        "unweighted": plain,
        "multinomial": multinomial(valid),
        "standard_error": modelled(100 * _error(valid), n=len(valid), status=scored.status, reason=scored.reason),
        "mean_score": mean_of(valid["score"], valid),
    }
    return with_parts(scored, reason=scored.reason or note(rows), **_scores(rows), parts={"variant": further})


@kpi(
    unit="percent",
    better="neutral",
    family="satisfaction",
    question="How do the three classes divide?",
    columns={"survey_answers": ANSWERS},
)
def nps_class_share(survey_answers: pd.DataFrame):
    """Promoters/passives/detractors: weighted share of customers who answer 9 or 10, out of the whole numbers from 0 to
    10; the variants passives (7 or 8) and detractors (0 to 6), and the score itself.
    """
    rows = eleven_points(survey_answers)
    valid = counting(rows)
    scored = net_score(valid)
    if scored is None:
        return nothing(rows)
    up, down = _classes(valid)
    further = {"passives": share_of(~up & ~down, valid), "detractors": share_of(down, valid)}
    further["nps"] = with_parts(scored, unit="points")
    return with_parts(share_of(up, valid, why=note(rows)), parts={"variant": further})


@kpi(
    unit="ratio",
    better="lower",
    family="satisfaction",
    question="Does the seed's claim hold in these data?",
    columns={"survey_answers": [*ANSWERS, "survey_id", "wave_id"]},
)
def nps_csat_noise_ratio(survey_answers: pd.DataFrame):
    """Is NPS less variable than CSAT?: standard error of the Net Promoter Score per point of its range of 200, over
    that of the share of satisfied per point of its range of 100, same respondents; below 1 the score is the steadier.

    The variants compare it with the mean of the same answers from 0 to 10, and give the change between two waves of
    the size of these that either would detect in four cases of five.
    """
    pairs = _pairs(survey_answers)
    if pairs.empty:
        return modelled(None, status="undefined", reason=reason("no_rows"), n=0)
    up, down = _classes(pairs)
    net, score, met = up.astype(float) - down, pairs["score"], pairs["satisfied"]
    columns = np.column_stack([np.ones(len(pairs)), net, net**2, score, score**2, met])
    sums = person_sums(columns, persons(pairs))
    value, against_mean = (float(x[0]) for x in _noise(sums.sum(axis=0)[None, :]))
    if not np.isfinite(value):
        return modelled(None, status="undefined", reason=reason("zero_denominator"), n=len(pairs))
    drawn, drawn_mean = _noise(replicates(sums))
    few = len(sums) < PAIRED
    why = reason("too_few_persons", n=len(sums), minimum=PAIRED) if few else ""
    facts = {"n": len(pairs), "persons": len(sums), "status": "low_n" if few else "ok", "reason": why}
    wave = len(pairs) / pairs.groupby(["survey_id", "wave_id"]).ngroups
    change = {"nps": 100 * float(net.std(ddof=0)), "csat": 100 * float(met.std(ddof=0))}
    further = {"against_mean_score": _ranged(against_mean, drawn_mean, **facts)} | {
        f"{name}_detectable_change": modelled(DETECTED * spread * sqrt(2 / wave), unit="points", **facts)
        for name, spread in change.items()
    }
    return with_parts(_ranged(value, drawn, **facts), parts={"variant": further})


def eleven_points(answers: pd.DataFrame, question: str = "NPS") -> pd.DataFrame:
    """The rows of a recommendation question; other scales and broken numbers marked as left out."""
    rows = asked(answers, question)
    other = rows["left_out"].isna() & (rows["scale"] != SCALE)
    rows = rows.assign(left_out=rows["left_out"].where(~other, "other_scale"))
    score = rows["score"]
    off = rows["left_out"].isna() & ((score < 0) | (score > 10) | (score % 1 != 0))
    return rows.assign(left_out=rows["left_out"].where(~off, "off_scale"))


def net_score(valid: pd.DataFrame, published: int = 100, shrink: float = 1.0):
    """The score with its adjusted Wald interval on Kish's n; None without any weight. ``shrink`` narrows it."""
    effective = kish(valid["weight"], persons(valid))
    if effective == 0:
        return None
    up, down = _shares(valid)
    interval = adjusted_wald(up, down, effective)
    low, high = ((1 - shrink) * (up - down) + shrink * end for end in interval)
    status, why = survey_rule(effective, published)
    total = float(valid["weight"].sum())
    facts = {"n": len(valid), "numerator": (up - down) * total, "denominator": total}
    facts |= {"persons": valid["respondent_id"].nunique(), "status": status, "reason": why}
    return modelled(100 * (up - down), low=100 * low, high=100 * high, **facts)


def multinomial(valid: pd.DataFrame):
    """The score with value -+ 1.96 multinomial standard errors."""
    up, down = _shares(valid)
    low, high = normal(100 * (up - down), 100 * _error(valid))
    status, why = survey_rule(kish(valid["weight"], persons(valid)))
    return modelled(100 * (up - down), low=low, high=high, n=len(valid), status=status, reason=why)


def _classes(rows: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    return rows["score"] >= PROMOTER, rows["score"] <= DETRACTOR


def _shares(rows: pd.DataFrame) -> tuple[float, float]:
    w = rows["weight"].to_numpy(float)
    return tuple(float(w @ mark.to_numpy(float) / w.sum()) for mark in _classes(rows))


def _error(rows: pd.DataFrame) -> float:
    return net_error(*_shares(rows), kish(rows["weight"], persons(rows)))


def _scores(rows: pd.DataFrame) -> dict[str, Any]:
    """A table of answers by score; the class says promoter, passive, detractor, or why the answers do not count."""
    up, down = _classes(rows)
    named = np.select([rows["left_out"].notna(), up, down], [rows["left_out"], "promoter", "detractor"], "passive")
    return counted(rows.assign(**{"class": named}), ["score", "class"])


def _pairs(answers: pd.DataFrame) -> pd.DataFrame:
    """One row per respondent and wave with both a recommendation and a satisfaction that count."""
    keys = ["respondent_id", "survey_id", "wave_id"]
    recommend = latest(counting(eleven_points(answers)), keys)
    content = latest(counting(boxed(asked(answers, "CSAT"))), keys)
    return recommend.drop(columns="satisfied").merge(content[[*keys, "satisfied"]], on=keys)


def _noise(sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Spread of the score over that of CSAT, and over that of the mean, each per unit of its range."""
    n, net, net_squared, score, score_squared, met = sums.T
    spreads = [net_squared / n - (net / n) ** 2, score_squared / n - (score / n) ** 2, met / n * (1 - met / n)]
    whole, mean, share = (np.sqrt(np.maximum(0.0, np.round(x, 12))) for x in spreads)
    with np.errstate(divide="ignore", invalid="ignore"):
        return (whole / 2) / share, (whole / 2) / (mean / 10)


def _ranged(value: float, drawn: np.ndarray, **facts):
    if not np.isfinite(value):
        return modelled(None, status="undefined", reason=reason("zero_denominator"))
    low, high = percentile(drawn)
    return modelled(value, low=low, high=high, **facts)


DEFINITIONS = (nps, nps_class_share, nps_csat_noise_ratio)
