"""How units issued over time end: one of two ends, or still open.

Aalen-Johansen estimate of the first end (redeemed) with the second competing (expired) and
open units censored, weighted by units; its spread from resampled groups that are independent,
such as members dealt out at random: what one member earns in many months ends in much the same way.

Sources: Aalen & Johansen 1978; Wolter 2007, Introduction to Variance Estimation, chapter 2 (random
groups); Davison & Hinkley 1997, section 3.8 (bootstrap of clusters).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kpibook.stats.intervals import CONFIDENCE

Floats = npt.NDArray[np.float64]
RESAMPLES = 1000
SEED = 20240101


@dataclass(frozen=True)
class Development:
    """Shares by age 0, 1, ... (arrays of one length): of units open at the start of that age, how many are redeemed.

    ``low`` takes none of the units open after the last age (``tail``, a share of all) to be redeemed, ``high`` all of
    them. ``low_drawn`` and ``high_drawn`` are the same for each resample: (resamples, ages).
    """

    low: Floats
    high: Floats
    tail: float
    low_drawn: Floats
    high_drawn: Floats

    @property
    def middle(self) -> Floats:
        """Half of the tail redeemed."""
        return (self.low + self.high) / 2

    def expected(self, age: npt.ArrayLike, units: npt.ArrayLike) -> tuple[float, float, float]:
        """Units redeemed in the end of ``units`` open at ``age`` (two arrays of one length), with their interval.

        Beyond the last age nothing is known but the tail.
        """
        amount = np.asarray(units, dtype=np.float64)
        by_age = np.bincount(np.minimum(np.asarray(age, dtype=np.int64), len(self.low)), amount, len(self.low) + 1)
        beyond = np.array([0.0, by_age[-1] if self.tail > 0 else 0.0])
        inside = by_age[:-1]
        ends = np.array([self.low @ inside, self.high @ inside]) + beyond
        drawn = np.stack([self.low_drawn @ inside, self.high_drawn @ inside]) + beyond[:, None]
        low, high = _band(drawn.min(axis=0), drawn.max(axis=0))
        return float(ends.mean()), low, high


def develop(
    group: npt.ArrayLike, age: npt.ArrayLike, redeemed: npt.ArrayLike, expired: npt.ArrayLike, still: npt.ArrayLike
) -> Development:
    """From cells of one length, at least one: units of a ``group`` redeemed, expired, or last seen open at ``age``.

    ``group`` and ``age`` are integers from 0. Raises ValueError when there is no unit at all.
    """
    shape = (int(np.max(group)) + 1, int(np.max(age)) + 1)
    cells = (np.asarray(group, dtype=np.int64), np.asarray(age, dtype=np.int64))
    ends = np.zeros((3, *shape))
    for number, units in enumerate((redeemed, expired, still)):
        np.add.at(ends[number], cells, np.asarray(units, dtype=np.float64))
    if not ends.sum() > 0:
        raise ValueError("there are no units to develop")
    whole = _hazards(ends.sum(axis=1))
    low, high, tail = _prospects(*whole)
    rng = np.random.default_rng(SEED)
    weights = rng.multinomial(shape[0], np.full(shape[0], 1 / shape[0]), RESAMPLES).astype(np.float64)
    drawn = _hazards(np.stack([weights @ part for part in ends]))
    filled = [np.where(np.isnan(part), base, part) for part, base in zip(drawn, whole, strict=True)]
    low_drawn, high_drawn, _ = _prospects(*filled)
    return Development(low, high, float(tail), low_drawn, high_drawn)


def interval(development: Development) -> tuple[float, float]:
    """Interval of the share of new units that are redeemed in the end, tail included."""
    return _band(development.low_drawn[:, 0], development.high_drawn[:, 0])


def _hazards(ends: Floats) -> tuple[Floats, Floats]:
    """Shares of the units open at each age that are redeemed, and that stay open; nan where none are open."""
    at_risk = ends.sum(axis=0)[..., ::-1].cumsum(axis=-1)[..., ::-1]
    open_ = np.where(at_risk > 0, at_risk, np.nan)
    return ends[0] / open_, np.clip(1 - (ends[0] + ends[1]) / open_, 0, 1)


def _prospects(redeeming: Floats, staying: Floats) -> tuple[Floats, Floats, Floats]:
    stay = np.where(np.isnan(staying), 1.0, staying)
    left = stay.cumprod(axis=-1)
    start = np.concatenate([np.ones_like(left[..., :1]), left[..., :-1]], axis=-1)
    flow = start * np.where(np.isnan(redeeming), 0.0, redeeming)
    to_come = flow[..., ::-1].cumsum(axis=-1)[..., ::-1]
    known = np.where(start > 0, start, np.nan)
    tail = left[..., -1]
    low = np.nan_to_num(to_come / known)
    high = np.nan_to_num((to_come + tail[..., None]) / known)
    return low, high, tail


def _band(low: Floats, high: Floats) -> tuple[float, float]:
    outside = (1 - CONFIDENCE) / 2
    return float(np.quantile(low, outside)), float(np.quantile(high, 1 - outside))
