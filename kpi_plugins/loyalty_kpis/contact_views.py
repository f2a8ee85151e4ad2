"""Shared steps about the relationship: who is active, who may be addressed, how often, and who speaks."""

from __future__ import annotations

import ibis

from kpibook import view
from loyalty_kpis.reach import days_before, inside

#: Which consent a campaign's channel needs; other channels, such as post, need none of the two.
CONSENTS = {"email": "email", "app": "push", "push": "push"}
PERSON = ["period_id", "customer_id"]
#: Touchpoints at which a customer speaks, whatever the event is called.
SPOKEN = ("meeting", "call")
SOCIAL = ("social", "community", "blog")


@view(key=("customer_id", "period_id"))
def active_persons(purchase_days, periods, *, window_days: int = 365):
    """Active persons: one row per period and identified person with a kept purchase in the window_days to its end."""
    recent = inside(purchase_days.business_date, days_before(periods.end, window_days), periods.end)
    seen = purchase_days.join(periods, recent)
    return seen.group_by(*PERSON).agg(end=seen.end.max())


@view(key=("customer_id", "period_id"))
def contactable_persons(active_persons, customers, campaign_targets, campaigns, periods):
    """Contactable persons: active persons, and whether they may and can be addressed by e-mail or push.

    A channel is open with its consent, unless the person unsubscribed in a campaign of that channel before the
    period's end, or the last contact of the 12 months before the end was not delivered (a bounce, nothing since).
    """
    contact = ibis.coalesce(campaign_targets.sent_at, campaign_targets.assigned_at).date()
    sent = campaign_targets.join(campaigns, "campaign_id").mutate(
        contacted_on=contact,
        asks=ibis.cases(*((campaigns.channel == channel, name) for channel, name in CONSENTS.items())),
    )
    sent = sent.filter((sent.arm == "treatment") & sent.asks.notnull())
    seen = sent.join(periods, sent.contacted_on < periods.end)
    recent = seen.contacted_on >= days_before(seen.end, 365)
    left = seen.unsubscribed_at.notnull() & (seen.unsubscribed_at.date() < seen.end)
    marks = seen.mutate(is_recent=recent, has_left=left.fill_null(False))
    marks = marks.group_by("period_id", "customer_id", "asks").agg(
        last_reached=marks.contacted_on.max(where=marks.is_recent & marks.delivered),
        last_failed=marks.contacted_on.max(where=marks.is_recent & ~marks.delivered),
        has_left=marks.has_left.any(),
    )
    bounced = marks.last_failed.notnull() & (marks.last_reached.isnull() | (marks.last_failed > marks.last_reached))
    shut = marks.mutate(is_shut=(bounced | marks.has_left).fill_null(False))
    shut = shut.group_by(*PERSON).agg(
        email_shut=shut.is_shut.any(where=shut.asks == "email"), push_shut=shut.is_shut.any(where=shut.asks == "push")
    )
    found = active_persons.left_join(customers, "customer_id").drop("customer_id_right")
    found = found.left_join(shut, PERSON).drop("period_id_right", "customer_id_right")
    there = found.deleted_at.isnull() | (found.deleted_at.date() >= found.end)
    email = (there & found.consent_email & ~found.email_shut.fill_null(False)).fill_null(False)
    push = (there & found.consent_push & ~found.push_shut.fill_null(False)).fill_null(False)
    return found.select(*PERSON, by_email=email, by_push=push, is_contactable=email | push)


@view(key=("customer_id", "period_id"))
def contact_rhythm(delivered_contacts, periods):
    """Contact rhythm: by period and person, quarters with a delivered contact and contacts of the busiest month.

    Months and quarters are counted back from the period's end, twelve and four of them.
    """
    near = inside(delivered_contacts.business_date, days_before(periods.end, 366), periods.end)
    seen = delivered_contacts.join(periods, near)
    day, end = seen.business_date, seen.end
    months = (end.year() - day.year()) * 12 + end.month() - day.month() - (day.day() >= end.day()).cast("int64")
    counted = seen.mutate(month=months).filter(lambda t: t.month < 12)
    monthly = counted.group_by(*PERSON, "month").agg(contacts=counted.count())
    quarter = (monthly.month / 3).floor()
    return monthly.group_by(*PERSON).agg(quarters=quarter.nunique(), busiest_month=monthly.contacts.max())


@view(date="said_on")
def utterances(
    campaign_targets,
    survey_responses,
    tickets,
    funnel_events,
    *,
    own_words: str = "review,comment,community_post,forum_post,message,reply",
):
    """Utterances: a customer's own words: reply, survey answer, inbound ticket, review, community post, meeting, call.

    ``own_words`` names the touchpoint events in which the customer speaks, separated by commas.
    """
    replies = campaign_targets.filter(campaign_targets.replied_at.notnull())
    answers = survey_responses.filter(survey_responses.respondent_type == "customer")
    written = tickets.filter((tickets.direction == "inbound") & ~tickets.is_spam.fill_null(False))
    names = [word.strip().lower() for word in own_words.split(",")]
    spoken = funnel_events.event_name.lower().isin(names) | funnel_events.touchpoint_type.isin(SPOKEN)
    events = funnel_events.filter(spoken & ~funnel_events.is_bot.fill_null(False))
    quiet = ibis.literal(False)
    parts = [
        replies.select(
            customer_id=replies.customer_id.cast("string"), said_on=replies.replied_at.date(), is_social=quiet
        ),
        answers.select("customer_id", said_on=answers.ts.date(), is_social=quiet),
        written.select("customer_id", said_on=written.created_at.date(), is_social=quiet),
        events.select(
            "customer_id",
            said_on=events.ts.date(),
            is_social=events.touchpoint_type.isin(SOCIAL).fill_null(False),
        ),
    ]
    every = ibis.union(*parts)
    return every.filter(every.customer_id.notnull())


@view(key=("customer_id", "period_id"))
def dialogues(active_persons, delivered_contacts, tickets, utterances):
    """Dialogues: active persons; who was spoken to, and who spoke, in the 12 months to the period's end."""
    outgoing = delivered_contacts.select(
        customer_id=delivered_contacts.customer_id.cast("string"), day=delivered_contacts.business_date
    )
    calls = tickets.filter((tickets.direction == "proactive") & tickets.customer_id.notnull())
    outgoing = outgoing.union(calls.select("customer_id", day=calls.created_at.date()))
    spoken_to = _recent(active_persons, outgoing).select(*PERSON).distinct().mutate(spoken_to=True)
    said = _recent(active_persons, utterances.select("customer_id", "is_social", day=utterances.said_on))
    said = said.group_by(*PERSON).agg(spoke=said.count() > 0, spoke_socially=said.is_social.any())
    found = active_persons.left_join(spoken_to, PERSON).drop("period_id_right", "customer_id_right")
    found = found.left_join(said, PERSON).drop("period_id_right", "customer_id_right")
    flags = {name: found[name].fill_null(False) for name in ("spoken_to", "spoke", "spoke_socially")}
    return found.select(*PERSON, **flags)


def _recent(persons, dated):
    """Rows of ``dated`` in the 12 months before the end of a person's period."""
    joined = persons.join(dated, "customer_id")
    return joined.filter(inside(joined.day, days_before(joined.end, 365), joined.end))


DEFINITIONS = (active_persons, contactable_persons, contact_rhythm, utterances, dialogues)
