"""Means whose sum rests on few persons: a BCa bootstrap instead of the t interval (rule M)."""

from __future__ import annotations

import ibis

from kpibook import rules
from kpibook.engine import linear
from kpibook.engine.curves import KEYS
from kpibook.engine.pipeline import Work
from kpibook.engine.placing import PERIOD, SEGMENT, Placer
from kpibook.estimates import Linear
from kpibook.stats.resampling import bca_mean, trimmed_mean

TOP = 0.01
HEAVY = 0.30
#: With more persons than this the t interval needs no help, and the bootstrap would cost seconds.
MOST_PERSONS = 20_000


def heavy(estimate: Linear, breakdown: str, placer: Placer) -> Work:
    """(period, segment, BCa interval, reason) where the top 1 % of persons make more than 30 % of the sum."""
    persons = linear.persons(estimate, breakdown, placer)
    if persons is None:
        return []
    ranked = persons.mutate(
        _rank=ibis.row_number().over(group_by=KEYS, order_by=[persons.x.desc(), persons._cluster]) + 1,
        _n=persons.count().over(group_by=KEYS),
    )
    top = ranked.x.sum(where=ranked._rank <= (ranked._n * TOP).ceil())
    sums = ranked.group_by(KEYS).agg(top=top, whole=ranked.x.sum(), n=ranked.count())
    found = []
    for row in (yield sums.order_by(KEYS)).to_pylist():
        if not row["whole"] or row["top"] / row["whole"] <= HEAVY or not 2 <= row["n"] <= MOST_PERSONS:
            continue
        own = persons.filter((persons[PERIOD] == row[PERIOD]) & (persons[SEGMENT] == row[SEGMENT]))
        values = (yield own.select("x").order_by("x"))["x"].to_numpy()
        why = rules.reason("heavy_tail", share=round(row["top"] / row["whole"], 3), trimmed=trimmed_mean(values, TOP))
        found.append((row[PERIOD], row[SEGMENT], bca_mean(values), why))
    return found
