"""Survey practice: whether satisfaction is asked often and precisely, who answers, and whether it changes."""

from __future__ import annotations

from math import sqrt
from typing import Literal

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled
from kpibook.rules import reason, share_rule
from kpibook.stats.intervals import Z, normal
from kpibook.stats.representativity import r_indicator, standardised_difference
from kpibook.stats.survey_weights import kish, weighted_share
from kpibook.stats.trends import mann_kendall, weighted_line
from loyalty_kpis.reach import a_year
from loyalty_kpis.recommendation import DETECTED, eleven_points
from loyalty_kpis.survey_figures import (
    ANSWERS,
    BREAKS,
    PUBLISHED,
    SHOWN,
    asked,
    boxed,
    note,
    nothing,
    persons,
    with_parts,
)

YEAR = 365
WAVES, RANK_WAVES = 3, 8
#: Distance between the ends of what is measured, in points: from none to all, from all detractors to all promoters.
RANGE = {"CSAT": 100.0, "NPS": 200.0, "SAT_OVERALL": 100.0}


@kpi(
    unit="points",
    better="higher",
    family="satisfaction",
    question="Is satisfaction really changing between waves?",
    columns={"wave_answers": [*ANSWERS, "survey_id", "wave_id"]},
)
def satisfaction_trend(
    wave_answers: pd.DataFrame, *, question: Literal["CSAT", "NPS", "SAT_OVERALL"] = "CSAT", survey: str = ""
):
    """Satisfaction trend: slope in points per wave of a line through the waves of one survey, weighted by inverse
    variance; CSAT counts the percentage of satisfied, NPS the score, SAT_OVERALL the mean on a range of 100.

    Waves before a change of scale, wording or mode are listed and stand outside the line, see survey_waves; so do waves
    of fewer than 30 effective answers. Respondents of several waves are clustered. Of several surveys that with the
    most waves of 100, or the one named by survey.
    """
    rows = _pointed(asked(wave_answers, question), question)
    waves = _waves(rows, question)
    if waves.empty:
        return nothing(rows)
    surveys = {str(name): part.reset_index(drop=True) for name, part in waves.groupby("survey_id")}
    chosen = survey or max(sorted(surveys), key=lambda name: _standing(surveys[name]))
    trends = {name: _trend(rows[rows["survey_id"] == name], own[own["line"] == "in"]) for name, own in surveys.items()}
    facts = {"table": waves.drop(columns=["variance", "excess"]), "table_persons": "answers"}
    if chosen not in surveys:
        why = because("No survey '{survey}' has answers to this question.", survey=survey)
        return modelled(None, status="undefined", reason=why, **facts)
    by_survey = {name: with_parts(found, parts={}) for name, found in trends.items() if found is not None}
    found = trends[chosen]
    if found is None:
        why = because(
            "Survey {survey} has {n} comparable waves of at least {minimum} effective answers up to the period's end;"
            " a trend needs {needed}.",
            survey=chosen,
            n=int((surveys[chosen]["line"] == "in").sum()),
            minimum=SHOWN,
            needed=WAVES,
        )
        return modelled(None, status="undefined", reason=why, parts={"survey_id": by_survey}, **facts)
    parts = {**found.parts, "survey_id": by_survey}
    return with_parts(found, reason=found.reason or note(rows[rows["survey_id"] == chosen]), parts=parts, **facts)


@kpi(
    unit="waves",
    better="higher",
    family="satisfaction",
    question="Do we ask often and precisely enough?",
    by_columns=False,
    looks_back=a_year,
    columns={
        "measured_waves": ["survey_id", "wave_id", "since", "until", "first_day", "last_day", "effective_n"],
        "asked_customers": ["active", "asked"],
    },
)
def satisfaction_cadence(measured_waves: pd.DataFrame, asked_customers: pd.DataFrame):
    """Measurement cadence: survey waves with at least 100 effective answers in the 365 days before the period's end.

    The variants: longest_gap_days, the longest time without a valid wave, the ends of the 365 days included;
    asked_share, customers active in the 365 days who were sent an invitation in them, out of all active customers;
    mean_margin, the mean over all waves of half the width of a 95 % interval for a share of one half.
    """
    active, reached = (int(asked_customers[c].sum()) for c in ("active", "asked"))
    valid = measured_waves[measured_waves["effective_n"] >= PUBLISHED]
    further = {
        "longest_gap_days": _exact(_longest_gap(valid, measured_waves), unit="days"),
        "asked_share": _exact(reached / active if active else None, "percent", numerator=reached, denominator=active),
        "mean_margin": _exact(_margin(measured_waves["effective_n"]), unit="percent"),
    }
    facts = {"n": len(measured_waves), "numerator": float(len(valid)), "parts": {"variant": further}}
    columns = ["survey_id", "wave_id", "first_day", "last_day", "effective_n"]
    if len(measured_waves):
        facts["table"] = measured_waves[columns].assign(valid=measured_waves["effective_n"] >= PUBLISHED)
        facts["table_persons"] = "effective_n"
    return modelled(float(len(valid)), low=float(len(valid)), high=float(len(valid)), **facts)


@kpi(
    unit="percent",
    better="higher",
    family="satisfaction",
    question="How many of those asked answer, and are they like the rest?",
    breakdowns=("survey_id", "survey_wave"),
    columns={
        "survey_contacts": [
            "respondent_id", "sent_on", "data_end", "answered", "spend_before", "recency_days", "tenure_days",
        ]
    },
)  # fmt: skip
def survey_response_rate(survey_contacts: pd.DataFrame, *, answer_days: int = 14):
    """Survey response rate: invitations answered, out of all invitations sent to customers at least answer_days before
    the end of the data (AAPOR response rate; whatever was sent counts as delivered).

    The variants smd_usage, smd_tenure and smd_recency are the distances of those who answered from those asked, in
    standard deviations; r_indicator is 1 when answering does not depend on these three; max_bias is the most by which
    the silent can move a share.
    """
    due = pd.to_datetime(survey_contacts["data_end"]) - pd.to_timedelta(answer_days, unit="D")
    rows = survey_contacts[pd.to_datetime(survey_contacts["sent_on"]) < due].assign(weight=1.0)
    if rows.empty:
        early = because("No invitation was sent at least {days} days before the end of the data.", days=answer_days)
        return modelled(None, status="undefined", reason=early if len(survey_contacts) else reason("no_rows"), n=0)
    found = weighted_share(rows["answered"], rows["weight"], persons(rows))
    status, why = share_rule(found.value, *found.interval, found.effective_n)
    low, high = found.interval
    further = _alike(rows[rows["tenure_days"].notna()])
    further["max_bias"] = modelled(1 - found.value, low=1 - high, high=1 - low, status=status, reason=why)
    facts = {"n": len(rows), "numerator": found.numerator, "denominator": found.denominator}
    facts |= {"persons": rows["respondent_id"].nunique(), "status": status, "reason": why}
    return modelled(found.value, low=low, high=high, parts={"variant": further}, **facts)


def _pointed(rows: pd.DataFrame, question: str) -> pd.DataFrame:
    """Answers with the ``points`` that they add to the measure; those without a meaning on their scale left out."""
    if question == "CSAT":
        return boxed(rows).assign(points=100 * rows["satisfied"])
    if question == "NPS":
        score = rows["score"]
        return eleven_points(rows).assign(points=100.0 * ((score >= 9).astype(float) - (score <= 6)))
    ends = rows["scale"].str.extract(r"^(-?\d+)-(-?\d+)").astype(float)
    return rows.assign(points=100 * (rows["score"] - ends[0]) / (ends[1] - ends[0]))


def _waves(rows: pd.DataFrame, question: str) -> pd.DataFrame:
    """Each wave's value and sampling variance; ``line`` is in, too_small, or why its series breaks.

    The variance is that after four more answers of the widest spread, so that a unanimous wave has one;
    ``excess`` is what they add.
    """
    used = rows[~rows["left_out"].isin(["unanswered", "off_scale", "other_scale"])]
    found = []
    for (survey, wave), part in used.groupby(["survey_id", "wave_id"], sort=True):
        broken = [name for name in BREAKS if (part["left_out"] == name).any()]
        inside = part[part["left_out"].isna()]
        n = kish(inside["weight"], persons(inside))
        row = {"survey_id": survey, "wave_id": wave, "first_day": part["answered_on"].min(), "answers": len(part)}
        row |= {"effective_n": n, "value": None, "low": None, "high": None, "line": "too_small"}
        row |= {"variance": None, "excess": None}
        if n > 0:
            w, y = inside["weight"].to_numpy(float), inside["points"].to_numpy(float)
            mean = float(w @ y / w.sum())
            spread = float(w @ (y - mean) ** 2 / w.sum())
            row["value"], row["variance"] = mean, (n * spread + RANGE[question] ** 2) / (n + 4) / n
            row["excess"] = row["variance"] - spread / n
            row["low"], row["high"] = normal(mean, sqrt(row["variance"]))
            row["line"] = "in" if n >= SHOWN else "too_small"
        elif broken:
            row["line"] = f"break: {broken[0]}"
        found.append(row)
    columns = ["survey_id", "first_day", "wave_id"]
    return pd.DataFrame(found).sort_values(columns, ignore_index=True) if found else pd.DataFrame(found)


def _standing(own: pd.DataFrame) -> tuple[int, int]:
    return int((own["effective_n"] >= PUBLISHED).sum()), int(own["answers"].sum())


def _trend(rows: pd.DataFrame, line: pd.DataFrame):
    """Slope, change between the last two waves and rank trend of the waves in line, whose labels are their places.

    None with fewer than three waves.
    """
    if len(line) < WAVES:
        return None
    fitted = weighted_line(line.index.to_numpy(float), line["value"], line["variance"])
    known = rows[rows["left_out"].isna() & rows["wave_id"].isin(line["wave_id"])]
    error = _error(known, line, fitted.weights) * sqrt(max(1.0, fitted.scatter))
    published = int((line["effective_n"] >= PUBLISHED).sum())
    status, why = "ok", ""
    if published < WAVES:
        least = because(
            "Only {n} of its waves have at least {minimum} effective answers.", n=published, minimum=PUBLISHED
        )
        status, why = "low_n", least
    facts = {"n": len(line), "status": status, "reason": why}
    last = np.zeros(len(line))
    last[-2:] = -1, 1
    apart = float(last @ line["value"].to_numpy(float))
    spread = _error(known, line, last)
    low, high = normal(apart, spread)
    further = {
        "last_difference": modelled(apart, low=low, high=high, **facts),
        "detectable_change": modelled(DETECTED * spread, **facts),
        "mann_kendall": _ranks(line),
    }
    low, high = normal(fitted.slope, error)
    held = known["respondent_id"].nunique()
    further = {name: with_parts(each, persons=held) for name, each in further.items()}  # their n counts waves
    return modelled(fitted.slope, low=low, high=high, persons=held, parts={"variant": further}, **facts)


def _error(rows: pd.DataFrame, line: pd.DataFrame, weights: np.ndarray) -> float:
    """Standard error of a weighted sum of wave means, respondents of several waves counted as one."""
    place = rows["wave_id"].map({wave: i for i, wave in enumerate(line["wave_id"])}).to_numpy()
    w, y = rows["weight"].to_numpy(float), rows["points"].to_numpy(float)
    whole = np.bincount(place, weights=w, minlength=len(line))
    pull = weights[place] * w * (y - line["value"].to_numpy(float)[place]) / whole[place]
    each = np.bincount(persons(rows), weights=pull)
    clustered = float(each @ each) * len(each) / max(1, len(each) - 1)
    return sqrt(clustered + float(weights**2 @ line["excess"].to_numpy(float)))


def _ranks(line: pd.DataFrame):
    if len(line) < RANK_WAVES:
        why = because("{n} waves are in line; the rank trend needs {needed}.", n=len(line), needed=RANK_WAVES)
        return modelled(None, status="undefined", reason=why, n=len(line), unit="ratio")
    found = mann_kendall(line["value"].to_numpy(float))
    why = because("Kendall's tau of the waves against time; its p value is {p}.", p=round(found.p, 4))
    return modelled(found.tau, n=len(line), unit="ratio", reason=why)


def _exact(value, unit, **facts):
    if value is None:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), unit=unit, **facts)
    facts = {"numerator": float(value), **facts}
    return modelled(float(value), low=float(value), high=float(value), unit=unit, **facts)


def _longest_gap(valid: pd.DataFrame, waves: pd.DataFrame) -> int:
    """Days of the longest stretch without a valid wave between the ends of the year."""
    if waves.empty or valid.empty:
        return YEAR
    ordered = valid.sort_values(["first_day", "last_day"])
    begin, end = (pd.to_datetime(waves[c].iloc[0]) for c in ("since", "until"))
    starts = [*pd.to_datetime(ordered["first_day"]), end]
    ends = [begin, *pd.to_datetime(ordered["last_day"]).cummax()]
    return max(0, *((later - earlier).days for later, earlier in zip(starts, ends, strict=True)))


def _margin(effective: pd.Series) -> float | None:
    known = effective[effective > 0]
    return float((Z / 2 / np.sqrt(known)).mean()) if len(known) else None


def _alike(rows: pd.DataFrame) -> dict:
    """How those who answered differ from those asked in usage class, tenure and recency."""
    answered = rows["answered"].to_numpy(bool)
    spend = rows["spend_before"].fillna(0.0)
    cuts = spend.quantile([0.5, 0.8]).to_numpy() if len(rows) else (0.0, 0.0)
    classes = [spend <= cuts[0], (spend > cuts[0]) & (spend <= cuts[1]), spend > cuts[1]]
    usage = [standardised_difference(mark, answered) for mark in classes]
    traits = np.column_stack([*classes[1:], rows["tenure_days"], rows["recency_days"]]).astype(float)
    found = {
        "smd_usage": max((x for x in usage if x is not None), default=None),
        "smd_tenure": standardised_difference(rows["tenure_days"], answered),
        "smd_recency": standardised_difference(rows["recency_days"], answered),
        "r_indicator": r_indicator(answered, traits) if len(rows) else None,
    }
    none = {"status": "undefined", "reason": reason("zero_denominator")}
    return {
        name: modelled(value, n=len(rows), unit="ratio", **(none if value is None else {}))
        for name, value in found.items()
    }


DEFINITIONS = (satisfaction_trend, satisfaction_cadence, survey_response_rate)
