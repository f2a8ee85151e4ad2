"""Shared steps about visitors: their paths, their visits, and who of them is a member."""

import ibis

from kpibook import view
from loyalty_kpis.reach import inside

STAGES = ("acquisition", "activation", "opportunity", "conversion", "post_sale", "advocacy")
CARRIED = (
    "visitor_id", "customer_id", "session_id", "ts", "channel", "stage", "event_name", "touchpoint_type", "product_id",
    "transaction_id", "sentiment",
)  # fmt: skip


@view(key="event_id", date="ts")
def visitor_paths(funnel_events):
    """Visitor paths: one row per human event in the order of its visitor's path; an event delivered twice counts once.

    ``visitor_id`` stands for a person: a visitor who was ever logged in as exactly one customer is that customer on
    every device. ``logged_in`` says whether the event itself bears a customer; ``ordered`` whether it bears a
    transaction and is not an event after the sale: the stage alone may be the visitor's, not the event's. Unknown
    whether bot or not counts as human.
    """
    once = human_events(funnel_events)
    known = once.filter(once.customer_id.notnull())
    owners = known.group_by("visitor_id").agg(owners=known.customer_id.nunique(), owner=known.customer_id.min())
    owner = ibis.ifelse(owners.owners == 1, owners.owner, ibis.null("string"))
    found = once.left_join(owners, "visitor_id").select(
        "event_id", *CARRIED, person=ibis.coalesce(once.customer_id, owner)
    )
    path = found.mutate(
        visitor_id=ibis.coalesce(ibis.literal("customer ") + found.person, ibis.literal("visitor ") + found.visitor_id),
        customer_id=found.person,
        logged_in=found.customer_id.notnull(),
        ordered=is_order(found),
    ).drop("person")
    onwards = ibis.window(group_by=path.visitor_id, order_by=[path.ts, path.event_id])
    return path.mutate(position=ibis.row_number().over(onwards) + 1)


@view(key=("visitor_id", "session_id", "part"), date="began_at")
def visits(visitor_paths, *, pause_minutes: int = 30):
    """Visits: one row per session of a visitor, cut where more than pause_minutes pass without an event.

    With pause_minutes of 0 the sessions stand as the client cut them. ``channel`` and ``touchpoint_type`` are those of
    the first event that has one; ``bounced`` is a visit of one event; ``number`` counts the visitor's visits in the
    data up to this one, and is null where the visitor is not known.
    """
    order = {"group_by": ["visitor_id", "session_id"], "order_by": ["ts", "event_id"]}
    paths = visitor_paths
    paused = paths.ts > paths.ts.lag().over(ibis.window(**order)) + ibis.interval(minutes=pause_minutes)
    marked = paths.mutate(paused=(paused.fill_null(False) & (pause_minutes > 0)).cast("int64"))
    events = marked.mutate(part=marked.paused.sum().over(ibis.window(**order, preceding=None, following=0)))
    found = events.group_by("visitor_id", "session_id", "part").agg(
        customer_id=events.customer_id.min(),
        began_at=events.ts.min(),
        channel=events.channel.argmin(events.position),
        touchpoint_type=events.touchpoint_type.argmin(events.position),
        bounced=events.count() == 1,
        logged_in=events.logged_in.any(),
        ordered=events.ordered.any(),
        led_here=(events.touchpoint_type != "website").any().fill_null(False),
        viewed_product=events.product_id.notnull().any(),
    )
    so_far = ibis.window(group_by=found.visitor_id, order_by=[found.began_at, found.session_id, found.part])
    number = ibis.row_number().over(so_far) + 1
    return found.mutate(number=found.visitor_id.notnull().ifelse(number, ibis.null("int64")))


def human_events(funnel_events):
    """Events that are not a robot's, each once."""
    human = funnel_events.filter(~funnel_events.is_bot.fill_null(False))
    return human.group_by("event_id").agg(**{name: human[name].min() for name in CARRIED})


def is_order(events):
    """Whether an event bears a transaction and does not belong to what comes after the sale."""
    return events.transaction_id.notnull() & ~after_sale(events)


def after_sale(events):
    """Whether an event belongs to what comes after the sale."""
    return events.stage.isin(["post_sale", "advocacy"]).fill_null(False)


def visitors_of(visits, periods):
    """One row per period and visitor who visited in it: visits, ``months`` with a visit, whether anything was bought.

    Visits of nobody (a session without a visitor, for want of consent) are left out.
    """
    known = visits.filter(visits.visitor_id.notnull())
    placed = known.join(periods, inside(known.began_at.date(), periods.start, periods.end))
    return placed.group_by("period_id", "start", "visitor_id").agg(
        customer_id=placed.customer_id.min(),
        visits=placed.count(),
        months=placed.began_at.truncate("M").nunique(),
        ordered=placed.ordered.any(),
        channel=placed.channel.argmin(placed.began_at),
        touchpoint_type=placed.touchpoint_type.argmin(placed.began_at),
    )


def marked_members(rows, memberships):
    """``rows`` (with customer_id and the period's ``start``) with ``member``: enrolled before the period began."""
    spells = memberships.select(person=memberships.customer_id, since="enrolled_at", until="closed_at")
    starts = rows.select("start").distinct()
    during = spells.join(
        starts, (spells.since < starts.start) & (spells.until.isnull() | (spells.until >= starts.start))
    )
    enrolled = during.select("person", since_start=during.start, member=ibis.literal(True)).distinct()
    same = (rows.customer_id == enrolled.person) & (rows.start == enrolled.since_start)
    return (
        rows.left_join(enrolled, same).drop("person", "since_start").mutate(member=lambda t: t.member.fill_null(False))
    )


DEFINITIONS = (visitor_paths, visits)
