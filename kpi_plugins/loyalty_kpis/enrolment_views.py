"""Enrolment: who could enrol in which month, and the purchases that members and others are compared by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from kpibook import view
from loyalty_kpis.customer_months import NEVER, month_number, span_months
from loyalty_kpis.views import purchases

if TYPE_CHECKING:
    import ibis.expr.types as ir

CLASSES = 3
#: Months that an effect is followed for, and those before enrolment that the study looks at.
HORIZON = 12
LEADS = 12


@view(key=("customer_id", "month"))
def enrolment_risk(
    purchase_months, first_months, enrolled_persons, *, history_months: int = 6, by_channel: bool = False
):
    """Enrolment risk: one row per identified person and month with a purchase who has been a customer for at least
    history_months and was not enrolled before that month.

    ``treated`` enrol in it. A ``stratum`` is a tenure band (6, 12, 24 months and more) in a third of the month's
    baskets, and with by_channel apart for shops and remote channels; ``controls`` of the same month and stratum.
    """
    known = purchase_months.join(first_months, "customer_id").left_join(
        enrolled_persons.select("customer_id", "enrolled"), "customer_id"
    )
    rows = known.mutate(
        tenure=known.month - known.first,
        enrolled=known.enrolled.fill_null(NEVER),
        basket=known.net_amount / known.purchases,
    )
    rows = rows.filter((rows.tenure >= history_months) & (rows.enrolled >= rows.month))
    ranked = ibis.window(group_by=rows.month, order_by=[rows.basket, rows.customer_id])
    rows = rows.mutate(basket_class=ibis.ntile(CLASSES).over(ranked))
    classes = rows.basket_class * 2 + rows.remote.cast("int64") if by_channel else rows.basket_class
    band = ibis.cases((rows.tenure >= 24, 2), (rows.tenure >= 12, 1), else_=0)
    rows = rows.mutate(stratum=(classes * 3 + band).cast("int64"), treated=rows.enrolled == rows.month)
    alike = ibis.window(group_by=[rows.month, rows.stratum])
    return rows.select(
        "customer_id",
        "month",
        "treated",
        "stratum",
        "tenure",
        "basket",
        controls=(~rows.treated).cast("int64").sum().over(alike),
    )


@view(key=("period_id", "customer_id"))
def enrolment_members(enrolled_persons, enrolment_risk, purchase_months, periods):
    """Enrolment members: one row per whole period and person enrolled before its end and not gone before its start.

    ``months`` are those of the period after the month of enrolment, ``years`` the days of membership in it, ``margin``
    the contribution margin before loyalty benefits since the month of enrolment; ``identified`` those who had been
    customers for long enough and had a control.
    """
    spans = periods.filter(periods.segment_by == "total").mutate(**span_months(periods))
    own = enrolled_persons.closed_on.isnull() | (enrolled_persons.closed_on >= spans.start)
    members = enrolled_persons.join(spans, (enrolled_persons.enrolled_on < spans.end) & own)
    found = enrolment_risk.filter(enrolment_risk.treated & (enrolment_risk.controls > 0))
    seen = members.left_join(found.select(_person="customer_id"), members.customer_id == found.customer_id)
    seen = seen.mutate(identified=seen._person.notnull())
    day = ibis.interval(days=1)
    until = ibis.least(seen.end, seen.data_end, (seen.closed_on + day).cast("date").coalesce(seen.end))
    days = until.delta(ibis.greatest(seen.start, seen.enrolled_on), unit="day")
    months = ibis.least(seen.to_month, seen.closed + 1) - ibis.greatest(seen.from_month, seen.enrolled + 1)
    rows = seen.mutate(months=ibis.greatest(months, 0), years=ibis.greatest(days, 0) / 365.25)
    bought = _in_span(purchase_months, rows)
    sums = bought.group_by("period_id", "customer_id").agg(margin=bought.margin.sum())
    return rows.left_join(sums, ["period_id", "customer_id"]).select(
        "period_id", "customer_id", "enrolment_cohort", "identified", "months", "years",
        margin=lambda t: t.margin.fill_null(0.0),
    )  # fmt: skip


@view(key=("period_id", "customer_id", "month"))
def enrolment_study(purchase_months, first_months, enrolled_persons, enrolment_risk, periods):
    """Enrolment study: the purchase months of everybody who was at risk of enrolling in a month whose effects fall into
    the period, from two years before it on; ``stratum`` is null in months in which the person was not at risk.
    """
    spans = _spans(periods)
    near = spans.mutate(since=spans.from_month - HORIZON - LEADS, risk_from=spans.from_month - HORIZON)
    return _study(near, purchase_months, first_months, enrolled_persons, enrolment_risk)


@view(key=("period_id", "customer_id", "month"))
def enrolment_history(purchase_months, first_months, enrolled_persons, enrolment_risk, periods):
    """Enrolment history: as the enrolment study, from the first month of the data on."""
    far = _spans(periods).mutate(since=ibis.literal(0), risk_from=ibis.literal(0))
    return _study(far, purchase_months, first_months, enrolled_persons, enrolment_risk)


@view(key=("period_id", "customer_id", "month"))
def study_benefits(enrolment_study, benefit_months):
    """Study benefits: the loyalty benefits that persons of the enrolment study took, by month."""
    return enrolment_study.join(benefit_months, ["customer_id", "month"]).select(
        "period_id", "customer_id", "person", "month", "benefits"
    )


@view(key=("period_id", "customer_id", "month"))
def history_benefits(enrolment_history, benefit_months):
    """History benefits: the loyalty benefits that persons of the enrolment history took, by month."""
    return enrolment_history.join(benefit_months, ["customer_id", "month"]).select(
        "period_id", "customer_id", "person", "month", "benefits"
    )


@view(key=("period_id", "customer_id", "month"))
def study_stores(enrolment_study, receipts):
    """Study stores: the store of the first kept purchase of each person of the enrolment study in a month at risk, none
    when that was not made in a store.
    """
    bought = purchases(receipts).filter(lambda t: t.customer_id.notnull())
    rows = bought.select(
        "customer_id", "business_date", "transaction_id",
        month=month_number(bought.business_date),
        store=(bought.channel == "store").ifelse(bought.store_id, ibis.null("string")),
    )  # fmt: skip
    order = {"group_by": ["customer_id", "month"], "order_by": ["business_date", "transaction_id"]}
    first = rows.mutate(place=ibis.row_number().over(ibis.window(**order))).filter(lambda t: t.place == 0)
    at_risk = enrolment_study.filter(enrolment_study.stratum >= 0)
    found = at_risk.join(first.select("customer_id", "month", "store"), ["customer_id", "month"])
    return found.select("period_id", "customer_id", "month", "person", "store")


def _spans(periods: ir.Table) -> ir.Table:
    found = periods.filter(periods.segment_by == "total").mutate(**span_months(periods))
    return found.select("period_id", "from_month", "to_month", first_seen=month_number(found.data_start))


def _study(
    spans: ir.Table,
    purchase_months: ir.Table,
    first_months: ir.Table,
    enrolled_persons: ir.Table,
    enrolment_risk: ir.Table,
) -> ir.Table:
    keys = ["customer_id", "month"]
    at_risk = enrolment_risk.join(
        spans, (enrolment_risk.month >= spans.risk_from) & (enrolment_risk.month < spans.to_month)
    )
    persons = at_risk.select("period_id", "customer_id", "since", "from_month", "to_month", "first_seen").distinct()
    persons = persons.join(first_months, "customer_id")
    persons = persons.left_join(enrolled_persons.select("customer_id", "enrolled"), "customer_id").select(
        *persons.columns, enrolled=lambda t: t.enrolled.fill_null(NEVER)
    )
    inside = [
        persons.customer_id == purchase_months.customer_id,
        purchase_months.month >= persons.since,
        purchase_months.month < persons.to_month,
    ]
    bought = purchase_months.select(*keys, "purchases", "net_amount", "margin")
    rows = persons.join(bought, inside).select(*persons.columns, "month", "purchases", "net_amount", "margin")
    risk = enrolment_risk.select(*keys, "stratum", "basket")
    rows = rows.left_join(risk, keys).select(*rows.columns, "stratum", "basket")
    order = ibis.window(order_by=rows.customer_id)
    return rows.select(
        "period_id", "customer_id", "month", "first", "enrolled", "from_month", "to_month", "first_seen",
        "purchases", "net_amount", "margin", "basket",
        person=ibis.dense_rank().over(order),
        stratum=rows.stratum.fill_null(-1),
    )  # fmt: skip


def _in_span(bought: ir.Table, members: ir.Table) -> ir.Table:
    """Purchases of members from the month of enrolment on, in the months of their period."""
    own = members.select("period_id", "customer_id", "enrolled", "closed", "from_month", "to_month")
    return own.join(
        bought,
        [
            own.customer_id == bought.customer_id,
            bought.month >= own.from_month,
            bought.month < own.to_month,
            bought.month >= own.enrolled,
            bought.month <= own.closed,
        ],
    )


DEFINITIONS = (
    enrolment_risk,
    enrolment_members,
    enrolment_study,
    enrolment_history,
    study_benefits,
    study_stores,
    history_benefits,
)
