"""Classes by spend: cut points frozen at a baseline, and who stands where."""

import ibis

from loyalty_kpis.reach import baseline, days_before, inside, reaching_back

LOW, MEDIUM, HEAVY, LOST = "low", "medium", "heavy", "lost"
#: Twedt 1964: up to the median low, above the 80th percentile heavy.
CUTS = {"low_to": 50, "medium_to": 80}
#: What stands under a cut point: persons, their spend and their margin.
MEASURED = ("counted", "now", "margin")
NEAR = 10


def spending(purchase_days, periods, window_days, windows=1):
    """Net spend by period and person: ``now`` in the last ``window_days``, ``before`` in as many days before those.

    ``margin`` is that of ``now``.
    """
    spans = reaching_back(periods, reach=windows * window_days, turn=window_days)
    days = purchase_days.select("customer_id", "business_date", "net_amount", "cogs")
    seen = days.join(spans, inside(days.business_date, spans.reach, spans.end)).mutate(
        recent=lambda t: t.business_date >= t.turn
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


def with_cut_influence(users, spent, periods, window_days):
    """``users``, and rows of the persons of the baseline window: ``counted_low_to``, ``now_medium_to`` and so on are
    how much a person of that window moves what stands under each cut point, in each of MEASURED: 0 in sum.

    A cut point is a quantile of other persons' spends: one more of them below it moves it down by 1 / (persons x
    density), and with it as many of today's persons as stand there (linearisation of quantiles: Deville 1999, Langel
    and Tillé 2013). The densities are those between the quantiles NEAR percent points below and above.
    """
    chosen = baseline(periods, days_before(periods.end, window_days))
    frozen = spent.semi_join(chosen, "period_id").select("customer_id", base="now")
    near = {f"{n}_{side}": p + sign * NEAR for n, p in CUTS.items() for side, sign in (("from", -1), ("till", 1))}
    cuts = cut_points(frozen, "base", CUTS | near)
    standing, placed = frozen.cross_join(cuts), users.select("period_id", "now", "margin").cross_join(cuts)
    parts = standing.agg(
        **{f"share_{n}": (standing.base <= standing[n]).cast("float64").mean() for n in CUTS},
        **{f"persons_{n}": _near(standing.base, standing, n).sum() for n in CUTS},
    )
    moved = placed.group_by("period_id").agg(
        **{
            f"{measure}_{n}": (_near(placed.now, placed, n) * value).cast("float64").sum()
            for n in CUTS
            for measure, value in (("counted", 1), ("now", placed.now), ("margin", placed.margin))
        }
    )
    rows = standing.select("customer_id", "base", *CUTS).cross_join(parts).cross_join(moved)
    below = {
        f"{measure}_{n}": (rows[f"share_{n}"] - (rows.base <= rows[n]).cast("float64"))
        * rows[f"{measure}_{n}"]
        / rows[f"persons_{n}"].nullif(0)
        for n in CUTS
        for measure in MEASURED
    }
    others = rows.select("period_id", "customer_id", **{k: v.fill_null(0.0) for k, v in below.items()})
    own = users.select("period_id", "customer_id", "now", "margin", "class_now")
    nothing = {name: ibis.literal(0.0) for name in below}
    empty = {name: ibis.null(own[name].type()(nullable=True)) for name in ("now", "margin", "class_now")}
    return own.mutate(**nothing).union(others.mutate(**empty).select(*own.columns, *below))


def influence_of_cuts(rows, measure, name):
    """How much each person of the baseline window moves what stands in a class."""
    low, medium = rows[f"{measure}_low_to"], rows[f"{measure}_medium_to"]
    return {LOW: low, MEDIUM: medium - low, HEAVY: -medium}[name]


def _near(spend, cuts, name):
    return ((spend > cuts[f"{name}_from"]) & (spend <= cuts[f"{name}_till"])).cast("int64")


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
        class_now=lambda t: usage_class(t.now, t), class_before=lambda t: usage_class(t.before, t)
    )


def usage_class(spend, cuts):
    """low, medium or heavy by cut points; null where spend or cut points are."""
    return ibis.cases((spend <= cuts.low_to, LOW), (spend <= cuts.medium_to, MEDIUM), (spend > cuts.medium_to, HEAVY))
