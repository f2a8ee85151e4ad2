"""Acquisition: why new customers came, as they say and as can be traced."""

import pandas as pd

from kpibook import because, kpi, modelled, share, variants, view
from kpibook.rules import reason, share_rule
from kpibook.stats.intervals import wilson

UNTOLD = "unknown"


@view(key="customer_id", date="created_at")
def new_customers(customers, referrals):
    """New customers: one row per identified person, on the day the person became known, with the reason stated.

    ``reason`` is null when none is known; ``link`` the mode of the first invitation that led to the person, or
    ``organic`` when only the customer record names a recommender; null without a recommender.
    """
    invited = referrals.filter(referrals.referred_customer_id.notnull() & referrals.first_purchase_at.notnull())
    links = invited.group_by("referred_customer_id").agg(mode=invited["mode"].argmin(invited.sent_at))
    found = customers.left_join(links, customers.customer_id == links.referred_customer_id)
    named = customers.referred_by_customer_id.notnull().ifelse("organic", None)
    return found.select(
        "customer_id",
        "created_at",
        "acquisition_channel",
        reason=customers.acquisition_reason.nullif(UNTOLD),
        link=links["mode"].coalesce(named),
    )


@kpi(
    unit="percent",
    better="higher",
    question="What part of new customers came because of the programme, against 30%?",
    columns={"new_customers": ["customer_id", "created_at", "reason", "link"]},
)
def new_customers_due_to_programme(new_customers: pd.DataFrame):
    """New customers due to the programme: new customers who name the programme as their reason, out of all new
    customers; those whose reason is not known may all or none have come for it, which gives the bounds.

    Other readings, never mixed with it: declared is the lower bound alone; tracked is new customers brought by a
    rewarded invitation, out of all new customers. Having enrolled at the first purchase is no evidence.
    """
    everybody = len(new_customers)
    declared = int((new_customers["reason"] == "programme").sum())
    unknown = int(new_customers["reason"].isna().sum())
    tracked = int((new_customers["link"] == "incentivised").sum())
    parts = {
        "declared": _share(declared, everybody),
        "tracked": _share(tracked, everybody),
        "causal": modelled(None, status="not_identified", reason=because(NO_ROLLOUT)),
    }
    facts = {"n": everybody, "denominator": everybody, "persons": everybody, "parts": {"variant": parts}}
    if not everybody:
        return modelled(None, status="undefined", reason=reason("no_rows"), **facts)
    if not unknown:
        return _share(declared, everybody, parts={"variant": parts})
    low, high = wilson(declared, everybody).low, wilson(declared + unknown, everybody).high
    why = because(BOUNDS, unknown=unknown, n=everybody)
    return modelled(None, low=low, high=high, numerator=declared, status="bounded", reason=why, **facts)


@kpi(
    unit="percent",
    better="higher",
    question="How many new customers come by recommendation?",
)
def wom_new_customer_share(new_customers):
    """New customers by word of mouth: new customers who name a recommendation as their reason or were brought by one,
    out of the new customers whose reason is known.

    at_least and at_most are the shares of all new customers if none or all of those whose reason is not known came by
    recommendation.
    """
    recommended = ((new_customers.reason == "recommendation") | new_customers.link.notnull()).fill_null(False)
    new = new_customers.created_at.notnull()
    known = new_customers.reason.notnull() | new_customers.link.notnull()
    person = new_customers.customer_id
    return variants(
        share(recommended, where=known & new, cluster=person),
        at_least=share(recommended, where=new, cluster=person),
        at_most=share(recommended | ~known, where=new, cluster=person),
    )


BOUNDS = "{unknown} of {n} new customers did not say why they came: only bounds can be given."
NO_ROLLOUT = "What the programme caused would need new customers of stores before and after their launch; not computed."


def _share(met, of, **more):
    if not of:
        return modelled(None, n=0, numerator=0, denominator=0, status="undefined", reason=reason("no_rows"), **more)
    interval = wilson(met, of)
    status, why = share_rule(met / of, interval.low, interval.high, of)
    figures = {"n": of, "numerator": met, "denominator": of, "persons": of, "status": status, "reason": why}
    return modelled(met / of, low=interval.low, high=interval.high, **figures, **more)


DEFINITIONS = (new_customers, new_customers_due_to_programme, wom_new_customer_share)
