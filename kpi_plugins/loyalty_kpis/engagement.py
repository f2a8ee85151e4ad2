"""Engagement: whether members use the programme digitally, and do more than buy."""

import ibis

from kpibook import kpi, share, variants
from kpibook.errors import PluginError, Problem
from loyalty_kpis.members import open_members
from loyalty_kpis.reach import days_before, inside

#: Actions that stand in tables of their own; all others are names of events.
REFERRAL, ANSWER = "referral", "survey_answer"
ACTIONS = ["review", "profile_update", REFERRAL, ANSWER]
PERSON = ["period_id", "customer_id"]


@kpi(
    unit="percent",
    better="higher",
    family="programme",
    question="How many members use app or digital card?",
    looks_back="window_days",
)
def digital_adoption_rate(
    memberships, card_days, funnel_events, periods, *, use_days: int = 90, window_days: int = 365
):
    """Digital adoption: active members who showed a digital card or opened the app in the use_days before the period's
    end, out of active members: those whose membership is open at that end and whose card was shown at a kept purchase
    in the window_days before it.

    A digital card counts as used when a purchase was made with it; whether the plastic one was shown instead is not in
    the data. digital_card and app are the two ways on their own; events of bots are left out.
    """
    rows = _active(memberships, card_days, periods, window_days)
    app = (funnel_events.touchpoint_type == "app") & ~funnel_events.is_bot.fill_null(False)
    opened = funnel_events.filter(app & funnel_events.customer_id.notnull())
    days = opened.select("customer_id", business_date=opened.ts.date()).distinct()
    seen = days.join(periods, inside(days.business_date, days_before(periods.end, use_days), periods.end))
    users = seen.select(*PERSON).distinct().mutate(_app=True)
    found = rows.left_join(users, PERSON)
    by_card = found.digital_card.fill_null(False) & (found.last_card >= days_before(found.end, use_days))
    ways = found.select(*PERSON, "member_id", by_card=by_card, by_app=found._app.fill_null(False))
    return variants(
        share(ways.by_card | ways.by_app, cluster=ways.customer_id),
        digital_card=share(ways.by_card, cluster=ways.customer_id),
        app=share(ways.by_app, cluster=ways.customer_id),
    )


@kpi(
    unit="percent",
    better="higher",
    family="programme",
    question="Do members do more than buy (review, refer, answer, update data)?",
    looks_back="window_days",
)
def value_added_action_rate(
    memberships,
    card_days,
    funnel_events,
    referrals,
    survey_invitations,
    periods,
    *,
    actions: list = ACTIONS,
    action_days: int = 90,
    window_days: int = 365,
):
    """Value-added actions: active members with at least one of the listed actions in the action_days before the
    period's end, out of active members: those whose membership is open at that end and whose card was shown at a kept
    purchase in the window_days before it.

    The list is declared beforehand in actions: names of events, and referral (a friend invited) or survey_answer (an
    invitation answered). Each action is a variant of its own; events of bots are left out.
    """
    rows = _active(memberships, card_days, periods, window_days)
    done = _done(funnel_events, referrals, survey_invitations, actions)
    recent = done.join(periods, inside(done.business_date, days_before(periods.end, action_days), periods.end))
    flags = {f"did_{i}": (recent.action == action).any() for i, action in enumerate(actions)}
    persons = recent.group_by(PERSON).agg(did_any=recent.count() > 0, **flags)
    found = rows.left_join(persons, PERSON)
    did = {name: found[name].fill_null(False) for name in ("did_any", *flags)}
    known = found.select(*PERSON, "member_id", **did)
    own = {a: share(known[f"did_{i}"], cluster=known.customer_id) for i, a in enumerate(actions)}
    return variants(share(known.did_any, cluster=known.customer_id), **own)


def _active(memberships, card_days, periods, window_days):
    """Open members whose card was shown in the window before the period's end, with the last such day."""
    seen = card_days.join(periods, inside(card_days.business_date, days_before(periods.end, window_days), periods.end))
    last = seen.group_by("period_id", "member_id").agg(last_card=seen.business_date.max())
    return open_members(memberships, periods).join(last, ["period_id", "member_id"])


def _done(funnel_events, referrals, survey_invitations, actions):
    """Who did which of the listed actions on which day."""
    if not actions:
        raise PluginError(Problem("value_added_action_rate", "no action is listed", "name at least one in actions"))
    parts = []
    names = [action for action in actions if action not in (REFERRAL, ANSWER)]
    if names:
        listed = funnel_events.event_name.isin(names) & ~funnel_events.is_bot.fill_null(False)
        events = funnel_events.filter(listed & funnel_events.customer_id.notnull())
        parts.append(events.select("customer_id", action=events.event_name, business_date=events.ts.date()))
    if REFERRAL in actions:
        sent = referrals.filter(referrals.sent_at.notnull())
        parts.append(
            sent.select(
                customer_id=sent.referrer_customer_id, action=ibis.literal(REFERRAL), business_date=sent.sent_at.date()
            )
        )
    if ANSWER in actions:
        asked = survey_invitations.customer_id.notnull() & survey_invitations.responded_at.notnull()
        answered = survey_invitations.filter(asked)
        parts.append(
            answered.select("customer_id", action=ibis.literal(ANSWER), business_date=answered.responded_at.date())
        )
    return ibis.union(*parts) if len(parts) > 1 else parts[0]


DEFINITIONS = (digital_adoption_rate, value_added_action_rate)
