"""Effects per enrolment that an invitation caused."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.sandbox.regression.gmm import IV2SLS

from kpibook.stats.encouragement import STRONG, Contrasted, per_unit
from kpibook.stats.experiments import contrast

ALONE = np.arange(8)


def _contrasted(values: list[float], treated: np.ndarray) -> Contrasted:
    ones, whole = np.ones(len(treated)), np.zeros(len(treated), dtype=np.int64)
    made = contrast(np.asarray(values, dtype=float), treated, ones, whole)
    return Contrasted(float(made.treated[0] - made.control[0]), made.influence)


INVITED = np.array([True] * 4 + [False] * 4)
JOINED = _contrasted([1, 1, 1, 0, 1, 0, 0, 0], INVITED)
SPENT = _contrasted([10, 6, 4, 4, 8, 2, 2, 0], INVITED)


def test_effect_per_joiner_by_hand() -> None:
    """Invited spend 6 and 3/4 join, others spend 3 and 1/4 join: 3 more and 1/2 more, 6 for each who joined for it."""
    found = per_unit(SPENT, JOINED, ALONE)
    assert found is not None
    assert found.value == pytest.approx(6)
    assert found.strength == pytest.approx(2)
    assert found.strength < STRONG
    assert found.interval is None


def test_first_stage_by_hand() -> None:
    """Shares 3/4 and 1/4 of four each: variances 3/16 * 4/3 / 4 = 1/16 each, F = (1/2)^2 / (1/8) = 2."""
    assert float(np.sum(JOINED.influence**2)) == pytest.approx(1 / 8)


def test_interval_by_hand() -> None:
    """Differences 8 (variance 1) and 4 (variance 0.25), uncorrelated. Fieller: a = 16 - 3.8415 / 4 = 15.0396, b = 32,
    c = 64 - 3.8415 = 60.1585: (32 -+ sqrt(1024 - 904.77)) / 15.0396 = 1.4017 and 2.8537.
    """
    one = Contrasted(8.0, np.array([1.0, 0.0]))
    other = Contrasted(4.0, np.array([0.0, 0.5]))
    found = per_unit(one, other, np.arange(2))
    assert found is not None
    assert found.interval == pytest.approx((1.4017, 2.8537), abs=1e-3)
    assert found.strength == pytest.approx(64)


def test_cases_of_one_person_vary_together() -> None:
    """Two cases of one person with influence 1/2 each make a variance of 1, as the one case above."""
    one = Contrasted(8.0, np.array([0.5, 0.5, 0.0]))
    other = Contrasted(4.0, np.array([0.0, 0.0, 0.5]))
    found = per_unit(one, other, np.array([0, 0, 1]))
    assert found is not None
    assert found.interval == pytest.approx((1.4017, 2.8537), abs=1e-3)


def test_nobody_moved() -> None:
    assert per_unit(SPENT, Contrasted(0.0, JOINED.influence), ALONE) is None


def test_everybody_moved_alike() -> None:
    """All invited join, none of the others: the second difference is certain, its F infinite."""
    found = per_unit(SPENT, _contrasted([1, 1, 1, 1, 0, 0, 0, 0], INVITED), ALONE)
    assert found is not None
    assert (found.value, found.strength) == (pytest.approx(3), float("inf"))


def test_the_point_is_that_of_two_stage_least_squares() -> None:
    rng = np.random.default_rng(3)
    invited = rng.random(400) < 0.5
    joined = (rng.random(400) < 0.2 + 0.4 * invited).astype(float)
    spent = rng.gamma(2.0, 10.0, 400) + 5 * joined
    found = per_unit(_contrasted(list(spent), invited), _contrasted(list(joined), invited), np.arange(400))
    design = np.column_stack([np.ones(400), joined])
    other = IV2SLS(spent, design, np.column_stack([np.ones(400), invited])).fit()
    assert found is not None
    assert found.value == pytest.approx(other.params[1], rel=1e-9)
