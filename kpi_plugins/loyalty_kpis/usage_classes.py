"""Classes by spend: cut points frozen at a baseline, and who stands where."""

import ibis

from loyalty_kpis.reach import baseline, days_before, inside

LOW, MEDIUM, HEAVY, LOST = "low", "medium", "heavy", "lost"
#: Twedt 1964: up to the median low, above the 80th percentile heavy.
CUTS = {"low_to": 50, "medium_to": 80}


def spending(purchase_days, periods, window_days, windows=1):
    """Net spend by period and person: ``now`` in the last ``window_days``, ``before`` in as many days before those.

    ``margin`` is that of ``now``.
    """
    reach = days_before(periods.end, windows * window_days)
    seen = purchase_days.join(periods, inside(purchase_days.business_date, reach, periods.end)).mutate(
        recent=lambda t: t.business_date >= days_before(t.end, window_days)
    )
    return seen.group_by("period_id", "customer_id").agg(
        now=seen.net_amount.sum(where=seen.recent),
        before=seen.net_amount.sum(where=~seen.recent),
        margin=(seen.net_amount - seen.cogs).sum(where=seen.recent),
    )


def cut_points(persons, value, percents):
    """One row: for each name the smallest value that at least so many percent of the persons do not exceed."""
    known = persons.filter(persons[value].notnull())
    counts = known.group_by(value).agg(persons=known.count())
    upwards = counts.mutate(
        reached=counts.persons.sum().over(ibis.window(order_by=counts[value], preceding=None, following=0)),
        everybody=counts.persons.sum().over(ibis.window()),
    )
    cuts = {
        name: upwards[value].min(where=upwards.reached * 100 >= upwards.everybody * percent)
        for name, percent in percents.items()
    }
    return upwards.agg(**cuts)


def cut_points_of_spend(spent, periods, window_days):
    """P50 and P80 of the spend of the baseline window."""
    chosen = baseline(periods, days_before(periods.end, window_days))
    return cut_points(spent.semi_join(chosen, "period_id"), "now", CUTS)


def ranked(spent):
    """``class_now`` by the person's place in the same window, equal spends by customer_id: (place - 1) / (persons - 1)
    up to 0.5 low, up to 0.8 medium, else heavy.
    """
    by_spend = ibis.window(group_by=spent.period_id, order_by=[spent.now, spent.customer_id])
    rank = ibis.percent_rank().over(by_spend)
    low_to, medium_to = (percent / 100 for percent in CUTS.values())
    return spent.mutate(_rank=rank).mutate(
        class_now=lambda t: ibis.cases((t._rank <= low_to, LOW), (t._rank <= medium_to, MEDIUM), else_=HEAVY)
    )


def classed(spent, cuts):
    """``class_now`` and ``class_before`` of each person; null without purchases in that window, or cut points."""
    return spent.cross_join(cuts).mutate(
        class_now=lambda t: _usage(t.now, t), class_before=lambda t: _usage(t.before, t)
    )


def _usage(spend, cuts):
    return ibis.cases((spend <= cuts.low_to, LOW), (spend <= cuts.medium_to, MEDIUM), (spend > cuts.medium_to, HEAVY))
