"""Usage: how much of the sales hangs on whom."""

import ibis

from kpibook import kpi, matrix, ratio, share, total, variants
from loyalty_kpis.reach import baseline, inside, seen_until
from loyalty_kpis.usage_classes import HEAVY, LOW, MEDIUM, classed, cut_points, cut_points_of_spend, spending

QUINTILES = {"cut_1": 20, "cut_2": 40, "cut_3": 60, "cut_4": 80}
MEASURES = {"r": "nearness", "f": "frequency", "m": "money"}
GOOD = 4


@kpi(
    unit="percent",
    better="neutral",
    question="How many customers are heavy, medium, low users?",
    family="customers",
    looks_back="window_days",
)
def usage_class_share(purchase_days, periods, *, window_days: int = 365):
    """Heavy/medium/low user mix: heavy users out of customers active in the window_days before the period's end, heavy
    meaning a spend above the 80th percentile, low up to the median, both frozen at the comparison period.

    When the data do not cover the comparison period's window, the cut points are the current period's own. The margin
    is net sales minus cost of goods.
    """
    spent = spending(purchase_days, periods, window_days)
    users = classed(spent, cut_points_of_spend(spent, periods, window_days))
    known, cluster = users.class_now.notnull(), users.customer_id

    def persons(name):
        return share(users.class_now == name, where=known, cluster=cluster)

    def of(money, name):
        return ratio(money.sum(where=users.class_now == name), money.sum(where=known), cluster=cluster)

    return variants(
        persons(HEAVY),
        medium=persons(MEDIUM),
        low=persons(LOW),
        revenue_of_heavy=of(users.now, HEAVY),
        revenue_of_medium=of(users.now, MEDIUM),
        revenue_of_low=of(users.now, LOW),
        margin_of_heavy=of(users.margin, HEAVY),
        margin_of_medium=of(users.margin, MEDIUM),
        margin_of_low=of(users.margin, LOW),
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
    """
    spent = spending(purchase_days, periods, window_days)
    everybody = ibis.window(group_by=spent.period_id)
    by_spend = ibis.window(group_by=spent.period_id, order_by=[spent.now.desc(), spent.customer_id])
    ranked = spent.mutate(
        amount=spent.now.cast("float64"),
        place=ibis.row_number().over(by_spend) + 1,
        persons=spent.count().over(everybody),
    ).mutate(fifth=lambda t: ((t.persons + 4) / 5).floor())
    limited = ranked.mutate(
        is_top=ranked.place <= ranked.fifth,
        least=ranked.amount.min(where=ranked.place <= ranked.fifth).over(ibis.window(group_by=ranked.period_id)),
    )
    above = limited.is_top.ifelse(limited.amount - limited.least, 0.0)
    parts = limited.mutate(part=above + limited.least * limited.fifth / limited.persons)
    return ratio(parts.part.sum(), parts.amount.sum(), cluster=parts.customer_id)


@kpi(
    unit="persons",
    better="neutral",
    question="Who are the recent, frequent, valuable customers?",
    family="customers",
    by_columns=False,
)
def rfm_segments(receipts, periods):
    """RFM segments: persons with a score of 4 or 5 in recency, frequency and net spend; a score is one plus the number
    of quintile cut points exceeded, frozen at the comparison period, equal values sharing a score.

    Over the whole period only. The variant by_margin takes net sales minus cost of goods as money. The table has all
    125 cells.
    """
    net = _scored(receipts, periods, receipts.net_amount)
    margin = _scored(receipts, periods, receipts.net_amount - receipts.cogs)
    row = ibis.literal("R").concat(net.r.cast("string"), "F", net.f.cast("string"))
    column = ibis.literal("M").concat(net.m.cast("string"))
    return variants(matrix(row, column, headline=_best(net)), by_margin=_best(margin))


def _scored(receipts, periods, money):
    """One row per period and person with scores r, f and m from 1 to 5."""
    bought = receipts.mutate(money=money).filter(lambda t: t.is_purchase & t.customer_id.notnull())
    totals = periods.filter(periods.segment_by == "total")
    seen = bought.join(totals, inside(bought.business_date, totals.start, totals.end))
    persons = (
        seen.mutate(until=seen_until(seen))
        .group_by("period_id", "customer_id", "until")
        .agg(last_day=seen.business_date.max(), frequency=seen.business_date.nunique(), money=seen.money.sum())
    )
    values = persons.mutate(nearness=persons.last_day.delta(persons.until, unit="day"))
    frozen = values.semi_join(baseline(periods, periods.start), "period_id")
    for name, value in MEASURES.items():
        cuts = cut_points(frozen, value, {f"{name}_{cut}": percent for cut, percent in QUINTILES.items()})
        values = values.cross_join(cuts)
    return values.select("period_id", "customer_id", **{n: _score(values, n, v) for n, v in MEASURES.items()})


def _score(values, name, value):
    exceeded = [(values[value] > values[f"{name}_{cut}"]).cast("int64") for cut in QUINTILES]
    return 1 + exceeded[0] + exceeded[1] + exceeded[2] + exceeded[3]


def _best(scored):
    good = (scored.r >= GOOD) & (scored.f >= GOOD) & (scored.m >= GOOD)
    return total(scored.count(where=good), cluster=scored.customer_id)


DEFINITIONS = (usage_class_share, pareto_share, rfm_segments)
