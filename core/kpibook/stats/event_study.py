"""How far an effect of enrolling can be trusted: placebo months, their power, and how much violation it survives.

The months -12 to -7 before enrolment are held out: the base is -6 to -1, so a difference there
is none of the programme's. A placebo of zero proves little when it could not have shown a
violation that matters (Roth 2022), and nothing about a shock that comes with the enrolment itself.

Relative magnitudes (Rambachan & Roth 2023) in half-years: from one half-year to the next the
difference between members and controls may drift by at most M times its drift from -12..-7 to
-6..-1. With a single drift before, the identified set is the union of two intervals, and its
confidence interval the union of theirs. Over months the noise of the largest of eleven drifts
would rule. The library diff-diff (3.13) has the same power calculation and an HonestDiD, but
both take its own results, with controls chosen by what they did later and one month as base.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from kpibook.stats.enrolment_effects import BASE, PLACEBO, POST, TIMES, Effects, clustered_error
from kpibook.stats.intervals import CONFIDENCE, Interval, Z, normal
from kpibook.stats.risk_sets import Floats

POWER = 0.8
#: A breakdown beyond this is as good as any.
MOST = 10.0


@dataclass(frozen=True)
class Placebo:
    """Mean difference of the held-out months per treated person-month, and the joint test that all of them are zero.

    detectable: monthly slope of a linear violation that the joint test finds with a chance of POWER.
    Everything is nan when no treated person is observed that early.
    """

    value: float
    interval: Interval
    statistic: float
    p_value: float
    detectable: float

    @property
    def holds_zero(self) -> bool:
        return self.interval.low <= 0 <= self.interval.high


def placebo(study: Effects) -> Placebo:
    """The held-out months of a study."""
    months = study.months.sum(axis=0)
    seen = PLACEBO & (months > 0)
    if not seen.any():
        missing = float("nan")
        return Placebo(missing, Interval(missing, missing), missing, missing, missing)
    weight = months[seen].sum()
    value = float(study.sums[:, seen].sum() / weight)
    error = clustered_error(study.influence[:, seen].sum(axis=1)) / weight
    inverse = np.asarray(np.linalg.pinv(study.covariance[np.ix_(seen, seen)], hermitian=True), dtype=np.float64)
    statistic = float(study.by_time[seen] @ inverse @ study.by_time[seen])
    return Placebo(
        value,
        normal(value, error),
        statistic,
        float(special.chdtrc(int(seen.sum()), statistic)),
        detectable_slope((TIMES[seen] + (BASE + 1) / 2).astype(np.float64), inverse),
    )


def detectable_slope(distance: Floats, inverse_covariance: Floats, power: float = POWER) -> float:
    """Slope of a linear violation (money per month) that a joint Wald test at 5 % finds with chance ``power``.

    distance: months of each lead from the middle of the base; inverse_covariance: of the leads' estimates.
    """
    degrees = len(distance)
    noncentrality = special.chndtrinc(special.chdtri(degrees, 1 - CONFIDENCE), degrees, 1 - power)
    per_slope = float(distance @ inverse_covariance @ distance)
    return float(np.sqrt(noncentrality / per_slope)) if per_slope > 0 else float("inf")


@dataclass(frozen=True)
class Drift:
    """The mean effect and the drift before enrolment, with what a drift of the same size after it could do.

    exposure: bias of the mean effect per unit of drift from one half-year to the next.
    """

    effect: float
    before: float
    exposure: float
    variance: Floats

    def interval(self, magnitude: float, z: float = Z) -> Interval:
        """Robust interval of the mean effect for drifts up to ``magnitude`` times the one before enrolment."""
        ends = []
        for sign in (-1.0, 1.0):
            slope = np.array([1.0, sign * magnitude * self.exposure])
            middle = self.effect + sign * magnitude * self.exposure * self.before
            ends.append(normal(middle, float(np.sqrt(slope @ self.variance @ slope)), z))
        return Interval(min(end.low for end in ends), max(end.high for end in ends))

    def breakdown(self) -> float:
        """Largest magnitude at which the robust interval still excludes zero: 0 when none does, at most MOST."""
        if _holds_zero(self.interval(0.0)):
            return 0.0
        if not _holds_zero(self.interval(MOST)):
            return MOST
        low, high = 0.0, MOST
        for _ in range(40):
            middle = (low + high) / 2
            low, high = (low, middle) if _holds_zero(self.interval(middle)) else (middle, high)
        return low


def drift(study: Effects) -> Drift | None:
    """What the study says about drifts; None without held-out months or without an effect."""
    months = study.months.sum(axis=0)
    if not (months[PLACEBO].any() and months[POST].any()):
        return None
    half = np.where(TIMES > BASE, 2.0, 1.0)
    exposure = float((months * half)[POST].sum() / months[POST].sum())
    both = np.column_stack(
        [
            study.influence[:, POST].sum(axis=1) / months[POST].sum(),
            study.influence[:, PLACEBO].sum(axis=1) / months[PLACEBO].sum(),
        ]
    )
    before = float(study.sums[:, PLACEBO].sum() / months[PLACEBO].sum())
    return Drift(study.average, before, exposure, np.asarray(both.T @ both))


def _holds_zero(interval: Interval) -> bool:
    return interval.low <= 0 <= interval.high
