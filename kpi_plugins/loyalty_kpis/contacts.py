"""The relationship: whom the programme may address, how regularly it does, and who answers."""

from __future__ import annotations

from kpibook import kpi, share, variants
from loyalty_kpis.reach import a_year


@kpi(
    unit="percent",
    better="higher",
    question="How many customers may and can we address?",
    family="campaigns",
    looks_back=a_year,
)
def contactable_share(contactable_persons, delivered_contacts):
    """Contactable customers (opt-in): active customers with a valid consent, not unsubscribed and without a bounce on
    at least one channel (e-mail or push), out of active customers (a purchase in the 365 days before the period's end).

    Consent is the state recorded in the data; a bounce is a contact of those 365 days that was not delivered and
    was followed by no delivered one. A person unknown to the customer table has no consent. The variant
    unsubscribe_rate counts the delivered contacts of the period after which the person unsubscribed.
    """
    persons, cluster = contactable_persons, contactable_persons.customer_id
    return variants(
        share(persons.is_contactable, cluster=cluster),
        by_email=share(persons.by_email, cluster=cluster),
        by_push=share(persons.by_push, cluster=cluster),
        unsubscribe_rate=share(delivered_contacts.unsubscribed, cluster=delivered_contacts.customer_id),
    )


@kpi(
    unit="percent",
    better="higher",
    question="Does each customer hear from us regularly, neither never nor too often?",
    family="campaigns",
    looks_back=a_year,
)
def contact_regularity(contactable_persons, contact_rhythm, *, max_per_month: int = 8):
    """Contact regularity: contactable active customers with a delivered contact in each of the last four quarters and
    never more than max_per_month in a month, out of contactable active customers.

    Quarters and months are counted back from the period's end. The variants too_rare and too_often say which side
    fails; both may.
    """
    found = contactable_persons.left_join(contact_rhythm, ["period_id", "customer_id"])
    rows = found.select(
        "period_id",
        "customer_id",
        "is_contactable",
        often_enough=(contact_rhythm.quarters == 4).fill_null(False),
        too_often=(contact_rhythm.busiest_month > max_per_month).fill_null(False),
    )
    within, cluster = rows.is_contactable, rows.customer_id
    return variants(
        share(rows.often_enough & ~rows.too_often, where=within, cluster=cluster),
        too_rare=share(~rows.often_enough, where=within, cluster=cluster),
        too_often=share(rows.too_often, where=within, cluster=cluster),
    )


@kpi(
    unit="percent",
    better="higher",
    question="With how many customers do we really talk, in both directions?",
    family="campaigns",
    looks_back=a_year,
)
def two_way_dialogue_rate(dialogues):
    """Two-way dialogue: active customers who were addressed (delivered contact or proactive ticket) and also spoke
    themselves (reply, survey answer, inbound ticket, review, community post, meeting or call) in the 365 days before
    the period's end, out of active customers.

    Opening or clicking is no word. The variant social counts those among them who spoke on a social or community
    channel.
    """
    both, cluster = dialogues.spoken_to & dialogues.spoke, dialogues.customer_id
    return variants(
        share(both, cluster=cluster),
        social=share(both & dialogues.spoke_socially, cluster=cluster),
        spoken_to=share(dialogues.spoken_to, cluster=cluster),
        spoke=share(dialogues.spoke, cluster=cluster),
    )


DEFINITIONS = (contact_regularity, two_way_dialogue_rate, contactable_share)
