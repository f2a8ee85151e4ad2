"""Kaplan-Meier estimates: the engine counts durations, stats does the rest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from kpibook.engine.placing import PERIOD, SEGMENT, Placer
from kpibook.estimates import Curve
from kpibook.figures import Figure, curve_figure
from kpibook.stats.survival import kaplan_meier
from kpibook.tracing import roots

Fetch = Callable[[ir.Table], pd.DataFrame]
KEYS = [PERIOD, SEGMENT]


def figures(
    estimate: Curve, breakdown: str, placer: Placer, fetch: Fetch
) -> Iterator[tuple[str, str, Figure, pd.DataFrame]]:
    """(period, segment, figure, curve) for every segment that has rows."""
    placed = placer.placed(estimate.base, breakdown, roots(estimate))
    if placed is None:
        return
    for names, rows in fetch(counts(estimate, placed)).groupby(KEYS, sort=True):
        period, segment = (str(name) for name in names)
        cluster = pd.factorize(rows["cluster"])[0] if estimate.cluster is not None else None
        found = kaplan_meier(rows["duration"], rows["event"], rows["n"], cluster)
        points = {name: getattr(found, name) for name in ("time", "at_risk", "events", "survival", "low", "high")}
        yield period, segment, curve_figure(estimate, found, int(rows["n"].sum())), pd.DataFrame(points)


def counts(estimate: Curve, placed: ir.Table) -> ir.Table:
    """Rows by period, segment, duration and event, counted."""
    parts: dict[str, Any] = {"duration": estimate.duration.cast("float64"), "event": estimate.event.cast("int64")}
    if estimate.cluster is not None:
        parts["cluster"] = estimate.cluster
    bound = {name: v.op().replace({estimate.base: placed.op()}).to_expr() for name, v in parts.items()}
    rows = placed.mutate(**bound).filter(lambda t: t.duration.notnull() & t.event.notnull())
    keys = [*KEYS, *parts]
    return rows.group_by(keys).agg(n=rows.count()).order_by(keys)
