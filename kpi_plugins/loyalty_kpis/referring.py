"""Recommendations that can be traced: who invites, and what becomes of it."""

from dataclasses import replace
from datetime import timedelta

import ibis

from kpibook import kpi, mean, quantile, ratio, share, variants, view
from loyalty_kpis.reach import days_before, inside

YEAR = 365


@view(key="referral_id", date="bought_on")
def friends_referred(referrals, customers, purchase_days, transactions):
    """Friends referred: one row per invitation to somebody else, with the day of the friend's first kept purchase.

    ``first`` marks the first invitation of a friend; ``bought_on`` is null as long as the friend has not bought, or
    returned it all. Left out is who invites himself: the same person, household or means of payment.
    """
    homes = customers.select("customer_id", "household_id")
    friends = homes.select(friend=homes.customer_id, friends_home=homes.household_id)
    known = referrals.left_join(homes, referrals.referrer_customer_id == homes.customer_id).drop("customer_id")
    known = known.left_join(friends, known.referred_customer_id == friends.friend).drop("friend")
    himself = (known.referrer_customer_id == known.referred_customer_id) | (known.household_id == known.friends_home)
    others = known.filter(~himself.fill_null(False))
    others = others.anti_join(_shared_payments(others, transactions), "referral_id")
    bought = purchase_days.select(friend=purchase_days.customer_id, day=purchase_days.business_date)
    kept = others.join(bought, others.referred_customer_id == bought.friend)
    kept = kept.filter(kept.day >= kept.first_purchase_at.date())
    days = kept.group_by("referral_id").agg(bought_on=kept.day.min())
    onwards = ibis.window(group_by=others.invitee_hash, order_by=[others.sent_at, others.referral_id])
    ranked = others.mutate(first=ibis.row_number().over(onwards) == 0)
    return ranked.left_join(days, "referral_id").select(
        "referral_id", "mode", "referred_customer_id", "reward_cost", "first", "bought_on",
        customer_id=ranked.referrer_customer_id,
        sent_on=ranked.sent_at.date(),
    )  # fmt: skip


def year_before_the_cycle(window, settings):
    """First day needed: a year of purchases before the end of the cycle of invitations."""
    return window.end - timedelta(days=settings["cycle_days"] + YEAR)


@kpi(
    unit="percent",
    better="higher",
    family="acquisition",
    looks_back="window_days",
    question="How many customers actually bring somebody?",
)
def referral_rate(friends_referred, purchase_days, periods, *, within_days: int = 90, window_days: int = 365):
    """Referral rate: active customers with a friend whose first kept purchase lies in the period and within within_days
    of the invitation, out of active customers (a kept purchase in the window_days before the period's end).

    Invitations to oneself, to the own household or to somebody with the same means of payment do not count.
    """
    active = _active(purchase_days, periods, 0, window_days)
    waited = friends_referred.bought_on.delta(friends_referred.sent_on, unit="day")
    brought = friends_referred.filter(inside(waited, 0, within_days))
    placed = brought.join(periods, inside(brought.bought_on, periods.start, periods.end))
    referrers = placed.select("period_id", "customer_id", refers=ibis.literal(True)).distinct()
    rows = active.left_join(referrers, ["period_id", "customer_id"])
    return share(rows.refers.fill_null(False), cluster=rows.customer_id)


@kpi(
    unit="ratio",
    better="higher",
    family="acquisition",
    looks_back=year_before_the_cycle,
    question="How many new customers does each customer generate per cycle?",
)
def k_factor(friends_referred, purchase_days, periods, *, cycle_days: int = 90):
    """K-factor (viral coefficient): friends invited in one cycle of cycle_days who made a first kept purchase within as
    many days of the invitation, per active customer; the cycle is the last one that is over by the period's end.

    It is invitations_per_customer times purchases_per_invitation; a friend counts once, for the first invitation.
    Active is who bought in the 365 days before the cycle's end. cycle_time is the median of days to the purchase.
    """
    active = _active(purchase_days, periods, cycle_days, YEAR)
    opened = friends_referred.join(
        periods,
        inside(
            friends_referred.sent_on, days_before(periods.end, 2 * cycle_days), days_before(periods.end, cycle_days)
        ),
    )
    sent = opened.filter(opened.first).mutate(waited=lambda t: t.bought_on.delta(t.sent_on, unit="day"))
    came = inside(sent.waited, 0, cycle_days).fill_null(False)
    invited = sent.group_by("period_id", "customer_id").agg(invited=sent.count(), came=sent.count(where=came))
    rows = active.left_join(invited, ["period_id", "customer_id"])
    rows = rows.select("period_id", "customer_id", invited=rows.invited.fill_null(0), came=rows.came.fill_null(0))
    cycle = _converted(sent, came, purchase_days, cycle_days)
    return variants(
        _per_customer(rows.came.sum(), rows),
        invitations_per_customer=_per_customer(rows.invited.sum(), rows),
        purchases_per_invitation=ratio(rows.came.sum(), rows.invited.sum(), cluster=rows.customer_id),
        cycle_time=quantile(cycle.waited).in_unit("days"),
    )


@kpi(
    unit="percent",
    better="neutral",
    family="acquisition",
    question="Do people recommend by themselves or for the reward?",
)
def organic_referral_share(friends_referred, purchase_days, periods):
    """Natural vs induced referrals: friends who came by an unrewarded invitation, out of all friends whose first kept
    purchase on an invitation lies in the period; a lower bound, because unrewarded recommendations are seldom recorded.

    cost_per_friend and cost_per_friend_incentivised are reward costs per friend; the variants margin_12m are the margin
    (net sales less cost of goods) of a friend's first 365 days, for the friends whose first year ends in the period.
    """
    came = friends_referred.bought_on.notnull() & friends_referred.first
    own, mode = friends_referred.customer_id, friends_referred["mode"]
    rewarded = came & (mode == "incentivised")
    cost = friends_referred.reward_cost
    year = _first_years(friends_referred, purchase_days, periods)
    readings = {
        f"margin_12m_{name}": mean(
            year.margin.sum(where=year["mode"] == name), per=(year["mode"] == name).ifelse(year.customer_id, None)
        ).in_unit("money")
        for name in ("organic", "incentivised")
    }
    return variants(
        share(mode == "organic", where=came, cluster=own),
        cost_per_friend=ratio(cost.sum(where=came), friends_referred.count(where=came), cluster=own).in_unit("money"),
        cost_per_friend_incentivised=ratio(
            cost.sum(where=rewarded), friends_referred.count(where=rewarded), cluster=own
        ).in_unit("money"),
        **readings,
    )


def _active(purchase_days, periods, ends_before, window_days):
    """Customers with a kept purchase in the window that ends ``ends_before`` days before the period does."""
    end = days_before(periods.end, ends_before)
    recent = inside(purchase_days.business_date, days_before(end, window_days), end)
    return purchase_days.join(periods, recent).select("period_id", "customer_id").distinct()


def _converted(sent, came, purchase_days, cycle_days):
    """The invitations of active customers that led to a purchase, with the days that it took."""
    waits = sent.filter(came).select("period_id", "referral_id", "customer_id", "end", "waited")
    own = purchase_days.select(buyer="customer_id", day="business_date")
    end = days_before(waits.end, cycle_days)
    met = waits.join(own, (waits.customer_id == own.buyer) & inside(own.day, days_before(end, YEAR), end))
    return met.select("period_id", "referral_id", "waited").distinct()


def _per_customer(invitations, rows):
    """A mean over customers with the interval of the delta method: most have none, so a bootstrap tells no more."""
    return replace(ratio(invitations, rows.count(), cluster=rows.customer_id), rule="M")


def _shared_payments(invitations, transactions):
    """referral_id of invitations between two customers who paid by the same means."""
    paid = transactions.filter(transactions.payment_token_hash.notnull() & transactions.customer_id.notnull())
    own = paid.select(payer=paid.customer_id, token=paid.payment_token_hash).distinct()
    theirs = own.select(friend=own.payer, same=own.token)
    mine = invitations.select("referral_id", "referrer_customer_id", "referred_customer_id").join(
        own, invitations.referrer_customer_id == own.payer
    )
    both = mine.join(theirs, (mine.referred_customer_id == theirs.friend) & (mine.token == theirs.same))
    return both.select("referral_id").distinct()


def _first_years(friends, purchase_days, periods):
    """Friends whose first year as customers ends in the period, with the margin of that year."""
    came = friends.filter(friends.bought_on.notnull() & friends.first)
    years = came.select(
        "mode", friend="referred_customer_id", since="bought_on", until=came.bought_on + ibis.interval(days=YEAR)
    )
    placed = years.join(periods, inside(years.until, periods.start, periods.end)).select(
        "period_id", "mode", "friend", "since", "until"
    )
    bought = placed.join(purchase_days, placed.friend == purchase_days.customer_id)
    bought = bought.filter(inside(bought.business_date, bought.since, bought.until))
    return bought.group_by("period_id", "mode", "customer_id").agg(margin=(bought.net_amount - bought.cogs).sum())


DEFINITIONS = (friends_referred, referral_rate, k_factor, organic_referral_share)
