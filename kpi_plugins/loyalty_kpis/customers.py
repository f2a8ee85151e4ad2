"""Customers: how many there are, and whether the base grows by keeping or by winning them."""

import ibis

from kpibook import kpi, matrix, ratio, total, variants
from loyalty_kpis.reach import days_before, inside, window_a_year_earlier

YEAR = 365


@kpi(unit="persons", better="higher", question="How many persons are really active now?", looks_back="window_days")
def active_customers(purchase_days, periods, *, window_days: int = 365):
    """Active customers: identified persons with a kept purchase in the window_days before the period's end."""
    recent = inside(purchase_days.business_date, days_before(periods.end, window_days), periods.end)
    persons = purchase_days.join(periods, recent).select("period_id", "customer_id").distinct()
    return total(persons.count(), cluster=persons.customer_id)


@kpi(
    unit="percent",
    better="higher",
    question="Is the number of customers rising, or only the number of cards?",
    looks_back=window_a_year_earlier,
)
def customer_base_growth(purchase_days, receipts, periods, *, window_days: int = 365):
    """Customer base growth: active customers now over active customers 365 days earlier, minus one; the variant
    same_identification divides both by the identified share of the receipts of their window.
    """
    persons = _receipts(purchase_days, periods, window_days, "customer_id")
    # Each for itself: taken by day, whole days would vary, and the interval be twice too wide.
    nobodys = receipts.filter(receipts.is_purchase & receipts.customer_id.isnull())
    nobodys = nobodys.select("transaction_id", "business_date", receipts=ibis.literal(1, "int64"))
    anonymous = _receipts(nobodys, periods, window_days, "transaction_id")
    nobody = anonymous.select("period_id", "now", "earlier", customer_id=ibis.null("string"))
    everybody = persons.select("period_id", "now", "earlier", "customer_id").union(nobody)
    return variants(
        _growth(persons) - 1,
        same_identification=_growth_at_same_identification(everybody) - 1,
    )


@kpi(
    unit="ratio",
    better="higher",
    question="Does the base grow by keeping or by winning customers?",
    looks_back="before",
)
def growth_accounting(person_periods, periods):
    """Retention vs conquest balance: persons won (new or reactivated) per person lost; lost bought in the window of
    equal length before the period and not in it, new never before in the data, reactivated earlier than that window.

    The table counts the same persons in each week, month, quarter or year that the report is broken down by.
    """
    movement, cluster = person_periods.movement, person_periods.customer_id
    net = person_periods.net_amount

    def persons(name):
        return person_periods.count(where=movement == name)

    def revenue(name):
        return ratio(net.sum(where=movement == name), net.sum(), cluster=cluster)

    won = person_periods.count(where=movement.isin(["new", "reactivated"]))
    parts = _parts_of_periods(person_periods, periods)
    return variants(
        matrix(parts.part, parts.movement, headline=ratio(won, persons("lost"), cluster=cluster)),
        new=total(persons("new"), cluster=cluster).in_unit("persons"),
        retained=total(persons("retained"), cluster=cluster).in_unit("persons"),
        reactivated=total(persons("reactivated"), cluster=cluster).in_unit("persons"),
        lost=total(persons("lost"), cluster=cluster).in_unit("persons"),
        revenue_from_new=revenue("new").in_unit("percent"),
        revenue_from_retained=revenue("retained").in_unit("percent"),
        revenue_from_reactivated=revenue("reactivated").in_unit("percent"),
    )


@kpi(unit="purchases", better="higher", question="How often does an active customer buy?")
def purchase_frequency(person_periods):
    """Purchase frequency: purchase days per customer-year, every active customer counted for all days of the period
    that the data cover; the variant exposure_corrected counts from the first purchase in the data on.

    The variants per_customer and receipts_per_customer are the purchase days and the receipts of the period per active
    customer, as many as the period is long: they compare only with periods of the same length.
    """
    active = person_periods.filter(person_periods.bought)
    purchases, persons, cluster = active.purchase_days.sum(), active.count(), active.customer_id
    return variants(
        ratio(purchases, (active.days / YEAR).sum(), cluster=cluster),
        exposure_corrected=ratio(purchases, (active.days_since_first / YEAR).sum(), cluster=cluster),
        per_customer=ratio(purchases, persons, cluster=cluster),
        receipts_per_customer=ratio(active.receipts.sum(), persons, cluster=cluster),
    )


def _parts_of_periods(rows, periods):
    """``rows`` of the parts of periods, each in the period that it is a part of; ``part`` is its label."""
    wholes = periods.filter(periods.segment_by == "total").select("period", whole=periods.period_id)
    pieces = periods.filter(periods.segment_by != "total").select("period_id", "period", part=periods.segment)
    placed = rows.join(pieces.join(wholes, "period"), "period_id")
    return placed.select("customer_id", "movement", "part", period_id=placed.whole)


def _receipts(days, periods, window_days, key):
    """Receipts by ``key`` in the window before each period's end (``now``) and in the window a year ``earlier``."""
    reach = days_before(periods.end, YEAR + window_days)
    seen = days.join(periods, inside(days.business_date, reach, periods.end)).mutate(
        now=lambda t: t.business_date >= days_before(t.end, window_days),
        earlier=lambda t: t.business_date < days_before(t.end, YEAR),
    )
    return seen.group_by("period_id", key).agg(
        now=seen.receipts.sum(where=seen.now).fill_null(0), earlier=seen.receipts.sum(where=seen.earlier).fill_null(0)
    )


def _growth(rows):
    active_now = rows.customer_id.count(where=rows.now > 0)
    active_earlier = rows.customer_id.count(where=rows.earlier > 0)
    return ratio(active_now, active_earlier, cluster=rows.customer_id)


def _growth_at_same_identification(rows):
    known, cluster = rows.customer_id.notnull(), rows.customer_id
    identified_now = ratio(rows.now.sum(where=known), rows.now.sum(), cluster=cluster)
    identified_earlier = ratio(rows.earlier.sum(where=known), rows.earlier.sum(), cluster=cluster)
    return _growth(rows) * identified_earlier / identified_now


DEFINITIONS = (active_customers, customer_base_growth, growth_accounting, purchase_frequency)
