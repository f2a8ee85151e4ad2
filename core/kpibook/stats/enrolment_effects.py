"""Difference-in-differences over stacked risk sets: what members spend because they enrolled.

Base: the mean of the months -6 to -1 before the index month; effects at the months 1 to
``HORIZON`` after it; the index month itself, a purchase by construction, is left out. Within
each stratum of each risk set the controls get the weight of the treated (so no two-way
fixed-effects coefficient is estimated); effects add up over treated person-months, as in
Callaway & Sant'Anna 2021. Controls who enrol later stay in (intention to treat): that
dilutes the effect. They may instead be "later" or "never" enrollers only (a bracket of two
wrong comparisons, one too good and one too bad), or "censored" at their own enrolment, with
inverse-probability-of-censoring weights from the risk sets themselves.

Standard errors: influence functions summed by person over all stacked copies.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from kpibook.stats.enrolment_stacks import BASE, HORIZON, LEADS, POST, TIMES, Stack, log_weights, ratio
from kpibook.stats.risk_sets import NEVER, Flags, Floats, Ints, RiskSets, standardised_difference

__all__ = ["BASE", "HORIZON", "LEADS", "PLACEBO", "POST", "TIMES", "Controls", "Effects", "effects", "studies"]

PLACEBO: Flags = TIMES < -BASE
#: Stacked copies worked on at once.
BLOCK = 50_000

Controls = Literal["risk_set", "later", "never", "censored"]
EVERY: tuple[Controls, ...] = ("risk_set", "later", "never", "censored")


@dataclass(frozen=True)
class Effects:
    """Sums over treated person-months, by enrolment month (rows) and event month (columns, see TIMES).

    sums, months: effect and number of treated person-months, of the treated who have a control.
    observed: the treated's own outcome, same shape. influence: one row a person (``persons``
    wide as the outcome), one column an event month; its columns vary as ``sums.sum(axis=0)``.
    by_month: the influence on the effects after enrolment by month of the study, one column a month.
    balance: standardised differences of tenure and basket. members: the treated of each enrolment month.
    """

    events: Ints
    sums: Floats
    months: Floats
    observed: Floats
    influence: Floats
    by_month: Floats
    treated: int
    controls: int
    balance: Mapping[str, float] = field(default_factory=dict)
    members: tuple[Ints, ...] = ()

    @property
    def total(self) -> float:
        """Effect over all treated person-months after enrolment."""
        return float(self.sums[:, POST].sum())

    @property
    def person_months(self) -> float:
        return float(self.months[:, POST].sum())

    @property
    def total_influence(self) -> Floats:
        return np.asarray(self.influence[:, POST].sum(axis=1))

    @property
    def standard_error(self) -> float:
        """Of ``total``, clustered by person."""
        return clustered_error(self.total_influence)

    @property
    def by_time(self) -> Floats:
        """Mean effect per treated person and event month; nan where nobody is observed."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(self.sums.sum(axis=0) / self.months.sum(axis=0))

    @property
    def covariance(self) -> Floats:
        """Of ``by_time``."""
        with np.errstate(invalid="ignore", divide="ignore"):
            scaled = self.influence[self.influence.any(axis=1)] / self.months.sum(axis=0)
        return np.asarray(np.einsum("ij,ik->jk", scaled, scaled)) * _small_sample(self.influence)

    @property
    def average(self) -> float:
        """Mean effect per treated person-month; nan without any."""
        return self.total / self.person_months if self.person_months else float("nan")


def clustered_error(influence: Floats) -> float:
    """Standard error of a sum whose influence by person is given."""
    return float(np.sqrt(np.sum(influence**2) * _small_sample(influence)))


def _small_sample(influence: Floats) -> float:
    clusters = int(np.count_nonzero(influence.any(axis=1) if influence.ndim == 2 else influence))
    return clusters / (clusters - 1) if clusters > 1 else 1.0


def effects(
    sets: RiskSets,
    outcome: Floats,
    enrolled: Ints,
    *,
    counted: tuple[int, int] | None = None,
    controls: Controls = "risk_set",
    calendar: bool = False,
    weights: Floats | None = None,
) -> Effects:
    """Effects of enrolling on ``outcome`` (persons x months, zero where nothing was bought).

    enrolled: month of enrolment by person (NEVER). counted: first month and month after the last whose
    effects count (default: all); enrolment months without any counted month are left out. The sets
    must hold every month when ``controls`` is "censored", for the weights. calendar: fill ``by_month``. weights: of
    each entry of the sets as a control, all alike when not given.
    """
    return studies(sets, outcome, enrolled, (controls,), counted=counted, calendar=calendar, weights=weights)[controls]


def studies(
    sets: RiskSets,
    outcome: Floats,
    enrolled: Ints,
    controls: Sequence[Controls] = EVERY,
    *,
    counted: tuple[int, int] | None = None,
    calendar: bool = False,
    weights: Floats | None = None,
) -> dict[Controls, Effects]:
    """The same study with several kinds of controls, in one pass."""
    first, end = counted or (0, outcome.shape[1])
    span = (first, min(end, outcome.shape[1]))
    stays = log_weights(sets, outcome.shape) if "censored" in controls else None
    treated = sets.by_cell(sets.treated.astype(np.float64)) > 0
    months = sets.cell_month
    kept = treated & (months + HORIZON >= span[0]) & (months + 1 < span[1]) & (months >= BASE)
    near = sets.part(kept)
    counts = (np.ones(len(sets.cell)) if weights is None else weights)[kept[sets.cell]]
    made = {name: _Sums(outcome, near, calendar) for name in controls}
    for cells in _blocks(near):
        part = near.part(cells)
        stack = Stack(part, outcome, span)
        for name in controls:
            keeps = ~part.treated & _chosen(enrolled[part.person], name)
            found = stack.weights(keeps, enrolled, stays if name == "censored" else None)
            made[name].add(stack, found if weights is None else found * counts[cells[near.cell]][:, None])
    return {name: sums.effects() for name, sums in made.items()}


def _blocks(sets: RiskSets) -> Iterator[Flags]:
    """Whole cells, about BLOCK entries at a time."""
    if not sets.cells:
        return
    last = np.searchsorted(sets.cell, np.arange(sets.cells), side="right")
    number = (last - 1) // BLOCK
    for block in np.unique(number):
        yield np.asarray(number == block)


class _Sums:
    """What the blocks of one study add up to."""

    def __init__(self, outcome: Floats, sets: RiskSets, calendar: bool) -> None:
        self.calendar, self.width = calendar, outcome.shape[1]
        self.events = np.unique(sets.cell_month)
        shape = (len(self.events), len(TIMES))
        self.sums, self.months, self.observed = np.zeros(shape), np.zeros(shape), np.zeros(shape)
        self.influence = np.zeros((outcome.shape[0], len(TIMES)))
        self.by_month = np.zeros((outcome.shape[0], self.width + HORIZON) if calendar else (0, 0))
        self.used: list[tuple[Ints, Ints, Flags]] = []
        self.compared: list[tuple[Ints, Floats, Flags, Ints, Floats]] = []

    def add(self, stack: Stack, weights: Floats) -> None:
        found = stack.compared(weights)
        row = np.searchsorted(self.events, stack.sets.cell_month)
        for total, part in ((self.sums, found.sums), (self.months, found.months), (self.observed, found.observed)):
            np.add.at(total, row, part)
        sets, treated = stack.sets, stack.sets.treated
        self.used.append((sets.person[treated], sets.month[treated], found.used[sets.cell[treated]]))
        self.compared.append((sets.person, found.weight, treated, sets.tenure, sets.basket))
        order = np.argsort(stack.sets.person, kind="stable")
        person, starts = np.unique(stack.sets.person[order], return_index=True)
        self.influence[person] += np.add.reduceat(found.influence[order], starts, axis=0)
        if self.calendar:
            place = sets.person[:, None] * self.by_month.shape[1] + sets.month[:, None] + TIMES[POST]
            added = np.bincount(place.ravel(), found.influence[:, POST].ravel(), self.by_month.size)
            self.by_month += added.reshape(self.by_month.shape)

    def effects(self) -> Effects:
        mean = ratio(self.sums.sum(axis=0), self.months.sum(axis=0))
        for person, month, used in self.used:
            self.influence[person] -= used * mean
            if self.calendar:
                self.by_month[person[:, None], month[:, None] + TIMES[POST]] -= (used * mean)[:, POST]
        seen = self.months[:, POST].any(axis=1)
        members = self._members()
        person, weight, treated, tenure, basket = self._compared()
        return Effects(
            self.events[seen],
            self.sums[seen],
            self.months[seen],
            self.observed[seen],
            self.influence,
            self.by_month[:, : self.width if self.calendar else 0],
            treated=sum(len(who) for who in members),
            controls=len(np.unique(person[~treated])),
            balance={
                name: standardised_difference(values, treated, weight)
                for name, values in (("tenure", tenure), ("basket", basket))
                if len(person)
            },
            members=tuple(members[i] for i in np.flatnonzero(seen)),
        )

    def _members(self) -> list[Ints]:
        """Treated with a counted month, by enrolment month."""
        nobody = np.zeros(0, dtype=np.int64)
        kept = [
            (person[used[:, POST].any(axis=1)], month[used[:, POST].any(axis=1)]) for person, month, used in self.used
        ]
        person, month = (
            (np.concatenate([nobody, *column]) for column in zip(*kept, strict=True)) if kept else (nobody,) * 2
        )
        return [person[month == event] for event in self.events]

    def _compared(self) -> tuple[Ints, Floats, Flags, Ints, Floats]:
        """Who was compared with what weight, for the balance."""
        if not self.compared:
            nothing = np.zeros(0)
            none = nothing.astype(np.int64)
            return none, nothing, nothing.astype(np.bool_), none, nothing
        person, weight, treated, tenure, basket = (
            np.concatenate(column) for column in zip(*self.compared, strict=True)
        )
        some = weight > 0
        return person[some], weight[some], treated[some], tenure[some], basket[some]


def _chosen(enrolled: Ints, controls: Controls) -> Flags:
    match controls:
        case "later":
            return np.asarray(enrolled < NEVER)
        case "never":
            return np.asarray(enrolled == NEVER)
        case _:
            return np.ones(len(enrolled), dtype=np.bool_)
