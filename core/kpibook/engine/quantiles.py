"""Quantiles with the order statistics around them, in one query."""

from __future__ import annotations

import ibis

from kpibook.engine.curves import KEYS
from kpibook.engine.pipeline import Work
from kpibook.engine.placing import PERIOD, SEGMENT, Placer
from kpibook.estimates import Quantile
from kpibook.figures import quantile_figure
from kpibook.stats.intervals import Z
from kpibook.tracing import roots


def figures(estimate: Quantile, breakdown: str, placer: Placer) -> Work:
    """(period, segment, figure) for every segment that has rows."""
    placed = placer.placed(estimate.base, breakdown, roots(estimate))
    if placed is None:
        return []
    column = estimate.column.op().replace({estimate.base: placed.op()}).to_expr().cast("float64")
    rows = placed.mutate(_x=column).filter(lambda t: t._x.notnull())
    ranked = rows.mutate(
        _rank=ibis.row_number().over(group_by=KEYS, order_by=rows._x) + 1,
        _n=rows.count().over(group_by=KEYS),
    )
    q, half = estimate.q, Z * (ranked._n * estimate.q * (1 - estimate.q)).sqrt()
    low, high = (ranked._n * q - half).floor(), (ranked._n * q + half).ceil() + 1
    found = ranked.group_by(KEYS).agg(
        value=ranked._x.quantile(q),
        low=ranked._x.max(where=ranked._rank == low),
        high=ranked._x.max(where=ranked._rank == high),
        n=ranked.count(),
    )
    rows = (yield found.order_by(KEYS)).to_pylist()
    return [(r[PERIOD], r[SEGMENT], quantile_figure(r["value"], r["low"], r["high"], r["n"])) for r in rows]
