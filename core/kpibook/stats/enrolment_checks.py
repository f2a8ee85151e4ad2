"""Two further readings of a study of enrolling: pretended earlier, and adjusted for what was known before the base."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from kpibook.stats.calibration import calibrated
from kpibook.stats.enrolment_effects import Effects, clustered_error, effects
from kpibook.stats.enrolment_stacks import BASE, HORIZON, LEADS, TIMES
from kpibook.stats.intervals import Interval, normal
from kpibook.stats.risk_sets import NEVER, Flags, Floats, Ints, Purchases, RiskSets, risk_sets

#: Months by which enrolment is pretended to have been earlier.
SHIFT = 6
#: Share of the entries above which a mean outcome counts as this share's: one large buyer shall not rule.
CAP = 0.995


class Pretended(NamedTuple):
    """Effect per treated person-month where there can be none, and how many members it rests on."""

    value: float
    interval: Interval
    members: int

    @property
    def holds_zero(self) -> bool:
        return self.interval.low <= 0 <= self.interval.high


def shifted(
    purchases: Purchases, belongs: Flags, outcome: Floats, counted: tuple[int, int] | None = None
) -> Pretended | None:
    """The study with every enrolment SHIFT months earlier, up to the month before the real one; None without members.

    belongs: entries at risk, as for :func:`risk_sets.risk_sets`. Members and controls both need a purchase in the
    pretended and in the real month: whoever enrols lived and bought until then, and controls without that would not
    be comparable. counted: the months of the real study; the same enrolments are looked at.
    """
    width = outcome.shape[1]
    span = counted or (0, width)
    key = purchases.person * (width + SHIFT) + purchases.month
    both = belongs & np.isin(key + SHIFT, key[belongs])
    enrolled = np.where(purchases.enrolled == NEVER, NEVER, purchases.enrolled - SHIFT)
    early = Purchases(purchases.person, purchases.month, purchases.basket, purchases.stratum, purchases.first, enrolled)
    sets = risk_sets(early, both)
    real = sets.cell_month + SHIFT
    sets = sets.part((real + HORIZON >= span[0]) & (real + 1 < span[1]))
    found = effects(sets, outcome, enrolled)
    seen = (TIMES > 0) & (TIMES < SHIFT)
    months = float(found.months[:, seen].sum())
    if not months:
        return None
    value = float(found.sums[:, seen].sum()) / months
    error = clustered_error(found.influence[:, seen].sum(axis=1)) / months
    return Pretended(value, normal(value, error), found.treated)


def adjusted(sets: RiskSets, outcome: Floats, enrolled: Ints, counted: tuple[int, int] | None = None) -> Effects | None:
    """The study of those known for a year before enrolling, controls weighted to their mean outcome and to their months
    with any in the months -12 to -7; None when that cannot be done.

    Nothing from the base window is used: adjusting for that would bring regression to the mean. The standard error
    takes the weights as given, which is on the careful side.
    """
    known = sets.part(sets.long & (sets.cell_month >= LEADS))
    before = known_before(known, outcome)
    weights = calibrated(known, before) if len(before) else None
    return None if weights is None else effects(known, outcome, enrolled, counted=counted, weights=weights)


def known_before(sets: RiskSets, outcome: Floats) -> Floats:
    """Of each entry: mean outcome of the months -12 to -7, capped, and the share of them with any."""
    months = sets.month[:, None] + np.arange(-LEADS, -BASE)
    own = outcome[sets.person[:, None], months]
    mean = own.mean(axis=1)
    if len(mean):
        mean = np.minimum(mean, np.quantile(mean, CAP))
    return np.column_stack([mean, (own != 0).mean(axis=1)])
