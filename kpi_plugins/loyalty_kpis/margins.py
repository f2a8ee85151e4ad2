"""Margins: what is left of the sales, and whether members leave more or less of it than others."""

import ibis

from kpibook import kpi, ratio, variants
from loyalty_kpis.sold_lines import costs_known, margin
from loyalty_kpis.views import in_periods

PERSON_MONEY = ("paid", "full_price", "margin_after", "margin_before")


@kpi(
    unit="percent",
    better="higher",
    family="sales",
    question="How much of sales remains as margin, in total?",
    breakdowns=["identification"],
)
def gross_margin_rate(sold_lines, receipt_margins):
    """Average margin rate: net sales less cost of goods and variable costs plus supplier funding, out of net sales, of
    the lines whose costs are known.

    coverage is the part of net sales with known costs: below 95 % the rate speaks for a part of the sales only.
    per_receipt is the margin per purchase all of whose costs are known.
    """
    known, person = costs_known(sold_lines), sold_lines.buyer
    whole = receipt_margins.is_purchase & receipt_margins.is_costed
    return variants(
        ratio(margin(sold_lines).sum(where=known), sold_lines.net_amount.sum(where=known), cluster=person),
        coverage=ratio(sold_lines.net_amount.sum(where=known), sold_lines.net_amount.sum(), cluster=person),
        per_receipt=ratio(
            receipt_margins.margin_after.sum(where=whole),
            receipt_margins.count(where=whole),
            cluster=receipt_margins.customer_id,
        ).in_unit("money"),
    )


@kpi(
    unit="percent",
    better="neutral",
    family="sales",
    question="Do members leave a higher or lower margin than the others?",
)
def margin_gap_members(receipt_margins, membership_at_start, customer_usage, periods):
    """Margin gap members vs non-members: margin rate after loyalty benefits of members at the period's start minus that
    of identified non-members; association, not effect.

    Persons who bought in the period; anonymous buyers are left out. before_benefits adds back loyalty and
    personal discounts, in margin and sales; per_person and per_person_before are margins per buyer.
    same_usage weights the non-members to the members' sales by usage class, where both occur; its
    interval takes the weights as given.
    """
    rows = _persons(receipt_margins, membership_at_start, customer_usage, periods)
    members, others = rows.member == "member", rows.member == "non_member"

    def gap(of, per=None, weight=1.0):
        def side(chosen):
            below = rows.count(where=chosen) if per is None else (rows[per] * weight).sum(where=chosen)
            return ratio((rows[of] * weight).sum(where=chosen), below, cluster=rows.customer_id)

        return side(members) - side(others)

    return variants(
        gap("margin_after", "paid").in_unit("pp"),
        before_benefits=gap("margin_before", "full_price").in_unit("pp"),
        per_person=gap("margin_after").in_unit("money"),
        per_person_before=gap("margin_before").in_unit("money"),
        same_usage=gap("margin_after", "paid", rows.weight).in_unit("pp"),
    )


def _persons(receipt_margins, membership_at_start, customer_usage, periods):
    """One row per period and buyer: membership, margins, and the weight that gives both sides one usage mix."""
    inside = in_periods(receipt_margins.filter(receipt_margins.customer_id.notnull()), periods)
    keys = ["period_id", "customer_id"]
    sums = inside.group_by(keys).agg(**{name: inside[name].sum().cast("float64") for name in PERSON_MONEY})
    persons = sums.join(membership_at_start, keys).left_join(customer_usage, keys)
    rows = persons.select(*keys, "member", "usage_class", *PERSON_MONEY)
    paid = rows.paid.fill_null(0.0)

    def within(*by):
        return ibis.window(group_by=[rows[name] for name in by])

    cell = paid.sum().over(within("period_id", "member", "usage_class"))
    of_members = ibis.ifelse(rows.member == "member", paid, 0.0).sum().over(within("period_id", "usage_class"))
    of_others = ibis.ifelse(rows.member == "non_member", paid, 0.0).sum().over(within("period_id", "usage_class"))
    both = rows.usage_class.notnull() & (of_members > 0) & (of_others > 0)
    return rows.mutate(weight=ibis.ifelse(both, of_members / cell, 0.0))


DEFINITIONS = (gross_margin_rate, margin_gap_members)
