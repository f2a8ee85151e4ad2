"""Means whose sum rests on few persons: a BCa bootstrap instead of the t interval (rule M)."""

from __future__ import annotations

from collections.abc import Iterator

import ibis

from kpibook import rules
from kpibook.engine import linear
from kpibook.engine.curves import KEYS, Fetch
from kpibook.engine.placing import PERIOD, SEGMENT, Placer
from kpibook.estimates import Linear
from kpibook.stats.intervals import Interval
from kpibook.stats.resampling import bca_mean, trimmed_mean

TOP = 0.01
HEAVY = 0.30
#: With more persons than this the t interval needs no help, and the bootstrap would cost seconds.
MOST_PERSONS = 20_000


def heavy(estimate: Linear, breakdown: str, placer: Placer, fetch: Fetch) -> Iterator[tuple[str, str, Interval, str]]:
    """(period, segment, BCa interval, reason) where the top 1 % of persons make more than 30 % of the sum."""
    persons = linear.persons(estimate, breakdown, placer)
    if persons is None:
        return
    ranked = persons.mutate(
        _rank=ibis.row_number().over(group_by=KEYS, order_by=[persons.x.desc(), persons._cluster]) + 1,
        _n=persons.count().over(group_by=KEYS),
    )
    top = ranked.x.sum(where=ranked._rank <= (ranked._n * TOP).ceil())
    sums = ranked.group_by(KEYS).agg(top=top, whole=ranked.x.sum(), n=ranked.count())
    for row in fetch(sums.order_by(KEYS)).to_dict("records"):
        if not row["whole"] or row["top"] / row["whole"] <= HEAVY or not 2 <= row["n"] <= MOST_PERSONS:
            continue
        own = persons.filter((persons[PERIOD] == row[PERIOD]) & (persons[SEGMENT] == row[SEGMENT]))
        values = fetch(own.select("x"))["x"].to_numpy()
        why = rules.reason("heavy_tail", share=round(row["top"] / row["whole"], 3), trimmed=trimmed_mean(values, TOP))
        yield row[PERIOD], row[SEGMENT], bca_mean(values), why
