"""Trend, cadence and response of surveys, worked by hand."""

from __future__ import annotations

import json
from math import sqrt

import pandas as pd
import pytest

from kpis.survey_cases import answer, compute, figure, frame, reason
from loyalty_kpis.survey_practice import satisfaction_cadence, satisfaction_trend, survey_response_rate
from tiny_client import receipt, row, shop


def waves(*satisfied: int, n: int = 100, panel: bool = False, survey: str = "s") -> pd.DataFrame:
    """Waves of ``n`` answers, so many of them satisfied, a month apart; of the same persons when a ``panel``."""
    parts = [
        frame(
            [5] * yes + [1] * (n - yes),
            wave_id=f"w{i}",
            survey_id=survey,
            answered_on=pd.Timestamp(2024, i + 1, 1),
            respondent_id=[f"{survey}{'' if panel else i}-{j}" for j in range(n)],
        )
        for i, yes in enumerate(satisfied)
    ]
    return pd.concat(parts, ignore_index=True)


def test_trend_of_three_waves() -> None:
    """50, 60 and 70 of 100: 10 points a wave. Variances after four more answers of 10,000/4: 25, 24.0385, 21.1538;
    weights 0.04, 0.0416, 0.0472727, mean wave 1.056434, squares 0.0868623: the waves pull by -0.486486, -0.027027,
    0.513514. Clustered (25, 24, 21): 11.471875 * 300/299 + 0.0406 for the four more: error 3.39865. The last two differ
    by 10, error sqrt((24 + 21) * 200/199 * 299/300 ...) of the 300 persons: 45 * 300/299 + 0.1923 = 45.3428.
    """
    found = satisfaction_trend(waves(50, 60, 70))
    assert (found.value, found.n, found.status) == (pytest.approx(10), 3, "ok")
    assert (found.low, found.high) == pytest.approx((10 - 1.959964 * 3.39865, 10 + 1.959964 * 3.39865), rel=1e-4)
    further = found.parts["variant"]
    assert further["last_difference"].value == pytest.approx(10)
    assert further["last_difference"].high == pytest.approx(10 + 1.959964 * sqrt(45.3428), rel=1e-4)
    assert further["detectable_change"].value == pytest.approx(2.801585 * sqrt(45.3428), rel=1e-4)
    assert json.loads(further["mann_kendall"].reason) == {
        "text": "{n} waves are in line; the rank trend needs {needed}.",
        "n": 3,
        "needed": 8,
    }
    assert found.table["line"].tolist() == ["in"] * 3
    assert found.table["value"].tolist() == [50, 60, 70]


def test_a_panel_tells_more_of_change_than_strangers_do() -> None:
    """The same hundred persons in every wave: their lasting opinions cancel out."""
    panel, strangers = satisfaction_trend(waves(50, 60, 70, panel=True)), satisfaction_trend(waves(50, 60, 70))
    assert panel.value == pytest.approx(strangers.value)
    assert panel.high - panel.low < 0.7 * (strangers.high - strangers.low)


def test_waves_that_scatter_widen_the_interval() -> None:
    """30, 90, 30, 90 of 100: the line's scatter is many times that of sampling."""
    smooth, rough = satisfaction_trend(waves(54, 58, 62, 66)), satisfaction_trend(waves(30, 90, 30, 90))
    assert rough.high - rough.low > 4 * (smooth.high - smooth.low)


def test_small_waves_are_listed_and_stand_outside_the_line() -> None:
    """A wave of 29 between three: it keeps its place in time, so 50, 60 and 70 at 0, 1 and 3 rise by about 6.4."""
    small = waves(0, 0, 29, n=29).query("wave_id == 'w2'")
    rest = waves(50, 60, 0, 70).query("wave_id != 'w2'")
    found = satisfaction_trend(pd.concat([rest, small], ignore_index=True))
    assert found.table["line"].tolist() == ["in", "in", "too_small", "in"]
    w = [1 / v for v in (25, 250_000 / 10_400, 220_000 / 10_400)]
    middle = (w[1] + 3 * w[2]) / sum(w)
    squares = w[0] * middle**2 + w[1] * (1 - middle) ** 2 + w[2] * (3 - middle) ** 2
    slope = (w[0] * -middle * 50 + w[1] * (1 - middle) * 60 + w[2] * (3 - middle) * 70) / squares
    assert found.value == pytest.approx(slope)


def test_two_waves_are_no_trend() -> None:
    found = satisfaction_trend(waves(50, 60))
    assert (found.value, found.status) == (None, "undefined")
    assert json.loads(found.reason) == {
        "text": "Survey {survey} has {n} comparable waves of at least {minimum} effective answers up to the period's"
        " end; a trend needs {needed}.",
        "survey": "s",
        "n": 2,
        "minimum": 30,
        "needed": 3,
    }


def test_waves_of_fewer_than_a_hundred_are_low_n() -> None:
    found = satisfaction_trend(waves(20, 25, 30, n=50))
    assert found.status == "low_n"
    assert json.loads(found.reason) == {
        "text": "Only {n} of its waves have at least {minimum} effective answers.",
        "n": 0,
        "minimum": 100,
    }


def test_eight_waves_have_a_rank_trend() -> None:
    """Rising without exception: tau is 1."""
    found = satisfaction_trend(waves(*range(50, 82, 4)))
    ranks = found.parts["variant"]["mann_kendall"]
    assert (ranks.value, ranks.unit) == (1, "ratio")
    assert json.loads(ranks.reason)["p"] == 0.0008


def test_of_two_surveys_the_one_with_more_waves() -> None:
    rows = pd.concat([waves(50, 60, 70), waves(80, 70, 60, 50, survey="other")], ignore_index=True)
    found = satisfaction_trend(rows)
    assert found.value == pytest.approx(-10)
    assert {name: f.value for name, f in found.parts["survey_id"].items()} == {
        "s": pytest.approx(10),
        "other": pytest.approx(-10),
    }
    assert satisfaction_trend(rows, survey="s").value == pytest.approx(10)
    unknown = satisfaction_trend(rows, survey="x")
    assert json.loads(unknown.reason) == {"text": "No survey '{survey}' has answers to this question.", "survey": "x"}


def test_trend_of_nps_and_of_overall_satisfaction() -> None:
    """All passive, half promoters, all promoters: 0, 50, 100. Means 1, 5.5 and 10 of 1 to 10: 0, 50, 100."""
    rows = waves(0, 50, 100)
    nps = rows.assign(question_code="NPS", scale="0-10", score=rows["score"].map({5.0: 10.0, 1.0: 8.0}))
    assert satisfaction_trend(nps, question="NPS").value == pytest.approx(50, rel=0.05)
    overall = rows.assign(question_code="SAT_OVERALL", scale="1-10", score=rows["score"].map({5.0: 10.0, 1.0: 1.0}))
    assert satisfaction_trend(overall, question="SAT_OVERALL").table["value"].tolist() == [0, 50, 100]


def test_no_line_across_a_change_of_scale() -> None:
    """Two waves of 2023 on ten steps, three of 2024 on five (30 answers each): only those three are in line."""
    answers = [
        answer(f"p{i}", "CSAT", score, wave_id=day[:7], day=day, scale=scale)
        for day, score, scale in [
            ("2023-02-01", 9, (1, 10)),
            ("2023-08-01", 9, (1, 10)),
            ("2024-02-01", 5, (1, 5)),
            ("2024-05-01", 5, (1, 5)),
            ("2024-08-01", 5, (1, 5)),
        ]
        for i in range(30)
    ]
    results = compute("satisfaction_trend", *answers)
    table = results.tables["satisfaction_trend"]
    assert table["line"].tolist() == ["break: scale"] * 2 + ["in"] * 3
    found = row(results, "satisfaction_trend")
    assert (found["value"], found["n"], found["status"], found["unit"]) == (pytest.approx(0), 3, "low_n", "points")


MEASURED = pd.DataFrame(
    {
        "survey_id": "s",
        "wave_id": ["a", "b", "c"],
        "since": pd.Timestamp("2024-01-02"),
        "until": pd.Timestamp("2025-01-01"),
        "first_day": pd.to_datetime(["2024-02-01", "2024-05-01", "2024-08-01"]),
        "last_day": pd.to_datetime(["2024-02-20", "2024-05-10", "2024-08-10"]),
        "effective_n": [100.0, 50.0, 400.0],
    }
)
ASKED = pd.DataFrame({"active": [40], "asked": [10]})


def test_cadence() -> None:
    """Two waves of a hundred. Gaps: 30 days to the first, 163 from 20 February to 1 August, 144 to the end.
    Margins 0.98 / 10, / sqrt(50), / 20: mean (0.0980 + 0.1386 + 0.0490) / 3. 10 of 40 active customers asked.
    """
    found = satisfaction_cadence(MEASURED, ASKED)
    assert (found.value, found.low, found.high, found.status) == (2, 2, 2, "ok")
    further = found.parts["variant"]
    assert (further["longest_gap_days"].value, further["longest_gap_days"].unit) == (163, "days")
    asked = further["asked_share"]
    assert (asked.value, asked.numerator, asked.denominator) == (0.25, 10, 40)
    assert further["mean_margin"].value == pytest.approx((0.0979982 + 0.1385904 + 0.0489991) / 3, abs=1e-6)
    assert found.table["valid"].tolist() == [True, False, True]


def test_cadence_without_a_valid_wave_or_an_active_customer() -> None:
    found = satisfaction_cadence(MEASURED.iloc[1:2], ASKED.iloc[:0])
    further = found.parts["variant"]
    assert (found.value, further["longest_gap_days"].value) == (0, 365)
    assert (further["asked_share"].value, further["asked_share"].status) == (None, "undefined")
    nothing = satisfaction_cadence(MEASURED.iloc[:0], ASKED)
    assert (nothing.value, nothing.parts["variant"]["mean_margin"].status) == (0, "undefined")


def invitation(number: int, customer: str | None, day: str, answered: bool, **more) -> dict:
    facts = {"invitation_id": f"i{number}", "survey_id": "s", "wave_id": "w", "respondent_type": "customer"}
    moments = {"sent_at": f"{day} 09:00:00", "responded_at": f"{day} 20:00:00" if answered else None}
    return facts | {"customer_id": customer} | moments | more


def test_cadence_of_a_client() -> None:
    """2024: wave w begun in May, wave x begun in December 2023 with one late answer in 2024 is not of this year.
    Ann and bob bought in 2024, cat in 2022 only: two active, of whom ann was asked (and cat, who is not active).
    """
    bought = shop(
        receipt(1, "2024-03-01", 5, "ann"), receipt(2, "2024-03-01", 5, "bob"), receipt(3, "2022-03-01", 5, "cat")
    )
    answers = [
        answer("ann", "CSAT", 5),
        answer("ann", "NPS", 5, scale=(0, 10)),
        answer("bob", "CSAT", 5, weight=2.0),
        answer("cat", "CSAT", 5, wave_id="x", day="2023-12-30"),
        answer("ann", "CSAT", 5, wave_id="x", day="2024-01-05"),
    ]
    invitations = [invitation(i, who, "2024-05-01", True) for i, who in enumerate(["ann", "cat", "ann", None])]
    results = compute("satisfaction_cadence", *answers, bought=bought, survey_invitations=invitations)
    assert figure(results, "satisfaction_cadence") == (0, 1, "ok")
    table = results.tables["satisfaction_cadence"]
    assert table[["wave_id", "effective_n"]].to_numpy().tolist() == [["w", pytest.approx(9 / 5)]]
    share = row(results, "satisfaction_cadence", "asked_share")
    assert (share["numerator"], share["denominator"]) == (1, 2)


def test_cadence_needs_a_year_of_purchases() -> None:
    bought = shop(receipt(1, "2024-03-01", 5, "ann"))
    invitations = [invitation(1, "ann", "2024-05-01", True)]
    results = compute(
        "satisfaction_cadence",
        answer("ann", "CSAT", 5),
        bought=bought,
        survey_invitations=invitations,
        data="2024-03-01/2024-12-31",
    )
    assert (row(results, "satisfaction_cadence")["status"], reason(results, "satisfaction_cadence")["id"]) == (
        "missing_data",
        "reason.history_not_covered",
    )


def test_response_rate_of_a_client() -> None:
    """Of five sent to customers by 17 December two were answered; one of 20 December is not due, staff are no
    customers.
    """
    bought = shop(
        receipt(1, "2024-03-01", 10, "ann"), receipt(2, "2024-03-31", 20, "ann"), receipt(3, "2024-04-30", 5, "bob")
    )
    sent = [
        invitation(1, "ann", "2024-05-01", True),
        invitation(2, "bob", "2024-05-01", False),
        invitation(3, "cid", "2024-05-01", False),
        invitation(4, None, "2024-05-01", True),
        invitation(5, "bob", "2024-12-16", False, wave_id="v"),
        invitation(6, "ann", "2024-12-20", False),
        invitation(7, None, "2024-05-01", True, respondent_type="employee"),
    ]
    results = compute("survey_response_rate", bought=bought, survey_invitations=sent)
    found = row(results, "survey_response_rate")
    assert (found["value"], found["n"], found["numerator"], found["denominator"]) == (0.4, 5, 2, 5)
    assert found["status"] == "low_n"
    assert figure(results, "survey_response_rate", "max_bias")[0] == pytest.approx(0.6)
    waves = results.scorecard.query("segment_by == 'survey_wave'")
    assert sorted(waves["segment"]) == ["s v \u00b7 2024-12-16", "s w \u00b7 2024-05-01"]


def contacts(answered: list[bool], **columns) -> pd.DataFrame:
    base = pd.DataFrame({"answered": answered})
    base = base.assign(
        respondent_id=[f"p{i}" for i in range(len(base))],
        sent_on=pd.Timestamp("2024-05-01"),
        data_end=pd.Timestamp("2025-01-01"),
        spend_before=10.0,
        recency_days=5.0,
        tenure_days=100.0,
    )
    return base.assign(**columns)


def test_who_answers_against_who_was_asked() -> None:
    """Tenures 100 and 300, half each; the 300s answer: mean 300 against 200, standard deviation 100: 1. Recency is
    alike for all: no distance. Spend 10, 10, 20, 20: median 10, P80 20: low the tens, medium the twenties (they
    answer): share 1 against 1/2, deviation 1/2: 1. Answering follows a trait wholly: R = 0.
    """
    found = survey_response_rate(
        contacts(
            [False, False, True, True] * 25,
            tenure_days=[100.0, 100.0, 300.0, 300.0] * 25,
            spend_before=[10.0, 10.0, 20.0, 20.0] * 25,
        )
    )
    assert (found.value, found.status) == (0.5, "ok")
    further = found.parts["variant"]
    assert {k: f.value for k, f in further.items()} == {
        "smd_usage": 1,
        "smd_tenure": 1,
        "smd_recency": None,
        "r_indicator": pytest.approx(0, abs=1e-6),
        "max_bias": 0.5,
    }
    assert further["smd_recency"].status == "undefined"


def test_nothing_due_yet() -> None:
    late = contacts([True], sent_on=pd.Timestamp("2024-12-30"))
    found = survey_response_rate(late)
    assert (found.value, found.status, json.loads(found.reason)) == (
        None,
        "undefined",
        {"text": "No invitation was sent at least {days} days before the end of the data.", "days": 14},
    )
    assert survey_response_rate(late, answer_days=1).value == 1
