"""Effective sample sizes and weighted shares, worked by hand."""

import pytest

from kpibook.stats.intervals import wilson
from kpibook.stats.survey_weights import kish, weighted_share


def test_kish_of_equal_and_unequal_weights() -> None:
    """Three equal: 3. 1, 1, 2: (1 + 1 + 2)^2 / (1 + 1 + 4) = 16 / 6."""
    assert kish([0.7, 0.7, 0.7]) == pytest.approx(3)
    assert kish([1, 1, 2]) == pytest.approx(16 / 6)
    assert (kish([]), kish([0, 0])) == (0, 0)


def test_answers_of_one_person_weigh_together() -> None:
    """1 and 1 of the first person, 2 of the second: (2 + 2)^2 / (4 + 4) = 2."""
    assert kish([1, 1, 2], persons=[0, 0, 1]) == pytest.approx(2)


@pytest.mark.parametrize("weights", [[1, -1], [1, float("nan")], [float("inf")]])
def test_impossible_weights_are_refused(weights: list[float]) -> None:
    with pytest.raises(ValueError, match=r"^a survey weight is negative or not a number$"):
        kish(weights)


def test_weighted_share() -> None:
    """Yes with weights 1 and 2, no with 1: 3 of 4; 16/6 effective answers, 2 of them yes."""
    found = weighted_share([1, 0, 1], [1, 1, 2])
    assert found is not None
    assert (found.value, found.numerator, found.denominator) == (0.75, 3, 4)
    assert found.interval == pytest.approx(wilson(2, 16 / 6))


def test_no_weight_no_share() -> None:
    assert weighted_share([], []) is None
    assert weighted_share([1, 0], [0, 0]) is None
