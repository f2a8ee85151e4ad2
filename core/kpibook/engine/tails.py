"""Means whose sum rests on few persons: a BCa bootstrap instead of the t interval (rule M)."""

from __future__ import annotations

from kpibook import rules
from kpibook.engine import linear
from kpibook.engine.pipeline import Work
from kpibook.engine.placing import PERIOD, SEGMENT, Placer
from kpibook.estimates import Linear
from kpibook.stats.resampling import bca_mean, trimmed_mean

HEAVY = 0.30
#: With more persons than this the t interval needs no help, and the bootstrap would cost seconds.
MOST_PERSONS = 20_000


def is_heavy(share: float, persons: int) -> bool:
    """Whether the largest TOP of persons make so much of the sum that the t interval cannot be trusted."""
    return share > HEAVY and 2 <= persons <= MOST_PERSONS


def interval(estimate: Linear, breakdown: str, placer: Placer, period: str, segment: str, share: float) -> Work:
    """BCa interval of one mean whose top TOP of persons make ``share`` of the sum, and the reason to be shown."""
    persons = linear.persons(estimate, breakdown, placer)
    own = persons.filter((persons[PERIOD] == period) & (persons[SEGMENT] == segment))
    values = (yield own.select("x").order_by("x"))["x"].to_numpy()
    trimmed = trimmed_mean(values, linear.TOP)
    return bca_mean(values), rules.reason("heavy_tail", share=round(share, 3), trimmed=trimmed)
