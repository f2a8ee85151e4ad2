"""SERVQUAL worked by hand: gaps, weights, missing items and halves."""

from __future__ import annotations

import json
from math import sqrt

import pandas as pd
import pytest

from kpis.survey_cases import DIMENSION_OF, answer, compute, figure, reason, servqual
from loyalty_kpis.service_quality import servqual_dimension_gap
from tiny_client import row

#: Reliability, assurance, tangibles, empathy, responsiveness.
ANN = {"R": -2.0, "A": 0.0, "T": -1.0, "E": -1.0, "RS": 0.0}
BOB = {"R": 1.0, "A": 1.0, "T": 1.0, "E": 1.0, "RS": 1.0}
POINTS = {"R": 40, "A": 20, "T": 10, "E": 10, "RS": 20}


def test_gap_is_weighted_by_the_respondents_points() -> None:
    """Ann: 0.4 * -2 + 0.1 * -1 + 0.1 * -1 = -1.0; bob without points: 1. Mean 0. Equal weights: (-4/5 + 1) / 2 = 0.1.
    By item, ann: (5 * -2 + 4 * -1 + 5 * -1) / 22 = -19/22. Perceptions: ann 4 - 0.8, bob 5.
    """
    results = compute("servqual_gap", *servqual("ann", ANN, POINTS), *servqual("bob", BOB))
    assert figure(results, "servqual_gap") == (pytest.approx(0), 2, "low_n")
    assert reason(results, "servqual_gap") == {"id": "reason.too_few_persons", "n": 2, "minimum": 100}
    values = {name: figure(results, "servqual_gap", name)[0] for name in ("equal_weights", "item_mean", "servperf")}
    assert values == {
        "equal_weights": pytest.approx(0.1),
        "item_mean": pytest.approx((1 - 19 / 22) / 2),
        "servperf": pytest.approx(4.1),
    }
    assert figure(results, "servqual_gap", "expectations")[0] == 4
    table = dict(results.tables["servqual_gap"].itertuples(index=False))
    assert (table["respondents"], table["counted"], table["with_own_weights"]) == (2, 2, 1)


def without(answers: list[dict], question: str, *numbers: int) -> list[dict]:
    return [a for a in answers if not (a["question_code"] == question and a["item_no"] in numbers)]


def test_respondents_need_four_fifths_of_the_items() -> None:
    """18 pairs of 22 (82 %) count, 17 (77 %) do not. Ann lacks items 5 to 8 of reliability: the ninth speaks for it.
    Listwise nobody but bob is left.
    """
    ann = without(servqual("ann", ANN), "SQ_P", 5, 6, 7, 8)
    cid = without(servqual("cid", BOB), "SQ_P", 5, 6, 7, 8, 14)
    results = compute("servqual_gap", *ann, *servqual("bob", BOB), *cid)
    assert figure(results, "servqual_gap")[:2] == (pytest.approx((-0.8 + 1) / 2), 2)
    assert figure(results, "servqual_gap", "listwise")[:2] == (1, 1)
    strict = compute("servqual_gap", *ann, *servqual("bob", BOB), settings={"servqual_gap": {"min_items": 1.0}})
    assert figure(strict, "servqual_gap")[:2] == (1, 1)


def test_a_dimension_without_any_item_leaves_the_respondent_out() -> None:
    """Cid lacks the four tangibles: 18 of 22 items, but no gap of tangibles."""
    cid = without(servqual("cid", BOB), "SQ_P", 1, 2, 3, 4)
    results = compute("servqual_gap", *servqual("ann", ANN), *cid)
    assert figure(results, "servqual_gap")[:2] == (pytest.approx(-0.8), 1)


def test_half_a_questionnaire_is_none() -> None:
    """Expectations alone, expectations a day after the perceptions, nobody's answers: only ann is left."""
    half = [a for a in servqual("bob", BOB) if a["question_code"] == "SQ_E"]
    late = [{**a, "ts": "2024-05-02 09:00:00"} if a["question_code"] == "SQ_E" else a for a in servqual("cid", BOB)]
    nobody = [{**a, "customer_id": None} for a in servqual("x", BOB)]
    results = compute("servqual_gap", *servqual("ann", ANN), *half, *late, *nobody)
    assert figure(results, "servqual_gap")[:2] == (pytest.approx(-0.8), 1)
    table = dict(results.tables["servqual_gap"].itertuples(index=False))
    assert (table["respondents"], table["counted"], table["expectations_asked_afterwards"]) == (3, 1, 1)


def test_an_item_that_nobody_has_both_halves_of_is_named() -> None:
    ann, bob = (without(servqual(who, BOB), "SQ_P", 22) for who in ("ann", "bob"))
    others = ("servqual_dimension_gap", "expectation_met_rate")
    results = compute("servqual_gap", *ann, *bob, also=others)
    for kpi in ("servqual_gap", *others):
        assert figure(results, kpi)[::2] == (None, "missing_data")
        assert reason(results, kpi) == {
            "text": "Nobody answered both halves of every item; missing: {items}. No dimension is averaged over fewer"
            " items.",
            "items": "P22",
        }


def test_points_that_are_no_allocation_count_as_none() -> None:
    """Four of five dimensions given, or all of them 0: equal weights, -4/5. Of 20 points in all: shares of 20, -1."""
    partly = {"R": 40, "A": 20, "T": 20, "E": 20}
    fifth = {"R": 8, "A": 4, "T": 2, "E": 2, "RS": 4}
    answers = [
        *servqual("ann", ANN, partly),
        *servqual("bob", ANN, dict.fromkeys(ANN, 0)),
        *servqual("cid", ANN, fifth),
    ]
    results = compute("servqual_gap", *answers)
    assert figure(results, "servqual_gap")[0] == pytest.approx((-0.8 - 0.8 - 1.0) / 3)
    assert dict(results.tables["servqual_gap"].itertuples(index=False))["with_own_weights"] == 1


def test_other_scales_and_wild_scores_are_left_out() -> None:
    """Bob answers on a scale to 5 in a survey of its own, cid scores a 9 thrice: cid has 19 of 22 pairs."""
    bob = servqual("bob", BOB, survey_id="five", scale=(1, 5))
    cid = servqual("cid", BOB)
    for a in cid[1:7:2]:
        a["score"] = 9
    results = compute("servqual_gap", *bob, *cid)
    assert figure(results, "servqual_gap")[:2] == (1, 1)
    table = dict(results.tables["servqual_gap"].itertuples(index=False))
    assert table["answers_left_out"] == 44 + 3
    alone = compute("servqual_gap", *bob)
    assert figure(alone, "servqual_gap")[::2] == (None, "undefined")
    assert reason(alone, "servqual_gap") == {
        "text": "None of {n} respondents has both halves of at least {share:percent} of the items on a scale from 1 to"
        " 7.",
        "n": 1,
        "share": 0.8,
    }


def test_dimensions_and_the_one_that_needs_attention() -> None:
    """Ann and bob: reliability -0.5, tangibles and empathy 0, the others 0.5."""
    results = compute("servqual_dimension_gap", *servqual("ann", ANN), *servqual("bob", BOB))
    assert figure(results, "servqual_dimension_gap")[0] == pytest.approx(-0.5)
    gaps = {name: row(results, "servqual_dimension_gap", name)["value"] for name in ("tangibles", "assurance")}
    assert gaps == {"tangibles": pytest.approx(0), "assurance": pytest.approx(0.5)}
    table = results.tables["servqual_dimension_gap"].set_index("dimension")
    assert table.loc["reliability", ["expected", "perceived"]].tolist() == [4, 3.5]
    assert table["alpha"].tolist() == pytest.approx([1] * 5)


def respondents(size: int) -> pd.DataFrame:
    """Items as the KPI gets them: every second respondent has a gap of -2 in reliability and of 1 elsewhere."""
    items = [(code, number) for number, code in DIMENSION_OF.items()]
    rows = [
        {
            "survey_id": "s",
            "wave_id": "w",
            "customer_id": f"p{i}",
            "dimension": code,
            "item_no": number,
            "expected": 4.0,
            "perceived": 4.0 + (i % 2) * (-2 if code == "R" else 1),
        }
        for i in range(size)
        for code, number in items
    ]
    day = pd.Timestamp("2024-05-01")
    return pd.DataFrame(rows).assign(points=float("nan"), answered_on=day, left_out=0, late=False, hole=None)


def test_the_worst_of_five_is_named_and_tested_as_such() -> None:
    """120 respondents: reliability -2 or 0 (error 1/sqrt(120) = 0.0913), all else 0 or 1. The headline's interval is
    that of 99 %, -1 -+ 2.576 * 0.0913. Holm: reliability first of five, p = 0; tangibles with z = 1/2 / 0.0456.
    """
    found = servqual_dimension_gap(respondents(120))
    assert (found.value, found.status) == (pytest.approx(-1), "ok")
    half = 2.5758 / sqrt(120)
    assert (found.low, found.high) == pytest.approx((-1 - half, -1 + half), abs=0.03)
    assert json.loads(found.reason) == {
        "text": "The dimension with the largest shortfall is {dimension:own}.",
        "dimension": "reliability",
    }
    table = found.table.set_index("dimension")
    assert (table["p_holm"] < 1e-9).all()
    plain = found.parts["servqual_dimension"]["reliability"]
    assert plain.high - plain.low < found.high - found.low


def test_expectations_met() -> None:
    """Weighted gaps: ann -1, bob 1, cid exactly 0 (met): 2 of 3."""
    answers = [*servqual("ann", ANN, POINTS), *servqual("bob", BOB), *servqual("cid", dict.fromkeys(ANN, 0.0))]
    stated = [answer("ann", "SAT_EXPECT", s, scale=(1, 10), wave_id=f"w{s}") for s in (5, 6, 7, 8)]
    results = compute("expectation_met_rate", *answers, *stated)
    assert figure(results, "expectation_met_rate") == (pytest.approx(2 / 3), 3, "low_n")
    assert figure(results, "expectation_met_rate", "sat_expect")[0] == 0.75


def test_expectations_met_without_servqual() -> None:
    """5 misses the midpoint of 5.5, 6 to 8 meet it, of weight 1, 1, 1 and 2: 4 of 5; 4 on a scale to 5 has no place."""
    stated = [answer(f"p{s}", "SAT_EXPECT", s, scale=(1, 10), weight=2.0 if s == 8 else 1.0) for s in (5, 6, 7, 8)]
    results = compute("expectation_met_rate", *stated, answer("q", "SAT_EXPECT", 4, survey_id="five"))
    assert figure(results, "expectation_met_rate") == (pytest.approx(0.8), 4, "low_n")


def test_the_report_states_the_basis() -> None:
    stated = [answer(f"p{i}", "SAT_EXPECT", 9, scale=(1, 10)) for i in range(100)]
    results = compute("expectation_met_rate", *stated)
    assert (figure(results, "expectation_met_rate"), reason(results, "expectation_met_rate")) == (
        (1, 100, "ok"),
        {"text": "No SERVQUAL that counts in the period: measured by SAT_EXPECT, {n} answers.", "n": 100},
    )
