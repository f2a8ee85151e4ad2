"""One loyalty programme in numbers: who buys, who joins, and what the members would have spent without it.

Monthly purchases are Poisson with a log-normal rate; everybody may leave at the end of any month.
The readiness to join grows with what the firm cannot see (rate, loyalty, basket): that is the
selection. Joining raises the rate and lowers the chance to leave. The same person's draws serve
both worlds, so the margin without the programme is known month by month. This is one family of
data-generating processes: evidence about an estimator, not a theorem.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from kpibook.stats.risk_sets import NEVER

MONTHS = 40
BEFORE = 24
LAUNCH = 13
MARGIN = 0.35
SEASON = np.array([0.85, 0.85, 0.95, 1.0, 1.05, 1.0, 0.95, 0.75, 1.0, 1.05, 1.15, 1.45])
SELECTION = {"weak": 0.25, "medium": 0.5, "strong": 0.9}
#: (more purchases, fewer departures) of members.
EFFECTS = {
    "none": (0.0, 0.0),
    "effect": (0.08, 0.15),
    "large effect": (0.20, 0.30),
    "very large effect": (0.40, 0.50),
}

Shock = Literal["none", "lingering", "sudden"]
Table = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Programme:
    """Arrays by person, or persons x months: ``margin`` as it was, ``without`` as it would have been."""

    first: npt.NDArray[np.int64]
    enrolled: npt.NDArray[np.int64]
    purchases: npt.NDArray[np.int64]
    basket: Table
    margin: Table
    without: Table


def programme(
    seed: int, *, persons: int, selection: str, effect: str, shock: Shock = "none", joining: float = 0.05
) -> Programme:
    """One programme: the first MONTHS months seen, launched in month LAUNCH, after BEFORE months that nobody recorded.

    selection, effect: keys of SELECTION and EFFECTS. shock: now and then a person's rate jumps by 70 % for eight
    months on average, and so does the readiness to join: fivefold as long as it lasts (lingering), or eightfold in
    its first month only (sudden), when nothing before enrolment can show it. joining: chance per purchase.
    """
    return _World(np.random.default_rng(seed), persons, SELECTION[selection], EFFECTS[effect], shock, joining).live()


class _World:
    def __init__(
        self,
        rng: np.random.Generator,
        persons: int,
        selection: float,
        effect: tuple[float, float],
        shock: Shock,
        joining: float,
    ) -> None:
        self.rng, self.persons, self.shock = rng, persons, shock
        self.more, self.fewer = effect
        rate, leaving, basket = rng.standard_normal((3, persons))
        self.rate = 0.85 * np.exp(0.75 * rate - 0.28)
        self.leaves = 1 / (1 + np.exp(3.4 - 0.8 * leaving + 0.3 * rate))
        self.basket = 30 * np.exp(0.45 * basket)
        ready = np.exp(selection * (rate - leaving + 0.5 * basket) / 1.5 - selection**2 / 2)
        self.joins, self.joins_first = joining * ready, 0.25 * ready
        early = rng.random(persons) < 0.55
        self.arrives = np.where(early, rng.integers(-BEFORE, 0, persons), rng.integers(0, MONTHS, persons))
        self.enrolled = np.full(persons, NEVER)
        self.first = np.full(persons, NEVER)
        self.stays, self.stays_without = np.ones(persons, dtype=bool), np.ones(persons, dtype=bool)
        self.heat = np.zeros(persons, dtype=np.int64)

    def live(self) -> Programme:
        shape = (self.persons, MONTHS)
        purchases = np.zeros(shape, dtype=np.int64)
        basket, margin, without = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        for month in range(-BEFORE, MONTHS):
            fresh = self._heat_up(month)
            bought, bought_without = self._buy(month)
            if month >= 0:
                value = self.basket * np.exp(0.35 * self.rng.standard_normal(self.persons) - 0.06)
                purchases[:, month], basket[:, month] = bought, np.where(bought > 0, value, 0.0)
                margin[:, month], without[:, month] = bought * value * MARGIN, bought_without * value * MARGIN
                self.first[(self.first == NEVER) & (bought > 0)] = month
                self._join(month, bought, fresh)
            self._leave(month)
        return Programme(self.first, self.enrolled, purchases, basket, margin, without)

    def _heat_up(self, month: int) -> npt.NDArray[np.bool_]:
        if self.shock == "none":
            return np.zeros(self.persons, dtype=bool)
        self.heat = np.maximum(self.heat - 1, 0)
        fresh = (self.arrives <= month) & (self.heat == 0) & (self.rng.random(self.persons) < 0.03)
        self.heat[fresh] = self.rng.geometric(1 / 8, int(fresh.sum()))
        return fresh

    def _buy(self, month: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Purchases with and without the programme; whom it kept from leaving draws for himself."""
        here = self.arrives <= month
        rate = self.rate * SEASON[month % 12] * np.where(self.heat > 0, 1.7, 1.0) * here
        base = self.rng.poisson(rate)
        base[(self.arrives == month) & (base == 0)] = 1
        extra = self.rng.poisson(rate * self.more) * (self.enrolled < month)
        return (base + extra) * self.stays, base * self.stays_without

    def _join(self, month: int, bought: npt.NDArray[np.int64], fresh: npt.NDArray[np.bool_]) -> None:
        chance = np.where(self.first == month, np.maximum(self.joins, self.joins_first), self.joins)
        hot = fresh if self.shock == "sudden" else self.heat > 0
        chance = np.clip(chance * np.where(hot, 8.0 if self.shock == "sudden" else 5.0, 1.0), 0.0, 0.9)
        joins = (self.enrolled == NEVER) & (self.rng.random(self.persons) < 1 - (1 - chance) ** bought)
        if month >= LAUNCH:
            self.enrolled[joins] = month

    def _leave(self, month: int) -> None:
        luck = np.where(self.arrives <= month, self.rng.random(self.persons), 1.0)
        self.stays_without &= luck >= self.leaves
        self.stays &= luck >= self.leaves * np.where(self.enrolled <= month, 1 - self.fewer, 1.0)
