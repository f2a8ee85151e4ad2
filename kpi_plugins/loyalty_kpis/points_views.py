"""Points by lot: what was earned, which redemption or expiry used it up, and how long points live.

Reversals and negative adjustments are netted into the lot's points; what is left after a lot's
``expires_at`` counts as expired on that day, booked or not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from kpibook import view

if TYPE_CHECKING:
    import ibis.expr.types as ir

CREDITS = ("earn", "bonus", "adjust")
ISSUED = ("earn", "bonus")
LOT = ["member_id", "lot"]
KINDS = ("redeemed", "expired", "withdrawn")
#: Groups of members, of which intervals redraw as many.
GROUPS = 200


@view(key=("member_id", "lot"), date="earned_on")
def earned_lots(points_ledger):
    """Earned lots: one row per lot of points credited; ``origin`` is earn, bonus, adjust (a correction), or opening (an
    adjustment on the ledger's first day: a balance from before it).
    """
    credit = points_ledger.filter(points_ledger.type.isin(CREDITS) & (points_ledger.points > 0))
    rows = credit.mutate(lot=credit.lot_id.coalesce(credit.entry_id))
    lots = rows.group_by(LOT).agg(
        earned_at=rows.ts.min(),
        credited=rows.points.sum(),
        expires_on=rows.expires_at.max().date(),
        unit_cost=rows.unit_cost.max(),
        receipt=rows.transaction_id.max(where=rows.type == "earn"),
        origin=ibis.ifelse(
            rows.count(where=rows.type == "earn") > 0,
            "earn",
            ibis.ifelse(rows.count(where=rows.type == "bonus") > 0, "bonus", "adjust"),
        ),
    )
    begun = points_ledger.agg(begun=points_ledger.ts.min().date())
    dated = lots.cross_join(begun).mutate(earned_on=lots.earned_at.date())
    opening = (dated.origin == "adjust") & (dated.earned_on == dated.begun)
    return dated.mutate(origin=opening.ifelse("opening", dated.origin)).drop("begun")


@view(date="day")
def lot_uses(points_ledger, earned_lots):
    """Lot uses: points of each lot redeemed, expired or withdrawn as booked, and the day; first in, first out where the
    ledger names no lot of the member.

    Points given back for a redemption undone are a negative redemption of their lot, or cancel the member's latest
    use. What exceeds all lots of a member is not matched.
    """
    used = points_ledger.filter(~points_ledger.type.isin(CREDITS) | (points_ledger.points < 0))
    withdrawn = used.type.isin(CREDITS) | ((used.type == "reverse") & (used.points < 0))
    uses = used.select(
        "member_id",
        "entry_id",
        "ts",
        "lot_id",
        day=used.ts.date(),
        kind=ibis.cases((withdrawn, "withdrawn"), (used.type == "expire", "expired"), else_="redeemed"),
        points=-used.points,
    )
    named = [uses.member_id == earned_lots.member_id, uses.lot_id == earned_lots.lot]
    own = uses.join(earned_lots.select(*LOT), named).select(*LOT, "day", "kind", "points")
    return own.union(_first_in_first_out(earned_lots, own, uses.anti_join(earned_lots, named)))


@view(date="day")
def lot_movements(lot_uses, earned_lots):
    """Lot movements: the lot uses, and what is left of a lot on its ``expires_on`` as expired that day."""
    gone = lot_uses.group_by(LOT).agg(gone=lot_uses.points.sum())
    rest = earned_lots.left_join(gone, LOT).filter(lambda t: t.expires_on.notnull())
    lapsed = rest.select(
        *LOT, day=rest.expires_on, kind=ibis.literal("expired"), points=rest.credited - rest.gone.fill_null(0)
    )
    return lot_uses.union(lapsed.filter(lapsed.points > 0))


def _first_in_first_out(lots: ir.Table, own: ir.Table, uses: ir.Table) -> ir.Table:
    """Uses laid end to end over what the member's lots have left, both in order of time."""
    taken = own.group_by(LOT).agg(taken=own.points.sum())
    left = lots.left_join(taken, LOT).mutate(left=lambda t: ibis.greatest(t.credited - t.taken.fill_null(0), 0))
    in_time = ibis.window(group_by=left.member_id, order_by=[left.earned_at, left.lot], preceding=None, following=0)
    ends = left.select(*LOT, "left", lot_end=left.left.sum().over(in_time))
    stock = ends.select(member="member_id", lot="lot", lot_start=ends.lot_end - ends.left, lot_end="lot_end")
    spent = uses.mutate(amount=ibis.greatest(uses.points, 0))
    order = ibis.window(group_by=spent.member_id, order_by=[spent.ts, spent.entry_id], preceding=None, following=0)
    everything = spent.points.sum().over(ibis.window(group_by=spent.member_id))
    queue = spent.mutate(to=spent.amount.sum().over(order), kept=everything)
    queue = queue.mutate(since=queue.to - queue.amount, to=ibis.least(queue.to, queue.kept))
    met = queue.select("member_id", "day", "kind", "since", "to").join(
        stock, [queue.member_id == stock.member, queue.since < stock.lot_end, stock.lot_start < queue.to]
    )
    points = ibis.least(met.to, met.lot_end) - ibis.greatest(met.since, met.lot_start)
    return met.select("member_id", "lot", "day", "kind", points=points).filter(lambda t: t.points > 0)


@view(key=("member_id", "lot"), date="earned_on")
def points_lots(earned_lots, lot_movements, periods):
    """Points lots: each lot as it stands at the end of the current period: points (net of what was withdrawn),
    redeemed, expired, open, and its age in days.
    """
    until = _now(periods)
    lots = earned_lots.cross_join(until).filter(lambda t: t.earned_on < t.until)
    moved = lot_movements.cross_join(until).filter(lambda t: t.day < t.until)
    sums = moved.group_by(LOT).agg(**{k: moved.points.sum(where=moved.kind == k) for k in KINDS})
    found = lots.left_join(sums, LOT)
    gone = {k: found[k].fill_null(0) for k in KINDS}
    points = found.credited - gone["withdrawn"]
    return found.select(
        *LOT,
        "earned_on",
        "origin",
        "expires_on",
        "unit_cost",
        "receipt",
        vintage=found.earned_on.strftime("%Y-%m"),
        points=points,
        redeemed=gone["redeemed"],
        expired=gone["expired"],
        open=points - gone["redeemed"] - gone["expired"],
        age_days=found.until.delta(found.earned_on, unit="day"),
    )


@view()
def points_flow(earned_lots, lot_movements):
    """Points flow: points issued, redeemed, expired and withdrawn by day, and by the day their lot was earned;
    ``cost`` values them at the lot's cost per redeemed point, ``has_age`` leaves out opening balances and corrections.
    """
    lots = earned_lots.mutate(has_age=earned_lots.origin.isin(ISSUED))
    columns = ["earned_on", "has_age", "day", "kind"]
    begins = (lots.origin == "opening").ifelse(lots.earned_on - ibis.interval(days=1), lots.earned_on)
    issued = lots.mutate(day=begins, kind=ibis.literal("issued"), points=lots.credited)
    moved = lot_movements.join(lots.select(*LOT, "earned_on", "has_age", "unit_cost"), LOT)
    rows = issued.select(*columns, "unit_cost", "points").union(moved.select(*columns, "unit_cost", "points"))
    return rows.group_by(columns).agg(points=rows.points.sum(), cost=(rows.points * rows.unit_cost).sum())


@view()
def points_development(points_flow, earned_lots, periods):
    """Points development: issued points by month of issue and by the age in days at which they were redeemed or
    expired, or up to and including which they were still open at the period's end (for the period as a whole).
    ``members`` were ever issued points, ``holders`` in that month.
    """
    ends = _ends(periods)
    seen = points_flow.filter(points_flow.has_age).join(ends, points_flow.day < ends.until)
    dated = seen.mutate(vintage=seen.earned_on.strftime("%Y-%m"), age=seen.day.delta(seen.earned_on, unit="day"))
    cells = _cells(dated, ["period_id", "period", "vintage", "age"])
    holders = earned_lots.join(ends, earned_lots.earned_on < ends.until)
    counted = holders.group_by("period_id").agg(members=holders.member_id.nunique(where=holders.origin.isin(ISSUED)))
    months = holders.filter(holders.origin.isin(ISSUED)).mutate(vintage=holders.earned_on.strftime("%Y-%m"))
    by_month = months.group_by("period_id", "vintage").agg(holders=months.member_id.nunique())
    return cells.join(counted, "period_id").join(by_month, ["period_id", "vintage"])


@view()
def points_by_group(earned_lots, lot_movements, periods):
    """Points by group of members: the points development by one of 200 groups of members in the place of the month of
    issue (every 200th in the order of their ids): members are what an interval lets vary.
    """
    issued = earned_lots.filter(earned_lots.origin.isin(ISSUED))
    members = issued.select("member_id").distinct()
    groups = members.mutate(group=(ibis.row_number().over(order_by=members.member_id) % GROUPS).cast("int64"))
    lots = issued.join(groups, "member_id").select(*LOT, "group", "earned_on", "credited")
    columns = ["group", "earned_on", "day", "kind", "points"]
    gained = lots.mutate(day=lots.earned_on, kind=ibis.literal("issued"), points=lots.credited).select(columns)
    used = lot_movements.join(lots, LOT).select(columns)
    flow = gained.union(used)
    ends = _ends(periods)
    seen = flow.join(ends, flow.day < ends.until)
    dated = seen.mutate(age=seen.day.delta(seen.earned_on, unit="day"))
    return _cells(dated, ["period_id", "period", "group", "age"])


def _ends(periods: ir.Table) -> ir.Table:
    """The whole periods with the day ``until`` which points are seen."""
    totals = periods.filter(periods.segment_by == "total")
    return totals.select("period_id", "period", until=ibis.least(totals.end, totals.data_end))


def _cells(dated: ir.Table, keys: list[str]) -> ir.Table:
    """Points redeemed, expired and last seen open by ``keys``, of which the age; ``dated`` has kind, points, until."""
    zero = ibis.literal(0, "int64")
    used = dated.filter(dated.kind.isin(["redeemed", "expired"]))
    ended = used.select(
        *keys,
        redeemed=(used.kind == "redeemed").ifelse(used.points, 0),
        expired=(used.kind == "expired").ifelse(used.points, 0),
        open=zero,
    )
    left = dated.mutate(age=dated.until.delta(dated.earned_on, unit="day") - 1)
    signed = (left.kind == "issued").ifelse(left.points, -left.points)
    rows = ended.union(left.select(*keys, redeemed=zero, expired=zero, open=signed))
    return rows.group_by(keys).agg(**{name: rows[name].sum() for name in ("redeemed", "expired", "open")})


@view()
def points_experience(points_development):
    """Points experience: the points development at the end of the current period, one yardstick for all periods."""
    return points_development.filter(points_development.period == "current").drop("period_id", "period")


@view()
def experience_by_group(points_by_group):
    """Experience by group of members: the points by group at the end of the current period."""
    return points_by_group.filter(points_by_group.period == "current").drop("period_id", "period")


@view(key="age")
def redemption_prospects(points_development):
    """Redemption prospects: by age in days, the share of points still open at that age that will be redeemed, known at
    the end of the current period (Aalen-Johansen: redemption and expiry compete, open points are censored).

    Of points open at the highest age seen, half are taken to be redeemed.
    """
    now = points_development.filter(points_development.period == "current")
    ages = now.agg(last=now.age.max())
    every = ages.select(age=ibis.range(0, ages.last + 1).unnest())
    ends = now.group_by("age").agg(**{name: now[name].sum() for name in ("redeemed", "expired", "open")})
    dense = every.left_join(ends, "age").select(
        "age", **{name: ends[name].fill_null(0).cast("float64") for name in ("redeemed", "expired", "open")}
    )
    onwards = ibis.window(order_by=dense.age.desc(), preceding=None, following=0)
    risk = dense.mutate(at_risk=(dense.redeemed + dense.expired + dense.open).sum().over(onwards))
    stay = 1 - ((risk.redeemed + risk.expired) / risk.at_risk).fill_null(0)
    hazard = risk.mutate(log_stay=ibis.ifelse(stay > 0, stay, ibis.null("float64")).ln().fill_null(-1e9))
    so_far = ibis.window(order_by=hazard.age, preceding=None, following=0)
    earlier = ibis.window(order_by=hazard.age, preceding=(None, 1))
    before = hazard.mutate(
        at_start=hazard.log_stay.sum().over(earlier).fill_null(0.0).exp(),
        at_end=hazard.log_stay.sum().over(so_far).exp(),
    )
    flow = before.mutate(redeemed_share=before.at_start * (before.redeemed / before.at_risk).fill_null(0))
    later = ibis.window(order_by=flow.age.desc(), preceding=None, following=0)
    whole = flow.mutate(to_come=flow.redeemed_share.sum().over(later), tail=flow.at_end.min().over(ibis.window()))
    rate = (whole.to_come + whole.tail / 2) / whole.at_start
    return whole.select("age", "tail", prospect=rate.fill_null(0))


def _now(periods: ir.Table) -> ir.Table:
    """One row: the end of the current period, or the day after the last day of the data if that comes first."""
    now = periods.filter((periods.segment_by == "total") & (periods.period == "current"))
    return now.select(until=ibis.least(now.end, now.data_end))


DEFINITIONS = (
    earned_lots,
    lot_uses,
    lot_movements,
    points_lots,
    points_flow,
    points_development,
    points_by_group,
    points_experience,
    experience_by_group,
    redemption_prospects,
)
