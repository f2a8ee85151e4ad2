"""Word of mouth: how many people hear good and bad of the shop."""

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, view
from kpibook.rules import reason
from kpibook.stats.respondent_bootstrap import percentile, replicates
from kpibook.stats.survey_weights import kish

#: Persons told per satisfied and per dissatisfied customer: quoted everywhere, sourced nowhere.
GOOD, BAD = (5, 12), (12, 22)
PUBLISHED, SHOWN = 200, 30
TOLD = ("TOLD_POS", "TOLD_NEG")
SATISFIED = ("CSAT", "SAT_OVERALL")


@view(key="response_id", date="ts")
def told_answers(survey_responses):
    """Told answers: one row per customer's answer on how many were told, or on satisfaction.

    ``place`` is where a satisfaction answer lies on its scale, 0 the worst and 1 the best; ``measured`` whether the
    client asks at all how many were told. The channel of an answer is left out: nobody tells others on a channel.
    """
    own = survey_responses.filter(
        (survey_responses.respondent_type == "customer")
        & survey_responses.score.notnull()
        & survey_responses.question_code.isin([*TOLD, *SATISFIED])
    )
    spread = (own.scale_max - own.scale_min).nullif(0)
    place = (own.score.cast("float64") - own.scale_min) / spread
    asked = own.agg(measured=own.question_code.isin(TOLD).any())
    rows = own.mutate(place=own.higher_is_better.fill_null(True).ifelse(place, 1 - place)).cross_join(asked)
    return rows.select(
        "response_id", "ts", "customer_id", "question_code", "score", "place", "measured",
        weight=rows.weight.fill_null(1.0),
    )  # fmt: skip


@kpi(
    unit="persons",
    better="higher",
    family="acquisition",
    question="How many people hear good and bad of us per 100 customers?",
    columns={
        "told_answers": [
            "response_id", "ts", "customer_id", "question_code", "score", "place", "weight", "measured",
        ]
    },
)  # fmt: skip
def wom_reach(told_answers: pd.DataFrame):
    """Word-of-mouth reach: persons told something good less persons told something bad, per 100 customers asked,
    answers above the 99th percentile cut down to it.

    good and bad are the two sides, good_to_bad their ratio. Where nobody asks how many were told there is only a
    scenario, and only its bounds are given: 5 to 12 persons per satisfied and 12 to 22 per dissatisfied customer,
    figures that no source backs, applied to the shares of satisfaction answers in the upper and lower quarter of their
    scale; break_even is the range of satisfied per dissatisfied customers at which good and bad balance.
    """
    if not told_answers["measured"].any():
        return _scenario(told_answers)
    told = told_answers[told_answers["question_code"].isin(TOLD)]
    return _measured(told) if len(told) else modelled(None, n=0, status="undefined", reason=reason("no_rows"))


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
    placed = answers["place"].to_numpy(dtype=float)
    s, d = (100 * float(weight[side].sum()) / total for side in (placed >= 0.75, placed <= 0.25))
    facts = {"status": "bounded", "reason": because(SCENARIO), "n": n, "persons": n, "grade": "D"}
    readings = {
        "good": modelled(None, low=GOOD[0] * s, high=GOOD[1] * s, **facts),
        "bad": modelled(None, low=BAD[0] * d, high=BAD[1] * d, **facts),
        "break_even": modelled(None, low=BAD[0] / GOOD[1], high=BAD[1] / GOOD[0], unit="ratio", **facts),
    }
    low, high = GOOD[0] * s - BAD[1] * d, GOOD[1] * s - BAD[0] * d
    return modelled(None, low=low, high=high, parts={"variant": readings}, **facts)


SCENARIO = "A scenario, not a measurement: nobody was asked how many people he told."

DEFINITIONS = (told_answers, wom_reach)
