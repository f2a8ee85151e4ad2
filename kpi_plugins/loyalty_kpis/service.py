"""Service: whether customers reach somebody, how fast, and whether that is all they need."""

import ibis
import numpy as np
import pandas as pd

from kpibook import kpi, mean, modelled, ratio, share, total, variants
from kpibook.rules import MINIMUM, reason, share_rule, survival_rule
from kpibook.stats.intervals import wilson
from kpibook.stats.survival import kaplan_meier
from loyalty_kpis.reach import inside

MINUTES = "minutes"


@kpi(
    unit="minutes",
    better="lower",
    family="satisfaction",
    question="How long until a person answers?",
    columns={"reply_times": ["created_at", "minutes", "business_minutes", "answered", "sla_reply_minutes"]},
)
def first_response_time(reply_times: pd.DataFrame):
    """First response time: median minutes from an inbound contact that is not spam to the first reply by a person,
    contacts that still wait censored at the moment of the data (Kaplan-Meier).

    p90 is the time within which nine of ten are answered; business_median and business_p90 count opening hours only.
    within_sla is answered within the agreed minutes, out of the contacts answered or overdue (in opening hours where
    they are known). The variants ending in answered leave out who still waits: they flatter, and serve to check the
    client's own figures.
    """
    rows = reply_times[reply_times["minutes"].notna()]
    answered = rows["answered"].to_numpy(dtype=bool)
    waited, business = rows["minutes"].to_numpy(dtype=float), rows["business_minutes"].to_numpy(dtype=float)
    readings = {
        "p90": _waited(waited, answered, 0.9),
        "within_sla": _within(rows),
        "within_sla_answered": _within(rows[answered]),
    }
    readings |= _of_the_answered("", waited[answered])
    if len(rows) and not np.isnan(business).any():
        readings |= {
            "business_median": _waited(business, answered, 0.5),
            "business_p90": _waited(business, answered, 0.9),
            **_of_the_answered("business_", business[answered]),
        }
    return _waited(waited, answered, 0.5, parts={"variant": readings})


@kpi(
    unit="percent",
    better="higher",
    family="satisfaction",
    question="Can customers reach us?",
)
def accessibility_rate(service_contacts, opening_hours, periods, *, channel_share: float = 0.8):
    """Accessibility: inbound contacts answered by a person and not abandoned, out of the inbound contacts that are not
    spam.

    in_opening_hours is contacts that came while somebody was there, out of all; channels_within_sla is the number of
    channels on which at least channel_share of the contacts were answered within the agreed calendar minutes.
    """
    asked = service_contacts
    reached = asked.first_human_reply_at.notnull() & ~asked.abandoned.fill_null(False)
    there = _while_open(_placed(asked, periods), opening_hours)
    channels = _channels(asked, periods)
    return variants(
        share(reached, where=asked.created_at.notnull(), cluster=asked.customer_id),
        in_opening_hours=share(there.open, cluster=there.customer_id),
        channels_within_sla=total(channels.count(where=channels.kept >= channel_share * channels.asked)).in_unit(
            "count"
        ),
    )


@kpi(
    unit="percent",
    better="higher",
    family="satisfaction",
    question="Is the problem solved at once?",
)
def first_contact_resolution(resolved_contacts):
    """First-contact resolution: inbound contacts resolved with one contact, never reopened and without a further
    contact of the customer in the days after, out of the inbound contacts resolved in the period for which these days
    are over.

    Any further contact counts against, whatever its topic: a lower bound. resolution_time is the mean of minutes from
    the contact to its solution.
    """
    solved = resolved_contacts
    once = (solved.contacts_count == 1) & (solved.reopened_count == 0) & ~solved.came_back
    took = solved.resolved_at.delta(solved.created_at, unit="second") / 60
    return variants(
        share(once, where=solved.over & solved.resolved_at.notnull(), cluster=solved.customer_id),
        resolution_time=mean(took.sum(), per=solved.ticket_id).in_unit(MINUTES),
    )


@kpi(
    unit="percent",
    better="higher",
    family="satisfaction",
    question="How often do we act before the customer complains?",
)
def proactive_contact_share(tickets, complaints_and_orders):
    """Proactive service: contacts that we began, out of these and the inbound complaints.

    complaints_per_1000_orders is inbound complaints per 1000 kept purchases.
    """
    proactive = tickets.direction == "proactive"
    counted = proactive | ((tickets.direction == "inbound") & tickets.is_complaint)
    rows, cluster = complaints_and_orders, complaints_and_orders.customer_id
    dated = rows.day.notnull()
    complaints = ratio(rows.complaint.sum(where=dated), rows.order.sum(where=dated), cluster=cluster) * 1000
    return variants(
        share(proactive, where=counted & tickets.created_at.notnull(), cluster=tickets.customer_id),
        complaints_per_1000_orders=complaints.in_unit("ratio"),
    )


def _waited(minutes, answered, q, **more):
    """The q-quantile of the wait, by Kaplan-Meier."""
    n = len(minutes)
    facts = {"n": n, "unit": MINUTES, **more}
    if n == 0:
        return modelled(None, status="undefined", reason=reason("no_rows"), **facts)
    curve = kaplan_meier(minutes, answered)
    value, low, high = curve.quantile(q)
    if value is None:
        return modelled(None, low=low, status="undefined", reason=reason("curve_does_not_cross"), **facts)
    status, why = survival_rule(curve.at_risk_at(value))
    return modelled(value, low=low, high=high, status=status, reason=why, **facts)


def _of_the_answered(prefix, minutes):
    """What dashboards show: only who was answered."""
    n = len(minutes)
    if n == 0:
        figures = dict.fromkeys(("mean", "median", "p90"))
    else:
        median, late = np.quantile(minutes, [0.5, 0.9])
        figures = {"mean": float(minutes.mean()), "median": float(median), "p90": float(late)}
    few = {"status": "low_n", "reason": reason("too_few_cases", n=n, minimum=MINIMUM["M"])} if n < MINIMUM["M"] else {}
    none = {"status": "undefined", "reason": reason("no_rows")}
    more = few if n else none
    return {f"{prefix}{name}_answered": modelled(v, n=n, unit=MINUTES, **more) for name, v in figures.items()}


def _within(rows):
    """Answered within the agreed time, out of those for whom it can be said."""
    answered = rows["answered"].to_numpy(dtype=bool)
    waited = rows["business_minutes"].fillna(rows["minutes"]).to_numpy(dtype=float)
    agreed = rows["sla_reply_minutes"].to_numpy(dtype=float)
    due = ~np.isnan(agreed) & (answered | (waited >= agreed))
    met, of = int((due & answered & (waited <= agreed)).sum()), int(due.sum())
    facts = {"n": of, "numerator": met, "denominator": of, "unit": "percent"}
    if of == 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts)
    interval = wilson(met, of)
    status, why = share_rule(met / of, interval.low, interval.high, of)
    return modelled(met / of, low=interval.low, high=interval.high, status=status, reason=why, **facts)


def _placed(asked, periods):
    windows = periods.select("period_id", "start", "end")
    return asked.join(windows, inside(asked.created_at.date(), windows.start, windows.end))


def _while_open(asked, opening_hours):
    days = opening_hours.select(opening="opens_at", closing="closes_at")
    met = asked.join(days, inside(asked.created_at, days.opening, days.closing))
    opened = met.select("period_id", "ticket_id", open=ibis.literal(True)).distinct()
    rows = asked.left_join(opened, ["period_id", "ticket_id"])
    return rows.select("period_id", "ticket_id", "customer_id", "channel", "hour", open=rows.open.fill_null(False))


def _channels(asked, periods):
    """One row per period and channel: contacts ``asked``, and ``kept`` within the agreed time."""
    placed = _placed(asked, periods)
    within = placed.first_human_reply_at <= placed.created_at + placed.sla_reply_minutes.as_interval("m")
    return placed.group_by("period_id", "channel").agg(asked=placed.count(), kept=placed.count(where=within))


DEFINITIONS = (first_response_time, accessibility_rate, first_contact_resolution, proactive_contact_share)
