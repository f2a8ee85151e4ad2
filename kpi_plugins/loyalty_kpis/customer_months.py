"""Customer months: what each identified person bought month by month, and when he or she enrolled.

Months are numbered (year times 12 plus month), so that an event month is a difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from kpibook import view
from loyalty_kpis.views import kept, netted_lines, purchases

if TYPE_CHECKING:
    import ibis.expr.types as ir

BENEFITS = ("loyalty_discount", "personal_discount", "supplier_funding")
#: The month of enrolment, or of leaving, of who never did.
NEVER = 1_000_000


def month_number(day: ir.DateValue) -> ir.IntegerValue:
    """Months since the year 0."""
    return (day.year() * 12 + day.month() - 1).cast("int64")


def span_months(periods: ir.Table) -> dict[str, ir.IntegerValue]:
    """First month of a period, and the month after its last that the data reach."""
    day = ibis.interval(days=1)
    last = ibis.least(periods.end - day, periods.data_end - day).cast("date")
    return {"from_month": month_number(periods.start), "to_month": month_number(last) + 1}


@view(key=("customer_id", "month"))
def purchase_months(receipts):
    """Purchase months: one row per identified person and month with a kept purchase, returns netted into the original
    purchase; ``margin`` is the contribution margin before loyalty benefits, points not deducted.
    """
    bought = purchases(receipts).filter(lambda t: t.customer_id.notnull())
    margin = bought.gross_amount - bought.general_discount - bought.cogs - bought.variable_cost
    return bought.group_by("customer_id", month=month_number(bought.business_date)).agg(
        purchases=bought.business_date.nunique(),
        net_amount=bought.net_amount.sum().cast("float64"),
        margin=margin.sum().cast("float64"),
        remote=(bought.channel != "store").fill_null(False).any(),
    )


@view(key=("customer_id", "month"))
def benefit_months(transactions, order_lines):
    """Benefit months: member and personal discounts net of what suppliers refund, by identified person and month."""
    given = order_lines.filter((order_lines.loyalty_discount != 0) | (order_lines.personal_discount != 0))
    lines = netted_lines(transactions, given, *BENEFITS)
    known = kept(transactions).select("transaction_id", "customer_id", "business_date")
    rows = lines.join(known.filter(known.customer_id.notnull()), "transaction_id")
    amount = rows.loyalty_discount + rows.personal_discount - rows.supplier_funding.fill_null(0)
    return rows.group_by("customer_id", month=month_number(rows.business_date)).agg(
        benefits=amount.sum().cast("float64")
    )


@view(key="customer_id", describes="customer_id")
def enrolled_persons(memberships):
    """Enrolled persons: first enrolment and, when no membership is open, the last to be closed."""
    known = memberships.filter(memberships.customer_id.notnull() & memberships.enrolled_at.notnull())
    found = known.group_by("customer_id").agg(
        enrolled_on=known.enrolled_at.min().date(),
        closed_on=known.closed_at.max().date(),
        open_cards=known.closed_at.isnull().sum(),
    )
    closed_on = (found.open_cards > 0).ifelse(ibis.null("date"), found.closed_on)
    return found.select(
        "customer_id",
        "enrolled_on",
        closed_on=closed_on,
        enrolled=month_number(found.enrolled_on),
        closed=month_number(closed_on).fill_null(NEVER),
        enrolment_cohort=found.enrolled_on.strftime("%Y-%m"),
    )


@view(key="customer_id")
def first_months(purchase_months):
    """First months: the month of the first purchase of each identified person in the data."""
    return purchase_months.group_by("customer_id").agg(first=purchase_months.month.min())


@view(key=("customer_id", "month"), date="first_day")
def customer_month(purchase_months, benefit_months, first_months, enrolled_persons, periods):
    """Customer months: one row per identified person and month from the first purchase on, months without any purchase
    kept; contribution margin before and after loyalty benefits, ``is_member`` when enrolled before the month and not
    yet gone, ``event_month`` counted from the month of enrolment (0).
    """
    spans = periods.filter(periods.segment_by == "total").mutate(**span_months(periods))
    last = spans.agg(end=month_number((spans.data_end - ibis.interval(days=1)).cast("date")).max() + 1)
    persons = first_months.cross_join(last)
    months = persons.select("customer_id", month=ibis.range(persons.first, persons.end)).unnest("month")
    keys = ["customer_id", "month"]
    rows = months.left_join(purchase_months, keys).select(*keys, "purchases", "net_amount", "margin")
    rows = rows.left_join(benefit_months, keys).select(*rows.columns, "benefits")
    known = enrolled_persons.select("customer_id", "enrolled", "closed")
    rows = rows.left_join(known, "customer_id").select(*rows.columns, "enrolled", "closed")
    margin, benefits = rows.margin.fill_null(0.0), rows.benefits.fill_null(0.0)
    return rows.select(
        *keys,
        first_day=ibis.date((rows.month // 12).cast("int32"), (rows.month % 12 + 1).cast("int32"), 1),
        purchases=rows.purchases.fill_null(0),
        net_amount=rows.net_amount.fill_null(0.0),
        margin_before_benefits=margin,
        margin_after_benefits=margin - benefits,
        is_member=((rows.enrolled < rows.month) & (rows.closed >= rows.month)).fill_null(False),
        event_month=rows.month - rows.enrolled,
    )


DEFINITIONS = (purchase_months, benefit_months, enrolled_persons, first_months, customer_month)
