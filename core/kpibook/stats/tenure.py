"""How long relations last when some began before anybody looked: Kaplan-Meier with delayed entry.

A person older than the data is at risk only from the first day seen on; before that, nobody
could have been seen leaving. The restricted mean is the area under the curve up to a limit.
Sources: Kaplan & Meier 1958; Tsai, Jewell & Wang 1987 (left truncation); Royston & Parmar 2013
(restricted mean survival time).
"""

from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import Interval, Z
from kpibook.stats.survival import Curve, Floats


def kaplan_meier_from(entry: npt.ArrayLike, duration: npt.ArrayLike, event: npt.ArrayLike) -> Curve:
    """Product-limit estimate; one person an entry of each array, with ``entry`` <= ``duration`` in whole days.

    Who enters on a day is at risk on that day. Intervals are log-log with Greenwood's variance.
    Raises ValueError for nobody, or when somebody enters after leaving.
    """
    first, last = (np.asarray(a, dtype=np.float64) for a in (entry, duration))
    left = np.asarray(event, dtype=np.float64)
    if len(last) == 0:
        raise ValueError("a curve needs at least one person")
    if np.any(first > last):
        raise ValueError("nobody can enter after leaving")
    times, index = np.unique(last, return_inverse=True)
    events = np.asarray(np.bincount(index, weights=left, minlength=len(times)), dtype=np.float64)
    entered = np.searchsorted(np.sort(first), times, side="right")
    gone = np.searchsorted(np.sort(last), times, side="left")
    at_risk = np.asarray(entered - gone, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        survival = np.exp(np.log1p(-events / at_risk).cumsum())
        variance = (events / (at_risk * (at_risk - events))).cumsum()
    low, high = _band(survival, variance)
    return Curve(times, at_risk, events, survival, low, high)


def restricted_mean(curve: Curve, limit: float) -> tuple[float, Interval]:
    """Mean time up to ``limit``, with its interval (Greenwood's variance, normal).

    Raises ValueError when nobody was followed as long and the curve has not ended at 0 before.
    """
    if curve.time[-1] < limit and curve.survival[-1] > 0:
        raise ValueError("nobody was followed up to the limit")
    inside = curve.time < limit
    steps = np.concatenate([[0.0], curve.time[inside], [limit]])
    height = np.concatenate([[1.0], curve.survival[inside]])
    pieces = np.diff(steps) * height
    value = float(pieces.sum())
    beyond = pieces[::-1].cumsum()[::-1][1:]
    risk, events = curve.at_risk[inside], curve.events[inside]
    alive = risk > events
    variance = float((beyond[alive] ** 2 * events[alive] / (risk[alive] * (risk[alive] - events[alive]))).sum())
    half = Z * sqrt(variance)
    return value, Interval(max(0.0, value - half), min(limit, value + half))


def least_at_risk(curve: Curve, until: float) -> float:
    """The smallest number of persons at risk at any event up to ``until``: the weakest step of the curve."""
    steps = (curve.time <= until) & (curve.events > 0)
    return float(curve.at_risk[steps].min()) if steps.any() else float(curve.at_risk[0])


def _band(survival: Floats, variance: Floats) -> tuple[Floats, Floats]:
    low, high = np.ones_like(survival), np.ones_like(survival)
    inside = (survival > 0) & (survival < 1) & np.isfinite(variance)
    log_s = np.log(survival[inside])
    half = Z * np.sqrt(variance[inside]) / np.abs(log_s)
    low[inside], high[inside] = np.exp(log_s * np.exp(half)), np.exp(log_s * np.exp(-half))
    ended = survival <= 0
    low[ended], high[ended] = 0.0, 0.0
    return low, high
