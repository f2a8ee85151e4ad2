"""Campaigns: who answers when spoken to, with what was meant, and how steadily they run."""

from datetime import timedelta
from typing import Literal

import ibis
import pandas as pd

from kpibook import kpi, modelled, ratio, rules, share, variants

CONTACT = ["campaign_id", "customer_id"]


@kpi(unit="percent", better="higher", question="How many of those contacted respond?")
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
    count: Literal["contacts", "persons"] = "contacts",
):
    """Campaign response rate: persons with the response (purchase, redemption or reply) inside the response window, out
    of delivered contacts of the treatment arm in the period whose window is over.

    The window begins on the day of contact and lasts window_days, or the campaign's own response_window_days when 0.
    A person counts once per campaign; opening a message is no response. The variant fractional shares a purchase or
    redemption among all campaigns in whose window it falls. With count persons a person counts once over all campaigns:
    who answered any of them, out of all who were contacted.
    """
    contacts = _contacts(campaign_targets, campaigns, window_days)
    if response == "reply":
        first = _first(contacts.select(*CONTACT, "lasts", "contacted_on", answered_on=contacts.replied_at.date()))
        return _rate(_placed(contacts, first, periods), count)
    if response == "redemption":
        answers = redemptions.join(memberships, "member_id").select("customer_id", answered_on=redemptions.ts.date())
    else:
        answers = purchase_days.select("customer_id", answered_on=purchase_days.business_date)
    first = _first(contacts.join(answers, "customer_id"))
    rows = _placed(contacts, first.join(_rivals(first, contacts), CONTACT), periods)
    counted = rows.count(where=rows.counted)
    parts = (1 / rows.rivals).sum(where=rows.counted)
    return variants(
        _rate(rows, count),
        fractional=ratio(parts, counted, cluster=rows.customer_id),
    )


@kpi(
    unit="percent",
    better="higher",
    question="Did they buy the products, and as many, as the campaign was made for?",
)
def on_target_response_rate(contact_answers):
    """On-target response (products and quantity): delivered contacts after which at least target_min_quantity units of
    the campaign's products were bought and kept inside the response window, out of delivered contacts whose window is
    over, of campaigns that name products.

    The variant dilution is the part of the persons with any purchase in the window who bought something else or too
    little; not_specific is the part of the delivered contacts whose campaign names no product.
    """
    rows, cluster = contact_answers, contact_answers.customer_id
    counted = rows.over & rows.is_specific
    return variants(
        share(rows.on_target, where=counted, cluster=cluster),
        dilution=share(~rows.on_target, where=counted & rows.responded, cluster=cluster),
        not_specific=share(~rows.is_specific, where=rows.over, cluster=cluster),
    )


@kpi(
    unit="percent",
    better="higher",
    question="Is the programme always alive, or in bursts?",
    by_columns=False,
    columns={"live_campaigns": ["first", "until", "live_from", "live_until", "objective"]},
)
def initiative_continuity(live_campaigns: pd.DataFrame, *, not_for_members: str = "acquisition"):
    """Continuity of initiatives: weeks (Monday to Sunday) with at least one day of a live campaign for members, out of
    the weeks of the period.

    Only the days of the period that the data cover; a campaign is not for members when its objective contains
    not_for_members. The variant longest_gap is the longest run of days without a live campaign.
    """
    spans = live_campaigns.dropna(subset=["live_from", "live_until"])
    if not_for_members:
        others = spans["objective"].fillna("").str.contains(not_for_members, case=False, regex=False)
        spans = spans[~others]
    days = pd.date_range(live_campaigns["first"].iloc[0], live_campaigns["until"].iloc[0] - timedelta(days=1))
    if not len(days):
        return modelled(None, status="undefined", reason=rules.reason("no_rows"))
    live = pd.Series(False, index=days)
    for begin, end in zip(spans["live_from"], spans["live_until"], strict=True):
        live.loc[pd.Timestamp(begin) : pd.Timestamp(end) - pd.Timedelta(days=1)] = True
    weeks = live.groupby(days.to_period("W-SUN")).any()
    gaps = (~live).groupby(live.cumsum()).sum()
    share_of_weeks, gap = float(weeks.mean()), int(gaps.max())
    facts = {"n": len(weeks), "numerator": int(weeks.sum()), "denominator": len(weeks)}
    longest = modelled(gap, low=gap, high=gap, n=len(days), unit="days")
    return modelled(
        share_of_weeks, low=share_of_weeks, high=share_of_weeks, **facts, parts={"variant": {"longest_gap": longest}}
    )


def _rate(rows, count):
    if count == "contacts":
        return share(rows.answered, where=rows.counted, cluster=rows.customer_id)
    person = rows.customer_id
    answered = person.nunique(where=rows.counted & rows.answered)
    return ratio(answered, person.nunique(where=rows.counted), cluster=person)


def _contacts(campaign_targets, campaigns, window_days):
    """One row per campaign and person: the day of contact, and how many days the response window ``lasts``."""
    known = campaign_targets.left_join(campaigns, "campaign_id")
    contact = ibis.coalesce(campaign_targets.sent_at, campaign_targets.assigned_at, campaigns.start_at)
    lasts = ibis.literal(window_days) if window_days > 0 else campaigns.response_window_days
    reached = (campaign_targets.arm == "treatment") & campaign_targets.delivered
    dated = known.mutate(contacted_on=contact.date(), lasts=lasts, reached=reached.fill_null(False))
    return dated.select(*CONTACT, "channel", "objective", "replied_at", "contacted_on", "lasts", "reached")


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


DEFINITIONS = (campaign_response_rate, on_target_response_rate, initiative_continuity)
