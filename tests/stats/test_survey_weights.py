"""Effective sample sizes and weighted shares, worked by hand."""

import pytest

from kpibook.stats.intervals import wilson
from kpibook.stats.survey_weights import clustered_variance, effective_answers, kish, weighted_share


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


def test_the_variance_of_a_weighted_mean_by_person() -> None:
    """1, 0, 1 with weights 1, 1, 2: mean 3/4; the answers move it by 1/16, -3/16 and 2/16: 14/256 if they are three
    persons', (1/16 - 3/16)^2 + (2/16)^2 = 8/256 if the first two are one's, who does not agree with himself.
    """
    assert clustered_variance([1, 0, 1], [1, 1, 2]) == pytest.approx(14 / 256)
    assert clustered_variance([1, 0, 1], [1, 1, 2], [0, 0, 1]) == pytest.approx(8 / 256)
    assert clustered_variance([1, 0], [0, 0]) == clustered_variance([], []) == 0


def test_effective_answers() -> None:
    """Scores 1, 2, 3, 6 of two persons: mean 3, spread (4 + 1 + 0 + 9) / 4 = 3.5; the persons move it by -3/4 and 3/4:
    3.5 / (18/16) = 28/9. Of four persons all four count. Where all say 3, Kish's two; nobody said anything: none.
    """
    assert effective_answers([1, 2, 3, 6], [1, 1, 1, 1], [0, 0, 1, 1]) == pytest.approx(28 / 9)
    assert effective_answers([1, 2, 3, 6], [1, 1, 1, 1]) == pytest.approx(4)
    assert effective_answers([3, 3, 3, 3], [1, 1, 1, 1], [0, 0, 1, 1]) == pytest.approx(2)
    assert effective_answers([], []) == 0


def test_weighted_share() -> None:
    """Yes with weights 1 and 2, no with 1: 3 of 4. The variance of 14/256 is that of (3/16) / (14/256) = 24/7 answers,
    more than were given: of 3. Kish's number is 16/6.
    """
    found = weighted_share([1, 0, 1], [1, 1, 2])
    assert found is not None
    assert (found.value, found.numerator, found.denominator) == (0.75, 3, 4)
    assert found.effective_n == pytest.approx(16 / 6)
    assert found.interval == pytest.approx(wilson(2.25, 3))


def test_equal_weights_and_one_answer_a_person_is_wilson() -> None:
    found = weighted_share([1, 1, 0, 0, 0], [2, 2, 2, 2, 2], persons=[0, 1, 2, 3, 4])
    assert found is not None
    assert found.interval == pytest.approx(wilson(2, 5))


def test_answers_of_one_person_count_by_how_alike_they_are() -> None:
    """Ten persons answer twice, half of the answers are yes. All the same as the first time: ten answers, as Kish says.
    Six of two minds do not move the share, the others by 1/20 each: a variance of 4/400, that of 25 answers, but no
    more than the 20 given. Four of two minds: 6/400, that of (1/4) / (6/400) = 50/3 answers.
    """
    who, same, divided = [i // 2 for i in range(20)], [1, 1] * 5 + [0, 0] * 5, [1, 0] * 4
    answers = {10: same, 20: [1, 1] * 2 + [1, 0] * 6 + [0, 0] * 2, 50 / 3: [1, 1] * 3 + divided + [0, 0] * 3}
    for n, said in answers.items():
        found = weighted_share(said, [1] * 20, who)
        assert found is not None
        assert found.interval == pytest.approx(wilson(n / 2, n))
        assert found.effective_n == 10


def test_answers_that_are_met_in_part_scatter_less() -> None:
    """Everybody is met by 1/4 or 3/4: a spread of 1/16, a quarter of that of yes and no, as of four times as many."""
    found = weighted_share([0.25, 0.75] * 5, [1] * 10)
    assert found is not None
    assert (found.value, found.interval) == (0.5, pytest.approx(wilson(20, 40)))


def test_a_unanimous_share_has_the_interval_of_its_persons() -> None:
    found = weighted_share([1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 1, 1])
    assert found is not None
    assert found.interval == pytest.approx(wilson(2, 2))


def test_no_weight_no_share() -> None:
    assert weighted_share([], []) is None
    assert weighted_share([1, 0], [0, 0]) is None
