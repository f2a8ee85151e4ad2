"""Sales: what a purchase is worth, and who it comes from."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import ibis

from kpibook import change, kpi, mean, quantile, ratio, share, total, variants
from loyalty_kpis.sales_views import card_strata, priced_receipts, seen_both_ways
from loyalty_kpis.views import in_periods, purchases, whole

if TYPE_CHECKING:
    import ibis.expr.types as ir


def per_receipt(rows: ir.Table):
    """Net sales per receipt, persons varying as a whole."""
    return ratio(rows.net_amount.sum(), rows.count(), cluster=rows.customer_id)


def with_card(rows: ir.Table) -> ir.Table:
    return rows.filter(rows.member_id.notnull())


def without_card(rows: ir.Table) -> ir.Table:
    return rows.filter(rows.member_id.isnull())


@kpi(
    unit="money",
    better="higher",
    question="How much was sold, net of VAT, discounts and returns?",
    breakdowns=["identification"],
)
def net_sales(receipts, booked_receipts):
    """Aggregate net sales: everything sold, net of VAT, discounts and returns, on the day of the purchase.

    ``return_day`` books a return on the day it came back, as the accounts do.
    """
    booked = total(booked_receipts.net_amount.sum(), cluster=booked_receipts.customer_id)
    return variants(total(receipts.net_amount.sum(), cluster=receipts.customer_id), return_day=booked)


@kpi(unit="money", better="higher", question="How much is one purchase worth on average?")
def avg_receipt(receipts, periods, *, trim: float = 0.01):
    """Average receipt (AOV): net sales per receipt with a positive amount, returns netted into the original purchase.

    ``trimmed_mean`` leaves out the receipts below the ``trim`` and above the 1 - ``trim`` quantile
    of their period.
    """
    bought = purchases(receipts)
    limited = _trimmed(bought, periods, trim)
    return variants(
        per_receipt(bought),
        median=quantile(bought.net_amount, cluster=bought.customer_id),
        trimmed_mean=ratio(limited.part.sum(), limited.count(where=limited.within), cluster=limited.customer_id),
    )


def _trimmed(bought, periods, trim):
    """Purchases of whole periods: whether ``within`` the limits, and the ``part`` that each has in the sum of those.

    A purchase's part differs from the mean as its amount, moved to the limit if beyond it, does from the mean of all
    such: so a trimmed mean varies when its limits move with the sample (Huber 1981, section 3.3).
    """
    placed = in_periods(bought, whole(periods))
    placed = placed.mutate(amount=placed.net_amount.cast("float64"))
    limits = placed.group_by("period_id").agg(
        lowest=placed.amount.quantile(trim), highest=placed.amount.quantile(1 - trim)
    )
    limited = placed.join(limits, "period_id")
    limited = limited.mutate(
        within=limited.amount.between(limited.lowest, limited.highest),
        moved=limited.amount.clip(limited.lowest, limited.highest),
    )
    means = limited.group_by("period_id").agg(
        trimmed=limited.amount.mean(where=limited.within), all_moved=limited.moved.mean()
    )
    found = limited.join(means, "period_id")
    return found.mutate(part=found.moved - found.all_moved + found.within.ifelse(found.trimmed, 0.0))


@kpi(unit="money", better="higher", question="How much is a purchase made with the card worth?")
def avg_receipt_card(receipts):
    """Average receipt with card: net sales per purchase at which a card was shown."""
    return per_receipt(with_card(purchases(receipts)))


@kpi(unit="money", better="neutral", question="How much is a purchase made without the card worth?")
def avg_receipt_no_card(receipts):
    """Average receipt without card: net sales per purchase without a card, by members who left it at home as well.

    ``identified`` are purchases of known persons, ``anonymous`` all others.
    """
    bought = without_card(purchases(receipts))
    return variants(
        per_receipt(bought),
        identified=per_receipt(bought.filter(bought.customer_id.notnull())),
        anonymous=per_receipt(bought.filter(bought.customer_id.isnull())),
    )


@kpi(
    unit="money",
    better="neutral",
    question="How much larger is a card purchase, and how much survives comparing like with like?",
)
def avg_receipt_gap(receipts, periods):
    """Receipt gap card vs no card: average receipt with card minus average receipt without; association, not effect.

    People show the card when the basket is big, and big baskets make people join: no reading is an effect.
    ``percent`` is the gap relative to the receipt without card;
    ``like_for_like`` compares within store, weekday and hour, at the card receipts' mix, where both kinds
    occur, its interval taking the mix as given; ``within_person`` is the mean difference of persons who
    bought both ways in the period.
    """
    bought = purchases(receipts)
    card = bought.member_id.notnull()
    with_, without = (
        ratio(bought.net_amount.sum(where=side), bought.count(where=side), cluster=bought.customer_id)
        for side in (card, ~card)
    )
    strata = card_strata(receipts, periods)
    of_card = ratio(
        strata.amount.sum(where=strata.has_card), strata.count(where=strata.has_card), cluster=strata.customer_id
    )
    of_others = ratio(
        (strata.amount * strata.weight).sum(where=~strata.has_card),
        strata.weight.sum(where=~strata.has_card),
        cluster=strata.customer_id,
    )
    persons = seen_both_ways(receipts, periods)
    return variants(
        with_ - without,
        percent=(with_ / without - 1).in_unit("percent"),
        like_for_like=of_card - of_others,
        within_person=ratio(persons.gap.sum(), persons.count(), cluster=persons.customer_id),
    )


@kpi(unit="percent", better="higher", question="Is the receipt growing, and is it price, mix or quantity?")
def avg_receipt_change(receipts, transactions, order_lines, periods):
    """Receipt increment/decrement: relative change of the average receipt against the comparison period.

    Compare with the year before (``compare: year_before``), else the season enters. The change is
    (1 + price) x (1 + units) x (1 + mix) - 1: ``price`` of products sold in both periods at the units sold
    now, ``units`` per receipt as the client counts them (a volume counts as it is given), ``mix`` the rest.
    """
    bought = purchases(receipts)
    priced = priced_receipts(transactions, order_lines, receipts, periods)
    person = priced.customer_id
    price = change(ratio(priced.same_paid.sum(), priced.same_before.sum(), cluster=person))
    units = change(ratio(priced.quantity.sum(), priced.count(), cluster=person))
    per_unit = change(ratio(priced.amount.sum(), priced.quantity.sum(), cluster=person))
    return variants(
        change(per_receipt(bought)),
        card=change(per_receipt(with_card(bought))),
        no_card=change(per_receipt(without_card(bought))),
        price=price,
        units=units,
        mix=(per_unit + 1) / (price + 1) - 1,
    )


@kpi(
    unit="money",
    better="higher",
    question="How much does one person spend per period, member and non-member?",
    breakdowns=["member"],
)
def spend_per_customer(receipts):
    """Spend per customer: net sales of purchases by identified persons, per person who bought in the period.

    Members are those enrolled before the period's first day; anonymous buyers are left out.
    """
    bought = purchases(receipts)
    return mean(bought.net_amount.sum(), per=bought.customer_id)


@kpi(unit="percent", better="higher", question="What part of total turnover comes from members?")
def member_revenue_share(receipts, enrolled_receipts):
    """Member share of revenue: net sales with a card shown, out of all net sales, anonymous buyers included.

    It also rises when existing buyers are merely given a card. ``persons`` counts every receipt of persons
    enrolled on that day, card or not.
    """
    everyone = enrolled_receipts
    return variants(
        ratio(
            receipts.net_amount.sum(where=receipts.member_id.notnull()),
            receipts.net_amount.sum(),
            cluster=receipts.customer_id,
        ),
        persons=ratio(
            everyone.net_amount.sum(where=everyone.by_member),
            everyone.net_amount.sum(),
            cluster=everyone.customer_id,
        ),
    )


@kpi(unit="percent", better="higher", question="What part of purchases can be traced to a person?")
def identified_sales_share(receipts):
    """Identified sales share (card penetration): purchases that can be traced to a person, out of all purchases."""
    return variants(
        share(receipts.customer_id.notnull(), where=receipts.is_purchase, cluster=receipts.customer_id),
        by_revenue=ratio(
            receipts.net_amount.sum(where=receipts.customer_id.notnull()),
            receipts.net_amount.sum(),
            cluster=receipts.customer_id,
        ),
    )


def _history(window, settings):
    return window.start - timedelta(days=settings["history_days"])


@kpi(
    unit="percent",
    better="higher",
    question="Do existing customers widen into further categories?",
    looks_back=_history,
)
def cross_sell_rate(buyers, purchase_days, category_days, periods, *, history_days: int = 365):
    """Cross-sell rate: persons who bought and kept a category new to them, out of active customers with a history.

    New is a category not bought in the ``history_days`` before the period; a history has who first bought
    at least that long before it. ``categories`` is the mean number of categories per such person.
    """
    firsts = purchase_days.group_by("customer_id").agg(first_ever=purchase_days.business_date.min())
    history = ibis.interval(days=history_days)
    starts = periods.select("period_id", "start")
    active = buyers.select("period_id", "customer_id").join(firsts, "customer_id").join(starts, "period_id")
    active = active.filter(active.first_ever <= active.start - history).select("period_id", "customer_id")
    bought = in_periods(category_days, periods)
    is_new = bought.previous_day.isnull() | (bought.previous_day < bought.start - history)
    baskets = bought.group_by("period_id", "customer_id").agg(
        new_categories=bought.count(where=is_new), categories=bought.category_id.nunique()
    )
    persons = active.left_join(baskets, ["period_id", "customer_id"])
    return variants(
        share(persons.new_categories > 0, cluster=persons.customer_id),
        categories=mean(persons.categories.sum(), per=persons.customer_id).in_unit("count"),
    )


DEFINITIONS = (
    net_sales,
    avg_receipt,
    avg_receipt_card,
    avg_receipt_no_card,
    avg_receipt_gap,
    avg_receipt_change,
    spend_per_customer,
    member_revenue_share,
    identified_sales_share,
    cross_sell_rate,
)
