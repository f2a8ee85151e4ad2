"""What open points are worth on the days on which periods begin and end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from kpibook import view
from loyalty_kpis.points_views import KINDS, LOT

if TYPE_CHECKING:
    import ibis.expr.types as ir


@view(key=("day", "earned_on"))
def points_open(points_flow, periods):
    """Open points: before the first and after the last day of each period and of the same days a year earlier, by the
    day they were earned, and what they would cost if all were redeemed.
    """
    days = _edges(periods).select(moment="day").distinct()
    seen = points_flow.join(days, points_flow.day < days.moment)
    sign = (seen.kind == "issued").ifelse(1, -1)
    sums = seen.group_by(day=seen.moment, earned_on=seen.earned_on).agg(
        points=(seen.points * sign).sum(), cost=(seen.cost * sign).sum()
    )
    return sums.mutate(age=sums.day.delta(sums.earned_on, unit="day"))


@view(key="day")
def expected_points_cost(points_open, redemption_prospects):
    """Expected points cost: what the open points of a day will cost, at the share that is redeemed in the end."""
    oldest = redemption_prospects.agg(
        oldest=redemption_prospects.age.max(), beyond=(redemption_prospects.tail.max() > 0).ifelse(0.5, 0.0)
    )
    known = points_open.left_join(redemption_prospects, "age").cross_join(oldest)
    share = known.prospect.fill_null(known.beyond)
    return known.group_by("day").agg(expected=(known.cost.cast("float64") * share).sum())


@view(key=("period_id", "moment", "earned", "age"))
def points_balance(points_open, earned_lots, periods):
    """Points balance: points open at the start and at the end of each whole period, by year of issue and age in days,
    and what they would cost if all were redeemed; ``members`` earned points in that year.
    """
    whole = spans(periods.filter(periods.segment_by == "total")).filter(lambda t: t.lag == 0)
    start = whole.select("period_id", day="start", moment=ibis.literal("start"))
    moments = start.union(whole.select("period_id", day="end", moment=ibis.literal("end")))
    rows = points_open.join(moments, "day").filter(lambda t: t.points != 0)
    sums = rows.group_by("period_id", "moment", "age", earned=rows.earned_on.strftime("%Y")).agg(
        points=rows.points.sum(), cost=rows.cost.sum()
    )
    holders = earned_lots.group_by(earned=earned_lots.earned_on.strftime("%Y")).agg(
        members=earned_lots.member_id.nunique()
    )
    return sums.join(holders, "earned")


@view(key="period_id")
def points_deferred(earned_lots, lot_movements, redemption_prospects, receipts, memberships, programme_rules, periods):
    """Deferred points: what IFRS 15 (B39-B47) keeps out of revenue at the end of each whole period: of each receipt the
    part that its points carry by stand-alone prices (points at face value times the ultimate redemption rate), as far
    as points expected to be redeemed are still open.
    """
    whole = spans(periods.filter(periods.segment_by == "total")).filter(lambda t: t.lag == 0)
    paid = receipts.filter(receipts.net_amount > 0).select(receipt="transaction_id", paid="net_amount")
    sold = earned_lots.filter(earned_lots.origin == "earn").join(paid, "receipt")
    owners = memberships.select("member_id", "programme_id")
    priced = sold.join(owners, "member_id").join(
        programme_rules.select("programme_id", "valid_from", "valid_to", "point_face_value"), "programme_id"
    )
    valid = (priced.earned_on >= priced.valid_from) & (priced.valid_to.isnull() | (priced.earned_on <= priced.valid_to))
    lots = priced.filter(valid).select(*LOT, "earned_on", "credited", "paid", "point_face_value")
    held = lots.join(whole, lots.earned_on < whole.end)
    moved = lot_movements.select(*LOT, "day", "kind", gone="points")
    uses = held.select(*LOT, "period_id", "end").join(moved, LOT).filter(lambda t: t.day < t.end)
    sums = uses.group_by(*LOT, "period_id").agg(**{k: uses.gone.sum(where=uses.kind == k) for k in KINDS})
    known = held.left_join(sums, [*LOT, "period_id"])
    gone = {k: known[k].fill_null(0).cast("float64") for k in KINDS}
    points = known.credited - gone["withdrawn"]
    open_ = ibis.greatest(points - gone["redeemed"] - gone["expired"], 0.0)
    ultimate = redemption_prospects.filter(redemption_prospects.age == 0).select(ultimate="prospect")
    rows = known.select(
        "period_id",
        points=points,
        redeemed=gone["redeemed"],
        open=open_,
        paid=known.paid.cast("float64"),
        face=known.point_face_value.cast("float64"),
        age=known.end.delta(known.earned_on, unit="day"),
    ).filter(lambda t: t.open > 0)
    valued = rows.join(redemption_prospects.select("age", "prospect"), "age").cross_join(ultimate)
    alone = valued.points * valued.face * valued.ultimate
    to_come = valued.open * valued.prospect
    part = valued.paid * alone / (valued.paid + alone) * (to_come / (valued.redeemed + to_come)).fill_null(0)
    return valued.mutate(part=part).group_by("period_id").agg(deferred=lambda t: t.part.sum())


def spans(periods: ir.Table) -> ir.Table:
    """Each period as it is (``lag`` 0) and the same days a year earlier (``lag`` 1): period_id, start, end."""
    own = periods.select("period_id", lag=ibis.literal(0), start="start", end=ibis.least(periods.end, periods.data_end))
    year = ibis.interval(months=12)
    return own.union(own.mutate(lag=ibis.literal(1), start=own.start - year, end=own.end - year))


def _edges(periods: ir.Table) -> ir.Table:
    found = spans(periods)
    return found.select(day="start").union(found.select(day="end"))


DEFINITIONS = (points_open, expected_points_cost, points_balance, points_deferred)
