"""Kaplan-Meier by hand and against lifelines."""

from math import exp, isclose, log, sqrt

import numpy as np
from lifelines import KaplanMeierFitter

from kpibook.stats.intervals import Z
from kpibook.stats.survival import kaplan_meier


def test_curve_by_hand():
    """Durations 2, 3+, 4, 4, 6+ (+ = censored). At 2: 5 at risk, 1 event, S = 4/5. At 4: 3 at risk,
    2 events, S = 4/5 · 1/3 = 4/15. Greenwood at 4: 1/(5·4) + 2/(3·1) = 43/60."""
    curve = kaplan_meier([2, 3, 4, 4, 6], [1, 0, 1, 1, 0])

    assert curve.time.tolist() == [2, 3, 4, 6]
    assert curve.at_risk.tolist() == [5, 4, 3, 1]
    assert np.allclose(curve.survival, [4 / 5, 4 / 5, 4 / 15, 4 / 15], atol=1e-15)
    spread = exp(Z * sqrt(43 / 60) / abs(log(4 / 15)))
    assert isclose(curve.low[2], (4 / 15) ** spread, abs_tol=1e-12)
    assert isclose(curve.high[2], (4 / 15) ** (1 / spread), abs_tol=1e-12)


def test_reading_a_curve():
    curve = kaplan_meier([2, 3, 4, 4, 6], [1, 0, 1, 1, 0])

    assert curve.at(1) == (1.0, 1.0, 1.0)
    assert isclose(curve.at(3.9)[0], 4 / 5)
    assert curve.quantile(0.5)[0] == 4
    assert curve.quantile(0.9)[0] is None
    assert [curve.at_risk_at(t) for t in (0, 4, 5, 7)] == [5, 3, 1, 0]


def test_everybody_has_the_event():
    """The last of two dies: S = 1/2, then 0, and the band closes at 0."""
    curve = kaplan_meier([1, 2], [1, 1])

    assert curve.survival.tolist() == [0.5, 0.0]
    assert (curve.low[1], curve.high[1]) == (0.0, 0.0)


def test_weights_count_rows():
    one = kaplan_meier([1, 2, 2, 5], [1, 1, 0, 1])
    other = kaplan_meier([5, 2, 2, 1], [1, 0, 1, 1], weight=[1, 1, 1, 1])
    doubled = kaplan_meier([1, 2, 2, 5], [1, 1, 0, 1], weight=[2, 2, 2, 2])

    assert np.allclose(one.survival, other.survival)
    assert np.allclose(one.survival, doubled.survival)
    assert doubled.at_risk.tolist() == [8, 6, 2]


def test_against_lifelines():
    rng = np.random.default_rng(5)
    duration, event = rng.integers(0, 90, 700), rng.random(700) < 0.6
    curve = kaplan_meier(duration, event)
    fitted = KaplanMeierFitter().fit(duration, event)
    band = fitted.confidence_interval_.loc[curve.time]

    assert np.abs(fitted.survival_function_.loc[curve.time].iloc[:, 0] - curve.survival).max() < 1e-12
    assert np.abs(band.iloc[:, 0] - curve.low).max() < 1e-12
    assert np.abs(band.iloc[:, 1] - curve.high).max() < 1e-12


def test_clusters_of_one_give_greenwood():
    rng = np.random.default_rng(6)
    duration, event = rng.integers(1, 40, 200), rng.random(200) < 0.7
    plain = kaplan_meier(duration, event)
    clustered = kaplan_meier(duration, event, cluster=np.arange(200))
    inside = plain.survival > 0

    assert np.allclose(plain.low[inside], clustered.low[inside], atol=1e-12)


def test_counting_each_person_twice_adds_nothing():
    """Every row doubled within its person: the same curve, and the band of the single rows."""
    rng = np.random.default_rng(7)
    duration, event = rng.integers(1, 40, 150), rng.random(150) < 0.7
    single = kaplan_meier(duration, event)
    persons = np.repeat(np.arange(150), 2)
    doubled = kaplan_meier(np.repeat(duration, 2), np.repeat(event, 2), cluster=persons)
    inside = single.survival > 0

    assert np.allclose(single.survival, doubled.survival)
    assert np.allclose(single.high[inside], doubled.high[inside], atol=1e-12)
