"""Funnel: how far visitors come, from the first contact to the recommendation."""

from dataclasses import replace
from functools import reduce
from operator import mul, or_
from typing import Literal

import ibis

from kpibook import kpi, matrix, mean, ratio, share, total, variants, view
from loyalty_kpis.reach import days_before, inside
from loyalty_kpis.visits import STAGES, after_sale, visitors_of


@view(key="visitor_id", date="began_at")
def first_visits(visits):
    """First visits: one row per visitor, the first visit in the data."""
    known = visits.filter(visits.visitor_id.notnull())
    first = ("customer_id", "channel", "touchpoint_type", "logged_in", "led_here", "viewed_product")
    return known.group_by("visitor_id").agg(
        began_at=known.began_at.min(), **{name: known[name].argmin(known.began_at) for name in first}
    )


@kpi(
    unit="percent",
    better="higher",
    family="acquisition",
    question="Where do people fall out between first contact and recommendation?",
)
def funnel_stage_conversion(
    visitor_paths,
    periods,
    *,
    passing: Literal["skipped", "chained", "any_order"] = "skipped",
    activation_days: int = 7,
    opportunity_days: int = 30,
    conversion_days: int = 30,
    post_sale_days: int = 90,
    advocacy_days: int = 180,
):
    """Funnel stage conversion: product of the five step rates from acquisition to advocacy; a step rate is visitors who
    reached the next stage within its window, out of those who reached the stage and whose window is over.

    Persons are counted, not events, in the period of their first contact; who comes too late has not reached the stage.
    With passing skipped, an event of a later stage passes the ones before it; chained wants every stage, each at or
    after the one before; any_order takes the stages as they come, without windows. A window of 0 days never closes.
    to_conversion is the product of the first three. The other variants name the step by its end; a stage that no event
    of the data reaches is undefined, not 0. The table has the visitors of each channel of first contact who reached
    each stage, out of all who came that way.
    """
    lasts = (0, activation_days, opportunity_days, conversion_days, post_sale_days, advocacy_days)
    found = _reached(visitor_paths, passing, lasts).cross_join(_recorded(visitor_paths, passing))
    rows = found.join(periods, inside(found.entered_at.date(), periods.start, periods.end))
    steps = {
        stage: share(rows[stage].notnull(), where=_judged(rows, before, stage, days), cluster=rows.visitor_id)
        for before, stage, days in zip(STAGES, STAGES[1:], lasts[1:], strict=False)
    }
    reached = {f"reached_{s}": total(rows.count(where=rows[s].notnull())).in_unit("persons") for s in STAGES}
    whole = rows.acquisition.notnull() & rows.conversion.notnull()
    buyer = ibis.ifelse(whole, rows.visitor_id, ibis.null("string"))
    waited = rows.conversion.delta(rows.acquisition, unit="second") / 86400
    cells = _by_channel(rows)
    return variants(
        matrix(
            cells.channel,
            cells.stage,
            headline=reduce(mul, steps.values()),
            cell=ratio(cells.count(where=cells.met), cells.count(where=cells.recorded), cluster=cells.visitor_id),
        ),
        to_conversion=reduce(mul, list(steps.values())[:3]),
        **steps,
        **reached,
        days_to_conversion=mean(waited.sum(), per=buyer).in_unit("days"),
    )


@kpi(
    unit="percent",
    better="higher",
    family="acquisition",
    question="What share of visits/visitors ends in a purchase?",
)
def overall_conversion_rate(visits, periods, *, basis: Literal["visitors", "sessions"] = "visitors"):
    """Overall conversion rate: visitors with a purchase in the period, out of the human visitors of the period; with
    the basis sessions, visits with a purchase out of visits.

    The other basis stands beside it. recognised is visits whose visitor is known, out of visits: without consent a
    visit belongs to nobody and is missing from the rate by visitor. visits_per_purchase is the mean number of visits of
    the visitor in the data up to each visit with a purchase, itself included.
    """
    persons = visitors_of(visits, periods)
    rates = {
        "visitors": share(persons.ordered, cluster=persons.visitor_id),
        "sessions": share(visits.ordered, where=visits.began_at.notnull(), cluster=visits.visitor_id),
    }
    bought = visits.ordered & visits.number.notnull()
    until_bought = ratio(visits.number.sum(where=bought), visits.count(where=bought), cluster=visits.visitor_id)
    return variants(
        rates.pop(basis),
        **rates,
        recognised=share(visits.visitor_id.notnull()),
        visits_per_purchase=replace(until_bought, rule="M").in_unit("ratio"),
    )


@kpi(
    unit="percent",
    better="higher",
    family="acquisition",
    question="How many first-time visitors do we manage to classify?",
)
def visitor_segmentation_rate(first_visits):
    """Segmented visitors: visitors who by the end of their first visit are identified, or whose source and product
    interest are both known, out of the human visitors whose first visit in the data lies in the period.

    The source is known when a touchpoint other than the website itself led to the visit.
    """
    classified = first_visits.led_here & first_visits.viewed_product
    begun = first_visits.began_at.notnull()
    return share(first_visits.logged_in | classified, where=begun, cluster=first_visits.visitor_id)


@kpi(
    unit="percent",
    better="higher",
    family="acquisition",
    question="Do we stay with the customer after the sale?",
)
def post_sale_engagement_rate(
    purchase_days,
    visitor_paths,
    campaign_targets,
    periods,
    *,
    window_days: int = 60,
    actions: str = "review, support, article, content, community, referral, share, recommend",
):
    """Post-sale engagement: buyers with a post-sale action (a post-sale or advocacy event, a click in a campaign)
    within window_days of their first kept purchase in the period, out of the buyers whose window is over.

    Events count when their name holds one of the words of actions (all when it is empty): a visitor may stay in the
    stage without doing anything. A click counts from the day after the purchase on: before, it may have led to it.
    """
    placed = purchase_days.join(periods, inside(purchase_days.business_date, periods.start, periods.end))
    bought = placed.group_by("period_id", "data_end", "customer_id").agg(bought_on=placed.business_date.min())
    over = bought.filter(days_before(bought.data_end, window_days) >= bought.bought_on)
    events = visitor_paths.filter(after_sale(visitor_paths) & visitor_paths.customer_id.notnull())
    words = [word.strip() for word in actions.split(",") if word.strip()]
    if words:
        events = events.filter(reduce(or_, [events.event_name.contains(word) for word in words]))
    clicks = campaign_targets.filter(campaign_targets.clicked_at.notnull())
    actions = events.select("customer_id", acted_on=events.ts.date(), lag=ibis.literal(0, "int64")).union(
        clicks.select(
            customer_id=clicks.customer_id.cast("string"),
            acted_on=clicks.clicked_at.date(),
            lag=ibis.literal(1, "int64"),
        )
    )
    met = over.join(actions, "customer_id")
    after = met.acted_on.delta(met.bought_on, unit="day")
    engaged = met.filter((after >= met["lag"]) & (after < window_days)).select("period_id", "customer_id").distinct()
    rows = over.left_join(engaged.mutate(engaged=True), ["period_id", "customer_id"])
    rows = rows.select("period_id", "customer_id", engaged=rows.engaged.fill_null(False))
    return share(rows.engaged, cluster=rows.customer_id)


def _reached(paths, passing, lasts):
    """One row per visitor: when each stage was reached, null where it was not."""
    events = paths.filter(paths.visitor_id.notnull() & paths.stage.notnull()).select(
        "visitor_id", "customer_id", "ts", "channel", "position", rank=_rank(paths.stage)
    )
    first = events.channel.argmin(events.position)
    facts = {"customer_id": events.customer_id.min(), "entered_at": events.ts.min(), "channel": first}
    known = events.group_by("visitor_id").agg(**facts, acquisition=events.ts.min(where=_at(events, 0, passing)))
    for number, stage in enumerate(STAGES[1:], 1):
        joined = known.join(events.select("visitor_id", "ts", "rank"), "visitor_id")
        at = _at(joined, number, passing)
        if passing != "any_order":
            before = joined[STAGES[number - 1]]
            at &= joined.ts >= before
            if lasts[number]:
                at &= joined.ts < before + ibis.interval(days=lasts[number])
        known = joined.group_by(known.columns).agg(**{stage: joined.ts.min(where=at)})
    return known


def _rank(stage):
    return ibis.cases(*((stage == name, number) for number, name in enumerate(STAGES)))


def _at(events, number, passing):
    return events["rank"] >= number if passing == "skipped" else events["rank"] == number


def _by_channel(rows):
    """One row per visitor and stage: the channel of first contact, whether the stage was ``met``."""
    every = rows.mutate(stage=ibis.array(list(STAGES)).unnest())

    def of_stage(prefix):
        return ibis.cases(*((every.stage == name, prefix(name)) for name in STAGES))

    return every.select(
        "period_id",
        "visitor_id",
        "channel",
        "stage",
        met=of_stage(lambda name: every[name].notnull()),
        recorded=of_stage(lambda name: every[f"recorded_{name}"]),
    )


def _recorded(paths, passing):
    """Whether the data record each stage at all."""
    rank = _rank(paths.stage)
    seen = {name: rank >= i if passing == "skipped" else rank == i for i, name in enumerate(STAGES)}
    return paths.agg(**{f"recorded_{name}": met.any().fill_null(False) for name, met in seen.items()})


def _judged(rows, before, stage, days):
    """Visitors who reached the stage before, the next one being recorded at all and its window over."""
    judged = rows[before].notnull() & rows[f"recorded_{stage}"]
    return judged & (days_before(rows.data_end.cast("timestamp"), days) >= rows[before]) if days else judged


DEFINITIONS = (
    first_visits,
    funnel_stage_conversion,
    overall_conversion_rate,
    visitor_segmentation_rate,
    post_sale_engagement_rate,
)
