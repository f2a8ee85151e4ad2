"""Behaviour models: whether every customer has a current score, and whether the scores beat a simple rule."""

from dataclasses import replace

import ibis
import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, share, variants, view
from kpibook.rules import reason
from kpibook.stats.reweighting import percentiles, redrawn_sums
from loyalty_kpis.reach import days_before, inside, seen_until

YEAR = 365
PERSONS_AT_LEAST = 500
CUTS = (0.5, 0.8)


@kpi(
    unit="percent",
    better="higher",
    question="Is there a current behaviour model for every customer?",
    family="customers",
    looks_back="window_days",
)
def behaviour_model_coverage(
    purchase_days, customer_scores, periods, *, window_days: int = 365, score_days: int = 90, few_purchases: int = 3
):
    """Behaviour-model coverage: persons with a score at most score_days old at the period's end, out of the persons
    active in the window_days before it.

    The variants tell apart with_history, persons with at least few_purchases purchase days in the data, and
    little_history: their scores can only be those of their cohort.
    """
    seen = purchase_days.join(periods, purchase_days.business_date < periods.end)
    persons = seen.group_by("period_id", "customer_id", until=seen_until(seen), end=seen.end).agg(
        days=seen.count(), last_day=seen.business_date.max()
    )
    active = persons.filter(persons.last_day >= days_before(persons.end, window_days))
    day = customer_scores.scored_at.date()
    scored = customer_scores.join(
        periods, inside(day, days_before(seen_until(periods), score_days), seen_until(periods))
    )
    current = scored.select("period_id", "customer_id").distinct().mutate(is_scored=True)
    rows = active.left_join(current, ["period_id", "customer_id"]).select(
        "period_id", "customer_id", "days", is_scored=lambda t: t.is_scored.fill_null(False)
    )
    person = rows.customer_id
    return variants(
        share(rows.is_scored, cluster=person),
        with_history=share(rows.is_scored, where=rows.days >= few_purchases, cluster=person),
        little_history=share(rows.is_scored, where=rows.days < few_purchases, cluster=person),
    )


@view(key=("customer_id", "model_id", "period_id"))
def judged_scores(customer_scores, purchase_days, periods):
    """Judged scores: one row per whole period, model and person whose score's horizon ended in the period (the last
    such score), with what was expected, what came, and purchases and margin of the 365 days before the score.

    Days count after the day of the score. Margin is net sales minus cost of goods.
    """
    scores = customer_scores.mutate(day=customer_scores.scored_at.date()).filter(lambda t: t.horizon_days > 0)
    dated = scores.mutate(over=lambda t: t.day + (t.horizon_days + 1).as_interval("D"))
    totals = periods.filter(periods.segment_by == "total")
    placed = dated.join(totals, (dated.over > totals.start) & (dated.over <= seen_until(totals))).filter(
        lambda t: days_before(t.day, YEAR - 1) >= t.data_start
    )
    keys = ["period_id", "model_id", "customer_id"]
    latest = ibis.window(group_by=keys, order_by=ibis.desc("scored_at"))
    last = placed.mutate(place=ibis.row_number().over(latest)).filter(lambda t: t.place == 0)
    facts = ["day", "over", "horizon_days", "expected_purchases", "expected_margin", "p_active"]
    chosen = last.select(*keys, *facts)
    days = purchase_days.select(
        "business_date", person=purchase_days.customer_id, margin=purchase_days.net_amount - purchase_days.cogs
    )
    near = chosen.join(
        days,
        [
            chosen.customer_id == days.person,
            days.business_date > days_before(chosen.day, YEAR),
            days.business_date < chosen.over,
        ],
    )
    came, year = near.business_date > near.day, near.business_date <= near.day
    sums = near.group_by(keys).agg(
        bought=near.count(where=came),
        earned=near.margin.sum(where=came),
        bought_before=near.count(where=year),
        earned_before=near.margin.sum(where=year),
    )
    names = ("bought", "earned", "bought_before", "earned_before")
    known = chosen.left_join(sums, keys)
    return known.select(
        *keys, "horizon_days", "expected_purchases", "expected_margin", "p_active", scored_on=known.day,
        **{name: known[name].fill_null(0) for name in names},
    )  # fmt: skip


@kpi(
    unit="ratio",
    better="higher",
    question="Does the model predict each customer better than a simple rule?",
    family="customers",
    columns={
        "judged_scores": [
            "customer_id", "model_id", "scored_on", "horizon_days", "expected_purchases", "expected_margin", "p_active",
            "bought", "earned", "bought_before", "earned_before",
        ]
    },
)  # fmt: skip
def behaviour_model_skill(judged_scores: pd.DataFrame):
    """Behaviour-model skill: one minus the model's mean absolute error in the purchase days of each person within the
    horizon of the score, out of the error of a simple rule; 0 or less and the model is useless. Scores whose horizon
    ended in the period are judged, the last one of each person and model; of several models, the one that scored last.

    The rule expects last year's purchases at the same pace, shrunk to the mean of the low, medium or heavy users
    (cut at the 50th and 80th percentile of last year's margin) as far as purchases scatter by chance alone. The variant
    margin judges the margin, calibration_slope should lie between 0.9 and 1.1, activity is the skill of p_active in
    the squared error against the mean. Of models that scored on the same day, the one with the most persons counts.
    """
    rows = judged_scores.sort_values(["customer_id", "model_id"]).reset_index(drop=True)
    if rows.empty:
        return modelled(None, status="undefined", reason=reason("no_rows"))
    sizes = rows.groupby("model_id").agg(persons=("customer_id", "size"), scored=("scored_on", "max")).reset_index()
    chosen = sizes.sort_values(["scored", "persons", "model_id"], ascending=[False, False, True])["model_id"].iloc[0]
    own = rows[rows["model_id"] == chosen]
    parts = {"margin": _skill(own, "expected_margin"), "calibration_slope": _slope(own), "activity": _activity(own)}
    models = {str(model): _skill(part, "expected_purchases") for model, part in rows.groupby("model_id", sort=True)}
    if len(models) == 1:
        return replace(models[str(chosen)], parts={"variant": parts})
    found = replace(models[str(chosen)], parts={"variant": parts, "model_id": models})
    which = because("Of {count} models, {model} is the one in use.", count=len(models), model=str(chosen))
    return found if found.reason else replace(found, reason=which)


def baseline(rows):
    """Purchases and margin that the simple rule expects of each row within the horizon."""
    bought, earned = (rows[name].to_numpy(dtype=float) for name in ("bought_before", "earned_before"))
    ahead = rows["horizon_days"].to_numpy(dtype=float) / YEAR
    purchases, margin = np.empty(len(rows)), np.empty(len(rows))
    group = np.searchsorted(np.quantile(earned, CUTS, method="inverted_cdf"), earned, side="left")
    for class_ in np.unique(group):
        own = group == class_
        middle, spread = bought[own].mean(), bought[own].var()
        trust = max(0.0, 1 - middle / spread) if spread > 0 else 0.0
        purchases[own] = middle + trust * (bought[own] - middle)
        margin[own] = earned[own].mean() + trust * (earned[own] - earned[own].mean())
    return purchases * ahead, margin * ahead


def _skill(rows, what, **more):
    expected, (purchases, margin) = rows[what].to_numpy(dtype=float), baseline(rows)
    simple, came = (purchases, rows["bought"]) if what == "expected_purchases" else (margin, rows["earned"])
    actual = came.to_numpy(dtype=float)
    known = np.isfinite(expected)
    errors = np.column_stack([np.abs(expected - actual), np.abs(simple - actual)])[known]
    found = _figure(rows[known], errors, lambda sums: 1 - sums[:, 0] / sums[:, 1], **more)
    useless = found.status == "ok" and found.value <= 0
    return (
        replace(found, reason=because("No better than last year's figures: the model is of no use."))
        if useless
        else found
    )


def _activity(rows):
    """Brier skill: squared error of p_active against that of the share who bought."""
    p, bought = rows["p_active"].to_numpy(dtype=float), (rows["bought"] > 0).to_numpy(dtype=float)
    known = np.isfinite(p)
    p, bought = p[known], bought[known]
    table = np.column_stack([(p - bought) ** 2, bought, np.ones(len(p))])
    return _figure(rows[known], table, lambda s: 1 - s[:, 0] / (s[:, 1] * (1 - s[:, 1] / s[:, 2])))


def _slope(rows):
    """Regression of what came on what was expected."""
    x, y = rows["expected_purchases"].to_numpy(dtype=float), rows["bought"].to_numpy(dtype=float)
    known = np.isfinite(x)
    x, y = x[known], y[known]
    table = np.column_stack([x * y, x, y, x * x, np.ones(len(x))])

    def slope(s):
        return (s[:, 0] - s[:, 1] * s[:, 2] / s[:, 4]) / (s[:, 3] - s[:, 1] ** 2 / s[:, 4])

    return _figure(rows[known], table, slope)


def _figure(rows, table, figure, **more):
    """A figure of sums over rows; persons are drawn again with all their rows."""
    codes, people = pd.factorize(rows["customer_id"])
    persons = len(people)
    facts = {"n": len(rows), "persons": persons, **more}
    sums = np.zeros((persons, table.shape[1]))
    np.add.at(sums, codes, table)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = float(figure(sums.sum(axis=0)[None, :])[0]) if persons else float("nan")
        if not np.isfinite(value):
            return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts)
        interval = percentiles(figure(redrawn_sums(sums)))
    low, high = (None, None) if interval is None else interval
    if persons < PERSONS_AT_LEAST:
        why = reason("too_few_customers", n=persons, minimum=PERSONS_AT_LEAST)
        return modelled(value, low=low, high=high, status="low_n", reason=why, **facts)
    return modelled(value, low=low, high=high, **facts)


DEFINITIONS = (behaviour_model_coverage, judged_scores, behaviour_model_skill)
