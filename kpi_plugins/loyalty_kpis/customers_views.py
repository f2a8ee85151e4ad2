"""Shared steps about persons: first purchase, gaps between purchases, who came and who went."""

import ibis

from kpibook import view
from loyalty_kpis.reach import days_before, inside, seen_until
from loyalty_kpis.usage_classes import classed, cut_points_of_spend, spending


@view(key="customer_id", date="first_day", describes="customer_id")
def first_purchases(purchase_days):
    """First purchases: one row per identified person with the first two purchase days in the data."""
    first = purchase_days.group_by("customer_id").agg(first_day=purchase_days.business_date.min())
    later = purchase_days.join(first, "customer_id").filter(lambda t: t.business_date > t.first_day)
    second = later.group_by("customer_id").agg(second_day=later.business_date.min())
    return first.left_join(second, "customer_id").select(
        "customer_id", "first_day", "second_day", acquisition_cohort=lambda t: t.first_day.strftime("%Y-%m")
    )


@view(key=("customer_id", "business_date"), date="business_date")
def purchase_gaps(purchase_days):
    """Purchase gaps: one row per purchase day with the person's next purchase day, null for the last."""
    following = ibis.window(group_by=purchase_days.customer_id, order_by=purchase_days.business_date)
    return purchase_days.select(
        "customer_id", "business_date", next_day=purchase_days.business_date.lead().over(following)
    )


@view(key=("customer_id", "period_id"))
def person_periods(purchase_days, first_purchases, periods):
    """Person periods: one row per period and identified person who bought in it or in the window before it.

    ``movement`` is new (to the data), retained, reactivated or lost; ``days`` the days of the period that
    the data cover, ``days_since_first`` those from the first purchase in the data on. ``purchase_days`` and
    ``receipts`` are those of the period.
    """
    seen = purchase_days.join(
        periods, (purchase_days.business_date >= periods.before) & (purchase_days.business_date < periods.end)
    ).mutate(
        since=lambda t: ibis.greatest(t.start, t.data_start),
        until=lambda t: seen_until(t),
        within=lambda t: inside(t.business_date, t.start, t.end),
    )
    keys = ["period_id", "start", "since", "until", "customer_id"]
    persons = seen.group_by(keys).agg(
        purchase_days=seen.count(where=seen.within),
        receipts=seen.receipts.sum(where=seen.within).fill_null(0),
        net_amount=seen.net_amount.sum(where=seen.within),
        bought_before=seen.count(where=~seen.within) > 0,
    )
    known = persons.join(first_purchases, "customer_id").mutate(
        bought=lambda t: t.purchase_days > 0,
        days=lambda t: t.until.delta(t.since, unit="day"),
        days_since_first=lambda t: t.until.delta(ibis.greatest(t.since, t.first_day), unit="day"),
    )
    movement = ibis.cases(
        (~known.bought, "lost"),
        (known.bought_before, "retained"),
        (known.first_day >= known.start, "new"),
        else_="reactivated",
    )
    return known.select(
        "period_id", "customer_id", "purchase_days", "receipts", "net_amount", "bought", "bought_before", "days",
        "days_since_first", movement=movement,
    )  # fmt: skip


@view(key=("customer_id", "period_id"), describes="customer_id")
def customer_usage(purchase_days, periods, *, window_days: int = 365):
    """Customer usage: the low, medium or heavy class of each active person, for breakdowns."""
    spent = spending(purchase_days, periods, window_days)
    cuts = cut_points_of_spend(spent, periods, window_days)
    return classed(spent, cuts).select("period_id", "customer_id", usage_class=lambda t: t.class_now)


@view(key="usage_class")
def silence_limits(purchase_gaps, customer_usage, periods):
    """Silence limits: by usage class, the days after which 95 % of the class have bought again (Kaplan-Meier).

    One yardstick for all periods: the classes of the current period, the gaps that began in
    the year before its end, open gaps censored at the last day of the data. A class whose
    curve stays above 0.05 has no limit.
    """
    now = periods.filter((periods.segment_by == "total") & (periods.period == "current"))
    persons = customer_usage.join(now, "period_id").filter(lambda t: t.usage_class.notnull())
    year = purchase_gaps.join(persons, "customer_id").filter(
        lambda t: inside(t.business_date, t.end - ibis.interval(days=365), t.end)
    )
    gaps = year.select("usage_class", duration=gap_days(year, year.data_end), closed=year.next_day < year.data_end)
    steps = gaps.group_by("usage_class", "duration").agg(leaving=gaps.count(), events=gaps.count(where=gaps.closed))
    onwards = ibis.window(group_by=steps.usage_class, order_by=steps.duration.desc(), preceding=None, following=0)
    risk = steps.mutate(at_risk=steps.leaving.sum().over(onwards))
    left = (risk.at_risk - risk.events) / risk.at_risk
    hazard = risk.mutate(
        log_left=ibis.ifelse(risk.at_risk > risk.events, left, ibis.null("float64")).ln().fill_null(-1e9)
    )
    so_far = ibis.window(group_by=hazard.usage_class, order_by=hazard.duration, preceding=None, following=0)
    curve = hazard.mutate(survival=hazard.log_left.sum().over(so_far).exp())
    return curve.group_by("usage_class").agg(limit_days=curve.duration.min(where=curve.survival <= 0.05 + 1e-12))


def newcomers(first_purchases, periods, run_in_days):
    """Persons whose first purchase in the data is not within ``run_in_days`` of their beginning.

    Before that a first purchase does not tell a new customer from an old one.
    """
    begun = periods.agg(data_start=periods.data_start.min())
    known = first_purchases.cross_join(begun)
    return known.filter(days_before(known.first_day, run_in_days) >= known.data_start).drop("data_start")


def gap_days(gaps, until):
    """Days from a purchase to the next one, or to the last day before ``until`` when none came by then."""
    last_day = until.delta(gaps.business_date, unit="day") - 1
    return ibis.ifelse(gaps.next_day < until, gaps.next_day.delta(gaps.business_date, unit="day"), last_day)


DEFINITIONS = (first_purchases, purchase_gaps, person_periods, customer_usage, silence_limits)
