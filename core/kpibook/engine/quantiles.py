"""Quantiles with the order statistics around them, in one query.

A quantile between two ranks is interpolated (Hyndman & Fan 1996, type 7); ranks are found
by counting equal values, so that days and prices need no sort of all rows.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from kpibook.engine.curves import KEYS
from kpibook.engine.pipeline import Work
from kpibook.engine.placing import PERIOD, SEGMENT, Placer
from kpibook.engine.rebinding import rebound
from kpibook.estimates import Quantile
from kpibook.figures import quantile_figure
from kpibook.stats.intervals import Z
from kpibook.tracing import roots


def figures(estimate: Quantile, breakdown: str, placer: Placer) -> Work:
    """(period, segment, figure) for every segment that has rows."""
    placed = placer.placed(estimate.base, breakdown, roots(estimate))
    if placed is None:
        return []
    column = rebound(estimate.column, estimate.base, placed.op()).cast("float64")
    rows = placed.mutate(_x=column).filter(lambda t: t._x.notnull())
    counts = rows.group_by([*KEYS, "_x"]).agg(_times=rows.count())
    upwards = ibis.window(group_by=KEYS, order_by="_x", preceding=None, following=0)
    ranked = counts.mutate(
        _reached=counts._times.sum().over(upwards), _n=counts._times.sum().over(ibis.window(group_by=KEYS))
    )
    place, half = (ranked._n - 1) * estimate.q, Z * (ranked._n * estimate.q * (1 - estimate.q)).sqrt()
    low, high = (ranked._n * estimate.q - half).floor(), (ranked._n * estimate.q + half).ceil() + 1

    def at(rank: ir.NumericValue) -> ir.NumericScalar:
        return ranked._x.min(where=ranked._reached >= rank)

    below, above = at(place.floor() + 1), at(place.ceil() + 1)
    between = (place - place.floor()).max()
    found = ranked.group_by(KEYS).agg(
        value=below + (above - below) * between,
        low=ranked._x.min(where=(ranked._reached >= low) & (low >= 1)),
        high=at(high),
        n=ranked._n.max(),
    )
    rows = (yield found.order_by(KEYS)).to_pylist()
    return [(r[PERIOD], r[SEGMENT], quantile_figure(r["value"], r["low"], r["high"], r["n"])) for r in rows]
