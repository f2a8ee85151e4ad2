"""Kaplan-Meier estimates: the engine counts durations, stats does the rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from kpibook.engine.pipeline import Work
from kpibook.engine.placing import PERIOD, SEGMENT, Placer
from kpibook.estimates import Curve
from kpibook.figures import Figure, curve_figure
from kpibook.stats.survival import kaplan_meier
from kpibook.tracing import roots

KEYS = [PERIOD, SEGMENT]


def figures(estimate: Curve, breakdown: str, placer: Placer) -> Work:
    """(period, segment, figure, curve) for every segment that has rows."""
    placed = placer.placed(estimate.base, breakdown, roots(estimate))
    if placed is None:
        return []
    counted = (yield counts(estimate, placed)).to_pandas()
    return list(_figures(estimate, counted))


def _figures(estimate: Curve, counted: pd.DataFrame) -> Iterator[tuple[str, str, Figure, pd.DataFrame]]:
    for names, rows in counted.groupby(KEYS, sort=True):
        period, segment = (str(name) for name in names)
        rows, cluster = _persons(rows, estimate.cluster is not None)
        found = kaplan_meier(rows["duration"], rows["event"], rows["n"], cluster)
        points = {name: getattr(found, name) for name in ("time", "at_risk", "events", "survival", "low", "high")}
        n = int(rows["n"].sum())
        persons = n if cluster is None else len(set(cluster))
        yield period, segment, replace(curve_figure(estimate, found, n), persons=persons), pd.DataFrame(points)


def _persons(rows: pd.DataFrame, clustered: bool) -> tuple[pd.DataFrame, Any]:
    """Rows with a code for each person; a duration without a person is a person of its own."""
    if not clustered:
        return rows, None
    alone = rows["cluster"].isna()
    single = rows[alone].loc[rows[alone].index.repeat(rows[alone]["n"])].assign(n=1)
    known = rows[~alone]
    codes = pd.factorize(known["cluster"])[0]
    first = int(codes.max()) + 1 if len(codes) else 0
    return pd.concat([known, single]), np.concatenate([codes, np.arange(first, first + len(single))])


def counts(estimate: Curve, placed: ir.Table) -> ir.Table:
    """Rows by period, segment, duration and event, counted."""
    parts: dict[str, Any] = {"duration": estimate.duration.cast("float64"), "event": estimate.event.cast("int64")}
    if estimate.cluster is not None:
        parts["cluster"] = estimate.cluster
    bound = {name: v.op().replace({estimate.base: placed.op()}).to_expr() for name, v in parts.items()}
    rows = placed.mutate(**bound).filter(lambda t: t.duration.notnull() & t.event.notnull())
    keys = [*KEYS, *parts]
    return rows.group_by(keys).agg(n=rows.count()).order_by(keys)
