"""Qini curve and coefficient, worked by hand; its bootstrap."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from kpibook.stats import qini

#: Treated responder, control without, treated without, control responder.
ANSWERED = np.array([1.0, 0, 0, 1])
TREATED = np.array([True, False, True, False])
ONES = np.ones(4)


def _trial(n: int, seed: int = 3) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(true uplift, answered, treated): half the persons answer because of the treatment with probability 0.4."""
    rng = np.random.default_rng(seed)
    uplift = np.where(rng.random(n) < 0.5, 0.4, 0.0)
    treated = rng.random(n) < 0.5
    return uplift, (rng.random(n) < 0.2 + uplift * treated).astype(float), treated


def test_curve_by_hand() -> None:
    """One case more at a time: extra responses 1, 1 - 0*1, 1 - 0*2, 1 - 1*2/2, per two treated."""
    points = qini.curve(np.array([4.0, 3, 2, 1]), ANSWERED, TREATED, ONES)
    assert points.part == pytest.approx([0, 0.25, 0.5, 0.75, 1])
    assert points.gain == pytest.approx([0, 0.5, 0.5, 0.5, 0])


def test_coefficient_by_hand() -> None:
    """That order is the perfect one: area 0.375, to itself 1. Reversed the gains are 0, -0.5, -0.25, 0: -0.1875."""
    assert qini.coefficient(np.array([4.0, 3, 2, 1]), ANSWERED, TREATED, ONES) == pytest.approx(1)
    assert qini.coefficient(np.array([1.0, 2, 3, 4]), ANSWERED, TREATED, ONES) == pytest.approx(-0.5)


def test_equal_scores_are_one_step() -> None:
    """No order at all is the random line itself."""
    assert qini.coefficient(np.zeros(4), ANSWERED, TREATED, ONES) == pytest.approx(0)


def test_a_weight_of_two_is_two_cases() -> None:
    uplift, answered, treated = _trial(200)
    score, weight = uplift + np.arange(200) * 1e-6, np.where(np.arange(200) % 3 == 0, 2.0, 1.0)
    doubled = np.repeat(np.arange(200), weight.astype(int))
    once = qini.coefficient(score, answered, treated, weight)
    assert once == pytest.approx(qini.coefficient(score[doubled], answered[doubled], treated[doubled], np.ones(267)))


def test_nobody_answers() -> None:
    assert isnan(qini.coefficient(np.arange(4.0), np.zeros(4), TREATED, ONES))
    whole, parts = qini.intervals(np.arange(4.0), np.zeros(4), TREATED, ONES, *2 * [np.arange(4) // 4])
    assert all(map(isnan, [*whole, *parts[0]]))


def test_interval_tells_a_good_score_from_chance() -> None:
    """The truth as score, and a score of dice; clusters are the persons, one stratum."""
    uplift, answered, treated = _trial(2000)
    dice = np.random.default_rng(4).random(2000)
    one, persons = np.zeros(2000, dtype=np.int64), np.arange(2000)
    good = qini.intervals(uplift, answered, treated, np.ones(2000), one, persons, resamples=200)[0]
    chance = qini.intervals(dice, answered, treated, np.ones(2000), one, persons, resamples=200)[0]
    assert good.low > 0
    assert chance.low < 0 < chance.high
    assert good.low < qini.coefficient(uplift, answered, treated, np.ones(2000)) < good.high
    again = qini.intervals(uplift, answered, treated, np.ones(2000), one, persons, resamples=200)[0]
    assert again == good


def test_the_perfect_area_is_that_of_the_perfect_order() -> None:
    """The closed form against the curve of the order itself, with uneven weights."""
    _, answered, treated = _trial(60)
    weight = np.where(treated, 1.5, 3.0)
    perfect = np.where(treated, answered, -answered)
    assert qini.coefficient(perfect, answered, treated, weight) == pytest.approx(1)


def test_intervals_of_strata(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody answers there is no coefficient, and the whole is that of the other stratum; replicates drawn one by
    one are the same as all at once. Two strata of one size with the same persons: the whole lies between the parts.
    """
    uplift, answered, treated = _trial(300)
    stratum = (np.arange(300) >= 200).astype(np.int64)
    silent = np.where(stratum == 1, 0.0, answered)
    arguments = (uplift, silent, treated, np.ones(300), stratum, np.arange(300))
    whole, (first, second) = qini.intervals(*arguments, resamples=50)
    assert whole == pytest.approx(first)
    assert all(map(isnan, second))
    monkeypatch.setattr(qini, "CELLS", 1)
    assert qini.intervals(*arguments, resamples=50)[0] == pytest.approx(whole)
    twice = [np.concatenate([a, a]) for a in (uplift, answered, treated, np.ones(300))]
    halves, persons = np.repeat([0, 1], 300), np.tile(np.arange(300), 2)
    whole, (first, second) = qini.intervals(*twice, halves, persons, resamples=50)
    assert first == pytest.approx(second)
    assert whole == pytest.approx(first)
