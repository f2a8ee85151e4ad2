"""Whether answerers resemble those asked, worked by hand."""

import numpy as np
import pytest

from kpibook.stats.representativity import r_indicator, standardised_difference


def test_distance_in_standard_deviations() -> None:
    """0 0 1 1, the ones answered: mean 1 against 1/2, standard deviation 1/2."""
    assert standardised_difference([0, 0, 1, 1], [False, False, True, True]) == 1
    assert standardised_difference([0, 1, 0, 1], [True, True, False, False]) == 0


def test_no_distance_without_answers_or_differences() -> None:
    assert standardised_difference([0, 1], [False, False]) is None
    assert standardised_difference([2, 2], [True, False]) is None
    assert standardised_difference([], []) is None


def test_r_indicator_from_one_to_nothing() -> None:
    """Answering that follows a trait wholly: propensities 0 and 1, S = 1/2, R = 0; not at all: R = 1."""
    assert r_indicator([1, 0, 1, 0], [1, 0, 1, 0]) == pytest.approx(0)
    assert r_indicator([1, 0, 1, 0], [1, 1, 0, 0]) == 1


def test_r_indicator_finds_the_propensities_of_a_large_survey() -> None:
    """Propensities 0.2 and 0.5, half each: S = 0.15, R = 0.7."""
    rng = np.random.default_rng(4)
    trait = np.repeat([0, 1], 20_000)
    answered = rng.random(40_000) < np.where(trait, 0.5, 0.2)
    noise = rng.normal(size=40_000)
    assert r_indicator(answered, np.column_stack([trait, noise])) == pytest.approx(0.7, abs=0.01)


def test_no_r_indicator_of_too_few_or_of_all() -> None:
    assert r_indicator([1, 0], [[1, 2], [3, 4]]) is None
    assert r_indicator([1, 1, 1, 1], [1, 2, 3, 4]) is None
    assert r_indicator([], np.empty((0, 2))) is None


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match=r"^values and answers differ in length$"):
        standardised_difference([1, 2], [True])
