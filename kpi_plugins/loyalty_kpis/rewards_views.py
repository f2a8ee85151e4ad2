"""Shared steps about rewards: what members get back, when a first reward is within reach, what they say of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from kpibook import view
from loyalty_kpis.points_views import ISSUED
from loyalty_kpis.reach import inside, seen_until
from loyalty_kpis.views import purchases

if TYPE_CHECKING:
    import ibis.expr.types as ir

YEAR = 365
#: Below this nobody's pace is known.
PACE_DAYS = 90
#: The items' scale.
LOWEST, HIGHEST = 1, 7
ASKED = ("REWARD", "EFFORT")


@view(key=("member_id", "period_id"), describes="member_id")
def member_usage(memberships, customer_usage):
    """Member usage: the usage class of the person behind each membership, for breakdowns of what carries a member."""
    owners = memberships.select("customer_id", member_id=memberships.member_id.cast("string"))
    return owners.join(customer_usage, "customer_id").select("member_id", "period_id", "usage_class")


@view(date="business_date")
def reward_flows(receipts, redemptions):
    """Reward flows: what members spent with their card at shelf value, discounts included, and what they got back:
    discounts, and rewards at their face value. Returns are netted into the original purchase.
    """
    spent = _spent_with_card(receipts)
    taken = _flows(redemptions, redemptions.ts.date(), None, redemptions.face_value)
    return spent.union(taken)


@view(date="business_date")
def promised_flows(receipts, points_ledger, memberships, programme_rules, redemption_prospects):
    """Promised flows: what members spent with their card, and what they were promised: discounts, and the points issued
    (reversals netted) at face value, ``expected`` of them at the ultimate redemption rate.
    """
    spent = _spent_with_card(receipts)
    back = (points_ledger.type == "reverse") & (points_ledger.points < 0)
    issued = points_ledger.filter(points_ledger.type.isin(ISSUED) | back)
    dated = issued.select("member_id", "points", day=issued.ts.date())
    valued = with_rules(dated.join(memberships.select("member_id", "programme_id"), "member_id"), programme_rules)
    worth = valued.points.cast("float64") * valued.point_face_value.cast("float64")
    ultimate = redemption_prospects.filter(redemption_prospects.age == 0).select(ultimate="prospect")
    points = _flows(valued, valued.day, None, worth).cross_join(ultimate)
    return spent.mutate(expected=spent.back).union(
        points.mutate(expected=points.back * points.ultimate).drop("ultimate")
    )


@view(key="member_id")
def first_rewards(memberships, points_ledger, programme_rules):
    """First rewards: for each membership the first day at whose end the balance of points was enough for a reward by
    the programme's rules of that day.
    """
    days = points_ledger.group_by("member_id", day=points_ledger.ts.date()).agg(points=points_ledger.points.sum())
    so_far = ibis.window(group_by=days.member_id, order_by=days.day, preceding=None, following=0)
    owners = memberships.select("member_id", "programme_id")
    held = with_rules(days.mutate(balance=days.points.sum().over(so_far)).join(owners, "member_id"), programme_rules)
    enough = held.filter(held.balance >= held.first_reward_points)
    reached = enough.group_by("member_id").agg(enough_on=enough.day.min())
    return _enrolments(memberships).left_join(reached, "member_id").drop("member_id_right")


@view(key=("member_id", "period_id"))
def member_efforts(first_rewards, points_ledger, receipts, programme_rules, periods):
    """Member efforts: each membership at the end of a whole period: days from enrolment to enough points or, if not yet
    enough, for how long it was observed; what the rules ask, what the member bought in the period, and whether points
    at the pace of the last 365 days reach a reward before they expire.

    ``observed`` if the data know the member from enrolment on; ``paced`` if open and enrolled for 90 days or more.
    """
    ends = _whole(periods)
    members = first_rewards.join(ends, first_rewards.enrolled_on < ends.until)
    asked = with_rules(members.mutate(day=members.until - ibis.interval(days=1)), programme_rules)
    bought = purchases(receipts).filter(lambda t: t.member_id.notnull())
    inside_period = bought.join(ends, inside(bought.business_date, ends.start, ends.until))
    baskets = inside_period.group_by("member_id", "period_id").agg(
        purchases=inside_period.count(), net_amount=inside_period.net_amount.sum().cast("float64")
    )
    back = (points_ledger.type == "reverse") & (points_ledger.points < 0)
    issued = points_ledger.filter(points_ledger.type.isin(ISSUED) | back)
    year = ibis.interval(days=YEAR)
    recent = issued.join(ends, inside(issued.ts.date(), (ends.until - year).cast("date"), ends.until))
    paces = recent.group_by("member_id", "period_id").agg(points=recent.points.sum())
    keys = ["member_id", "period_id"]
    rows = asked.left_join(baskets, keys).left_join(paces, keys)
    open_ = rows.closed_on.isnull() | (rows.closed_on >= rows.until)
    enrolled = rows.until.delta(rows.enrolled_on, unit="day")
    seen = ibis.least(enrolled, YEAR, rows.until.delta(rows.data_start, unit="day"))
    points = rows.points.fill_null(0)
    collected = points * rows.expiry_days / seen >= rows.first_reward_points
    return rows.select(
        "member_id",
        "period_id",
        "customer_id",
        duration=_until(rows, rows.enough_on, rows.enrolled_on),
        enough=_came(rows, rows.enough_on),
        observed=rows.enrolled_on >= rows.data_start,
        purchases=rows.purchases.fill_null(0),
        net_amount=rows.net_amount.fill_null(0.0),
        asked_spend=rows.first_reward_points / rows.points_per_currency.cast("float64"),
        paced=open_ & (seen >= PACE_DAYS),
        reachable=ibis.ifelse(rows.expiry_days.isnull(), points > 0, collected),
    )


@view(key=("member_id", "period_id"))
def reward_waits(memberships, redemptions, periods):
    """Reward waits: members enrolled since the data begin, at the end of a whole period: days from enrolment to the
    first reward or, without one, for how long the member was observed.
    """
    taken = redemptions.group_by("member_id").agg(rewarded_on=redemptions.ts.min().date())
    found = _enrolments(memberships).left_join(taken, "member_id")
    members = found.select("member_id", "enrolled_on", "closed_on", "rewarded_on", since="enrolled_on")
    return _waits(members, _whole(periods))


@view(key=("member_id", "period_id"))
def rewards_within_reach(first_rewards, redemptions, periods):
    """Rewards within reach: members enrolled since the data begin who have had enough points for a reward, at the end
    of a whole period: days from that day to the first reward or for how long the member was observed after it.
    """
    taken = redemptions.group_by("member_id").agg(rewarded_on=redemptions.ts.min().date())
    able = first_rewards.filter(first_rewards.enough_on.notnull()).left_join(taken, "member_id")
    members = able.select("member_id", "enrolled_on", "closed_on", "rewarded_on", since="enough_on")
    return _waits(members, _whole(periods))


@view(key=("customer_id", "wave_id", "period_id"))
def reward_opinions(survey_responses, customer_usage, periods):
    """Reward opinions: customers who in one wave rated both what they get and what it takes, both on 1 to 7."""
    asked = survey_responses.filter(
        survey_responses.question_code.isin(ASKED)
        & (survey_responses.respondent_type == "customer")
        & survey_responses.customer_id.notnull()
        & (survey_responses.score >= survey_responses.scale_min)
        & (survey_responses.score <= survey_responses.scale_max)
    )
    reach = (asked.scale_max - asked.scale_min).cast("float64")
    rated = asked.mutate(
        rating=LOWEST + (HIGHEST - LOWEST) * (asked.score - asked.scale_min).cast("float64") / reach,
        day=asked.ts.date(),
    )
    pairs = rated.group_by("survey_id", "wave_id", "customer_id").agg(
        reward=rated.rating.mean(where=rated.question_code == "REWARD"),
        effort=rated.rating.mean(where=rated.question_code == "EFFORT"),
        weight=rated.weight.max(),
        day=rated.day.max(),
    )
    both = pairs.filter(pairs.reward.notnull() & pairs.effort.notnull())
    ends = _whole(periods)
    placed = both.join(ends, inside(both.day, ends.start, ends.until))
    return placed.left_join(customer_usage, ["customer_id", "period_id"]).select(
        "customer_id", "wave_id", "period_id", "reward", "effort", "weight", "usage_class"
    )


@view(key=("period_id", "usage_class"))
def reach_by_usage(member_efforts, customer_usage):
    """Reach by usage class: members whose pace is known, and those of them for whom a reward is within reach."""
    known = member_efforts.filter(member_efforts.paced).join(customer_usage, ["customer_id", "period_id"])
    rows = known.filter(known.usage_class.notnull())
    return rows.group_by("period_id", "usage_class").agg(
        members=rows.count(), reachable=rows.count(where=rows.reachable)
    )


def with_rules(rows: ir.Table, rules: ir.Table) -> ir.Table:
    """Rows with a ``programme_id`` and a ``day``, and the rules in force that day, the last of them included."""
    columns = [
        "valid_from",
        "valid_to",
        "points_per_currency",
        "point_face_value",
        "expiry_days",
        "first_reward_points",
    ]
    found = rows.join(rules.select("programme_id", *columns), "programme_id")
    return found.filter((found.day >= found.valid_from) & (found.valid_to.isnull() | (found.day <= found.valid_to)))


def _enrolments(memberships: ir.Table) -> ir.Table:
    return memberships.select(
        "customer_id",
        "programme_id",
        member_id=memberships.member_id.cast("string"),
        enrolled_on=memberships.enrolled_at.date(),
        closed_on=memberships.closed_at.date(),
    )


def _spent_with_card(receipts: ir.Table) -> ir.Table:
    shown = receipts.filter(receipts.member_id.notnull())
    discounts = shown.loyalty_discount.fill_null(0) + shown.personal_discount.fill_null(0)
    return _flows(shown, shown.business_date, shown.gross_amount, discounts)


def _flows(rows: ir.Table, day: ir.Value, spent: ir.Value | None, back: ir.Value) -> ir.Table:
    nothing = ibis.literal(0.0)
    return rows.select(
        "member_id",
        business_date=day,
        spent=nothing if spent is None else spent.fill_null(0).cast("float64"),
        back=back.fill_null(0).cast("float64"),
    )


def _whole(periods: ir.Table) -> ir.Table:
    whole = periods.filter(periods.segment_by == "total")
    return whole.select("period_id", "start", "data_start", until=seen_until(whole))


def _waits(members: ir.Table, ends: ir.Table) -> ir.Table:
    begun = members.join(ends, (members.since < ends.until) & (members.enrolled_on >= ends.data_start))
    came, until = _came(begun, begun.rewarded_on), _until(begun, begun.rewarded_on, begun.since)
    return begun.select("member_id", "period_id", duration=until, rewarded=came)


def _last(rows: ir.Table) -> ir.Value:
    """The day after the last on which the member was observed."""
    return ibis.least(rows.until, rows.closed_on.coalesce(rows.until))


def _came(rows: ir.Table, day: ir.Value) -> ir.Value:
    return (day <= _last(rows)).fill_null(False) & (day < rows.until).fill_null(False)


def _until(rows: ir.Table, day: ir.Value, since: ir.Value) -> ir.Value:
    """Days from ``since`` to ``day``, or to the last day observed when it had not come by then."""
    open_days = ibis.greatest(_last(rows).delta(since, unit="day") - 1, 0)
    return ibis.ifelse(_came(rows, day), ibis.greatest(day.delta(since, unit="day"), 0), open_days)


DEFINITIONS = (
    member_usage,
    reward_flows,
    promised_flows,
    first_rewards,
    member_efforts,
    reward_waits,
    rewards_within_reach,
    reward_opinions,
    reach_by_usage,
)
