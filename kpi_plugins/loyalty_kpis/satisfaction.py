"""Satisfaction: how content customers are with product, programme and contacts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled
from kpibook.rules import reason
from kpibook.stats.net_scores import paired_difference
from kpibook.stats.reliability import cronbach_alpha
from kpibook.stats.respondent_bootstrap import percentile, person_sums, replicates
from kpibook.stats.survey_weights import effective_answers, kish
from loyalty_kpis.survey_figures import (
    ANSWERS,
    asked,
    boxed,
    counting,
    latest,
    mean_of,
    note,
    nothing,
    persons,
    share_of,
    survey_rule,
    tally,
    with_parts,
)

INDEX_ITEMS, INDEX_SCALE = ("SAT_OVERALL", "SAT_EXPECT", "SAT_IDEAL"), "1-10"
RESPONDENT = ["respondent_id", "survey_id", "wave_id"]
PAIRED = [*ANSWERS, "survey_id", "wave_id"]
#: Below this the three items of the index do not measure one thing (Nunnally 1978).
ALPHA = 0.7
EASY_SCALE, EASY_FROM = "1-7", 5
EFFORT_SCALE = "1-5 low is good"


@kpi(
    unit="percent",
    better="higher",
    family="satisfaction",
    question="What share of customers is satisfied?",
    breakdowns=("survey_id", "touchpoint_type"),
    columns={"survey_answers": [*ANSWERS, "survey_id"]},
)
def csat(survey_answers: pd.DataFrame, *, survey: str = ""):
    """CSAT: weighted answers of 4 or 5 on a scale from 1 to 5, out of the answers with a score.

    Answers on other scales count only with the top box that survey_answers is given for their survey; they are never
    rescaled. Answers of all surveys, or of the one named by survey. The variant mean_score is in the scale's own steps,
    where there is one scale.
    """
    rows = boxed(asked(survey_answers, "CSAT"))
    rows = rows[rows["survey_id"] == survey] if survey else rows
    valid = counting(rows)
    if valid.empty:
        return nothing(rows)
    further = {"unweighted": share_of(valid["satisfied"], valid, weighted=False)}
    if valid["scale"].nunique() == 1:
        further["mean_score"] = mean_of(valid["score"], valid)
    figure = share_of(valid["satisfied"], valid, why=note(rows))
    return with_parts(figure, **tally(rows), parts={"variant": further})


@kpi(
    unit="index",
    better="higher",
    family="satisfaction",
    question="How content are customers overall, on one scale?",
    columns={"survey_answers": PAIRED},
)
def satisfaction_index(survey_answers: pd.DataFrame, *, minimum_alpha: float = ALPHA):
    """Satisfaction index: weighted mean over respondents of their three answers from 1 to 10 (overall, against
    expectations, against the ideal), each as (x - 1) / 9 * 100.

    Equal weights of the items, respondents of all three. When Cronbach's alpha is below minimum_alpha the items do not
    measure one thing: then there is no index, and they are shown apart.
    """
    rows = asked(survey_answers, *INDEX_ITEMS)
    other = rows["left_out"].isna() & (rows["scale"] != INDEX_SCALE)
    rows = rows.assign(left_out=rows["left_out"].where(~other, "other_scale"))
    last = latest(counting(rows), [*RESPONDENT, "question_code"])
    wide = last.pivot(index=RESPONDENT, columns="question_code", values="score").reindex(columns=list(INDEX_ITEMS))
    wide = (wide.dropna() - 1) / 9 * 100
    if wide.empty:
        return nothing(rows)
    weight = last.groupby(RESPONDENT)["weight"].mean().loc[wide.index]
    people = wide.reset_index().assign(weight=weight.to_numpy())
    alpha = cronbach_alpha(wide.to_numpy())
    items = {item.lower(): with_parts(_bootstrapped_mean(people[item], people), persons=None) for item in INDEX_ITEMS}
    facts = {"table": _items_table(items, alpha), "table_persons": "n", "parts": {"item": items}}
    if alpha is not None and alpha < minimum_alpha:
        apart = because(
            "Cronbach's alpha is {alpha}, below {minimum}: the three items do not measure one thing and are shown"
            " apart.",
            alpha=round(alpha, 2),
            minimum=minimum_alpha,
        )
        return modelled(None, status="undefined", reason=apart, n=len(people), **facts)
    figure = _bootstrapped_mean(people[list(INDEX_ITEMS)].mean(axis=1), people)
    return with_parts(figure, reason=figure.reason or note(rows), **facts)


@kpi(
    unit="percent",
    better="higher",
    family="satisfaction",
    question="Are customers content with the product AND with the programme (ready to win others)?",
    columns={"survey_answers": PAIRED},
)
def programme_satisfaction_gap(survey_answers: pd.DataFrame):
    """Satisfaction: programme vs product: weighted share of respondents satisfied with both the product and the
    programme, out of those who answered both questions in the same wave.

    The variant programme_minus_product is the share satisfied with the programme minus that satisfied with the product,
    paired.
    """
    rows = boxed(asked(survey_answers, "CSAT", "CSAT_PROGRAMME"))
    last = latest(counting(rows), [*RESPONDENT, "question_code"])
    sides = {code: part.set_index(RESPONDENT) for code, part in last.groupby("question_code")}
    if len(sides) < 2:
        return nothing(rows)
    programme = sides["CSAT_PROGRAMME"][["weight", "satisfied"]].add_suffix("_programme")
    pairs = sides["CSAT"].join(programme, how="inner").reset_index()
    if pairs.empty:
        return modelled(None, status="undefined", reason=reason("no_rows"), n=0)
    pairs["weight"] = (pairs["weight"] + pairs["weight_programme"]) / 2
    product, programme = pairs["satisfied"] > 0, pairs["satisfied_programme"] > 0
    further = {
        "programme_minus_product": _paired_gap(programme, product, pairs),
        "product": share_of(product, pairs),
        "programme": share_of(programme, pairs),
    }
    return with_parts(share_of(product & programme, pairs, why=note(rows)), parts={"variant": further})


#: The title has a colon of its own, which the docstring's first colon cannot tell from its end.
programme_satisfaction_gap = replace(
    programme_satisfaction_gap,
    title="Satisfaction: programme vs product",
    text=programme_satisfaction_gap.text.removeprefix("programme vs product: "),
)


@kpi(
    unit="percent",
    better="higher",
    family="satisfaction",
    question="How easy was it to solve the problem?",
    columns={"effort_answers": [*ANSWERS, "days_after"]},
)
def ces(effort_answers: pd.DataFrame, *, within_days: int = 7):
    """Customer Effort Score: weighted answers of 5 to 7 that it was made easy (CES 2.0, scale from 1 to 7), out of the
    answers given within within_days after the contact.

    CES 1.0 asks for the effort from 1 to 5, where low is good; it is never mixed with the former and stands in the
    variants effort_mean_1_0 and low_effort_1_0 (answers of 1 or 2).
    """
    timely = effort_answers["days_after"].between(0, within_days)
    late = int((effort_answers["left_out"].isna() & ~timely).sum())
    rows = effort_answers[timely]
    known = rows[rows["left_out"].isna() | (rows["left_out"] == "scale")]
    agree, effort = known[known["scale"] == EASY_SCALE], known[known["scale"] == EFFORT_SCALE]
    further = {}
    if len(agree):
        further["mean_score"] = mean_of(agree["score"], agree)
    if len(effort):
        further["effort_mean_1_0"] = mean_of(effort["score"], effort)
        further["low_effort_1_0"] = share_of(effort["score"] <= 2, effort)
    facts = {**tally(rows), "parts": {"variant": further}}
    if len(agree):
        untimely = because(
            "{n} answers came without a ticket, before the contact or more than {days} days after it, and are left"
            " out.",
            n=late,
            days=within_days,
        )
        return with_parts(share_of(agree["score"] >= EASY_FROM, agree, why=untimely if late else ""), **facts)
    if len(effort):
        only = because("All answers are on the scale of CES 1.0, where low is good: see its variants.")
        return modelled(None, status="undefined", reason=only, n=0, **facts)
    return nothing(rows)


def _bootstrapped_mean(values: pd.Series, people: pd.DataFrame):
    """Weighted mean with a bootstrap interval by respondent, whole persons drawn."""
    w, codes = people["weight"].to_numpy(float), persons(people)
    sums = person_sums(np.column_stack([w * values.to_numpy(float), w]), codes)
    effective = kish(w, codes)
    if effective == 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"))
    drawn = replicates(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        low, high = percentile(drawn[:, 0] / drawn[:, 1])
    status, why = survey_rule(effective)
    top, bottom = sums.sum(axis=0)
    facts = {"n": len(people), "numerator": float(top), "denominator": float(bottom), "persons": len(sums)}
    return modelled(float(top / bottom), low=low, high=high, status=status, reason=why, **facts)


def _items_table(items, alpha):
    rows = [{"item": name, "value": f.value, "low": f.low, "high": f.high, "n": f.n} for name, f in items.items()]
    return pd.DataFrame(rows).assign(cronbach_alpha=alpha)


def _paired_gap(first: pd.Series, second: pd.Series, pairs: pd.DataFrame):
    w, codes = pairs["weight"].to_numpy(float), persons(pairs)
    effective = kish(w, codes)
    if effective == 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), unit="pp")
    marks = [mark.to_numpy(float) for mark in (first & ~second, second & ~first)]
    up, down = (float(w @ mark / w.sum()) for mark in marks)
    low, high = paired_difference(up, down, effective_answers(marks[0] - marks[1], w, codes))
    status, why = survey_rule(effective)
    return modelled(up - down, low=low, high=high, n=len(pairs), status=status, reason=why, unit="pp")


DEFINITIONS = (csat, satisfaction_index, programme_satisfaction_gap, ces)
