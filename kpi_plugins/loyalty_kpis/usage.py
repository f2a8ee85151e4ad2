"""Usage: how much of the sales hangs on whom."""

from typing import Literal

import ibis

from kpibook import kpi, matrix, ratio, share, total, variants
from loyalty_kpis.reach import baseline, inside, seen_until
from loyalty_kpis.usage_classes import (
    HEAVY,
    LOW,
    MEDIUM,
    classed,
    cut_points,
    cut_points_of_spend,
    influence_of_cuts,
    ranked,
    spending,
    with_cut_influence,
)  # fmt: skip
from loyalty_kpis.views import whole

QUINTILES = {"cut_1": 20, "cut_2": 40, "cut_3": 60, "cut_4": 80}
MEASURES = {"r": "nearness", "f": "frequency", "m": "net_amount", "of_margin": "margin"}
GOOD = 4


@kpi(
    unit="percent",
    better="neutral",
    question="How many customers are heavy, medium, low users?",
    family="customers",
    looks_back="window_days",
)
def usage_class_share(
    purchase_days,
    periods,
    *,
    window_days: int = 365,
    classes: Literal["cut_points", "percent_rank"] = "cut_points",
):
    """Heavy/medium/low user mix: heavy users out of customers active in the window_days before the period's end, heavy
    meaning a spend above the 80th percentile, low up to the median, both frozen at the comparison period.

    When the data do not cover the comparison period's window, the cut points are the current period's own. The margin
    is net sales minus cost of goods. With classes percent_rank nothing is frozen: each window's own persons in the
    order of their spend, (place - 1) / (persons - 1) up to 0.5 low, up to 0.8 medium; heavy users are then always a
    fifth of them, what changes is their part of the sales.
    """
    spent = spending(purchase_days, periods, window_days)
    if classes == "percent_rank":
        users = ranked(spent)
    else:
        users = classed(spent, cut_points_of_spend(spent, periods, window_days))
    moved = classes == "cut_points"
    rows = with_cut_influence(users, spent, periods, window_days) if moved else users
    known, cluster = users.class_now.notnull(), users.customer_id

    def persons(name):
        return share(users.class_now == name, where=known, cluster=cluster)

    def of(measure, name):
        there = rows.class_now.notnull()
        value = ibis.literal(1) if measure == "counted" else rows[measure]
        own = (rows.class_now == name).ifelse(value, 0).fill_null(0).cast("float64")
        part = own + influence_of_cuts(rows, measure, name) if moved else own
        return ratio(part.sum(), there.ifelse(value, 0).sum(), cluster=rows.customer_id)

    return variants(
        persons(HEAVY),
        **{name: of("counted", name) if moved else persons(name) for name in (MEDIUM, LOW)},
        **{f"revenue_of_{name}": of("now", name) for name in (HEAVY, MEDIUM, LOW)},
        **{f"margin_of_{name}": of("margin", name) for name in (HEAVY, MEDIUM, LOW)},
    )


@kpi(
    unit="percent",
    better="neutral",
    question="How concentrated are sales on few customers?",
    family="customers",
    looks_back="window_days",
    by_columns=False,
)
def pareto_share(purchase_days, periods, *, window_days: int = 365):
    """Pareto share (top 20%): sales to the fifth of the customers who spent most, out of all identified sales, in the
    window_days before the period's end.

    A person's part in the numerator is (spend - limit) if among them, plus limit times their share of the persons, the
    limit being their smallest spend: the sum is theirs, and its variance knows that the fifth would be other persons.
    Variants: top_10_percent, the same for the tenth; gini, the Gini coefficient of the spends, its variance by
    linearisation (Langel and Tillé 2013).
    """
    spent = spending(purchase_days, periods, window_days)
    everybody = ibis.window(group_by=spent.period_id)
    by_spend = ibis.window(group_by=spent.period_id, order_by=[spent.now.desc(), spent.customer_id])
    placed = spent.mutate(
        amount=spent.now.cast("float64"),
        place=ibis.row_number().over(by_spend) + 1,
        persons=spent.count().over(everybody),
    )
    rows = placed.mutate(fifth=_part_of_top(placed, 5), tenth=_part_of_top(placed, 10), unequal=_part_of_gini(placed))

    def of(part):
        return ratio(part.sum(), rows.amount.sum(), cluster=rows.customer_id)

    return variants(of(rows.fifth), top_10_percent=of(rows.tenth), gini=of(rows.unequal).in_unit("ratio"))


def _part_of_top(placed, parts):
    """Each person's part in the spend of the top one of so many ``parts`` of the persons."""
    within = ibis.window(group_by=placed.period_id)
    number = ((placed.persons + parts - 1) / parts).floor()
    is_top = placed.place <= number
    least = placed.amount.min(where=is_top).over(within)
    return is_top.ifelse(placed.amount - least, 0.0) + least * number / placed.persons


def _part_of_gini(placed):
    """Each person's part in Gini coefficient times sales, so that what it deviates by is the person's influence."""
    amount, persons = placed.amount, placed.persons
    within = ibis.window(group_by=placed.period_id)
    upwards = ibis.window(group_by=placed.period_id, order_by=placed.place.desc(), preceding=None, following=0)
    rank = persons - placed.place + 1
    sales, so_far = amount.sum().over(within), amount.sum().over(upwards)
    gini_sales = 2 * (rank * amount).sum().over(within) / persons - sales * (persons + 1) / persons
    return (2 * rank * amount - 2 * so_far + sales - persons * amount - gini_sales) / persons


@kpi(
    unit="persons",
    better="neutral",
    question="Who are the recent, frequent, valuable customers?",
    family="customers",
    by_columns=False,
)
def rfm_segments(
    receipts,
    periods,
    *,
    scores: Literal["cut_points", "ntile"] = "cut_points",
    frequency: Literal["days", "receipts"] = "days",
):
    """RFM segments: persons with a score of 4 or 5 in recency, frequency and net spend; a score is one plus the number
    of quintile cut points exceeded, frozen at the comparison period, equal values sharing a score.

    Over the whole period only. The variant by_margin takes net sales minus cost of goods as money. The table has every
    cell that holds persons. Frequency counts purchase days, or receipts. With scores ntile nothing is frozen: each
    period's own persons in the order of the measure, equal values by customer_id, in five parts of one size.
    """
    values = _measured(receipts, periods, count_receipts=frequency == "receipts")
    cuts = {} if scores == "ntile" else _frozen_cuts(values, periods)
    net, margin = _scored(values, cuts, "m"), _scored(values, cuts, "of_margin")
    row = ibis.literal("R").concat(net.r.cast("string"), "F", net.f.cast("string"))
    column = ibis.literal("M").concat(net.m.cast("string"))
    return variants(matrix(row, column, headline=_best(net, "m")), by_margin=_best(margin, "of_margin"))


def _measured(receipts, periods, count_receipts):
    """One row per period and person who bought: nearness in days, frequency, net_amount and margin."""
    bought = receipts.filter(receipts.is_purchase & receipts.customer_id.notnull())
    bought = bought.select("customer_id", "business_date", "net_amount", "cogs")
    totals = whole(periods).select("period_id", "start", "end", "data_end")
    seen = bought.join(totals, inside(bought.business_date, totals.start, totals.end))
    persons = (
        seen.mutate(until=seen_until(seen))
        .group_by("period_id", "customer_id", "until")
        .agg(
            last_day=seen.business_date.max(),
            frequency=lambda t: t.count() if count_receipts else t.business_date.nunique(),
            net_amount=seen.net_amount.sum(),
            margin=(seen.net_amount - seen.cogs).sum(),
        )
    )
    return persons.mutate(nearness=persons.last_day.delta(persons.until, unit="day"))


def _frozen_cuts(values, periods):
    """For each of MEASURES a table of one row with its quintile cut points in the baseline."""
    frozen = values.semi_join(baseline(periods, periods.start), "period_id")
    return {
        name: cut_points(frozen, value, {f"{name}_{cut}": percent for cut, percent in QUINTILES.items()})
        for name, value in MEASURES.items()
    }


def _scored(values, cuts, money):
    """One row per period and person with scores from 1 to 5: r, f and ``money``; without cut points by tiles."""
    measures = {name: MEASURES[name] for name in ("r", "f", money)}
    if not cuts:
        return values.select("period_id", "customer_id", **{n: _tile(values, v) for n, v in measures.items()})
    known = values.select("period_id", "customer_id", *measures.values())
    placed = known.cross_join(*(cuts[name] for name in measures))
    return placed.select("period_id", "customer_id", **{n: _score(placed, n, v) for n, v in measures.items()})


def _score(values, name, value):
    exceeded = [(values[value] > values[f"{name}_{cut}"]).cast("int64") for cut in QUINTILES]
    return 1 + exceeded[0] + exceeded[1] + exceeded[2] + exceeded[3]


def _tile(values, value):
    upwards = ibis.window(group_by=values.period_id, order_by=[values[value], values.customer_id])
    return 1 + ibis.ntile(5).over(upwards)


def _best(scored, money):
    good = (scored.r >= GOOD) & (scored.f >= GOOD) & (scored[money] >= GOOD)
    return total(scored.count(where=good), cluster=scored.customer_id)


DEFINITIONS = (usage_class_share, pareto_share, rfm_segments)
