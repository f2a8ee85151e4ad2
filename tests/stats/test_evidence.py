"""Grades of evidence: every check of B by itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from kpibook.stats.enrolment_checks import Pretended
from kpibook.stats.enrolment_effects import EVERY, PLACEBO, POST, TIMES, Effects
from kpibook.stats.event_study import Drift, Placebo
from kpibook.stats.evidence import Evidence, evidence
from kpibook.stats.intervals import Interval

WIDTH = len(TIMES)


def _effects(total: float = 1200.0, error: float = 60.0, **facts) -> Effects:
    """A study of 100 members over 12 months: 1,200 treated person-months, two persons carry the error."""
    sums, months = np.zeros((1, WIDTH)), np.zeros((1, WIDTH))
    sums[0, POST], months[0, POST], months[0, PLACEBO] = total / 12, 100, 100
    influence = np.zeros((2, WIDTH))
    influence[:, POST] = np.array([[1.0], [-1.0]]) * error / 12 / 2
    made = {"treated": 300, "controls": 900, "balance": {"tenure": 0.02, "basket": -0.05}, **facts}
    return Effects(np.array([7]), sums, months, sums, influence, np.zeros((0, 0)), **made)


GOOD = Evidence(
    study=_effects(),
    later=800.0,
    never=1500.0,
    censored=Interval(1100, 1400),
    placebo=Placebo(0.0, Interval(-0.1, 0.1), 1.0, 0.9, 0.04),
    drift=Drift(1.0, 0.0, 1.5, np.diag([0.0025, 0.01])),
    identified=0.6,
    cost=500.0,
    pretended=Pretended(0.01, Interval(-0.1, 0.1), 300),
)


def test_grade_b_needs_every_check() -> None:
    """Effect 1 a month: detectable 0.04 * 12 = 0.48 is below half of it; the bracket lies above the cost."""
    assert GOOD.grade == "B"
    assert all(GOOD.checks.values())


@pytest.mark.parametrize(
    ("check", "found"),
    [
        ("size", replace(GOOD, study=_effects(treated=199))),
        ("size", replace(GOOD, study=_effects(controls=199))),
        ("balance", replace(GOOD, study=_effects(balance={"tenure": 0.0, "basket": -0.1}))),
        ("placebo", replace(GOOD, placebo=Placebo(0.2, Interval(0.1, 0.3), 9.0, 0.2, 0.04))),
        ("pretended", replace(GOOD, pretended=Pretended(0.2, Interval(0.1, 0.3), 300))),
        ("pretended", replace(GOOD, pretended=None)),
        ("power", replace(GOOD, placebo=Placebo(0.0, Interval(-0.1, 0.1), 1.0, 0.9, 0.0417))),
        ("bracket", replace(GOOD, cost=800.0)),
        ("bracket", replace(GOOD, later=float("nan"))),
        ("breakdown", replace(GOOD, drift=Drift(1.0, 0.7, 1.5, np.diag([0.0025, 0.01])))),
        ("breakdown", replace(GOOD, drift=None)),
        ("identified", replace(GOOD, identified=0.49)),
    ],
)
def test_one_failing_check_makes_grade_c(check: str, found: Evidence) -> None:
    assert [name for name, holds in found.checks.items() if not holds] == [check]
    assert found.grade == "C"


def test_a_bracket_below_the_cost_is_on_one_side_too() -> None:
    assert replace(GOOD, cost=2000.0).grade == "B"


@pytest.mark.parametrize("facts", [{"treated": 0}, {"controls": 0}])
def test_nobody_to_compare_with_is_grade_d(facts: dict) -> None:
    assert replace(GOOD, study=_effects(**facts)).grade == "D"


def test_interval_spans_sampling_drift_and_censoring() -> None:
    """Total 1,200; the drift of magnitude 1 widens the mean effect of 1 by 1.96 sqrt(0.0025 + 2.25 * 0.01) = 0.3099,
    times 1,200 months 371.9; the censored reading lies inside.
    """
    assert GOOD.interval == pytest.approx((828.1, 1571.9), abs=0.1)
    assert replace(GOOD, censored=Interval(1100, 1800)).interval.high == 1800
    assert GOOD.bounds == pytest.approx((800, 1571.9), abs=0.1)


def test_readings_are_scaled_to_the_months_of_the_study() -> None:
    """Later enrollers as controls cover half of the months, with 400 in 600: 800 in 1,200."""
    later = _effects(400.0)
    later.months[:] /= 2
    found = evidence(
        dict(zip(EVERY, (_effects(), later, _effects(1500.0), _effects(1300.0)), strict=True)), identified=0.6
    )
    assert (found.later, found.never) == pytest.approx((800, 1500))
    assert found.bracket == pytest.approx((800, 1500))
    assert sum(found.censored) / 2 == pytest.approx(1300)
