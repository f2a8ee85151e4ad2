"""The Net Promoter Score, its classes and its noise, worked by hand."""

from __future__ import annotations

import json
from math import sqrt

import numpy as np
import pandas as pd
import pytest

from kpis.survey_cases import answer, compute, figure, frame
from loyalty_kpis.recommendation import nps, nps_class_share, nps_csat_noise_ratio
from tiny_client import row

ELEVEN = {"scale": (0, 10)}
#: 9 promoters, 6 passives, 5 detractors.
TWENTY = [10] * 4 + [9] * 5 + [8] * 3 + [7] * 3 + [6] * 2 + [5, 3, 0]


def scores(*values: float | None, **columns) -> pd.DataFrame:
    return frame(list(values), "NPS", "0-10", **columns)


def test_nps_and_its_adjusted_wald_interval() -> None:
    """9 and 5 of 20: 100 (9 - 5) / 20 = 20. With three answers more, 3/4 on either side: 9.75/23 - 5.75/23 = 0.173913,
    error sqrt((15.5/23 - 0.030246) / 23) = 0.167289. Multinomial: sqrt((0.7 - 0.04) / 20) = 0.181659.
    """
    found = nps(scores(*TWENTY))
    assert (found.value, found.n, found.numerator, found.denominator) == (20, 20, 4, 20)
    assert (found.low, found.high) == pytest.approx((17.3913 - 32.7884, 17.3913 + 32.7884), abs=1e-3)
    assert (found.status, json.loads(found.reason)) == (
        "low_n",
        {"id": "reason.too_few_cases", "n": 20, "minimum": 30},
    )
    further = found.parts["variant"]
    assert further["standard_error"].value == pytest.approx(18.1659, abs=1e-4)
    wald = further["multinomial"]
    assert (wald.low, wald.high) == pytest.approx((20 - 1.959964 * 18.1659, 20 + 1.959964 * 18.1659), abs=1e-3)
    assert further["mean_score"].value == 7.5


def test_nps_by_weight() -> None:
    """10 with weight 3, 8 with 2, 0 with 1: (3 - 1) / 6; unweighted (1 - 1) / 3."""
    found = nps(scores(10, 8, 0, weight=[3.0, 2.0, 1.0]))
    assert found.value == pytest.approx(100 / 3)
    assert found.parts["variant"]["unweighted"].value == 0
    assert found.parts["variant"]["mean_score"].value == pytest.approx(46 / 6)


def test_answers_of_one_person_are_one_voice_in_the_sample_size() -> None:
    """200 answers of 99 persons and of one with 101: (200)^2 / (99 + 101^2) = 3.88 effective answers."""
    people = [f"p{min(i, 99)}" for i in range(200)]
    found = nps(scores(*[10] * 200, respondent_id=people))
    assert (found.persons, found.status) == (100, "low_n")
    assert json.loads(found.reason)["n"] == 3


@pytest.mark.parametrize(("n", "status"), [(29, "low_n"), (99, "low_n"), (100, "ok")])
def test_nps_is_published_from_a_hundred(n: int, status: str) -> None:
    found = nps(scores(*[10] * n))
    assert (found.value, found.status) == (100, status)
    if status == "low_n":
        assert json.loads(found.reason)["minimum"] == (30 if n < 30 else 100)


def test_scores_that_the_scale_does_not_have_are_listed_and_left_out() -> None:
    """10, 9, 8, 0 and 6 count: (2 - 2) / 5. 11, -1, 9.5, 99 and a blank do not; nor does 5 on a scale from 1 to 5."""
    given = [10, 9, 8, 0, 6, 11, -1, 9.5, 99, None]
    answers = [answer(f"p{i}", "NPS", s, **ELEVEN) for i, s in enumerate(given)]
    results = compute("nps", *answers, answer("p10", "NPS", 5, survey_id="five"))
    assert figure(results, "nps") == (0, 5, "low_n")
    table = results.tables["nps"]
    listed = table[~table["class"].isin(["promoter", "passive", "detractor"])]
    known = listed[listed["score"].notna()]
    assert dict(zip(zip(known["score"], known["class"], strict=True), known["answers"], strict=True)) == {
        (11, "off_scale"): 1,
        (-1, "off_scale"): 1,
        (9.5, "off_scale"): 1,
        (99, "off_scale"): 1,
        (5, "other_scale"): 1,
    }
    assert listed[listed["score"].isna()][["class", "answers"]].to_numpy().tolist() == [["unanswered", 1]]


def test_the_report_says_how_many_are_left_out() -> None:
    left_out = [None] * 100 + ["off_scale", "off_scale", "unanswered", "mode"]
    found = nps(scores(*[8] * 102, None, 8, left_out=left_out))
    assert (found.value, found.n, found.status) == (0, 100, "ok")
    assert json.loads(found.reason) == {
        "text": "Left out: {unanswered} answers without a score, {off_scale} outside their scale, {broken} before a"
        " break in the series (scale, wording or mode), {other} on a scale that has no place here.",
        "unanswered": 1,
        "off_scale": 2,
        "broken": 1,
        "other": 0,
    }


def test_nps_of_blanks_alone_is_undefined() -> None:
    found = nps(scores(None, None, left_out="unanswered"))
    assert (found.value, found.status) == (None, "undefined")
    assert json.loads(found.reason)["unanswered"] == 2


def test_class_shares() -> None:
    """9, 6 and 5 of 20, Wilson; 6 is a detractor, 8 a passive. 0.45 of 20: 0.2582 to 0.6579."""
    found = nps_class_share(scores(*TWENTY))
    further = found.parts["variant"]
    shares = [found, further["passives"], further["detractors"]]
    assert [(f.value, f.numerator) for f in shares] == [
        (pytest.approx(0.45), 9),
        (pytest.approx(0.3), 6),
        (pytest.approx(0.25), 5),
    ]
    z2 = 1.959964**2
    centre, half = (0.45 + z2 / 40) / (1 + z2 / 20), 1.959964 / (1 + z2 / 20) * sqrt(0.2475 / 20 + z2 / 1600)
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), abs=1e-6)
    assert (further["nps"].value, further["nps"].unit) == (20, "points")


def test_noise_of_nps_against_csat() -> None:
    """Scores 10, 10, 0, 7 are 1, 1, -1, 0: mean 1/4, variance 3/4 - 1/16 = 0.6875. Satisfied 1, 1, 0, 0: variance 1/4.
    Ratio sqrt(0.6875) / 2 / 0.5. The scores: mean 6.75, variance 249/4 - 45.5625 = 16.6875: against them
    (sqrt(0.6875) / 2) / (sqrt(16.6875) / 10). One wave of four: 2.80159 sqrt(2/4) times 82.9156, and times 50.
    Who answered only one question is left out.
    """
    content = frame([5, 4, 2, 1, 5], respondent_id=["p0", "p1", "p2", "p3", "q"])
    found = nps_csat_noise_ratio(pd.concat([scores(10, 10, 0, 7, 9), content], ignore_index=True))
    assert found.value == pytest.approx(sqrt(0.6875))
    assert (found.n, found.persons, found.status) == (4, 4, "low_n")
    assert json.loads(found.reason) == {"id": "reason.too_few_persons", "n": 4, "minimum": 200}
    further = found.parts["variant"]
    assert further["against_mean_score"].value == pytest.approx(5 * sqrt(0.6875 / 16.6875))
    assert further["nps_detectable_change"].value == pytest.approx(2.80159 * 82.9156 * sqrt(0.5), rel=1e-5)
    assert further["csat_detectable_change"].value == pytest.approx(2.80159 * 50 * sqrt(0.5), rel=1e-5)


def test_noise_interval_holds_what_it_should() -> None:
    """300 persons: the bootstrap interval is about the ratio, and the same in two runs."""
    rng = np.random.default_rng(8)
    marks = rng.integers(0, 11, 300)
    both = pd.concat([scores(*marks), frame(list(np.clip(marks // 2, 1, 5)))], ignore_index=True)
    first, second = nps_csat_noise_ratio(both), nps_csat_noise_ratio(both)
    assert first.status == "ok"
    assert first.low < first.value < first.high
    assert (first.low, first.high) == (second.low, second.high)


def test_no_noise_ratio_where_everybody_is_satisfied() -> None:
    both = pd.concat([scores(10, 0), frame([5, 5])], ignore_index=True)
    found = nps_csat_noise_ratio(both)
    assert (found.value, found.status, json.loads(found.reason)) == (
        None,
        "undefined",
        {"id": "reason.zero_denominator"},
    )
    assert nps_csat_noise_ratio(scores(10, 0)).status == "undefined"


def test_nps_of_months_and_of_the_year_before() -> None:
    """May: 10 and 0; June: 9; 2023: 6 twice."""
    answers = [
        answer("a", "NPS", 10, **ELEVEN),
        answer("b", "NPS", 0, **ELEVEN),
        answer("a", "NPS", 9, day="2024-06-01", **ELEVEN),
        answer("a", "NPS", 6, day="2023-06-01", **ELEVEN),
        answer("b", "NPS", 6, day="2023-06-30", **ELEVEN),
    ]
    results = compute("nps", *answers, compare="2023-01-01/2023-12-31", breakdowns=("month",))
    assert figure(results, "nps")[0] == pytest.approx(100 / 3)
    assert [row(results, "nps", m)["value"] for m in ("2024-05", "2024-06")] == [0, 100]
    assert figure(results, "nps", period="previous")[0] == -100
