"""Members: how many of the customers are enrolled, use the programme, and are guided to its first benefit."""

import ibis

from kpibook import curve, kpi, share, variants, view
from loyalty_kpis.reach import days_before, inside, seen_until
from loyalty_kpis.views import purchases

#: Entries of the ledger that a member causes; expiry, adjustments and pushed bonuses are not.
OWN_ACTIONS = ("earn", "redeem")


@view(key=("customer_id", "business_date"), date="business_date")
def last_places(receipts):
    """Last places: store and channel of the last kept purchase of each identified person and day."""
    bought = purchases(receipts).filter(lambda t: t.customer_id.notnull())
    latest = ibis.window(
        group_by=[bought.customer_id, bought.business_date], order_by=[bought.ts.desc(), bought.transaction_id.desc()]
    )
    ranked = bought.mutate(_place=ibis.row_number().over(latest))
    return ranked.filter(ranked._place == 0).select("customer_id", "business_date", "store_id", "channel")


@view(key=("member_id", "business_date"), date="business_date")
def card_days(receipts):
    """Card days: one row per card and day with a kept purchase at which it was shown."""
    shown = purchases(receipts).filter(lambda t: t.member_id.notnull())
    return shown.select("member_id", "business_date").distinct()


@kpi(
    unit="percent",
    better="higher",
    family="programme",
    question="What share of eligible customers is enrolled?",
    looks_back="window_days",
)
def enrolment_rate(purchase_days, last_places, memberships, periods, *, window_days: int = 365):
    """Enrolment rate (penetration): identified persons who bought in the window_days before the period's end and have
    an open membership at that end, out of all identified persons who bought in them.

    at_start takes the memberships open when the period began. new_members is the flow: persons who enrolled in the
    period, out of those who were not enrolled when it began. Where only members are ever identified the rate is 100 %
    by design: read identified_sales_share instead. Store and channel are those of the last purchase.
    """
    keys = ["period_id", "customer_id"]
    recent = inside(purchase_days.business_date, days_before(periods.end, window_days), periods.end)
    active = purchase_days.join(periods, recent).group_by(keys).agg(last_day=lambda t: t.business_date.max())
    places = last_places.select("store_id", "channel", _person="customer_id", _day="business_date")
    persons = active.left_join(places, [active.customer_id == places._person, active.last_day == places._day])
    status = _status(memberships, periods)
    known = persons.select(*keys, "store_id", "channel").left_join(status, keys)
    rows = known.select(
        *keys, "store_id", "channel", **{n: known[n].fill_null(False) for n in ("is_open", "was_open", "joined")}
    )
    person = rows.customer_id
    return variants(
        share(rows.is_open, cluster=person),
        at_start=share(rows.was_open, cluster=person),
        new_members=share(rows.joined, where=~rows.was_open, cluster=person),
    )


@kpi(
    unit="percent",
    better="higher",
    family="programme",
    question="How many members actually use the programme?",
    looks_back="window_days",
)
def active_member_rate(points_ledger, memberships, card_days, periods, *, window_days: int = 365):
    """Active member rate: members who earned or redeemed points in the window_days before the period's end, out of the
    members enrolled at least as long whose membership is open at that end.

    Expiry, adjustments and bonuses given by the firm are no use of the programme; who never comes stays in the
    denominator. at_90_days is the same with 90 days instead, card_use counts purchases at which the card was shown.
    """
    keys = ["period_id", "member_id"]
    members = open_members(memberships, periods)
    own = points_ledger.filter(points_ledger.type.isin(OWN_ACTIONS))
    days = own.select("member_id", business_date=own.ts.date()).distinct()
    used = _last_day(days, periods, window_days).select(*keys, last_use="last_day")
    bought = _last_day(card_days, periods, window_days).select(*keys, last_card="last_day")
    found = members.left_join(used, keys).left_join(bought, keys)
    rows = found.select(
        *keys,
        "customer_id",
        "enrol_channel",
        "cohort",
        long=found.enrolled_on <= days_before(found.end, window_days),
        short=found.enrolled_on <= days_before(found.end, 90),
        used=found.last_use.notnull(),
        used_lately=found.last_use >= days_before(found.end, 90),
        card=found.last_card.notnull(),
    )
    person = rows.customer_id
    return variants(
        share(rows.used, where=rows.long, cluster=person),
        at_90_days=share(rows.used_lately, where=rows.short, cluster=person),
        card_use=share(rows.card, where=rows.long, cluster=person),
    )


@kpi(unit="percent", better="higher", family="programme", question="Are new members guided to first benefit?")
def onboarding_completion_rate(
    memberships, points_ledger, redemptions, periods, *, at_days: int = 30, redemption_days: int = 90
):
    """Onboarding completion: members with their onboarding done and first points earned within at_days of enrolling,
    out of the members who enrolled in the period, those still under way at the end of the data censored (Kaplan-Meier).

    as_recorded takes the client's mark alone; first_redemption is a first reward within redemption_days. Who leaves
    before that has not completed, and is not censored.
    """
    enrolled_on = memberships.enrolled_at.date()
    begun = inside(enrolled_on, periods.start, periods.end) & (enrolled_on < periods.data_end)
    new = memberships.join(periods, begun).mutate(
        enrolled_on=enrolled_on, marked_on=memberships.onboarding_done_at.date()
    )
    earned = points_ledger.filter(points_ledger.type == "earn")
    first_earn = earned.group_by("member_id").agg(earned_on=earned.ts.min().date())
    guided = new.left_join(first_earn, "member_id")
    both = guided.marked_on.notnull() & guided.earned_on.notnull()
    done_on = ibis.ifelse(both, ibis.greatest(guided.marked_on, guided.earned_on), ibis.null("date"))
    first_reward = redemptions.group_by("member_id").agg(rewarded_on=redemptions.ts.min().date())
    rewarded = new.left_join(first_reward, "member_id")
    done, marked = _until(guided, done_on), _until(new, new.marked_on)
    reward = _until(rewarded, rewarded.rewarded_on)
    return variants(
        curve(done.duration, done.came, at=at_days, complement=True),
        as_recorded=curve(marked.duration, marked.came, at=at_days, complement=True),
        first_redemption=curve(reward.duration, reward.came, at=redemption_days, complement=True),
    )


def open_members(memberships, periods):
    """Memberships open at the end of each period, or of the data: member, person, day and year of enrolment."""
    until = seen_until(periods)
    open_then = (memberships.enrolled_at.date() < until) & (
        memberships.closed_at.isnull() | (memberships.closed_at.date() >= until)
    )
    found = memberships.join(periods, open_then)
    return found.select(
        "period_id",
        "member_id",
        "customer_id",
        "end",
        "digital_card",
        "enrol_channel",
        enrolled_on=found.enrolled_at.date(),
        cohort=found.enrolled_at.strftime("%Y"),
    )


def _last_day(days, periods, window_days):
    """By period and member, the last of ``days`` in the window before the period's end."""
    seen = days.join(periods, inside(days.business_date, days_before(periods.end, window_days), periods.end))
    return seen.group_by("period_id", "member_id").agg(last_day=seen.business_date.max())


def _status(memberships, periods):
    """By period and person: whether a membership was open at its end, at its start, or began in it."""
    begun = memberships.join(periods, memberships.enrolled_at.date() < seen_until(periods))
    enrolled_on, closed_on = begun.enrolled_at.date(), begun.closed_at.date()
    parts = begun.select(
        "period_id",
        "customer_id",
        is_open=closed_on.isnull() | (closed_on >= seen_until(begun)),
        was_open=(enrolled_on < begun.start) & (closed_on.isnull() | (closed_on > begun.start)),
        joined=enrolled_on >= begun.start,
    )
    return parts.group_by("period_id", "customer_id").agg(
        is_open=parts.is_open.any(), was_open=parts.was_open.any(), joined=parts.joined.any()
    )


def _until(rows, day):
    """Days from enrolment to ``day`` (not below 0), or to the last day of the data when it did not come by then."""
    came = (day < rows.data_end).fill_null(False)
    took = ibis.greatest(day.delta(rows.enrolled_on, unit="day"), 0)
    last = rows.data_end.delta(rows.enrolled_on, unit="day") - 1
    duration = ibis.ifelse(came, took, last)
    return rows.select("period_id", "member_id", "customer_id", "enrol_channel", duration=duration, came=came)


DEFINITIONS = (last_places, card_days, enrolment_rate, active_member_rate, onboarding_completion_rate)
