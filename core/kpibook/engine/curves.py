"""Kaplan-Meier estimates: the engine counts durations, stats does the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

import ibis.expr.types as ir
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from kpibook.engine.pipeline import Work
from kpibook.engine.placing import PERIOD, SEGMENT, Placer
from kpibook.engine.rebinding import rebound
from kpibook.estimates import Curve
from kpibook.figures import Figure, curve_figure
from kpibook.privacy.tables import BEHIND
from kpibook.stats import survival
from kpibook.stats.survival import kaplan_meier
from kpibook.tracing import roots

KEYS = [PERIOD, SEGMENT]


def figures(readings: Sequence[Curve], breakdown: str, placer: Placer) -> Work:
    """(period, segment, figures, curve) for every segment that has rows; ``readings`` are of one curve."""
    first = readings[0]
    placed = placer.placed(first.base, breakdown, roots(first))
    if placed is None:
        return []
    counted = yield counts(first, placed)
    return list(_figures(readings, counted))


def _figures(readings: Sequence[Curve], counted: pa.Table) -> Iterator[tuple[str, str, list[Figure], pd.DataFrame]]:
    """``counted`` is in the order of the keys: a segment's rows stand together."""
    if not counted.num_rows:
        return
    periods, segments = (codes(counted[key]) for key in KEYS)
    duration, event, n = (counted[name].to_numpy() for name in ("duration", "event", "n"))
    persons = codes(counted["cluster"])[0] if readings[0].cluster is not None else None
    turns = np.flatnonzero(np.diff(periods[0]) | np.diff(segments[0])) + 1
    for first, last in pairwise((0, *turns, counted.num_rows)):
        rows = np.arange(first, last)
        if persons is not None:
            alone = rows[persons[rows] < 0]
            rows = np.concatenate([rows[persons[rows] >= 0], np.repeat(alone, n[alone])])
        weight, cluster = (n[rows], None) if persons is None else _clusters(persons[rows], n[rows])
        found = kaplan_meier(duration[rows], event[rows], weight, cluster)
        points = {name: getattr(found, name) for name in ("time", "at_risk", "events", "survival", "low", "high")}
        cases = int(n[first:last].sum())
        number = cases if cluster is None else int(cluster.max()) + 1
        read = [replace(curve_figure(reading, found, cases), persons=number) for reading in readings]
        table = pd.DataFrame(points).assign(**{BEHIND: _at_risk(duration[rows], cluster, found)})
        yield periods[1][periods[0][first]], segments[1][segments[0][first]], read, table


def _at_risk(durations: npt.NDArray[np.float64], cluster: Any, found: survival.Curve) -> Any:
    """Persons under observation at each time: those whose longest duration reaches it."""
    if cluster is None:
        return found.at_risk
    longest = np.zeros(int(cluster.max()) + 1)
    np.maximum.at(longest, cluster, durations)
    return len(longest) - np.searchsorted(np.sort(longest), found.time)


def codes(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], list[Any]]:
    """A code for each value, -1 for none, and the values."""
    found = column.combine_chunks().dictionary_encode()
    return found.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64), found.dictionary.to_pylist()


def _clusters(persons: npt.NDArray[np.int64], n: npt.NDArray[np.int64]) -> tuple[Any, npt.NDArray[np.int64]]:
    """Weights, and codes from 0; a duration without a person is a person of its own."""
    known = persons >= 0
    codes = np.unique(persons[known], return_inverse=True)[1]
    first = int(codes.max()) + 1 if len(codes) else 0
    single = len(persons) - len(codes)
    return np.where(known, n, 1), np.concatenate([codes, np.arange(first, first + single)])


def counts(estimate: Curve, placed: ir.Table) -> ir.Table:
    """Rows by period, segment, duration and event, counted."""
    parts: dict[str, Any] = {"duration": estimate.duration.cast("float64"), "event": estimate.event.cast("int64")}
    if estimate.cluster is not None:
        parts["cluster"] = estimate.cluster
    bound = {name: rebound(v, estimate.base, placed.op()) for name, v in parts.items()}
    rows = placed.mutate(**bound).filter(lambda t: t.duration.notnull() & t.event.notnull())
    keys = [*KEYS, *parts]
    return rows.group_by(keys).agg(n=rows.count()).order_by(keys)
