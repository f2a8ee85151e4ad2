"""Shared steps about benefits: who got what, how long after becoming a customer."""

import ibis

from kpibook import view
from loyalty_kpis.views import in_periods, purchases

NEWCOMER_DAYS = 90
#: Costs that are gifts to new customers.
GIFTS = ("enrolment_incentive", "referral_incentive")
SPEND = ("spend_long", "spend_young", "spend_settled", "spend_newcomer")
BENEFIT = ("benefit_long", "benefit_young", "benefit_settled", "benefit_newcomer")


@view(date="business_date")
def benefit_events(receipts, rewards):
    """Benefit events: receipts of identified persons with spend and discounts, and the rewards they took.

    A reward counts at its face value or, where it has none, at what it cost.
    """
    bought = receipts.filter(receipts.customer_id.notnull())
    paid = bought.select(
        "customer_id",
        "business_date",
        spend=_money(bought.gross_amount),
        general=_money(bought.general_discount),
        benefit=_money(bought.loyalty_discount) + _money(bought.personal_discount),
    )
    taken = rewards.filter(rewards.customer_id.notnull())
    priced = (taken.face_value > 0).ifelse(taken.face_value, taken.cost)
    got = taken.select(
        "customer_id",
        "business_date",
        spend=ibis.literal(0).cast("decimal(38, 4)"),
        general=ibis.literal(0).cast("decimal(38, 4)"),
        benefit=_money(priced),
    )
    return paid.union(got)


@view(key="redemption_id", date="business_date")
def rewards(redemptions, memberships):
    """Rewards: one row per reward taken, with the person whose card it was; unmarked rewards are not qualitative."""
    owners = memberships.select("member_id", "customer_id")
    taken = redemptions.left_join(owners, "member_id")
    return taken.select(
        "redemption_id",
        "member_id",
        "customer_id",
        "cost",
        "face_value",
        business_date=taken.ts.date(),
        is_qualitative=taken.is_qualitative.fill_null(False),
    )


@view(key=("customer_id", "period_id"))
def tenure_benefits(benefit_events, customers, customer_usage, periods):
    """Tenure benefits: spend and benefits by person and period, by how long the person had been a customer.

    long: 36 months or more, young: under 12 months, both without discounts open to all; settled: more than
    12 months, newcomer: the first 90 days, both with them.
    """
    born = customers.filter(customers.created_at.notnull())
    events = benefit_events.join(born.select("customer_id", "created_at"), "customer_id")
    placed = in_periods(events.mutate(created_on=events.created_at.date()), periods)
    day, created = placed.business_date, placed.created_on
    bands = {
        "long": created + ibis.interval(months=36) <= day,
        "young": created + ibis.interval(months=12) > day,
        "settled": created + ibis.interval(months=12) < day,
        "newcomer": created + ibis.interval(days=NEWCOMER_DAYS) > day,
    }
    every = placed.benefit + placed.general
    worth = {"long": placed.benefit, "young": placed.benefit, "settled": every, "newcomer": every}
    spend = {f"spend_{name}": placed.spend.sum(where=band).fill_null(0) for name, band in bands.items()}
    benefit = {f"benefit_{name}": worth[name].sum(where=band).fill_null(0) for name, band in bands.items()}
    sums = placed.group_by("period_id", "customer_id").agg(**spend, **benefit)
    return sums.left_join(customer_usage, ["period_id", "customer_id"]).select(
        "period_id", "customer_id", "usage_class", *SPEND, *BENEFIT
    )


@view(key=("customer_id", "period_id"))
def newcomer_benefits(tenure_benefits, programme_costs, periods):
    """Newcomer benefits: tenure benefits, the newcomers' with their share (by spend) of the period's gifts."""
    gifts = programme_costs.filter(
        programme_costs.cost_type.isin(GIFTS) & ~programme_costs.is_in_transactions.fill_null(False)
    ).select("amount", "period_start", "period_end")
    shared = gifts.join(periods, (gifts.period_start < periods.end) & (gifts.period_end >= periods.start))
    first = ibis.greatest(shared.start, shared.period_start)
    after = ibis.least(shared.end, shared.period_end + ibis.interval(days=1))
    days = (shared.period_end + ibis.interval(days=1)).delta(shared.period_start, unit="day")
    part = shared.amount.cast("float64") * after.delta(first, unit="day") / days
    given = shared.mutate(part=part).group_by("period_id").agg(gifts=lambda t: t.part.sum())
    rows = tenure_benefits.left_join(given, "period_id")
    every = rows.spend_newcomer.sum().over(ibis.window(group_by=rows.period_id))
    rate = ibis.ifelse(every > 0, rows.gifts.fill_null(0.0) / every.cast("float64"), 0.0)
    return rows.select(
        "period_id",
        "customer_id",
        "spend_settled",
        "benefit_settled",
        "spend_newcomer",
        benefit_newcomer=rows.benefit_newcomer.cast("float64") + rows.spend_newcomer.cast("float64") * rate,
    )


@view(key=("member_id", "period_id"))
def reward_members(receipts, rewards, periods):
    """Reward members: who showed a card at a kept purchase or took a reward in a period, and if one was a privilege."""
    shown = purchases(receipts).filter(lambda t: t.member_id.notnull())
    bought = shown.select("member_id", "business_date", special=ibis.literal(False))
    taken = rewards.select("member_id", "business_date", special=rewards.is_qualitative)
    inside = in_periods(bought.union(taken), periods)
    return inside.group_by("period_id", "member_id").agg(took_special=inside.special.any())


@view(key=("customer_id", "period_id"), describes="customer_id")
def customer_tenure(customers, periods):
    """Customer tenure: for how long each person had been a customer when the period began, for breakdowns."""
    known = customers.filter(customers.created_at.notnull()).select("customer_id", "created_at")
    placed = known.mutate(created_on=known.created_at.date()).cross_join(periods.select("period_id", "start"))
    band = ibis.cases(
        (placed.created_on >= placed.start, "new"),
        (placed.created_on + ibis.interval(months=12) > placed.start, "under 12 months"),
        (placed.created_on + ibis.interval(months=36) > placed.start, "12 to 35 months"),
        else_="36 months and more",
    )
    return placed.select("period_id", "customer_id", tenure_band=band)


def _money(column):
    return column.fill_null(0).cast("decimal(38, 4)")


DEFINITIONS = (rewards, benefit_events, tenure_benefits, newcomer_benefits, reward_members, customer_tenure)
