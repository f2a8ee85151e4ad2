"""A small version of docs/known_truth.md: programmes of known truth, read by the estimators of the ROI."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
SELECTION = ("weak", "medium", "strong")
PERSONS = 20_000


@pytest.fixture(scope="module")
def study() -> object:
    sys.path.insert(0, str(ROOT))
    try:
        return importlib.import_module("simulations.known_truth")
    finally:
        sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def found(study) -> list:
    """The three strengths of selection with and without effect, and one with each shock."""
    valid = [study.Case(s, e, "none", 5, PERSONS) for s in SELECTION for e in ("none", "effect")]
    shocks = (("lingering", 3 * PERSONS), ("sudden", PERSONS))
    return study.simulate([*valid, *(study.Case("medium", "none", shock, 5, size) for shock, size in shocks)])


def test_the_truth_is_what_it_says() -> None:
    """Without an effect both worlds are the same purchase by purchase; with one the members buy more, others not."""
    sys.path.insert(0, str(ROOT))
    programmes = importlib.import_module("simulations.programmes")
    sys.path.remove(str(ROOT))
    same = programmes.programme(1, persons=2_000, selection="medium", effect="none")
    assert np.array_equal(same.margin, same.without)
    made = programmes.programme(1, persons=2_000, selection="medium", effect="effect")
    never = made.enrolled == programmes.NEVER
    assert np.array_equal(made.margin[never], made.without[never])
    assert (made.margin[~never] >= made.without[~never]).mean() > 0.99
    assert made.margin[~never].sum() > 1.02 * made.without[~never].sum()


def test_risk_sets_are_within_six_percent_where_the_design_is_valid(found: list) -> None:
    assert [(case, r.bias) for case, r in found if case.valid and abs(r.bias) > 6] == []


def test_the_bracket_and_the_interval_hold_the_truth(found: list) -> None:
    assert [case for case, r in found if not r.holds(r.evidence.bracket)] == []
    assert [case for case, r in found if case.shock != "sudden" and not r.holds(r.evidence.interval)] == []


def test_the_naive_gap_is_wrong(found: list) -> None:
    assert min(r.percent(r.naive - r.truth) for _, r in found) > 50


def test_a_lingering_shock_shows_in_the_placebo(found: list) -> None:
    judged = {case.shock: r.evidence for case, r in found}
    assert not judged["lingering"].checks["placebo"]
    assert judged["lingering"].grade == "C"


def test_grade_b_is_not_given_to_a_truth_outside(found: list, study) -> None:
    judged = study.graded(found)
    assert judged.judged == 3 * len(found)
    assert judged.share <= 0.07


def test_grade_b_is_reached_and_holds_the_truth(study) -> None:
    """A very large effect, 40,000 persons: grade B at a cost of 2 % of the margin, and the truth inside."""
    reached = study.simulate([study.Case(s, "very large effect", "none", 6, 40_000) for s in SELECTION])
    assert [r.grade(0.02) for _, r in reached] == ["B"] * 3
    judged = study.graded(reached)
    assert (judged.programmes, judged.wrong) == (3, 0)


def test_graded_counts_programmes_once(study) -> None:
    """Three programmes: B at two costs and right, B at one and wrong, never B."""

    class Made:
        def __init__(self, costs: tuple[float, ...], right: bool) -> None:
            self.costs, self.right, self.evidence = costs, right, self
            self.interval = None

        def grade(self, cost: float) -> str:
            return "B" if cost in self.costs else "C"

        def holds(self, interval: None) -> bool:
            return self.right

    case = study.Case("weak", "none", "none", 1)
    judged = study.graded([(case, Made((0.02, 0.10), True)), (case, Made((0.40,), False)), (case, Made((), False))])
    assert judged == study.Graded(given=3, outside=1, judged=9, programmes=2, wrong=1)
    assert judged.share == 0.5
    assert study.graded([]).share == 0


def test_programmes_that_reach_grade_b_are_simulated(study) -> None:
    made = [case for case in study.cases() if case.effect == "very large effect"]
    assert len(made) == 48
    assert sum(case.shock == "none" for case in made) == 36
    assert not any(case.line for case in made)
    every = study.cases()
    assert len(every) == 108 + 30 + 48
    assert [case.line for case in every] == [True] * 72 + [False] * 114


@pytest.fixture(scope="module")
def designs() -> tuple[list, list]:
    """Stores and invitations, few runs of each kind."""
    sys.path.insert(0, str(ROOT))
    try:
        stores = importlib.import_module("simulations.rollouts")
        invited = importlib.import_module("simulations.invitations")
        return stores.rollouts(20), invited.invitations(60)
    finally:
        sys.path.remove(str(ROOT))


def test_stores_one_after_another(designs: tuple[list, list]) -> None:
    """240 runs: the estimate is right on average, and 95 % of the intervals hold the truth (210 at the very least)."""
    stores = designs[0]
    assert len(stores) == 12
    assert max(abs(float(r.biases.mean())) for r in stores) < 3
    assert abs(float(np.mean([r.biases.mean() for r in stores]))) < 1
    assert sum(r.held for r in stores) >= 210
    assert sum(r.placebos for r in stores) >= 210


def test_invitations_that_not_everybody_follows(designs: tuple[list, list]) -> None:
    """Where 10 % or more follow, the effect per enrolment is right; joiners less others is far off."""
    strong = [r for r in designs[1] if r.compliers >= 0.1]
    assert sum(r.strong for r in strong) == 6 * 60
    assert sum(r.held for r in strong) >= 324
    assert sum(r.returned for r in strong) >= 324
    assert max(abs(float(np.nanmean(r.late)) - r.effect) for r in strong if r.compliers == 0.3) < 3
    assert min(float(r.naive.mean()) - r.effect for r in strong) > 20


def test_hardly_anybody_follows(designs: tuple[list, list]) -> None:
    assert all(r.none > r.strong for r in designs[1] if r.compliers == 0.02)


def test_the_page_says_what_fails(found: list, designs: tuple[list, list], study) -> None:
    """Eight programmes are fewer than the twenty of the line, and the page says so."""
    page = study.page([(replace(c, persons=60_000), r) for c, r in found], *designs)
    assert "| At least 20 programmes | 7 | **fails** |" in page
    assert "| At least 60 programmes reach grade B, so that the next line is about something |" in page
    assert page.count("\n| 60,000 | none | effect |") == 3 + 1 + 1  # programmes, grades, what withholds them
    assert page.count("\n| 12 in three waves |") == 4
    assert page.count("\n| 8,000 | 10 % |") == 2


@pytest.fixture(scope="module")
def withheld() -> object:
    sys.path.insert(0, str(ROOT))
    try:
        return importlib.import_module("simulations.withheld")
    finally:
        sys.path.remove(str(ROOT))


class Judged:
    """A reading in which a drift of 0.5 a month would have shown; its bracket holds the cost 0.1, but not 0.4."""

    def __init__(self, effect: float) -> None:
        self.evidence = self
        self.study = SimpleNamespace(total=effect, person_months=10.0)
        self.placebo = SimpleNamespace(detectable=0.5)
        self.interval = None
        self.checks: dict[str, bool] = {}

    def percent(self, amount: float) -> float:
        return amount / 10

    def judged(self, cost: float) -> SimpleNamespace:
        power = abs(self.study.total) / 2 > 0.5 * 12 * 10
        checks = dict.fromkeys(("size", "balance", "placebo", "pretended", "breakdown", "identified"), True)
        return SimpleNamespace(checks={**checks, "power": power, "bracket": cost == 0.4})

    def grade(self, cost: float) -> str:
        return "B" if all(self.judged(cost).checks.values()) else "C"

    def holds(self, interval: None) -> bool:
        return False


def test_what_a_placebo_of_the_other_kind_would_show(withheld) -> None:
    """A drift of 0.5 a month is 60 over 12 months and 10 person-months, 6 %. The tables of the non-central chi-square
    give 7.849 for one degree of freedom and 13.624 for six (5 %, 80 %): the directed test shows 60 * 0.759 = 45.5. An
    effect of 100 is more than twice that, and less than twice 60; one of 90 is neither, one of 121 both.
    """
    assert withheld.drift(Judged(100)) == (6.0, 5.0)
    assert [withheld.directed(Judged(effect), (0.1, 0.4)) for effect in (90, 100, 121)] == [False, True, True]
    assert not withheld.directed(Judged(121), (0.1,))


def test_what_withholds_grade_b(withheld) -> None:
    assert withheld.failing(Judged(100), (0.1, 0.4)) == {"power"}
    assert withheld.failing(Judged(100), (0.1,)) == {"power", "bracket"}
    rows = withheld.table([((60_000, "none", "effect"), [Judged(100), Judged(121)])], (0.1, 0.4))
    assert rows[2] == "| 60,000 | none | effect | 1 of 2 | 1 | 0 | 0 | 0 | 0 | 0 | 6.0 | 5.5 | 2 | 2 |"
