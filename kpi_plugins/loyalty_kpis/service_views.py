"""Shared steps about service: who asked, how long it took, when there was somebody there."""

import ibis

from kpibook import view

DAY = 24 * 60


@view(key="ticket_id", date="created_at")
def service_contacts(tickets, *, as_of: str = ""):
    """Service contacts: one row per inbound contact that is not spam, with the first reply by a person.

    A reply at the very moment of the automatic one is the automatic one. ``until`` ends the wait: the reply, or for
    who still waits the moment the data were taken: as_of, or the last one that the tickets show.
    """
    asked = tickets.filter((tickets.direction == "inbound") & ~tickets.is_spam.fill_null(False))
    last = ibis.greatest(tickets.created_at.max(), tickets.first_human_reply_at.max(), tickets.auto_reply_at.max())
    taken = ibis.literal(as_of).cast("timestamp(6)") if as_of else ibis.null("timestamp(6)")
    found = asked.cross_join(tickets.agg(last_seen=last)).mutate(seen=lambda t: ibis.coalesce(taken, t.last_seen))
    automatic = (found.first_human_reply_at == found.auto_reply_at).fill_null(False)
    human = ibis.ifelse(automatic, ibis.null("timestamp(6)"), found.first_human_reply_at)
    replied = ibis.ifelse(human <= found.seen, human, ibis.null("timestamp(6)"))
    return found.mutate(replied=replied).select(
        "ticket_id", "customer_id", "channel", "is_complaint", "abandoned", "sla_reply_minutes", "created_at",
        "first_human_reply_at",
        hour=found.created_at.strftime("%H"),
        answered=lambda t: t.replied.notnull(),
        until=lambda t: ibis.greatest(t.created_at, ibis.coalesce(t.replied, t.seen)),
    )  # fmt: skip


@view(key="date")
def opening_hours(calendar, *, calendar_id: str = ""):
    """Opening hours: one row per day on which the service is there, by the calendar named calendar_id.

    Without a name all calendars count: from the first to open to the last to close.
    """
    named = calendar.filter(calendar.calendar_id == calendar_id) if calendar_id else calendar
    opened = named.filter(named.is_open & named.open_from.notnull() & named.open_to.notnull())
    first, last = (side.hour() * 60 + side.minute() for side in (opened.open_from, opened.open_to))
    until_midnight = ibis.ifelse(last <= first, last + DAY, last)
    days = opened.group_by(date=opened.date.cast("date")).agg(first=first.min(), last=until_midnight.max())
    midnight = days.date.cast("timestamp(6)")
    return days.select(
        "date", opens_at=midnight + days["first"].as_interval("m"), closes_at=midnight + days["last"].as_interval("m")
    )


@view(key="ticket_id", date="created_at")
def reply_times(service_contacts, opening_hours, *, in_opening_hours: bool = False):
    """Reply times: minutes waited for the first reply by a person, up to now for who still waits.

    ``business_minutes`` are those that fall into the opening hours; they are null unless in_opening_hours, for clients
    who supply the calendar.
    """
    asked = service_contacts
    waits = asked.mutate(minutes=asked.until.delta(asked.created_at, unit="second") / 60)
    if not in_opening_hours:
        return waits.mutate(business_minutes=ibis.null("float64"))
    days = opening_hours.select(opening="opens_at", closing="closes_at")
    met = asked.join(days, (days.closing > asked.created_at) & (days.opening < asked.until))
    begun, ended = ibis.greatest(met.created_at, met.opening), ibis.least(met.until, met.closing)
    seconds = met.group_by("ticket_id").agg(inside=ended.delta(begun, unit="second").sum())
    rows = waits.left_join(seconds, "ticket_id")
    return rows.mutate(business_minutes=rows["inside"].fill_null(0) / 60).drop("inside", "ticket_id_right")


@view(key="ticket_id", date="resolved_at")
def resolved_contacts(tickets, *, follow_up_days: int = 7):
    """Resolved contacts: one row per inbound contact that is resolved, with whether the customer came back.

    ``came_back`` is a further inbound contact of the customer within follow_up_days of the solution, whatever its
    topic, for tickets do not tell it; ``over`` says whether these days lie within what the tickets show.
    """
    asked = tickets.filter((tickets.direction == "inbound") & tickets.resolved_at.notnull())
    seen = asked.cross_join(tickets.agg(last_seen=ibis.greatest(tickets.created_at.max(), tickets.resolved_at.max())))
    inbound = tickets.filter(tickets.direction == "inbound")
    again = inbound.select(who="customer_id", came_at="created_at")
    window = ibis.interval(days=follow_up_days)
    later = seen.join(
        again,
        (seen.customer_id == again.who)
        & (again.came_at > seen.resolved_at)
        & (again.came_at <= seen.resolved_at + window),
    )
    returned = later.select("ticket_id", came_back=ibis.literal(True)).distinct()
    rows = seen.left_join(returned, "ticket_id")
    return rows.select(
        "ticket_id", "customer_id", "channel", "contacts_count", "reopened_count", "created_at", "resolved_at",
        came_back=rows.came_back.fill_null(False),
        over=rows.resolved_at + window <= rows.last_seen,
    )  # fmt: skip


@view(date="day")
def complaints_and_orders(tickets, receipts):
    """Complaints and orders: one row per inbound complaint and per kept purchase, on its day."""
    complained = tickets.filter((tickets.direction == "inbound") & tickets.is_complaint)
    bought = receipts.filter(receipts.is_purchase)
    one, none = ibis.literal(1, "int64"), ibis.literal(0, "int64")
    complaints = complained.select("customer_id", day=complained.created_at.date(), complaint=one, order=none)
    return complaints.union(bought.select("customer_id", day="business_date", complaint=none, order=one))


DEFINITIONS = (service_contacts, opening_hours, reply_times, resolved_contacts, complaints_and_orders)
