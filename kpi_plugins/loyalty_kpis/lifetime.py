"""Lifetime: how long relations last, who comes back, and what last year's customers spend this year."""

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, share, variants
from kpibook.rules import ratio_rule, reason, survival_rule
from kpibook.stats import repeat_buying
from kpibook.stats.likelihood import gradient, plug_in_interval
from kpibook.stats.reweighting import ratio_interval
from kpibook.stats.tenure import kaplan_meier_from, least_at_risk, restricted_mean
from loyalty_kpis.lifetime_views import standing_on
from loyalty_kpis.reach import days_before, inside, two_years

TWO_YEARS, THREE_YEARS = 730, 1095


@kpi(
    unit="days",
    better="higher",
    question="How long does a relationship last?",
    family="customers",
    columns={"tenures": ["customer_id", "entered_days", "lasted_days", "defected"]},
)
def retention_time(tenures: pd.DataFrame):
    """Retention time: median days from the first purchase to the last one before a silence that counts as defection
    (Kaplan-Meier; relations not yet ended are censored, customers older than the data are counted from the day they are
    first seen); the variants rmst_24_months and rmst_36_months are the mean days within 730 and 1095 days.

    A silence counts from the longest limit_days of all usage classes on, see purchase_sequence and tenures. It is not
    the average tenure of today's customers, who are those that stayed. In days, 365 a year.
    """
    curve = kaplan_meier_from(tenures["entered_days"], tenures["lasted_days"], tenures["defected"])
    persons = len(tenures)
    facts = {"n": persons, "persons": persons, "numerator": int(tenures["defected"].sum()), "denominator": persons}
    names = ("time", "at_risk", "events", "survival", "low", "high")
    steps = curve.events > 0
    drawn = pd.DataFrame({name: getattr(curve, name)[steps] for name in names})
    means = {"rmst_24_months": _mean_within(curve, TWO_YEARS), "rmst_36_months": _mean_within(curve, THREE_YEARS)}
    median, early, late = curve.quantile(0.5)
    found = {"table": drawn, "table_persons": "at_risk", "parts": {"variant": means}, **facts}
    if median is None:
        return modelled(None, low=early, status="undefined", reason=reason("curve_does_not_cross"), **found)
    status, why = survival_rule(least_at_risk(curve, median))
    return modelled(median, low=early, high=late, status=status, reason=why, **found)


def _mean_within(curve, limit):
    try:
        value, interval = restricted_mean(curve, limit)
    except ValueError:
        followed = int(curve.time[-1])
        why = because(
            "Nobody has been followed for {days} days, at most for {followed}.", days=limit, followed=followed
        )
        return modelled(None, status="undefined", reason=why)
    status, why = survival_rule(min(least_at_risk(curve, limit), curve.at_risk_at(min(limit, curve.time[-1]))))
    return modelled(value, low=interval.low, high=interval.high, status=status, reason=why)


@kpi(
    unit="percent",
    better="higher",
    question="Of those judged lost, how many return (and because of us)?",
    family="customers",
)
def reactivation_rate(lost_persons, purchase_sequence, campaign_targets, periods, *, return_days: int = 90):
    """Win-back rate: persons who bought within return_days, out of those judged lost on the first day of the period,
    when these days are over; the variant incremental is the rate of the lost persons whom a campaign drew at random for
    treatment minus that of its random controls, from the day of assignment on.

    Lost means silent for longer than limit_days, see purchase_sequence. A high rate says that the limit
    is too short.
    """
    rows = lost_persons.mutate(
        over=days_before(lost_persons.data_end, return_days) >= lost_persons.day,
        back=(days_before(lost_persons.next_day, return_days) < lost_persons.day).fill_null(False),
    )
    headline = share(rows.back, where=rows.over, cluster=rows.customer_id)
    drawn = _drawn_at_random(purchase_sequence, campaign_targets, periods, return_days)

    def arm(name):
        return share(drawn.back, where=drawn.arm == name, cluster=drawn.customer_id)

    return variants(headline, incremental=arm("treatment") - arm("control"))


def _drawn_at_random(purchase_sequence, campaign_targets, periods, return_days):
    """Random assignments in the period of persons lost on that day whose days to return are over."""
    random = campaign_targets.filter(campaign_targets.is_random)
    days = random.select("campaign_id", "arm", person=random.customer_id, day=random.assigned_at.date())
    known = standing_on(purchase_sequence, days, days.person == purchase_sequence.customer_id)
    lost = known.filter(lambda t: t.silent_days > t.limit_days).select(
        "campaign_id", "customer_id", "arm", "day", "next_day"
    )
    placed = lost.join(periods, inside(lost.day, periods.start, periods.end))
    over = placed.filter(lambda t: days_before(t.data_end, return_days) >= t.day)
    back = (days_before(over.next_day, return_days) < over.day).fill_null(False)
    return over.select("period_id", "campaign_id", "customer_id", "arm", back=back)


@kpi(
    unit="percent",
    better="higher",
    question="What do last year's customers spend this year?",
    family="customers",
    looks_back=two_years,
    columns={"spending_years": ["customer_id", "bought_now", "bought_before", "spend_now", "spend_before"]},
)
def net_revenue_retention(spending_years: pd.DataFrame):
    """Net revenue retention: net sales of the 365 days before the period's end to the persons who bought in the 365
    days before these, out of the net sales to the same persons then; the variant gross_retention counts of each person
    at most what they spent then, gross_retention_by_chance is what it would be if nobody had changed.

    New customers are left out. Where nobody is under contract some buy less by chance alone: the expectation comes from
    a negative binomial model of the purchase days of that earlier year (NBD), each purchase worth the person's mean;
    purchases of varying size lower it further.
    """
    then = spending_years[spending_years["bought_before"] > 0]
    spent, now = then["spend_before"].to_numpy(), then["spend_now"].to_numpy()
    parts = {"gross_retention": _retained(np.minimum(spent, now), spent), "gross_retention_by_chance": _by_chance(then)}
    return _retained(now, spent, parts={"variant": parts})


def _retained(kept, spent, **more):
    persons, whole = len(spent), float(spent.sum())
    facts = {"n": persons, "persons": persons, "numerator": float(kept.sum()), "denominator": whole, **more}
    if whole <= 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts)
    interval = ratio_interval(kept, spent)
    status, why = ratio_rule(persons)
    low, high = (None, None) if interval is None else interval
    return modelled(float(kept.sum()) / whole, low=low, high=high, status=status, reason=why, **facts)


def _by_chance(then):
    bought, spent = then["bought_before"].to_numpy(float), then["spend_before"].to_numpy()
    if len(then) == 0 or spent.sum() <= 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"))
    if bought.max() < 2:
        return modelled(None, status="undefined", reason=because("Nobody bought on two days of the earlier year."))
    buying, best = repeat_buying.fit(bought)
    whole = spent.sum()

    def expected(at):
        return float(spent @ (repeat_buying.RepeatBuying.at(at).at_most(bought) / bought) / whole)

    kept = spent * buying.at_most(bought) / bought
    value = float(kept.sum() / whole)
    low, high = plug_in_interval(value, (kept - value * spent) / whole, gradient(expected, best.log_parameters), best)
    status, why = ratio_rule(len(then))
    facts = {"n": len(then), "persons": len(then), "numerator": float(kept.sum()), "denominator": float(whole)}
    return modelled(value, low=low, high=high, status=status, reason=why, **facts)


DEFINITIONS = (retention_time, reactivation_rate, net_revenue_retention)
