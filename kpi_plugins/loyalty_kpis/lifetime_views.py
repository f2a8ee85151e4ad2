"""Shared steps about the life of a relation: how long a silence means leaving, who is where, who came back."""

from typing import Literal

import ibis

from kpibook import view
from loyalty_kpis.reach import days_before, inside, seen_until
from loyalty_kpis.usage_classes import LOST, cut_points_of_spend, spending, usage_class

YEAR = 365
#: The part of those who come back that does so later than the limit.
LATE = 0.05
ORDERED = {"group_by": "customer_id", "order_by": "business_date"}


@view(key="customer_id")
def usage_cut_points(purchase_days, periods):
    """Usage cut points: one row with the spend up to which a user is low, and up to which medium."""
    totals = periods.filter(periods.segment_by == "total")
    cuts = cut_points_of_spend(spending(purchase_days, totals, YEAR), totals, YEAR)
    return cuts.select("low_to", "medium_to")


@view(key=("customer_id", "business_date"), date="business_date")
def purchase_sequence(purchase_days, usage_cut_points, silence_limits, periods, *, lost_days: int = 0):
    """Purchase sequence: one row per purchase day with the person's first and next one, and ``limit_days``, the silence
    after which the person counts as lost: lost_days for everybody, or that of the usage class by the spend of the year
    up to that day, see silence_limits. In a class that has none there, because too many never come back, it is the
    silence that 95 % of those who do come back do not exceed (Kaplan-Meier over all the data).
    """
    year = ibis.window(**ORDERED, preceding=ibis.interval(days=YEAR - 1), following=ibis.interval(days=0))
    days = purchase_days.mutate(
        next_day=purchase_days.business_date.lead().over(ibis.window(**ORDERED)),
        first_day=purchase_days.business_date.min().over(ibis.window(group_by="customer_id")),
        spend=purchase_days.net_amount.sum().over(year),
    )
    keys = ["customer_id", "business_date", "next_day", "first_day"]
    if lost_days > 0:
        return days.select(*keys, limit_days=ibis.literal(lost_days, "int64"))
    classed = days.cross_join(usage_cut_points).mutate(usage=lambda t: usage_class(t.spend, t))
    returning = _returning_limits(classed, periods.agg(until=periods.data_end.max()))
    judged = silence_limits.select("limit_days", usage=silence_limits.usage_class)
    limited = classed.left_join(judged, "usage").left_join(returning, "usage")
    return limited.select(*keys, limit_days=lambda t: t.limit_days.coalesce(t.returning_days).cast("int64"))


def _returning_limits(days, seen):
    """By usage class: days after which 95 % of the gaps that ever close have closed; none where no gap closed."""
    known = days.cross_join(seen)
    ended = ibis.ifelse(known.next_day.notnull(), known.next_day, days_before(known.until, 1))
    gaps = known.select(
        usage=known.usage,
        duration=ended.delta(known.business_date, unit="day"),
        closed=known.next_day.notnull(),
    )
    steps = gaps.group_by("usage", "duration").agg(leaving=gaps.count(), events=gaps.count(where=gaps.closed))
    onwards = ibis.window(group_by="usage", order_by=ibis.desc("duration"), preceding=None, following=0)
    risk = steps.mutate(at_risk=steps.leaving.sum().over(onwards))
    stay = (risk.at_risk - risk.events) / risk.at_risk
    so_far = ibis.window(group_by="usage", order_by="duration", preceding=None, following=0)
    logs = risk.mutate(
        log_stay=ibis.ifelse(risk.at_risk > risk.events, stay, ibis.null("float64")).ln().fill_null(-1e9)
    )
    curve = logs.mutate(open=logs.log_stay.sum().over(so_far).exp())
    last = curve.mutate(never=curve.open.min().over(ibis.window(group_by="usage"))).filter(lambda t: t.never < 1)
    reached = last.filter(lambda t: t.open <= t.never + LATE * (1 - t.never) + 1e-12)
    return reached.group_by("usage").agg(returning_days=reached.duration.min())


def standing_on(purchase_sequence, days, *same):
    """The last purchase day before ``day`` of each person who has one; ``days`` has one row for each day asked, of the
    ``same`` person only if conditions say so.
    """
    before = purchase_sequence.business_date < days.day
    still = (purchase_sequence.next_day >= days.day) | purchase_sequence.next_day.isnull()
    return purchase_sequence.join(days, [before, still, *same]).mutate(
        silent_days=lambda t: t.day.delta(t.business_date, unit="day")
    )


@view(key=("customer_id", "period_id"), describes="customer_id")
def person_state(purchase_sequence, periods, *, new_days: int = 90, silent_share: float = 0.5):
    """Person state: one row per period and person with a purchase before its end, and the state on that day.

    lost: silent for longer than ``limit_days``; else new: first purchase in the data in the last
    new_days; else silent: for longer than silent_share of limit_days; else active. Where nobody of a
    usage class ever came back there is no limit and no state.
    """
    ends = periods.select("period_id", day=seen_until(periods))
    now = standing_on(purchase_sequence, ends)
    state = ibis.cases(
        (now.silent_days > now.limit_days, "lost"),
        (now.first_day >= days_before(now.day, new_days), "new"),
        (now.silent_days > now.limit_days * silent_share, "silent"),
        else_="active",
    )
    rows = now.select("period_id", "customer_id", "silent_days", "limit_days", person_state=state)
    # the filter names person_state: a column asked for by a breakdown alone would otherwise rest on unfilled ones
    return rows.filter(rows.limit_days.notnull() & rows.person_state.notnull())


@view(key=("customer_id", "period_id"))
def lost_persons(purchase_sequence, periods):
    """Lost persons: one row per period and person judged lost on its first day, with the next purchase since."""
    starts = periods.select("period_id", "data_end", day=periods.start)
    known = standing_on(purchase_sequence, starts).filter(lambda t: t.silent_days > t.limit_days)
    band = ibis.cases((known.silent_days <= 180, "0-180"), (known.silent_days <= 365, "181-365"), else_="366+")
    return known.select("period_id", "customer_id", "day", "next_day", "data_end", recency_band=band)


@view(key=("customer_id", "period_id"))
def tenures(
    purchase_sequence,
    customers,
    periods,
    *,
    run_in_days: int = 90,
    inactive_days: int = 0,
    lasts: Literal["declared", "last_purchase"] = "declared",
    least_purchases: int = 1,
):
    """Tenures: one row per whole period and person, in days since the relation began: ``entered_days`` when first seen,
    ``lasted_days`` until the last purchase of who has not come back since the day from which on a silence is too young
    to be judged (``defected``), until the day before it for the others.

    That day lies before the period's end by the longest ``limit_days`` of all classes, so that everybody is judged on
    the same one; who first bought later is left out. A person on record before the data began is older than the data:
    the relation began on that day and is observed from the first purchase in the data on. Persons without a day of
    record are left out if they first bought within run_in_days of the beginning of the data.

    inactive_days above 0 takes a simpler rule: ``defected`` without a purchase in the last inactive_days of the period,
    whoever came back earlier after a longer silence. The relation lasts until it is declared to be over, inactive_days
    after the last purchase (lasts declared), or until the last purchase (lasts last_purchase), then also for who has
    not defected. Either way of persons with at least least_purchases purchase days.
    """
    if inactive_days > 0:
        return _declared(purchase_sequence, customers, periods, run_in_days, inactive_days, lasts, least_purchases)
    longest = purchase_sequence.agg(longest=purchase_sequence.limit_days.max())
    totals = periods.filter(periods.segment_by == "total").cross_join(longest)
    until = seen_until(totals)
    horizons = totals.select("period_id", "data_start", until=until, turn=until - totals.longest.as_interval("D"))
    known = _relations(purchase_sequence, customers, horizons, run_in_days)
    last = ibis.least(known.last_day, days_before(known.turn, 1))
    return known.filter(known.first_day < known.turn).select(
        "period_id",
        "customer_id",
        entered_days=known.first_day.delta(known.began, unit="day"),
        lasted_days=last.delta(known.began, unit="day"),
        defected=known.last_day < known.turn,
    )


def _relations(purchase_sequence, customers, horizons, run_in_days):
    """Persons seen before the end of each period, with the day the relation ``began``, where that can be known."""
    seen = purchase_sequence.join(horizons, purchase_sequence.business_date < horizons.until)
    persons = seen.group_by("period_id", "customer_id", "data_start", "until", "turn").agg(
        first_day=seen.first_day.min(), last_day=seen.business_date.max(), purchase_days=seen.count()
    )
    on_record = customers.select("customer_id", recorded=customers.created_at.date())
    known = persons.left_join(on_record, "customer_id").mutate(
        older=lambda t: (t.recorded < t.data_start).fill_null(False),
        unknown=lambda t: t.recorded.isnull() & (days_before(t.first_day, run_in_days) < t.data_start),
    )
    return known.filter(~known.unknown).mutate(began=lambda t: ibis.ifelse(t.older, t.recorded, t.first_day))


def _declared(purchase_sequence, customers, periods, run_in_days, inactive_days, lasts, least_purchases):
    """Tenures by the simpler rule: who has not bought in the last ``inactive_days`` is gone."""
    totals = periods.filter(periods.segment_by == "total")
    until = seen_until(totals)
    horizons = totals.select("period_id", "data_start", until=until, turn=days_before(until, inactive_days))
    relations = _relations(purchase_sequence, customers, horizons, run_in_days)
    known = relations.filter(relations.purchase_days >= least_purchases)
    defected = known.last_day < known.turn
    bought = known.last_day.delta(known.began, unit="day")
    observed = days_before(known.until, 1).delta(known.began, unit="day")
    declared = ibis.ifelse(defected, bought + inactive_days, observed)
    return known.select(
        "period_id",
        "customer_id",
        entered_days=known.first_day.delta(known.began, unit="day"),
        lasted_days=bought if lasts == "last_purchase" else declared,
        defected=defected,
    )


@view(key=("customer_id", "period_id"))
def spending_years(purchase_days, usage_cut_points, periods):
    """Spending years: one row per whole period and person who bought in the two years before its end, with purchase
    days, spend and usage class of the last year (``now``) and of the one ``before``.
    """
    totals = periods.filter(periods.segment_by == "total")
    reach = days_before(totals.end, 2 * YEAR)
    seen = purchase_days.join(totals, inside(purchase_days.business_date, reach, totals.end)).mutate(
        recent=lambda t: t.business_date >= days_before(t.end, YEAR)
    )
    persons = seen.group_by("period_id", "customer_id").agg(
        bought_now=seen.count(where=seen.recent),
        bought_before=seen.count(where=~seen.recent),
        spend_now=seen.net_amount.sum(where=seen.recent).fill_null(0),
        spend_before=seen.net_amount.sum(where=~seen.recent).fill_null(0),
    )
    return persons.cross_join(usage_cut_points).mutate(
        class_now=lambda t: ibis.ifelse(t.bought_now > 0, usage_class(t.spend_now, t), LOST),
        class_before=lambda t: ibis.ifelse(t.bought_before > 0, usage_class(t.spend_before, t), ibis.null("string")),
    )


@view(key=("customer_id", "period_id"))
def repeat_histories(purchase_days, periods):
    """Repeat histories: one row per whole period and person who bought before its end, in days since the first purchase
    in the data: repeat purchases ``x``, the day of the last one ``t_x``, days observed ``t`` and the ``margin`` of the
    repeat purchases; the same up to the day on which a holdout begins, and what came in the holdout.

    The holdout is the last year, or the last half of shorter data. Margin is net sales minus cost of goods.
    """
    totals = periods.filter(periods.segment_by == "total")
    half = (seen_until(totals).delta(totals.data_start, unit="day") / 2).floor().cast("int64")
    held = ibis.least(half, YEAR)
    spans = totals.select("period_id", "data_start", until=seen_until(totals), holdout_days=held).mutate(
        turn=lambda t: t.until - t.holdout_days.as_interval("D")
    )
    first = purchase_days.group_by("customer_id").agg(first_day=purchase_days.business_date.min())
    seen = (
        purchase_days.join(first, "customer_id")
        .join(spans, purchase_days.business_date < spans.until)
        .mutate(
            margin=lambda t: t.net_amount - t.cogs,
            repeat=lambda t: t.business_date > t.first_day,
            held=lambda t: t.business_date >= t.turn,
        )
    )
    early, late = seen.repeat & ~seen.held, seen.held & (seen.first_day < seen.turn)
    persons = seen.group_by("period_id", "customer_id", "first_day", "until", "turn", "holdout_days").agg(
        x=seen.count(where=seen.repeat),
        last_day=seen.business_date.max(),
        margin=seen.margin.sum(where=seen.repeat).fill_null(0),
        x_early=seen.count(where=early),
        last_early=seen.business_date.max(where=~seen.held),
        margin_early=seen.margin.sum(where=early).fill_null(0),
        bought_held=seen.count(where=late),
        margin_held=seen.margin.sum(where=late).fill_null(0),
    )
    return persons.select(
        "period_id", "customer_id", "x", "margin", "x_early", "margin_early", "bought_held", "margin_held",
        "holdout_days",
        t_x=persons.last_day.delta(persons.first_day, unit="day"),
        t=persons.until.delta(persons.first_day, unit="day") - 1,
        t_x_early=persons.last_early.delta(persons.first_day, unit="day"),
        t_early=persons.turn.delta(persons.first_day, unit="day") - 1,
        silent_days=persons.until.delta(persons.last_day, unit="day"),
    )  # fmt: skip


DEFINITIONS = (
    usage_cut_points,
    purchase_sequence,
    person_state,
    lost_persons,
    tenures,
    spending_years,
    repeat_histories,
)
