"""Quantiles with the order statistics around them, in one query.

A quantile between two ranks is interpolated (Hyndman & Fan 1996, type 7); ranks are found
by counting equal values, so that days and prices need no sort of all rows. The order
statistics are those at the ends of the interval of the share of rows below the quantile
(Woodruff 1952); where a person's rows vary as a whole, its error is that of a ratio over persons.
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
    columns = {"_x": rebound(estimate.column, estimate.base, placed.op()).cast("float64")}
    if estimate.cluster is not None:
        columns["_whose"] = rebound(estimate.cluster, estimate.base, placed.op())
    rows = placed.select(*KEYS, **columns).filter(lambda t: t._x.notnull())
    counts = rows.group_by([*KEYS, "_x"]).agg(_times=rows.count())
    upwards = ibis.window(group_by=KEYS, order_by="_x", preceding=None, following=0)
    ranked = counts.mutate(
        _reached=counts._times.sum().over(upwards), _n=counts._times.sum().over(ibis.window(group_by=KEYS))
    )
    scatter = ranked._n * estimate.q * (1 - estimate.q)
    if estimate.cluster is not None:
        ranked = ranked.join(_scatter(rows, estimate.q), KEYS)
        scatter = ranked._scatter
    place, half = (ranked._n - 1) * estimate.q, Z * scatter.sqrt()
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


def _scatter(rows: ir.Table, q: float) -> ir.Table:
    """By period and segment the variance of the number of rows up to the quantile, persons drawn anew.

    Summed over persons: (s - p k)² with s of k rows up to it, p of all; a row without a person is one of its own.
    """
    middle = rows.group_by(KEYS).agg(_middle=rows._x.quantile(q))
    marked = rows.join(middle, KEYS)
    persons = marked.group_by([*KEYS, "_whose"]).agg(
        k=marked.count().cast("float64"), s=(marked._x <= marked._middle).sum().cast("float64")
    )
    alone = persons._whose.isnull()
    squares = {
        "ss": ibis.ifelse(alone, persons.s, persons.s * persons.s).sum(),
        "sk": ibis.ifelse(alone, persons.s, persons.s * persons.k).sum(),
        "kk": ibis.ifelse(alone, persons.k, persons.k * persons.k).sum(),
    }
    found = persons.group_by(KEYS).agg(p=persons.s.sum() / persons.k.sum(), **squares)
    scatter = found.ss - 2 * found.p * found.sk + found.p * found.p * found.kk
    return found.select(*KEYS, _scatter=ibis.greatest(scatter, 0.0))
