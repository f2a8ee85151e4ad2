"""Campaigns: who answers when spoken to."""

from typing import Literal

import ibis

from kpibook import kpi, ratio, share, variants

CONTACT = ["campaign_id", "customer_id"]


@kpi(unit="percent", better="higher")
def campaign_response_rate(
    campaign_targets,
    campaigns,
    purchase_days,
    redemptions,
    memberships,
    periods,
    *,
    response: Literal["purchase", "redemption", "reply"] = "purchase",
    window_days: int = 0,
):
    """Campaign response rate: persons with the response (purchase, redemption or reply) inside the response window, out
    of delivered contacts of the treatment arm in the period whose window is over.

    The window begins on the day of contact and lasts window_days, or the campaign's own response_window_days when 0.
    A person counts once per campaign; opening a message is no response. The variant fractional shares a purchase or
    redemption among all campaigns in whose window it falls.
    """
    contacts = _contacts(campaign_targets, campaigns, window_days)
    if response == "reply":
        first = _first(contacts.select(*CONTACT, "lasts", "contacted_on", answered_on=contacts.replied_at.date()))
        rows = _placed(contacts, first, periods)
        return share(rows.answered, where=rows.counted, cluster=rows.customer_id)
    if response == "redemption":
        answers = redemptions.join(memberships, "member_id").select("customer_id", answered_on=redemptions.ts.date())
    else:
        answers = purchase_days.select("customer_id", answered_on=purchase_days.business_date)
    first = _first(contacts.join(answers, "customer_id"))
    rows = _placed(contacts, first.join(_rivals(first, contacts), CONTACT), periods)
    counted = rows.count(where=rows.counted)
    parts = (1 / rows.rivals).sum(where=rows.counted)
    return variants(
        share(rows.answered, where=rows.counted, cluster=rows.customer_id),
        fractional=ratio(parts, counted, cluster=rows.customer_id),
    )


def _contacts(campaign_targets, campaigns, window_days):
    """One row per campaign and person: the day of contact, and how many days the response window ``lasts``."""
    known = campaign_targets.left_join(campaigns, "campaign_id")
    contact = ibis.coalesce(campaign_targets.sent_at, campaign_targets.assigned_at, campaigns.start_at)
    lasts = ibis.literal(window_days) if window_days > 0 else campaigns.response_window_days
    reached = (campaign_targets.arm == "treatment") & campaign_targets.delivered
    dated = known.mutate(contacted_on=contact.date(), lasts=lasts, reached=reached.fill_null(False))
    return dated.select(*CONTACT, "channel", "replied_at", "contacted_on", "lasts", "reached")


def _first(answers):
    """The first answer inside the window of each contact."""
    found = answers.filter(_inside(answers))
    return found.group_by(*CONTACT).agg(answered_on=found.answered_on.min())


def _rivals(first, contacts):
    """How many campaigns had reached the person when the answer came: those in whose window it falls."""
    other = contacts.filter(contacts.reached).select("customer_id", "contacted_on", "lasts")
    shared = first.join(other, "customer_id")
    within = shared.filter(_inside(shared))
    return within.group_by(*CONTACT).agg(rivals=within.count())


def _inside(rows):
    lag = rows.answered_on.delta(rows.contacted_on, unit="day")
    return (lag >= 0) & (lag < rows.lasts)


def _placed(contacts, found, periods):
    """Contacts in the period of their day; ``counted`` if delivered to the treatment arm and the window is over."""
    inside = (contacts.contacted_on >= periods.start) & (contacts.contacted_on < periods.end)
    over = periods.data_end.delta(contacts.contacted_on, unit="day") >= contacts.lasts
    placed = contacts.join(periods, inside).mutate(counted=contacts.reached & over.fill_null(False))
    return placed.left_join(found, CONTACT).mutate(answered=lambda t: t.answered_on.notnull())


DEFINITIONS = (campaign_response_rate,)
