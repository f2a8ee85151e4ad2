"""A small version of docs/known_truth.md: programmes of known truth, read by the estimators of the ROI."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
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
    valid = [study.Case(s, e, "none", 5, PERSONS) for s in study.SELECTION for e in ("none", "effect")]
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


def test_the_page_says_what_fails(found: list, study) -> None:
    """Eight programmes are fewer than the twenty of the line, and the page says so."""
    page = study.page([(study.Case(c.selection, c.effect, c.shock, c.seed), r) for c, r in found])
    assert "| At least 20 programmes | 7 | **fails** |" in page
    assert page.count("\n| none | effect |") == 3
