"""Word of mouth: how many people hear good and bad of the shop."""

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled
from kpibook.rules import reason
from kpibook.stats.respondent_bootstrap import percentile, replicates
from kpibook.stats.survey_weights import kish

#: Persons told per satisfied and per dissatisfied customer: quoted everywhere, sourced nowhere.
GOOD, BAD = (5, 12), (12, 22)
PUBLISHED, SHOWN = 200, 30
TOLD = ("TOLD_POS", "TOLD_NEG")
COLUMNS = [
    "respondent_type", "customer_id", "response_id", "question_code", "scale_min", "scale_max", "higher_is_better",
    "score", "weight",
]  # fmt: skip
PERSONS_TOLD = "persons"


@kpi(
    unit="persons",
    better="higher",
    family="acquisition",
    question="How many people hear good and bad of us per 100 customers?",
    columns={"survey_responses": COLUMNS},
)
def wom_reach(survey_responses: pd.DataFrame):
    """Word-of-mouth reach: persons told something good less persons told something bad, per 100 customers asked,
    answers above the 99th percentile cut down to it.

    good and bad are the two sides, good_to_bad their ratio. Where nobody asks how many were told there is only a
    scenario, and only its bounds are given: 5 to 12 persons per satisfied and 12 to 22 per dissatisfied customer,
    figures that no source backs, applied to the shares of satisfaction answers in the upper and lower quarter of their
    scale; break_even is the range of satisfied per dissatisfied customers at which good and bad balance.
    """
    answers = survey_responses[(survey_responses["respondent_type"] == "customer") & survey_responses["score"].notna()]
    answers = answers.assign(weight=answers["weight"].fillna(1.0))
    if answers["question_code"].isin(TOLD).any():
        return _measured(answers[answers["question_code"].isin(TOLD)])
    return _scenario(answers[answers["question_code"].isin(["CSAT", "SAT_OVERALL"])])


def _measured(answers):
    told = answers.assign(person=answers["customer_id"].fillna("answer " + answers["response_id"]))
    codes, persons = pd.factorize(told["person"], sort=True)
    sums = np.zeros((len(persons), 4))
    for side, code in enumerate(TOLD):
        own = (told["question_code"] == code).to_numpy()
        score, weight = told["score"].to_numpy()[own], told["weight"].to_numpy()[own]
        cut = np.minimum(score, np.quantile(score, 0.99)) if own.any() else score
        sums[:, side] = np.bincount(codes[own], weights=cut * weight, minlength=len(persons))
        sums[:, 2 + side] = np.bincount(codes[own], weights=weight, minlength=len(persons))
    effective = min(kish(sums[:, 2 + side]) for side in (0, 1))
    totals, drawn = sums.sum(axis=0)[None, :], replicates(sums)
    readings = {
        "good": _figure(_per_hundred(totals, 0), _per_hundred(drawn, 0), effective),
        "bad": _figure(_per_hundred(totals, 1), _per_hundred(drawn, 1), effective),
        "good_to_bad": _figure(_over(*_both(totals)), _over(*_both(drawn)), effective, unit="ratio"),
    }
    net, spread = (_per_hundred(s, 0) - _per_hundred(s, 1) for s in (totals, drawn))
    return _figure(net, spread, effective, parts={"variant": readings})


def _per_hundred(sums, side):
    """Persons told per 100 respondents, of one side."""
    return 100 * _over(sums[:, side], sums[:, 2 + side])


def _both(sums):
    return _per_hundred(sums, 0), _per_hundred(sums, 1)


def _over(numerator, denominator):
    return np.divide(numerator, denominator, out=np.full(len(numerator), np.nan), where=denominator > 0)


def _figure(value, drawn, effective, **more):
    facts = {"n": int(effective), "persons": int(effective), **more}
    if np.isnan(value[0]):
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts)
    if effective < SHOWN:
        why = reason("too_few_persons", n=int(effective), minimum=SHOWN)
        return modelled(None, status="low_n", reason=why, **facts)
    low, high = percentile(drawn)
    few = effective < PUBLISHED
    why = reason("too_few_persons", n=int(effective), minimum=PUBLISHED) if few else ""
    return modelled(float(value[0]), low=low, high=high, status="low_n" if few else "ok", reason=why, **facts)


def _scenario(answers):
    """Interval arithmetic on the shares of the satisfied and the dissatisfied."""
    weight = answers["weight"].to_numpy(dtype=float)
    total = float(weight.sum())
    n = int(kish(weight))
    if total <= 0:
        return modelled(None, n=n, status="undefined", reason=reason("no_rows"))
    placed = _placed(answers)
    s, d = (100 * float(weight[side].sum()) / total for side in (placed >= 0.75, placed <= 0.25))
    facts = {"status": "bounded", "reason": because(SCENARIO), "n": n, "persons": n, "grade": "D"}
    readings = {
        "good": modelled(None, low=GOOD[0] * s, high=GOOD[1] * s, **facts),
        "bad": modelled(None, low=BAD[0] * d, high=BAD[1] * d, **facts),
        "break_even": modelled(None, low=BAD[0] / GOOD[1], high=BAD[1] / GOOD[0], unit="ratio", **facts),
    }
    low, high = GOOD[0] * s - BAD[1] * d, GOOD[1] * s - BAD[0] * d
    return modelled(None, low=low, high=high, parts={"variant": readings}, **facts)


def _placed(answers):
    """Where on its scale an answer lies: 0 the worst, 1 the best."""
    low, high = answers["scale_min"].to_numpy(dtype=float), answers["scale_max"].to_numpy(dtype=float)
    place = (answers["score"].to_numpy(dtype=float) - low) / np.where(high > low, high - low, np.nan)
    return np.where(answers["higher_is_better"].fillna(True).to_numpy(dtype=bool), place, 1 - place)


SCENARIO = "A scenario, not a measurement: nobody was asked how many people he told."

DEFINITIONS = (wom_reach,)
