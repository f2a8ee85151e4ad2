"""Kaplan-Meier curves with log-log intervals.

Sources: Kaplan & Meier 1958; Kalbfleisch & Prentice 1980 (log-log Greenwood);
Williams 1995 (variance when one person contributes several durations).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import Z

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Survival at each distinct duration: arrays of one length, S(t) just after ``time``."""

    time: Floats
    at_risk: Floats
    events: Floats
    survival: Floats
    low: Floats
    high: Floats

    def at(self, time: float) -> tuple[float, float, float]:
        """S(t) with its interval; (1, 1, 1) before the first duration."""
        i = int(np.searchsorted(self.time, time, side="right")) - 1
        return (1.0, 1.0, 1.0) if i < 0 else (float(self.survival[i]), float(self.low[i]), float(self.high[i]))

    def at_risk_at(self, time: float) -> float:
        """Persons with a duration of at least ``time``."""
        i = int(np.searchsorted(self.time, time, side="left"))
        return float(self.at_risk[i]) if i < len(self.time) else 0.0

    def quantile(self, q: float = 0.5) -> tuple[float | None, float | None, float | None]:
        """Smallest time with S(t) <= 1 - q, and where the band crosses; None where it never does."""
        value, early, late = (self._first(s, 1 - q) for s in (self.survival, self.low, self.high))
        return value, early, late

    def _first(self, survival: Floats, level: float) -> float | None:
        below = np.flatnonzero(survival <= level + 1e-12)
        return float(self.time[below[0]]) if below.size else None


def kaplan_meier(
    duration: npt.ArrayLike,
    event: npt.ArrayLike,
    weight: npt.ArrayLike | None = None,
    cluster: npt.ArrayLike | None = None,
) -> Curve:
    """Product-limit estimate of right-censored durations.

    All inputs have one length. ``weight`` counts identical rows; ``cluster`` (integer
    codes from 0) makes the variance robust to several durations of one person,
    otherwise it is Greenwood's. At least one row.
    """
    t = np.asarray(duration, dtype=np.float64)
    d = np.asarray(event, dtype=np.float64)
    w = np.ones_like(t) if weight is None else np.asarray(weight, dtype=np.float64)
    times, index = np.unique(t, return_inverse=True)
    events = np.asarray(np.bincount(index, weights=w * d, minlength=len(times)), dtype=np.float64)
    leaving = np.bincount(index, weights=w, minlength=len(times))
    at_risk = np.asarray(leaving[::-1].cumsum()[::-1], dtype=np.float64)
    with np.errstate(divide="ignore"):
        log_survival = np.log1p(-events / at_risk).cumsum()
    survival = np.exp(log_survival)
    if cluster is None:
        with np.errstate(divide="ignore", invalid="ignore"):
            variance = (events / (at_risk * (at_risk - events))).cumsum()
    else:
        codes = np.asarray(cluster)
        variance = _clustered_variance(index, d, w, codes, events, at_risk)
    low, high = _log_log_band(survival, variance)
    return Curve(times, at_risk, events, survival, low, high)


def _clustered_variance(
    index: npt.NDArray[np.int64], event: Floats, weight: Floats, cluster: npt.ArrayLike, events: Floats, at_risk: Floats
) -> Floats:
    """Variance of log S(t): squared influence, summed within persons before squaring."""
    codes = np.asarray(cluster)
    order = np.argsort(index, kind="stable")
    codes, index, event, weight = codes[order], index[order], event[order], weight[order]
    present = np.bincount(codes, weights=weight)
    influence = np.zeros_like(present)
    starts = np.searchsorted(index, np.arange(len(events) + 1))
    variance = np.empty(len(events))
    for i in range(len(events)):
        rows = slice(starts[i], starts[i + 1])
        survivors = at_risk[i] - events[i]
        if events[i] > 0 and survivors > 0:
            influence -= present * (events[i] / (at_risk[i] * survivors))
            np.add.at(influence, codes[rows], weight[rows] * event[rows] * (1 / survivors))
        variance[i] = np.inf if survivors == 0 and events[i] > 0 else float(influence @ influence)
        np.subtract.at(present, codes[rows], weight[rows])
    return np.maximum.accumulate(variance)


def _log_log_band(survival: Floats, variance: Floats) -> tuple[Floats, Floats]:
    low, high = np.ones_like(survival), np.ones_like(survival)
    inside = (survival > 0) & (survival < 1) & np.isfinite(variance)
    log_s = np.log(survival[inside])
    half = Z * np.sqrt(variance[inside]) / np.abs(log_s)
    low[inside] = np.exp(log_s * np.exp(half))
    high[inside] = np.exp(log_s * np.exp(-half))
    ended = survival <= 0
    low[ended], high[ended] = 0.0, 0.0
    return low, high
