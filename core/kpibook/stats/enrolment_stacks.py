"""One block of stacked risk sets: every person's months around the index month, and the comparison within strata."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpibook.stats.risk_sets import Flags, Floats, Ints, RiskSets

BASE = 6
LEADS = 12
HORIZON = 12
#: Event months in the order of the columns of all arrays.
TIMES: Ints = np.array([*range(-LEADS, 0), *range(1, HORIZON + 1)], dtype=np.int64)
POST: Flags = TIMES > 0
_BASE: Flags = (TIMES < 0) & (TIMES >= -BASE)


@dataclass(frozen=True)
class Compared:
    """One kind of controls: sums, months, observed and used by cell; influence by entry, the treated not yet centred.

    weight: of every entry in the comparison after enrolment, 0 for who does not take part.
    """

    sums: Floats
    months: Floats
    observed: Floats
    used: Flags
    influence: Floats
    weight: Floats


class Stack:
    """Risk sets with their outcome, differenced against the base; ``counted`` are the months whose effects count."""

    def __init__(self, sets: RiskSets, outcome: Floats, counted: tuple[int, int]) -> None:
        self.sets = sets
        self.calendar = sets.month[:, None] + TIMES
        inside = (self.calendar >= 0) & (self.calendar < outcome.shape[1])
        place = sets.person[:, None] * outcome.shape[1] + np.clip(self.calendar, 0, outcome.shape[1] - 1)
        own = outcome.ravel()[place] * inside
        self.moved = own - own[:, _BASE].mean(axis=1)[:, None]
        self.treated = sets.by_cell(sets.treated.astype(np.float64))
        self.observed = sets.by_cell(own * sets.treated[:, None])
        self.gained = sets.by_cell(self.moved * sets.treated[:, None])
        months = sets.cell_month[:, None] + TIMES
        seen = (months >= 0) & (months < outcome.shape[1])
        counts = ~POST | ((months >= counted[0]) & (months < counted[1]))
        self.countable = seen & counts & ((TIMES >= -BASE) | sets.long[:, None]) & (self.treated > 0)[:, None]

    def weights(self, keeps: Flags, enrolled: Ints, stays: Floats | None) -> Floats:
        """Of every entry and event month as a control: those who are kept, until they enrol when ``stays`` is given."""
        if stays is None:
            return np.asarray(keeps[:, None].astype(np.float64))
        person, width = self.sets.person, stays.shape[1]
        later = np.clip(self.calendar[:, POST], 0, width - 1)
        grown = stays[person[:, None], later] - stays[person, self.sets.month][:, None]
        weights = np.repeat(keeps[:, None].astype(np.float64), len(TIMES), axis=1)
        weights[:, POST] *= np.exp(grown) * (enrolled[person][:, None] > self.calendar[:, POST])
        return weights

    def compared(self, weights: Floats) -> Compared:
        """Treated minus weighted controls, cell by cell."""
        sets = self.sets
        mass = sets.by_cell(weights)
        level = ratio(sets.by_cell(weights * self.moved), mass)
        used = self.countable & (mass > 0)
        scale = ratio(self.treated[:, None], mass) * used
        few = _correction(sets.by_cell((weights > 0).astype(np.float64)))
        rest = self.moved - level[sets.cell]
        influence = np.where(sets.treated[:, None], rest * used[sets.cell], -rest * weights * (scale * few)[sets.cell])
        after = used[:, POST].any(axis=1)[sets.cell]
        kept = weights[:, 0] * scale[:, POST].max(axis=1)[sets.cell]
        return Compared(
            (self.gained - self.treated[:, None] * level) * used,
            self.treated[:, None] * used,
            self.observed * used,
            used,
            influence,
            np.where(sets.treated, 1.0, kept) * after,
        )


def log_weights(sets: RiskSets, shape: tuple[int, ...]) -> Floats:
    """Persons x months: minus the log chance of not having enrolled so far, from each month's risk set by stratum."""
    treated = sets.by_cell(sets.treated.astype(np.float64))
    controls = sets.by_cell((~sets.treated).astype(np.float64))
    left = np.where(controls > 0, np.log1p(treated / np.maximum(controls, 1)), 0.0)
    logs = np.zeros(shape)
    logs[sets.person, sets.month] = left[sets.cell]
    return np.asarray(logs.cumsum(axis=1))


def ratio(top: Floats, bottom: Floats) -> Floats:
    """top / bottom, 0 where there is nothing to divide by."""
    return np.asarray(np.divide(top, bottom, out=np.zeros(np.broadcast(top, bottom).shape), where=bottom != 0))


def _correction(controls: Floats) -> Floats:
    """Residuals around a mean of n are too small by sqrt((n - 1) / n)."""
    return np.asarray(np.where(controls > 1, np.sqrt(controls / np.maximum(controls - 1, 1)), 1.0))
