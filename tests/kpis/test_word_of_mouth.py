"""Word of mouth, worked by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kpis.outreach_cases import answer, result
from tiny_client import row

YEAR = "2024-01-01/2024-12-31"


def _wom(answers: list[dict[str, Any]]) -> Any:
    return result("wom_reach", {"survey_responses": answers}, YEAR)


def _told(code: str, scores: list[float], first: int, **more: Any) -> list[dict[str, Any]]:
    who = [{"customer_id": f"p{i}", **more} for i in range(len(scores))]
    return [answer(first + i, code, score, **who[i]) for i, score in enumerate(scores)]


def test_measured() -> None:
    """200 customers: half told 4 something good, half nobody: 200 per 100; a quarter told 2 something bad: 50 per 100.
    Net 150, four to one. An employee's answer does not count.
    """
    answers = [*_told("TOLD_POS", [4, 0] * 100, 0), *_told("TOLD_NEG", [2, 0, 0, 0] * 50, 1000)]
    results = _wom([*answers, answer(9999, "TOLD_POS", 500, respondent_type="employee")])
    found = row(results, "wom_reach")
    assert (found["value"], found["status"], found["n"], found["unit"]) == (pytest.approx(150), "ok", 200, "persons")
    assert found["low"] < 150 < found["high"]
    assert row(results, "wom_reach", "good")["value"] == pytest.approx(200)
    assert row(results, "wom_reach", "bad")["value"] == pytest.approx(50)
    assert row(results, "wom_reach", "good_to_bad")["value"] == pytest.approx(4)


def test_the_interval_is_that_of_the_mean() -> None:
    """400 customers, half 4, half 0: standard error of the mean 2/20 = 0.1, so about 200 -+ 19.6 per 100."""
    found = row(_wom([*_told("TOLD_POS", [4, 0] * 200, 0), *_told("TOLD_NEG", [0] * 400, 1000)]), "wom_reach", "good")
    assert found["low"] == pytest.approx(180.4, abs=2)
    assert found["high"] == pytest.approx(219.6, abs=2)


def test_a_boaster_is_cut_down() -> None:
    """One of 201 says 1000, the others 1: the 99th percentile is 1, so exactly 100 per 100."""
    found = row(
        _wom([*_told("TOLD_POS", [1] * 200 + [1000], 0), *_told("TOLD_NEG", [0] * 201, 1000)]), "wom_reach", "good"
    )
    assert found["value"] == pytest.approx(100)


def test_weights() -> None:
    """100 answers of 4 with weight 3 and 100 of 0 with weight 1: 4 * 300/400 = 3 each, 300 per 100. Kish: 400^2 / (900
    + 100) = 160 effective answers: shown, but too few to publish.
    """
    scores = _told("TOLD_POS", [4, 0] * 100, 0)
    weighted = [{**a, "weight": 3.0 if a["score"] else 1.0} for a in scores]
    none = [{**a, "question_code": "TOLD_NEG", "response_id": f"n{i}", "score": 0} for i, a in enumerate(weighted)]
    found = row(_wom([*weighted, *none]), "wom_reach")
    assert (found["value"], found["status"], found["n"]) == (pytest.approx(300), "low_n", 160)
    assert json.loads(found["reason"]) == {"id": "reason.too_few_persons", "n": 160, "minimum": 200}


def test_below_thirty_nothing_is_shown() -> None:
    found = row(_wom([*_told("TOLD_POS", [1] * 29, 0), *_told("TOLD_NEG", [1] * 29, 100)]), "wom_reach")
    assert (found["value"], found["status"]) == (None, "low_n")


def test_one_side_not_asked() -> None:
    """Nobody was asked about bad words: the good side stands, the net does not."""
    results = _wom(_told("TOLD_POS", [1] * 200, 0))
    assert row(results, "wom_reach")["status"] == "undefined"


def test_scenario() -> None:
    """Satisfied 60 of 100 (4 or 5 of 5), dissatisfied 10 (1 or 2): good 300 to 720, bad 120 to 220, net 80 to 600.
    On a scale on which 1 is best, 1 and 2 are the satisfied. Break-even between 12/12 = 1 and 22/5 = 4.4.
    """
    scores = [5] * 30 + [4] * 30 + [3] * 30 + [2] * 5 + [1] * 5
    turned = [answer(i, "CSAT", 6 - score, higher_is_better=False) for i, score in enumerate(scores)]
    for answers in ([answer(i, "CSAT", score) for i, score in enumerate(scores)], turned):
        results = _wom(answers)
        found = row(results, "wom_reach")
        assert (found["value"], found["low"], found["high"], found["status"], found["grade"]) == (
            None, pytest.approx(80), pytest.approx(600), "bounded", "D",
        )  # fmt: skip
        assert json.loads(found["reason"]) == {
            "text": "A scenario, not a measurement: nobody was asked how many people he told."
        }
        good, bad = (row(results, "wom_reach", side) for side in ("good", "bad"))
        assert (good["low"], good["high"]) == (pytest.approx(300), pytest.approx(720))
        assert (bad["low"], bad["high"]) == (pytest.approx(120), pytest.approx(220))
        even = row(results, "wom_reach", "break_even")
        assert (even["low"], even["high"]) == (pytest.approx(1.0), pytest.approx(4.4))


def test_who_measures_is_given_no_scenario() -> None:
    """Asked in January, not in February: satisfaction answers of February do not take the place."""
    answers = [*_told("TOLD_POS", [1] * 40, 0), *_told("TOLD_NEG", [1] * 40, 100)]
    later = [answer(500 + i, "CSAT", 5, ts="2024-02-10") for i in range(40)]
    found = row(result("wom_reach", {"survey_responses": [*answers, *later]}, "2024-02-01/2024-02-29"), "wom_reach")
    assert (found["value"], found["low"], found["status"]) == (None, None, "undefined")


def test_neither_measured_nor_satisfied() -> None:
    found = row(_wom([answer(1, "NPS", 9)]), "wom_reach")
    assert (found["status"], json.loads(found["reason"])) == ("undefined", {"id": "reason.no_rows"})
