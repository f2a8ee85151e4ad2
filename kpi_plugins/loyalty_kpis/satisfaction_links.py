"""Satisfaction and behaviour: what the satisfied and the dissatisfied did in the year after they answered."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled
from kpibook.rules import reason
from kpibook.stats.clustered_ols import coefficient
from kpibook.stats.intervals import newcombe, wilson
from kpibook.stats.strata import Stratum, stratified_difference

OUTCOME = ["customer_id", "answered_on", "survey_id", "wave_id", "scale", "score", "satisfied", "bought_before"]
#: Of a scale from 1 to 5.
DISSATISFIED, FIVE = 2, "1-5"
FEWEST_DISSATISFIED, FEWEST_LINKED = 50, 300
STEP = 10.0
FEW_DISSATISFIED = "Too few dissatisfied persons: {n}; at least {minimum} are needed."
FEW_LINKED = "Too few persons behind the answers: {n}; at least {minimum} are needed."


@kpi(
    unit="percent",
    better="neutral",
    family="satisfaction",
    question="Is it true here that dissatisfied customers cannot be kept?",
    columns={"member_outcomes": [*OUTCOME, "bought_after", "spend_before", "member"]},
)
def dissatisfied_retention_gap(member_outcomes: pd.DataFrame):
    """Retention of the dissatisfied: persons who bought in the 365 days after their answer, out of those who had bought
    in the 365 days before it: the satisfied minus the dissatisfied (1 or 2 on a scale from 1 to 5), within the same
    usage class (low, medium or heavy by spend before the answer; Mantel-Haenszel).

    Answers whose 365 days end in the period, each person's first. The variants show both retentions, the plain
    difference, and dissatisfied members minus satisfied non-members: where that is not below 0 it is not true that
    the dissatisfied cannot be kept. An association, not an effect.
    """
    five = member_outcomes[(member_outcomes["scale"] == FIVE) & (member_outcomes["bought_before"] > 0)]
    people = five.sort_values(["customer_id", "answered_on", "survey_id"]).drop_duplicates("customer_id")
    if people.empty:
        none = because("No answer on a scale from 1 to 5, of a customer of the year before, is 365 days old by then.")
        return modelled(None, status="undefined", reason=none, n=0)
    people = people.assign(
        kept=people["bought_after"] > 0, usage=_usage(people["spend_before"]), low=people["score"] <= DISSATISFIED
    )
    content, low = people[people["satisfied"] > 0], people[people["low"]]
    found = stratified_difference([_stratum(part) for _, part in people.groupby("usage", sort=True)])
    members, strangers = low[low["member"]], content[~content["member"]]
    further = {
        "satisfied": _kept(content),
        "dissatisfied": _kept(low),
        "unadjusted": _difference(content, low),
        "dissatisfied_members_minus_satisfied_non_members": _difference(members, strangers),
    }
    facts = {"n": len(content) + len(low), "persons": len(content) + len(low), "parts": {"variant": further}}
    if found is None:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts)
    value, (bottom, top) = found
    few = len(low) < FEWEST_DISSATISFIED
    why = because(FEW_DISSATISFIED, n=len(low), minimum=FEWEST_DISSATISFIED) if few else _verdict(members, strangers)
    return modelled(value, low=bottom, high=top, unit="pp", status="low_n" if few else "ok", reason=why, **facts)


@kpi(
    unit="money",
    better="higher",
    family="satisfaction",
    question="Does satisfaction lead to later margin here (which of the two 'number one' metrics leads)?",
    columns={
        "answer_outcomes": [
            *OUTCOME, "question_code", "history", "spend_before", "margin_before", "margin_after", "tenure_days",
        ]
    },
)  # fmt: skip
def satisfaction_profit_link(
    answer_outcomes: pd.DataFrame, *, question: Literal["CSAT", "SAT_OVERALL", "NPS"] = "CSAT"
):
    """Satisfaction-profit link: margin in the 365 days after an answer per 10 points of satisfaction (0 to 100, the
    ends of its scale), given the margin of the 365 days before, the usage class and the tenure (least squares,
    clustered by person).

    Answers whose 365 days end in the period, with a whole year before in the data. The variant explained is the share
    of the remaining variance; reverse asks the other way round: points of satisfaction per standard deviation of the
    margin before, given the person's previous answer. An association, not an effect.
    """
    own = answer_outcomes[(answer_outcomes["question_code"] == question) & answer_outcomes["history"]]
    ends = own["scale"].str.extract(r"^(-?\d+)-(-?\d+)").astype(float)
    points = 100 * (own["score"] - ends[0]) / (ends[1] - ends[0])
    reversed_scale = own["scale"].str.endswith("low is good")
    rows = own.assign(points=points.where(~reversed_scale, 100 - points)).dropna(subset=["points"])
    if rows.empty:
        none = because("No answer with 365 days of purchases before and after it ends its year in the period.")
        return modelled(None, status="undefined", reason=none, n=0)
    usage = pd.get_dummies(_usage(rows["spend_before"]), dtype=float).iloc[:, 1:]
    controls = np.column_stack([rows["margin_before"], rows["tenure_days"], usage])
    codes = pd.factorize(rows["customer_id"])[0]
    found = coefficient(rows["margin_after"], rows["points"] / STEP, controls, codes)
    held = len(np.unique(codes))
    if found is None:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), n=len(rows), persons=held)
    few = held < FEWEST_LINKED
    why = because(FEW_LINKED, n=held, minimum=FEWEST_LINKED) if few else ""
    facts = {"n": len(rows), "persons": held, "status": "low_n" if few else "ok", "reason": why}
    low, high = found.interval
    further = {"explained": modelled(found.explained, unit="percent", **facts), "reverse": _reverse(rows)}
    return modelled(found.value, low=low, high=high, grade="C", parts={"variant": further}, **facts)


def _usage(spend: pd.Series) -> pd.Series:
    """low up to the median of these persons, heavy above their 80th percentile (Twedt 1964)."""
    known = spend.fillna(0.0)
    middle, high = np.quantile(known, [0.5, 0.8], method="inverted_cdf")
    return pd.Series(np.select([known <= middle, known <= high], ["low", "medium"], "heavy"), index=spend.index)


def _stratum(people: pd.DataFrame) -> Stratum:
    content, low = people[people["satisfied"] > 0], people[people["low"]]
    return Stratum(float(content["kept"].sum()), len(content), float(low["kept"].sum()), len(low))


def _kept(people: pd.DataFrame):
    if people.empty:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), n=0)
    kept, n = float(people["kept"].sum()), len(people)
    low, high = wilson(kept, n)
    few = n < FEWEST_DISSATISFIED
    why = reason("too_few_persons", n=n, minimum=FEWEST_DISSATISFIED) if few else ""
    facts = {"n": n, "numerator": kept, "denominator": n, "persons": n, "status": "low_n" if few else "ok"}
    return modelled(kept / n, low=low, high=high, reason=why, **facts)


def _difference(first: pd.DataFrame, second: pd.DataFrame):
    if first.empty or second.empty:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), unit="pp")
    sides = [(float(people["kept"].sum()), len(people)) for people in (first, second)]
    low, high = newcombe(*sides)
    least = min(n for _, n in sides)
    few = least < FEWEST_DISSATISFIED
    why = reason("too_few_in_group", n=least, minimum=FEWEST_DISSATISFIED) if few else ""
    value = sides[0][0] / sides[0][1] - sides[1][0] / sides[1][1]
    facts = {"n": sum(n for _, n in sides), "unit": "pp", "status": "low_n" if few else "ok", "reason": why}
    return modelled(value, low=low, high=high, **facts)


def _verdict(members: pd.DataFrame, strangers: pd.DataFrame) -> str:
    if members.empty or strangers.empty:
        return ""
    kept = {"members": float(members["kept"].mean()), "others": float(strangers["kept"].mean())}
    if kept["members"] >= kept["others"]:
        return because(
            "Not true here: {members:percent} of the dissatisfied members bought again, {others:percent} of the"
            " satisfied non-members.",
            **kept,
        )
    return because(
        "Not refuted here: {members:percent} of the dissatisfied members bought again, {others:percent} of the"
        " satisfied non-members.",
        **kept,
    )


def _reverse(rows: pd.DataFrame):
    """Satisfaction now on the margin before, given the satisfaction of the person's previous answer."""
    ordered = rows.sort_values(["customer_id", "answered_on", "survey_id", "wave_id"])
    earlier = ordered.groupby("customer_id")["points"].shift()
    pairs = ordered.assign(earlier=earlier).dropna(subset=["earlier"])
    held = pairs["customer_id"].nunique()
    spread = float(pairs["margin_before"].std(ddof=0)) if len(pairs) else 0.0
    found = None
    if spread > 0:
        margin = (pairs["margin_before"] - pairs["margin_before"].mean()) / spread
        codes = pd.factorize(pairs["customer_id"])[0]
        found = coefficient(pairs["points"], margin, pairs[["earlier"]].to_numpy(float), codes)
    if found is None:
        none = because("Too few persons answered twice to ask whether margin leads satisfaction.")
        return modelled(None, status="undefined", reason=none, n=len(pairs), unit="points")
    few = held < FEWEST_LINKED
    why = because(FEW_LINKED, n=held, minimum=FEWEST_LINKED) if few else ""
    low, high = found.interval
    facts = {"n": len(pairs), "persons": held, "unit": "points", "status": "low_n" if few else "ok", "reason": why}
    return modelled(found.value, low=low, high=high, **facts)


DEFINITIONS = (dissatisfied_retention_gap, satisfaction_profit_link)
