"""Shared steps about campaigns: who was assigned, who was reached, and what each bought afterwards."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from kpibook import view
from loyalty_kpis.usage_classes import HEAVY, LOW, MEDIUM
from loyalty_kpis.views import netted_lines, purchases

if TYPE_CHECKING:
    import ibis.expr.types as ir

CASE = ["campaign_id", "customer_id"]
FACTS = ["channel", "lifecycle_stage", "offer_type"]


@view(key=("campaign_id", "customer_id"), date="business_date")
def campaign_cases(campaign_targets, campaigns, periods, *, after_days: int = 60):
    """Campaign cases: one row per campaign and person assigned to it, controls included, from one first day on.

    Both arms begin on the same clock: the day of assignment, or of the campaign's start if that is later.
    ``over`` says whether the response window has ended in the data, ``after_over`` also ``after_days`` later.
    """
    known = campaign_targets.left_join(campaigns, "campaign_id")
    assigned, start = campaign_targets.assigned_at, campaigns.start_at
    first = ibis.greatest(ibis.coalesce(assigned, start), ibis.coalesce(start, assigned)).date()
    dated = known.mutate(business_date=first, lasts=campaigns.response_window_days)
    ends = periods.agg(data_end=periods.data_end.max())
    aged = dated.cross_join(ends).mutate(
        age=lambda t: t.data_end.delta(t.business_date, unit="day"),
        is_treated=lambda t: t.arm == "treatment",
        is_specific=lambda t: t.target_product_ids.length().fill_null(0) > 0,
    )
    return aged.select(
        *CASE, *FACTS, "is_treated", "is_random", "assignment_prob", "offer_value", "predicted_uplift",
        "business_date", "lasts", "is_specific", "fixed_cost", "contact_cost",
        over=(aged.age >= aged.lasts).fill_null(False),
        after_over=(aged.age >= aged.lasts + after_days).fill_null(False),
    )  # fmt: skip


@view(key=("campaign_id", "customer_id"), date="business_date")
def case_purchases(campaign_cases, campaign_contrasts, receipts, purchase_days, *, after_days: int = 60):
    """Case purchases: what each case bought in the response window, and in ``after_days`` after it.

    ``usage_class`` is that of the year BEFORE the first day, cut at P50 and P80 of the campaign's buyers: the class
    at the period's end would already hold what the campaign did.
    Money covers both spans: margin before the offer is gross minus general discount, cost of goods and variable
    cost; discounts are the loyalty and personal ones; ``margin_after`` is net sales minus the two costs. Each case
    also has the figures of its campaign, see campaign_contrasts.
    """
    follow = _following(campaign_cases, receipts.select(
        "customer_id", "business_date", "is_purchase",
        before=receipts.gross_amount - receipts.general_discount - receipts.cogs - receipts.variable_cost,
        given=receipts.loyalty_discount + receipts.personal_discount,
        left=receipts.net_amount - receipts.cogs - receipts.variable_cost,
    ), after_days)  # fmt: skip
    within = follow.is_within & follow.is_purchase
    sums = follow.group_by(*CASE).agg(
        purchases=follow.count(where=within),
        purchases_after=follow.count(where=~follow.is_within & follow.is_purchase),
        margin_before=follow.before.sum(),
        margin_within=follow.before.sum(where=follow.is_within),
        discounts=follow.given.sum(),
        discounts_within=follow.given.sum(where=follow.is_within),
        margin_after=follow.left.sum(),
    )
    found = campaign_cases.left_join(sums, CASE).drop("campaign_id_right", "customer_id_right")
    classes = _classes_before(campaign_cases, purchase_days)
    found = found.left_join(classes, CASE).drop("campaign_id_right", "customer_id_right")
    whole = campaign_contrasts.drop("business_date")
    found = found.left_join(whole, "campaign_id").drop("campaign_id_right")
    counts = {n: found[n].fill_null(0) for n in ("purchases", "purchases_after")}
    money = ("margin_before", "margin_within", "discounts", "discounts_within", "margin_after")
    return found.mutate(**counts, **{n: found[n].cast("float64").fill_null(0.0) for n in money})


@view(key=("campaign_id", "customer_id"), date="business_date")
def case_goods(case_purchases, campaigns, transactions, order_lines, receipts):
    """Case goods: case purchases, and the kept units of the campaign's and of other products in the response window.

    ``target_purchases`` are the purchases in which something of the campaign's products was kept.
    """
    dated = purchases(receipts).select("transaction_id", "customer_id", "business_date")
    bought = _following(case_purchases, dated, 0).select(*CASE, "transaction_id")
    units = goods_of(bought, campaigns, transactions, order_lines)
    found = case_purchases.left_join(units, CASE).drop("campaign_id_right", "customer_id_right")
    return found.mutate(
        on_target=found.on_target.fill_null(False),
        other_goods=found.other_goods.fill_null(False),
        target_purchases=found.target_purchases.fill_null(0),
    )


@view(key=("campaign_id", "customer_id"), date="business_date")
def delivered_contacts(campaign_targets, campaigns):
    """Delivered contacts: one row per campaign and person of the treatment arm whom its message reached."""
    known = campaign_targets.left_join(campaigns, "campaign_id")
    contact = ibis.coalesce(campaign_targets.sent_at, campaign_targets.assigned_at, campaigns.start_at)
    has_rule = campaigns.target_rule.strip().length() > 0
    placed = known.mutate(
        business_date=contact.date(),
        by_own_behaviour=(campaigns.is_personalised & has_rule).fill_null(False),
        has_personal_offer=(campaigns.is_personalised & (campaign_targets.offer_value > 0)).fill_null(False),
        unsubscribed=campaign_targets.unsubscribed_at.notnull(),
    )
    reached = placed.filter((placed.arm == "treatment") & placed.delivered)
    return reached.select(
        *CASE, *FACTS, "business_date", "by_own_behaviour", "has_personal_offer", "unsubscribed",
        lasts=reached.response_window_days,
        is_specific=reached.target_product_ids.length().fill_null(0) > 0,
    )  # fmt: skip


@view(key=("campaign_id", "customer_id"), date="business_date")
def contact_answers(delivered_contacts, campaigns, transactions, order_lines, receipts, periods):
    """Contact answers: delivered contacts, what followed in the response window, and whether that window is over."""
    bought = _following(
        delivered_contacts, purchases(receipts).select("transaction_id", "customer_id", "business_date"), 0
    )
    units = goods_of(bought.select(*CASE, "transaction_id"), campaigns, transactions, order_lines)
    answered = bought.select(*CASE).distinct().mutate(responded=True)
    ends = periods.agg(data_end=periods.data_end.max())
    found = delivered_contacts.left_join(answered, CASE).drop("campaign_id_right", "customer_id_right")
    found = found.left_join(units, CASE).drop("campaign_id_right", "customer_id_right").cross_join(ends)
    return found.select(
        *CASE, *FACTS, "business_date", "is_specific",
        over=(found.data_end.delta(found.business_date, unit="day") >= found.lasts).fill_null(False),
        responded=found.responded.fill_null(False),
        on_target=found.on_target.fill_null(False),
    )  # fmt: skip


@view(key=("period_id", "campaign_id"))
def live_campaigns(campaigns, periods):
    """Live campaigns: by period the campaigns that ran in the part that the data cover, with their days there.

    A period without any has one row without a campaign. ``until`` and ``live_until`` are exclusive.
    """
    spans = periods.select(
        "period_id",
        first=ibis.greatest(periods.start, periods.data_start),
        until=ibis.least(periods.end, periods.data_end),
    )
    last = campaigns.end_at
    whole_day = (last == last.truncate("D")).ifelse(last.date(), last.date() + ibis.interval(days=1))
    runs = campaigns.select("campaign_id", "objective", begins=campaigns.start_at.date(), ends=whole_day)
    found = spans.left_join(runs, [runs.begins < spans.until, runs.ends > spans.first])
    return found.select(
        "period_id",
        "campaign_id",
        "objective",
        "first",
        "until",
        live_from=found.campaign_id.notnull().ifelse(ibis.greatest(found.begins, found.first), None),
        live_until=found.campaign_id.notnull().ifelse(ibis.least(found.ends, found.until), None),
    )


def goods_of(bought: ir.Table, campaigns: ir.Table, transactions: ir.Table, order_lines: ir.Table) -> ir.Table:
    """By campaign and person: were enough units of the campaign's products kept, and anything else.

    ``bought`` has one row per campaign, person and transaction_id.
    """
    lines = netted_lines(transactions, order_lines, "product_id", "quantity")
    wanted = campaigns.select("campaign_id", "target_product_ids", "target_min_quantity")
    sold = (
        bought.join(lines, "transaction_id")
        .join(wanted, "campaign_id")
        .mutate(is_target=lambda t: t.target_product_ids.contains(t.product_id).fill_null(False))
    )
    receipts = sold.group_by(*CASE, "transaction_id").agg(
        least=sold.target_min_quantity.max(),
        target_units=sold.quantity.sum(where=sold.is_target).fill_null(0),
        other_units=sold.quantity.sum(where=~sold.is_target).fill_null(0),
    )
    sums = receipts.group_by(*CASE).agg(
        least=receipts.least.max(),
        target_units=receipts.target_units.sum(),
        other_units=receipts.other_units.sum(),
        target_purchases=receipts.count(where=receipts.target_units > 0),
    )
    enough = (sums.target_units > 0) & (sums.target_units >= sums.least.fill_null(0))
    return sums.select(*CASE, "target_purchases", on_target=enough, other_goods=sums.other_units > 0)


def _classes_before(cases, purchase_days):
    """By case the usage class of the 365 days before its first day; cases without a purchase there are left out."""
    joined = cases.select(*CASE, first_day=cases.business_date).join(purchase_days, "customer_id")
    lead = joined.first_day.delta(joined.business_date, unit="day")
    earlier = joined.filter((lead > 0) & (lead <= 365))
    spent = earlier.group_by(*CASE).agg(spend=earlier.net_amount.sum())
    low_first = ibis.window(group_by=spent.campaign_id, order_by=[spent.spend, spent.customer_id])
    ranked = spent.mutate(
        place=ibis.row_number().over(low_first) + 1, persons=spent.count().over(ibis.window(group_by=spent.campaign_id))
    )
    part = ranked.place / ranked.persons
    return ranked.select(*CASE, usage_class=ibis.cases((part <= 0.5, LOW), (part <= 0.8, MEDIUM), else_=HEAVY))


def _following(cases: ir.Table, receipts: ir.Table, after_days: int) -> ir.Table:
    """Receipts of each case from its first day until ``after_days`` after its window; ``is_within`` the window."""
    spans = cases.select(*CASE, "lasts", first_day=cases.business_date)
    joined = spans.join(receipts, "customer_id")
    lag = joined.business_date.delta(joined.first_day, unit="day")
    near = joined.mutate(is_within=lag < joined.lasts).filter((lag >= 0) & (lag < joined.lasts + after_days))
    return near.drop("first_day", "lasts")


DEFINITIONS = (campaign_cases, case_purchases, case_goods, delivered_contacts, contact_answers, live_campaigns)
