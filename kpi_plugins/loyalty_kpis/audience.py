"""Audience: whom the programme reaches, and whether its activity stands where the customers are."""

import ibis
import numpy as np
import pandas as pd

from kpibook import kpi, modelled, ratio, share, variants, view
from kpibook.rules import MINIMUM, mean_rule, reason
from kpibook.stats.reweighting import percentiles, redrawn_sums
from loyalty_kpis.reach import days_before, inside
from loyalty_kpis.usage_classes import HEAVY, MEDIUM, classed, cut_points_of_spend, spending

STAGES = ("new", "growing", "stable", "declining", "lost")
YEAR = 365
MONEY = "decimal(38, 4)"


@view(key=("customer_id", "period_id"))
def benefits(receipts, redemptions, memberships, periods):
    """Benefits: one row per period and identified person with loyalty discounts or rewards in the 365 days before its
    end, and what they came to: loyalty discounts plus the rewards' cost to the firm.
    """
    year = {"reach": days_before(periods.end, YEAR), "until": periods.end}
    discounts = receipts.filter(receipts.customer_id.notnull()).select(
        "customer_id", day=receipts.business_date, benefit=receipts.loyalty_discount.cast(MONEY)
    )
    rewards = redemptions.join(memberships.select("member_id", person=memberships.customer_id), "member_id")
    taken = rewards.select(customer_id=rewards.person, day=rewards.ts.date(), benefit=rewards.cost.cast(MONEY))
    every = discounts.union(taken)
    placed = every.join(periods, inside(every.day, year["reach"], year["until"]))
    return placed.group_by("period_id", "customer_id").agg(benefit=placed.benefit.sum())


@view(key=("customer_id", "period_id"))
def members_at_start(memberships, periods):
    """Members at the start: one row per period and person enrolled when it begins."""
    enrolled = memberships.enrolled_at.date() < periods.start
    open_ = memberships.closed_at.isnull() | (memberships.closed_at.date() >= periods.start)
    return memberships.join(periods, [enrolled, open_]).select("period_id", "customer_id").distinct()


@kpi(
    unit="percent",
    better="neutral",
    question="Does the programme really reach heavy and medium users?",
    family="customers",
    looks_back="window_days",
)
def heavy_medium_target_coverage(purchase_days, members_at_start, benefits, periods, *, window_days: int = 365):
    """Heavy/medium target coverage: members at the start of the period, out of the heavy and medium users of the
    window_days before its end; the variant benefit_share is the benefits to heavy and medium users out of the benefits
    to all identified persons in the 365 days before the end, benefit_index that share per their share of the margin.

    Classes as in usage_class_share. Benefits are loyalty discounts and the cost of rewards; an index of 1 is in
    proportion. What heavy users are given is often a mere subsidy of what they would buy anyway.
    """
    spent = spending(purchase_days, periods, window_days)
    users = classed(spent, cut_points_of_spend(spent, periods, window_days))
    keys = ["period_id", "customer_id"]
    member = members_at_start.mutate(is_member=True)
    known = users.left_join(member, keys).select(*keys, "class_now", is_member=lambda t: t.is_member.fill_null(False))
    coverage = share(known.is_member, where=known.class_now.isin([MEDIUM, HEAVY]), cluster=known.customer_id)
    given = _given(users, benefits, keys)
    upper, person = given.class_now.isin([MEDIUM, HEAVY]), given.customer_id
    benefit = ratio(given.benefit.sum(where=upper), given.benefit.sum(), cluster=person)
    margin = ratio(given.margin.sum(where=upper), given.margin.sum(), cluster=person)
    return variants(coverage, benefit_share=benefit, benefit_index=(benefit / margin).in_unit("index"))


def _given(users, benefits, keys):
    """One row per period and person with a usage class or a benefit."""
    rows = users.select(*keys, "class_now", margin=users.margin.cast(MONEY), benefit=ibis.literal(0).cast(MONEY))
    more = benefits.select(
        *keys,
        class_now=ibis.null("string"),
        margin=ibis.literal(0).cast(MONEY),
        benefit=benefits.benefit.cast(MONEY),
    )
    every = rows.union(more)
    return every.group_by(keys).agg(
        class_now=every.class_now.max(), margin=every.margin.sum(), benefit=every.benefit.sum()
    )


@view(key=("customer_id", "period_id"))
def value_at_stake(purchase_days, first_purchases, periods):
    """Value at stake: one row per whole period and person who bought in it or in the window before it, with net sales
    of both and whether the first purchase in the data lies in the period.
    """
    totals = periods.filter(periods.segment_by == "total")
    seen = purchase_days.join(totals, inside(purchase_days.business_date, totals.before, totals.end)).mutate(
        within=lambda t: t.business_date >= t.start
    )
    persons = seen.group_by("period_id", "customer_id", "start").agg(
        spend_now=seen.net_amount.sum(where=seen.within).fill_null(0),
        spend_before=seen.net_amount.sum(where=~seen.within).fill_null(0),
    )
    known = persons.join(first_purchases, "customer_id")
    return known.select("period_id", "customer_id", "spend_now", "spend_before", is_new=known.first_day >= known.start)


@view(key=("period_id", "customer_id", "channel", "lifecycle_stage"))
def stage_contacts(campaign_targets, campaigns, periods):
    """Stage contacts: delivered contacts of the treatment arm by whole period, person, channel and the life-cycle
    stage that the campaign was made for.
    """
    known = campaign_targets.left_join(campaigns, "campaign_id")
    contact = ibis.coalesce(campaign_targets.sent_at, campaign_targets.assigned_at, campaigns.start_at).date()
    reached = ((campaign_targets.arm == "treatment") & campaign_targets.delivered).fill_null(False)
    dated = known.mutate(day=contact, reached=reached).filter(lambda t: t.reached)
    totals = periods.filter(periods.segment_by == "total")
    placed = dated.join(totals, inside(dated.day, totals.start, totals.end))
    keys = ["period_id", "customer_id", "channel", "lifecycle_stage"]
    return placed.group_by(keys).agg(contacts=placed.count())


@kpi(
    unit="index",
    better="higher",
    question="Does our activity match where customers are in their life cycle?",
    family="customers",
    looks_back="before",
    columns={
        "value_at_stake": ["customer_id", "spend_now", "spend_before", "is_new"],
        "stage_contacts": ["customer_id", "channel", "lifecycle_stage", "contacts"],
    },
)
def lifecycle_alignment(value_at_stake: pd.DataFrame, stage_contacts: pd.DataFrame, *, tolerance: float = 0.2):
    """Lifecycle alignment: one minus half the sum, over the stages new, growing, stable, declining and lost, of the
    distances between the stage's share of the contacts and its share of the customer value at stake.

    Contacts count for the stage that their campaign was made for (variant by_person: the stage of the person
    contacted). A stage is read from net sales in the period and in the window of equal length before: new (first
    purchase in the period), lost (nothing in the period), growing or declining (by more than tolerance), else stable;
    who returns after a window without a purchase is growing. At stake is the larger of both net sales.
    """
    people = value_at_stake.assign(
        stage=_stage(value_at_stake, tolerance), value=value_at_stake[["spend_now", "spend_before"]].max(axis=1)
    )
    declared = stage_contacts[stage_contacts["lifecycle_stage"].isin(STAGES)]
    own = stage_contacts.merge(people[["customer_id", "stage"]], on="customer_id")
    by_channel = {
        str(channel): _aligned(people, rows, "lifecycle_stage")
        for channel, rows in declared.groupby("channel", sort=True)
    }
    parts = {"variant": {"by_person": _aligned(people, own, "stage")}, "channel": by_channel}
    return _aligned(people, declared, "lifecycle_stage", parts=parts)


def _stage(people, tolerance):
    now, before = people["spend_now"], people["spend_before"]
    tests = [people["is_new"], now == 0, now > before * (1 + tolerance), now < before * (1 - tolerance)]
    return np.select(
        [np.asarray(test, dtype=bool) for test in tests], ["new", "lost", "growing", "declining"], "stable"
    )


def _aligned(people, contacts, stage, **more):
    """1 - total variation distance; persons are drawn again with their contacts and their value."""
    value = _by_stage(people, "stage", "value")
    reached = _by_stage(contacts, stage, "contacts")
    everybody = value.index.union(reached.index)
    table = np.hstack([reached.reindex(everybody, fill_value=0.0), value.reindex(everybody, fill_value=0.0)])
    persons = len(reached)
    sums = table.sum(axis=0)
    shares = _alignment(sums[None, :])[0]
    facts = {"n": int(sums[: len(STAGES)].sum()), "persons": persons, **more}
    if not np.isfinite(shares):
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts)
    draws = _alignment(redrawn_sums(table))
    interval = percentiles(draws)
    low, high = (None, None) if interval is None else interval
    status, why = mean_rule(float(shares), float(np.nanstd(draws)), persons)
    if persons < MINIMUM["M"] or shares > 0:
        return modelled(float(shares), low=low, high=high, status=status, reason=why, **facts)
    return modelled(0.0, low=low, high=high, **facts)


def _by_stage(rows, stage, value):
    """Sums by person and stage, a column for every stage."""
    sums = rows.assign(value=rows[value].astype(float)).groupby(["customer_id", stage])["value"].sum()
    return sums.unstack(fill_value=0.0).reindex(columns=list(STAGES), fill_value=0.0)


def _alignment(sums):
    with np.errstate(invalid="ignore", divide="ignore"):
        contacts, value = sums[:, : len(STAGES)], sums[:, len(STAGES) :]
        parts = contacts / contacts.sum(axis=1, keepdims=True) - value / value.sum(axis=1, keepdims=True)
    return 1 - np.abs(parts).sum(axis=1) / 2


DEFINITIONS = (
    benefits,
    members_at_start,
    heavy_medium_target_coverage,
    value_at_stake,
    stage_contacts,
    lifecycle_alignment,
)
