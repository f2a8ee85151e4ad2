"""Which answers count: breaks of scale, wording and mode, respondents, and what lies outside a scale."""

from __future__ import annotations

import json

import pytest

from kpis.survey_cases import DATA, YEAR, answer, compute, figure, reason
from tiny_client import row


def standings(results, kpi: str = "csat") -> dict[str, int]:
    table = results.tables[kpi]
    return table.groupby("standing")["answers"].sum().to_dict()


def wave(name: str, day: str, scores: list[float], **more):
    return [answer(f"{name}{i}", "CSAT", s, wave_id=name, day=day, **more) for i, s in enumerate(scores)]


def test_answers_before_a_new_scale_are_a_break_in_the_series() -> None:
    """The survey's CSAT moves from 1-10 to 1-5 in May: only the two answers since count, one of them satisfied.

    The year before is on the old scale: undefined, with no change stated.
    """
    answers = [
        *wave("2023", "2023-06-01", [9, 10, 8], scale=(1, 10)),
        *wave("early", "2024-02-01", [9, 10], scale=(1, 10)),
        *wave("late", "2024-05-01", [4, 2]),
    ]
    results = compute("csat", *answers, compare="2023-01-01/2023-12-31")
    assert figure(results, "csat") == (0.5, 2, "low_n")
    assert standings(results) == {"counted": 2, "scale": 2}
    before = row(results, "csat", period="previous")
    assert (before["value"], before["status"], row(results, "csat")["change"]) == (None, "undefined", None)
    assert json.loads(before["reason"]) == {
        "text": "None of {n} answers counts: {unanswered} without a score, {off_scale} outside their scale, {broken}"
        " before a break in the series (scale, wording or mode), {other} on a scale that has no place here.",
        "n": 3,
        "unanswered": 0,
        "off_scale": 0,
        "broken": 3,
        "other": 0,
    }


def test_another_direction_is_another_scale() -> None:
    answers = [*wave("a", "2024-02-01", [1, 2], higher_is_better=False), *wave("b", "2024-05-01", [4, 2])]
    results = compute("csat", *answers)
    assert standings(results) == {"counted": 2, "scale": 2}


def test_a_survey_that_ended_before_the_latest_began_has_other_words() -> None:
    """Survey old ends in February, new begins in May: old is left out, unless all surveys ask in the same words."""
    answers = [
        *wave("a", "2024-02-01", [5, 5], survey_id="old"),
        *wave("b", "2024-05-01", [4, 2], survey_id="new"),
    ]
    results = compute("csat", *answers)
    assert (figure(results, "csat")[:2], standings(results)) == ((0.5, 2), {"counted": 2, "wording": 2})
    same = compute("csat", *answers, settings={"survey_waves": {"same_wording": True}})
    assert (figure(same, "csat")[:2], standings(same)) == ((0.75, 4), {"counted": 4})


def test_surveys_side_by_side_are_no_break() -> None:
    """One from February to June, the other in May only: both ask."""
    answers = [
        *wave("a", "2024-02-01", [5, 5], survey_id="one"),
        *wave("b", "2024-05-01", [4, 2], survey_id="two"),
        *wave("c", "2024-06-01", [1], survey_id="one"),
    ]
    results = compute("csat", *answers)
    assert (figure(results, "csat")[:2], standings(results)) == ((0.6, 5), {"counted": 5})
    assert figure(results, "csat", "one")[2] == "low_n"


@pytest.mark.parametrize(
    ("by_phone", "settings", "standing"),
    [
        (30, {}, {"counted": 32, "mode": 30}),
        (29, {}, {"counted": 61}),
        (30, {"mode_shift": 1.0}, {"counted": 62}),
    ],
)
def test_a_change_of_mode_is_a_break(by_phone: int, settings: dict, standing: dict[str, int]) -> None:
    """February by phone, May by web (32 answers): nothing in common. Fewer than 30 answers tell nothing of a mode."""
    answers = [
        *wave("a", "2024-02-01", [5] * by_phone, channel="phone"),
        *wave("b", "2024-05-01", [4] * 32, channel="web"),
    ]
    results = compute("csat", *answers, settings={"survey_waves": settings})
    assert standings(results) == (standing if by_phone == 30 else {"counted": 61})


def test_a_small_shift_of_the_mix_is_no_break() -> None:
    """20 of 40 by web, then 28 of 40: a fifth of the answers would have to change channel."""
    first = [*wave("a", "2024-02-01", [5] * 20, channel="web"), *wave("a_", "2024-02-01", [5] * 20, channel="store")]
    second = [*wave("b", "2024-05-01", [4] * 28, channel="web"), *wave("b_", "2024-05-01", [4] * 12, channel="store")]
    answers = [{**a, "wave_id": a["wave_id"].rstrip("_")} for a in [*first, *second]]
    assert standings(compute("csat", *answers)) == {"counted": 80}
    strict = compute("csat", *answers, settings={"survey_waves": {"mode_shift": 0.15}})
    assert standings(strict) == {"counted": 40, "mode": 40}


def test_answers_after_the_period_break_nothing() -> None:
    answers = [*wave("a", "2024-05-01", [5, 3]), *wave("b", "2025-02-01", [9], scale=(1, 10))]
    assert standings(compute("csat", *answers, data="2022-01-01/2025-12-31")) == {"counted": 2}


def test_whoever_is_no_customer_is_not_asked_about_satisfaction() -> None:
    """An employee, a person of a market panel, an anonymous customer: only the last counts."""
    answers = [
        answer("a", "CSAT", 5, respondent_type="employee"),
        answer("b", "CSAT", 5, respondent_type="market_panel"),
        answer(None, "CSAT", 2),
    ]
    assert figure(compute("csat", *answers), "csat") == (0, 1, "low_n")


def test_a_survey_with_another_scale_needs_its_top_box() -> None:
    """9 and 7 on a scale from 1 to 10 beside a 3 of five: without a top box they are listed; from 9 on, one counts."""
    answers = [
        answer("a", "CSAT", 3),
        answer("b", "CSAT", 9, survey_id="ten", scale=(1, 10)),
        answer("c", "CSAT", 7, survey_id="ten", scale=(1, 10)),
    ]
    plain = compute("csat", *answers)
    assert (figure(plain, "csat")[:2], standings(plain)) == ((0, 1), {"counted": 1, "other_scale": 2})
    given = compute("csat", *answers, settings={"survey_answers": {"satisfied_from": {"ten": 9}}})
    assert figure(given, "csat")[:2] == (pytest.approx(1 / 3), 3)
    assert "mean_score" not in set(given.scorecard["segment"])


def test_a_top_box_where_low_is_good() -> None:
    """Scale 1 to 3, 1 the best: satisfied up to 1."""
    answers = [answer(f"p{i}", "CSAT", s, scale=(1, 3), higher_is_better=False) for i, s in enumerate([1, 1, 2, 3])]
    given = compute("csat", *answers, settings={"survey_answers": {"satisfied_from": {"s": 1}}})
    assert figure(given, "csat")[0] == 0.5


def test_nothing_asked_in_the_period() -> None:
    results = compute("csat", answer("a", "CSAT", 5, day="2023-01-01"), period=YEAR, data=DATA)
    assert (figure(results, "csat"), reason(results, "csat")) == (
        (None, None, "undefined"),
        {"id": "reason.no_rows"},
    )
