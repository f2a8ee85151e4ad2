"""Sufficiency: whether the purchase frequency alone foretells what a customer will be worth."""

import ibis
import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, view
from kpibook.rules import reason
from kpibook.stats.predictive_skill import bent, predictions, rank_correlation, skills, top_decile_capture
from kpibook.stats.reweighting import percentiles
from loyalty_kpis.reach import CLOSED_DAYS, days_before, inside, two_years
from loyalty_kpis.views import purchases

YEAR, TWO_YEARS = 365, 730
PERSONS_AT_LEAST = 1_000
SUFFICIENT, SURE = 0.95, 0.90
FEATURES = ("frequency", "recency", "spend", "margin", "tenure", "breadth", "satisfaction")
QUESTIONS = ("CSAT", "SAT_OVERALL", "NPS")


@view(key=("customer_id", "period_id"))
def known_and_next_year(
    receipts, order_lines, purchase_days, memberships, survey_responses, periods, *, satisfaction: bool = True
):
    """Known and next year: one row per whole period and person who bought in the year before the last one, with what
    was known then (frequency, recency, spend, margin, tenure, breadth, satisfaction) and the margin of the year that
    followed, which ends with the period.

    Tenure counts from the first purchase in the data or the enrolment, whichever came first; breadth is the number of
    different products; satisfaction the mean of the latest answers on a scale from 0 to 1, null for who was not asked.
    With satisfaction false it is not looked for. Margin is net sales minus cost of goods.
    """
    totals = periods.filter(
        (periods.segment_by == "total") & (days_before(periods.end, CLOSED_DAYS) <= periods.data_end)
    )
    turns = totals.select(
        "period_id", "end", turn=days_before(totals.end, YEAR), reach=days_before(totals.end, TWO_YEARS)
    )
    days = purchase_days.join(turns, purchase_days.business_date < turns.end).mutate(
        margin=lambda t: t.net_amount - t.cogs,
        known=lambda t: inside(t.business_date, t.reach, t.turn),
        following=lambda t: t.business_date >= t.turn,
    )
    keys = ["period_id", "customer_id"]
    people = days.group_by(*keys, "turn").agg(
        frequency=days.count(where=days.known),
        last_day=days.business_date.max(where=days.known),
        first_day=days.business_date.min(),
        spend=days.net_amount.sum(where=days.known),
        margin=days.margin.sum(where=days.known),
        next_margin=days.margin.sum(where=days.following).fill_null(0),
    )
    joined = memberships.group_by("customer_id").agg(enrolled=memberships.enrolled_at.min().date())
    known = people.filter(people.frequency > 0).left_join(joined, "customer_id")
    first = ibis.ifelse(known.enrolled < known.first_day, known.enrolled, known.first_day)
    rows = known.select(
        *keys, "frequency", "spend", "margin", "next_margin",
        recency=known.turn.delta(known.last_day, unit="day"),
        tenure=known.turn.delta(first, unit="day"),
    ).left_join(_breadth(receipts, order_lines, turns), keys)  # fmt: skip
    names = [*keys, "frequency", "recency", "spend", "margin", "tenure", "next_margin"]
    broad = rows.select(*names, breadth=rows.breadth.fill_null(0))
    if not satisfaction:
        return broad.mutate(satisfaction=ibis.null("float64"))
    return broad.left_join(_satisfaction(survey_responses, turns), keys).select(*names, "breadth", "satisfaction")


def _breadth(receipts, order_lines, turns):
    bought = purchases(receipts).select("transaction_id", "customer_id", "business_date")
    lines = order_lines.filter(order_lines.quantity > 0).select("transaction_id", "product_id")
    seen = bought.filter(bought.customer_id.notnull()).join(lines, "transaction_id")
    placed = seen.join(turns, inside(seen.business_date, turns.reach, turns.turn))
    return placed.group_by("period_id", "customer_id").agg(breadth=placed.product_id.nunique())


def _satisfaction(survey_responses, turns):
    """Mean of each person's latest answer to each question, 0 the worst and 1 the best of its scale."""
    answers = survey_responses.filter(
        survey_responses.question_code.isin(QUESTIONS)
        & survey_responses.customer_id.notnull()
        & survey_responses.score.between(survey_responses.scale_min, survey_responses.scale_max)
    )
    part = (answers.score - answers.scale_min) / (answers.scale_max - answers.scale_min)
    scaled = answers.select(
        "response_id", "customer_id", "question_code", "ts",
        part=ibis.ifelse(answers.higher_is_better.fill_null(True), part.cast("float64"), 1 - part.cast("float64")),
    )  # fmt: skip
    placed = scaled.join(turns, scaled.ts.date() < turns.turn)
    keys = ["period_id", "customer_id"]
    latest = ibis.window(group_by=[*keys, "question_code"], order_by=[ibis.desc("ts"), "response_id"])
    last = placed.mutate(place=ibis.row_number().over(latest)).filter(lambda t: t.place == 0)
    return last.group_by(keys).agg(satisfaction=last.part.mean())


@kpi(
    unit="ratio",
    better="neutral",
    question="Does frequency alone predict future value as well as everything we know?",
    family="customers",
    looks_back=two_years,
    columns={"known_and_next_year": ["customer_id", *FEATURES, "next_margin"]},
)
def frequency_sufficiency(known_and_next_year: pd.DataFrame):
    """Sufficiency of purchase frequency: how well the purchase frequency of one year foretells each person's margin of
    the next (cross-validated R²), out of how well everything known does: frequency, recency, spend, margin, tenure,
    breadth and satisfaction.

    Sufficient from 0.95, if the interval stays above 0.90; otherwise the feature that adds most is named, and the table
    has what each adds to frequency and what is lost without it. The variants give both R², and for both the rank
    correlation and the part of the margin that falls to the tenth expected highest. Models are ridge regressions on the
    features and their logarithms.
    """
    people = known_and_next_year.sort_values("customer_id").reset_index(drop=True)
    persons = len(people)
    facts = {"n": persons, "persons": persons}
    target = people["next_margin"].to_numpy(dtype=float)
    design, columns = _design(people)
    features = list(columns)
    sets = [columns["frequency"], [c for own in columns.values() for c in own]]
    more = [[*sets[0], *columns[name]] for name in features[1:]]
    less = [[c for other in features if other != name for c in columns[other]] for name in features[1:]]
    try:
        skill = skills(design, target, [*sets, *more, *less])
    except ValueError:
        why = because("Margins of the next year do not differ.") if persons else reason("no_rows")
        return modelled(None, status="undefined", reason=why, **facts)
    alone, everything = (float(x) for x in skill.r2[:2])
    others = len(features) - 1
    table = pd.DataFrame(
        {
            "feature": features[1:],
            "added_to_frequency": skill.r2[2 : 2 + others] - alone,
            "lost_without": everything - skill.r2[2 + others :],
        }
    ).sort_values("added_to_frequency", ascending=False, kind="stable", ignore_index=True)
    parts = {"variant": _beside(design, target, dict(zip(("frequency", "everything"), sets, strict=True)), skill.r2)}
    facts |= {"numerator": alone, "denominator": everything, "table": table, "table_persons": persons, "parts": parts}
    if everything <= 0:
        why = because("Nothing known of the customers foretells their margin of the next year.")
        return modelled(None, status="undefined", reason=why, **facts)
    redrawn = skill.redrawn
    interval = percentiles(np.where(redrawn[:, 1] > 0, redrawn[:, 0] / redrawn[:, 1], np.nan))
    low, high = (None, None) if interval is None else interval
    value = alone / everything
    if persons < PERSONS_AT_LEAST:
        why = reason("too_few_customers", n=persons, minimum=PERSONS_AT_LEAST)
        return modelled(value, low=low, high=high, status="low_n", reason=why, **facts)
    return modelled(value, low=low, high=high, reason=_verdict(value, low, table), **facts)


def _verdict(value, low, table):
    if value >= SUFFICIENT and low is not None and low >= SURE:
        return because("Frequency is sufficient.")
    best = str(table["feature"].iloc[0])
    return because("Frequency is not sufficient: {feature} adds most.", feature=best)


def _design(people):
    """Columns of the features, and which belong to which; who was not asked has a mark of their own."""
    asked = people["satisfaction"].notna()
    present = [name for name in FEATURES if name != "satisfaction" or asked.any()]
    values = people[present].astype(float)
    if asked.any():
        values["satisfaction"] = values["satisfaction"].fillna(values["satisfaction"].mean())
        values["not_asked"] = (~asked).astype(float)
    count = values.shape[1]
    places = {name: [i, i + count] for i, name in enumerate(present)}
    if asked.any():
        places["satisfaction"] += [count - 1]
    return bent(values.to_numpy()) if len(values) else np.zeros((0, 2 * count)), places


def _beside(design, target, sets, r2):
    found = {}
    for (name, columns), value in zip(sets.items(), r2[:2], strict=True):
        expected = predictions(design, target, columns)
        figures = {
            f"r2_{name}": float(value),
            f"spearman_{name}": rank_correlation(expected, target),
            f"top_decile_{name}": top_decile_capture(expected, target),
        }
        found |= {k: modelled(v if np.isfinite(v) else None, n=len(target)) for k, v in figures.items()}
    return found


DEFINITIONS = (known_and_next_year, frequency_sufficiency)
