"""The programmes of docs/known_truth.md: which are simulated, what is read of them, how often grade B is right."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

from threadpoolctl import threadpool_limits

from simulations.programmes import SELECTION, Shock, programme
from simulations.readings import Reading, read

Kind = tuple[int, str, str]

PERSONS = 60_000
MANY = 250_000
SEEDS = (1, 2, 3, 4)
#: Effects of the issue's programmes, and one beyond.
EFFECTS = ("none", "effect", "large effect")
#: Seeds of the programmes whose effect is so large that grade B is reached.
REACHING = tuple(range(11, 23))
#: Programme cost in shares of the members' margin without it: small, middling, beyond any effect.
COSTS = (0.02, 0.10, 0.40)


@dataclass(frozen=True)
class Case:
    """One programme to simulate; ``line`` if it is one of the issue's."""

    selection: str
    effect: str
    shock: Shock
    seed: int
    persons: int = PERSONS

    @property
    def line(self) -> bool:
        return self.effect in ("none", "effect") and self.shock != "sudden"

    @property
    def valid(self) -> bool:
        return self.shock == "none"


def cases(seeds: Sequence[int] = SEEDS) -> list[Case]:
    """The issue's programmes of both sizes, then harder ones: a large effect, a shock that begins with the enrolment;
    then those at which grade B is reached.
    """
    shocks: tuple[Shock, ...] = ("none", "lingering", "sudden")
    every = [
        Case(selection, effect, shock, seed)
        for shock in shocks
        for effect in EFFECTS
        for selection in SELECTION
        for seed in seeds
    ]
    large = [
        Case(selection, effect, shock, seed, MANY)
        for shock in shocks
        for effect in EFFECTS[: 1 if shock == "sudden" else 2]
        for selection in SELECTION
        for seed in seeds[:2]
    ]
    return sorted([*every, *large, *reaching()], key=lambda case: not case.line)


def reaching(seeds: Sequence[int] = REACHING) -> list[Case]:
    """Programmes of 60,000 persons at which grade B is reached: a very large effect, with and without a shock."""
    shocks: tuple[tuple[Shock, int], ...] = (("none", len(seeds)), ("sudden", len(seeds) // 3))
    return [
        Case(selection, "very large effect", shock, seed)
        for shock, many in shocks
        for selection in SELECTION
        for seed in seeds[:many]
    ]


def simulate(chosen: Sequence[Case], workers: int = 1) -> list[tuple[Case, Reading]]:
    """Every case read, ``workers`` at a time; a dot on stderr for each."""
    if workers == 1:
        return list(zip(chosen, map(_simulated, enumerate(chosen)), strict=True))
    with ProcessPoolExecutor(workers) as pool:
        return list(zip(chosen, pool.map(_simulated, enumerate(chosen)), strict=True))


def _simulated(numbered: tuple[int, Case]) -> Reading:
    number, case = numbered
    seed = 1_000 * case.seed + number
    with threadpool_limits(1):
        made = programme(seed, persons=case.persons, selection=case.selection, effect=case.effect, shock=case.shock)
        found = read(made)
    sys.stderr.write(".")
    sys.stderr.flush()
    return found


@dataclass(frozen=True)
class Graded:
    """How often grade B was given, over programmes and costs, and how often the truth lay outside its interval.

    programmes, wrong: the same over programmes with grade B at any cost, whose interval is the same at all.
    """

    given: int
    outside: int
    judged: int
    programmes: int
    wrong: int

    @property
    def share(self) -> float:
        return self.wrong / self.programmes if self.programmes else 0.0


def graded(found: Sequence[tuple[Case, Reading]]) -> Graded:
    rows = [(sum(r.grade(cost) == "B" for cost in COSTS), r.holds(r.evidence.interval)) for _, r in found]
    given = sum(times for times, _ in rows)
    outside = sum(times for times, holds in rows if not holds)
    missed = [not holds for times, holds in rows if times]
    return Graded(given, outside, len(rows) * len(COSTS), len(missed), sum(missed))


def kind(case: Case) -> Kind:
    """Persons, shock and effect."""
    return case.persons, case.shock, case.effect


def by_kind(found: Sequence[tuple[Case, Reading]]) -> list[tuple[Kind, list[tuple[Case, Reading]]]]:
    """The programmes of each kind, in order."""
    kinds = dict.fromkeys(kind(case) for case, _ in found)
    return [(one, [(case, r) for case, r in found if kind(case) == one]) for one in kinds]
