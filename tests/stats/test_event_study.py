"""Placebo, its power, and the breakdown of relative magnitudes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from kpibook.stats import risk_sets as risk
from kpibook.stats.enrolment_effects import TIMES, effects
from kpibook.stats.event_study import MOST, Drift, detectable_slope, drift, placebo


def _effects(early: float, before: float, after: float, months: int = 27):
    """Two alike treated and two alike controls (so no spread): the treated spend ``early`` in the months -12 to -7,
    ``before`` in -6 to -1 and ``after`` from 1 on, the controls 10 always.
    """
    event = 14
    treated = np.array([0.0] * 2 + [early] * 6 + [before] * 6 + [1.0] + [after] * (months - event - 1))
    treated[:2] = early
    control = np.full(months, 10.0)
    outcome = np.stack([treated, treated, control, control])
    person, month = np.divmod(np.arange(4 * months), months)
    band = np.where(month >= 12, 1, 0)
    bought = risk.Purchases(
        person, month, np.ones(len(person)), band, np.zeros(4, dtype=np.int64), np.array([event] * 2 + [risk.NEVER] * 2)
    )
    return effects(risk.risk_sets(bought, risk.at_risk(bought)), outcome, bought.enrolled)


def test_placebo_worked_by_hand() -> None:
    """Before the base the treated spent 13, in it 12; the controls 10: the held-out months differ by +1."""
    found = placebo(_effects(13, 12, 15))
    assert found.value == pytest.approx(1)
    assert not found.holds_zero


def test_placebo_that_nobody_reaches() -> None:
    """Customers of six months only: no month before the base is known, nothing is claimed."""
    study = _effects(13, 12, 15)
    study.months[:, TIMES < -6] = 0
    found = placebo(study)
    assert np.isnan(found.value)
    assert not found.holds_zero
    assert drift(study) is None


def test_detectable_slope_has_the_power() -> None:
    """Simulated: the joint Wald test at 5 % rejects a line of that slope in 80 % of samples."""
    rng = np.random.default_rng(4)
    root = rng.standard_normal((6, 6)) * 0.3 + np.eye(6)
    covariance = root @ root.T
    distance = np.arange(-8.5, -3.0)
    slope = detectable_slope(distance, np.linalg.inv(covariance))
    draws = slope * distance + rng.standard_normal((20_000, 6)) @ root.T
    statistic = np.einsum("ij,jk,ik->i", draws, np.linalg.inv(covariance), draws)
    assert (statistic > stats.chi2.ppf(0.95, 6)).mean() == pytest.approx(0.8, abs=0.01)


def test_nothing_is_detectable_without_information() -> None:
    assert detectable_slope(np.array([-8.5, -7.5]), np.zeros((2, 2))) == float("inf")


def test_robust_interval_by_hand() -> None:
    """Effect 10, drift 2 with exposure 1.5, standard errors 1 and 0.5, independent. At magnitude 1 the bias is
    at most 3 each way with a variance of 1 + 1.5^2 / 4 = 1.5625: 7 - 1.96 * 1.25 to 13 + 1.96 * 1.25.
    """
    found = Drift(10.0, 2.0, 1.5, np.diag([1.0, 0.25]))
    low, high = found.interval(1.0)
    assert (low, high) == (pytest.approx(7 - 1.959964 * 1.25, abs=1e-5), pytest.approx(13 + 1.959964 * 1.25, abs=1e-5))


def test_breakdown_solves_for_zero() -> None:
    """10 - 3 m - 1.96 sqrt(1 + 0.5625 m^2) = 0 at the breakdown."""
    found = Drift(10.0, 2.0, 1.5, np.diag([1.0, 0.25]))
    m = found.breakdown()
    assert 10 - 3 * m - 1.959964 * (1 + 0.5625 * m * m) ** 0.5 == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(("effect", "before", "expected"), [(1.0, 0.0, 0.0), (-500.0, 0.1, MOST)])
def test_breakdown_at_its_ends(effect: float, before: float, expected: float) -> None:
    assert Drift(effect, before, 1.5, np.diag([1.0, 0.25])).breakdown() == expected


def test_exposure_counts_half_years() -> None:
    """All of the 12 months after enrolment are seen: six of them one drift away, six two: 1.5 on average."""
    found = drift(_effects(13, 12, 15))
    assert found is not None
    assert (found.effect, found.before, found.exposure) == (pytest.approx(3), pytest.approx(1), 1.5)
