"""Further steps of the sales KPIs: bookings, enrolled buyers, categories, prices of the same products."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook import view
from loyalty_kpis.views import every_line, in_periods, kept, lines_of, purchases, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir


@view(key="transaction_id", date="business_date")
def booked_receipts(transactions, order_lines):
    """Booked receipts: one row per completed receipt as it was booked, a return on the day it came back."""
    sums = order_lines.group_by("transaction_id").agg(net_amount=order_lines.net_amount.sum())
    headers = kept(transactions).select("transaction_id", "customer_id", "business_date")
    return headers.join(sums, "transaction_id")


@view(key="transaction_id", date="business_date")
def enrolled_receipts(receipts, memberships):
    """Receipts of members: every receipt, and whether its buyer was enrolled on that day or showed a card."""
    on_the_day = receipts.join(
        memberships.select("customer_id", "enrolled_at", "closed_at"),
        [
            receipts.customer_id == memberships.customer_id,
            memberships.enrolled_at.date() <= receipts.business_date,
            memberships.closed_at.isnull() | (memberships.closed_at.date() > receipts.business_date),
        ],
    )
    enrolled = on_the_day.select(enrolled_receipt=on_the_day.transaction_id).distinct()
    found = receipts.left_join(enrolled, receipts.transaction_id == enrolled.enrolled_receipt)
    return found.select(
        "transaction_id",
        "customer_id",
        "business_date",
        "net_amount",
        by_member=found.enrolled_receipt.notnull() | found.member_id.notnull(),
    )


@view(key=("customer_id", "period_id"), describes="customer_id")
def membership_at_start(buyers, memberships, periods):
    """Membership at the start: buyers of a period, enrolled before its first day and not closed, or not; else unknown.

    Who joins with a purchase of the first day was no member when the period began.
    Where no membership is known at all, nobody's status is.
    """
    enrolled = memberships.join(
        periods,
        [
            memberships.enrolled_at.date() < periods.start,
            memberships.closed_at.isnull() | (memberships.closed_at.date() > periods.start),
        ],
    )
    members = enrolled.select(_period=enrolled.period_id, _person=enrolled.customer_id).distinct()
    known = memberships.agg(_known=memberships.count())
    found = buyers.left_join(
        members, [buyers.period_id == members._period, buyers.customer_id == members._person]
    ).cross_join(known)
    status = found._person.notnull().ifelse("member", (found._known > 0).ifelse("non_member", None))
    return found.select("customer_id", "period_id", member=status)


@view(key=("customer_id", "category_id", "business_date"), date="business_date")
def category_days(transactions, order_lines, products, receipts):
    """Category days: identified person, category and day with something of it kept; the previous such day beside it."""
    known = products.filter(products.category_id.notnull()).select("product_id", "category_id")
    bought = purchases(receipts).filter(lambda t: t.customer_id.notnull())
    headers = bought.select("transaction_id", "customer_id", "business_date")
    lines = lines_of(headers.select("transaction_id"), transactions, order_lines, "product_id", "net_amount")
    found = lines.join(known, "product_id")
    sums = found.group_by("transaction_id", "category_id").agg(category_amount=found.net_amount.sum())
    days = (
        sums.filter(sums.category_amount > 0)
        .join(headers, "transaction_id")
        .select("customer_id", "category_id", "business_date")
        .distinct()
    )
    previous = days.business_date.lag().over(group_by=[days.customer_id, days.category_id], order_by=days.business_date)
    return days.mutate(previous_day=previous)


def card_strata(receipts: ir.Table, periods: ir.Table) -> ir.Table:
    """Purchases in strata (store, weekday, hour) that hold purchases with and without card, weighted to the card's mix.

    ``weight`` is 1 with card; without card it is the stratum's purchases with card per purchase without.
    """
    placed = in_periods(purchases(receipts), whole(periods))
    strata = placed.select(
        "period_id",
        "customer_id",
        "store_id",
        has_card=placed.member_id.notnull(),
        amount=placed.net_amount.cast("float64"),
        weekday=placed.business_date.day_of_week.index(),
        hour=placed.ts.hour(),
    )
    by = ["period_id", "store_id", "weekday", "hour"]
    counted = strata.mutate(
        _all=strata.count().over(group_by=by), _card=strata.has_card.cast("int64").sum().over(group_by=by)
    )
    both = counted.filter((counted._card > 0) & (counted._card < counted._all))
    weight = both.has_card.ifelse(1.0, both._card / (both._all - both._card))
    return both.select("period_id", "customer_id", "has_card", "amount", weight=weight)


def seen_both_ways(receipts: ir.Table, periods: ir.Table) -> ir.Table:
    """Identified persons who bought with and without card in a period, and the difference of their average receipts."""
    placed = in_periods(purchases(receipts), whole(periods))
    placed = placed.filter(placed.customer_id.notnull())
    card = placed.member_id.notnull()
    persons = placed.group_by("period_id", "customer_id").agg(
        _with=placed.net_amount.sum(where=card),
        _without=placed.net_amount.sum(where=~card),
        _n_with=placed.count(where=card),
        _n_without=placed.count(where=~card),
    )
    both = persons.filter((persons._n_with > 0) & (persons._n_without > 0))
    gap = both._with / both._n_with - both._without / both._n_without
    return both.select("period_id", "customer_id", gap=gap)


def priced_receipts(transactions: ir.Table, order_lines: ir.Table, receipts: ir.Table, periods: ir.Table) -> ir.Table:
    """Purchases of the current and the comparison period, with what they hold of products sold in both.

    ``same_paid`` is paid for these products, ``same_before`` what their units cost on average in the
    comparison period; there the two sums are equal.
    """
    spans = whole(periods).select("period_id", "period", "start", "end")
    headers = purchases(receipts).select("transaction_id", "customer_id", "business_date")
    placed = headers.join(spans, (headers.business_date >= spans.start) & (headers.business_date < spans.end))
    lines = every_line(transactions, order_lines, "product_id", "quantity", "net_amount").select(
        "transaction_id",
        "product_id",
        quantity=lambda t: t.quantity.cast("float64"),
        amount=lambda t: t.net_amount.cast("float64"),
    )
    sold = lines.join(placed, "transaction_id").select(*lines.columns, "customer_id", "period_id", "period")
    now = sold.period == "current"
    sums = sold.group_by("product_id").agg(
        _units_now=sold.quantity.sum(where=now),
        _paid_now=sold.amount.sum(where=now),
        _units_before=sold.quantity.sum(where=~now),
        _paid_before=sold.amount.sum(where=~now),
    )
    both = sums.filter([sums[name] > 0 for name in ("_units_now", "_paid_now", "_units_before", "_paid_before")])
    prices = both.select(same_product=both.product_id, price_before=both._paid_before / both._units_before)
    valued = prices.right_join(sold, prices.same_product == sold.product_id)
    same = valued.same_product.notnull()
    return valued.group_by("transaction_id").agg(
        customer_id=valued.customer_id.arbitrary(),
        period_id=valued.period_id.arbitrary(),
        quantity=valued.quantity.sum(),
        amount=valued.amount.sum(),
        same_paid=valued.amount.sum(where=same),
        same_before=(valued.quantity * valued.price_before).sum(where=same),
    )


DEFINITIONS = (booked_receipts, enrolled_receipts, membership_at_start, category_days)
