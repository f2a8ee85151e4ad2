"""What the satisfied and the dissatisfied did afterwards, worked by hand."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kpibook import kpi, total, variants
from kpibook.catalog import build
from kpibook.stats.intervals import newcombe
from kpibook.tracing import Source
from kpis.survey_cases import DATA, YEAR, answer, compute, numbered, reason
from loyalty_kpis.satisfaction_links import dissatisfied_retention_gap, satisfaction_profit_link
from tiny_client import only, receipt, row, run, shop


def member(customer: str, since: str, until: str | None = None) -> dict[str, Any]:
    return {"member_id": f"m-{customer}", "customer_id": customer, "enrolled_at": since, "closed_at": until}


def test_retention_of_a_client() -> None:
    """Answers of 2 May 2023: their 365 days end on 1 May 2024. All but fay had bought in the year before.

    Ann (5) bought again on 30 April; bob (4) only on 2 May, one day too late, and a purchase that he returned; cat (2)
    on 30 April; eve (1) only on the day of her answer, which is before; dan's 3 is neither. Gus answered in 2024.
    Plainly 1/2 - 1/2. Of equal spend (10) ann, bob and cat: 1/2 - 1/1; eve (20) is heavy and has nobody beside her.
    Cat is a member, eve was one until April: 1/1 against 1/2 of the satisfied non-members.
    """
    people = ["ann", "bob", "cat", "dan", "eve", "gus"]
    before = [receipt(i, "2023-01-10", 10, who) for i, who in enumerate(people)]
    after = [receipt(10 + i, "2024-04-30", 10, who) for i, who in enumerate(["ann", "cat", "dan"])]
    other = [
        receipt(20, "2024-05-02", 10, "bob"),
        receipt(21, "2023-05-02", 10, "eve"),
        receipt(22, "2023-06-01", 10, "fay"),
        receipt(23, "2024-01-05", 10, "bob", line_id="sold"),
        receipt(24, "2024-01-20", -10, "bob", return_of_line_id="sold"),
    ]
    scores = {"ann": 5, "bob": 4, "cat": 2, "dan": 3, "eve": 1, "fay": 1}
    answers = [answer(who, "CSAT", s, day="2023-05-02") for who, s in scores.items()]
    answers += [answer("gus", "CSAT", 1, day="2024-07-01"), answer("ann", "CSAT", 1, day="2023-06-01", wave_id="v")]
    enrolled = [member("cat", "2023-01-01 00:00:00"), member("eve", "2022-01-01 00:00:00", "2023-04-01 00:00:00")]
    bought = shop(*before, *after, *other, memberships=enrolled)
    results = compute("dissatisfied_retention_gap", *answers, bought=bought)
    name = "dissatisfied_retention_gap"
    found = row(results, name)
    assert (found["value"], found["n"], found["status"], found["unit"]) == (pytest.approx(-0.5), 4, "low_n", "pp")
    assert reason(results, name) == {
        "text": "Too few dissatisfied persons: {n}; at least {minimum} are needed.",
        "n": 2,
        "minimum": 50,
    }
    shown = {s: row(results, name, s) for s in ("satisfied", "dissatisfied", "unadjusted")}
    assert [(f["value"], f["n"]) for f in shown.values()] == [(0.5, 2), (0.5, 2), (0, 4)]
    assert row(results, name, "dissatisfied_members_minus_satisfied_non_members")["value"] == 0.5


def outcomes(*groups: tuple[int, int, int, bool], spend: float = 10.0) -> pd.DataFrame:
    """Groups of (score, persons, of whom kept, members), as the KPI gets them."""
    rows = [
        {"score": float(score), "bought_after": int(i < kept), "member": members, "group": g}
        for g, (score, n, kept, members) in enumerate(groups)
        for i in range(n)
    ]
    found = pd.DataFrame(rows)
    return found.assign(
        customer_id=[f"{spend}-{i}" for i in range(len(found))],
        answered_on=pd.Timestamp("2023-05-02"),
        survey_id="s",
        wave_id="w",
        scale="1-5",
        satisfied=(found["score"] >= 4).astype(float),
        bought_before=1,
        spend_before=spend,
    )


def test_gap_of_one_class_is_newcombes() -> None:
    """80 of 100 satisfied non-members and 30 of 60 dissatisfied members stayed: the claim is not refuted."""
    found = dissatisfied_retention_gap(outcomes((5, 100, 80, False), (1, 60, 30, True)))
    assert (found.value, found.status) == (pytest.approx(0.3), "ok")
    assert (found.low, found.high) == pytest.approx(newcombe((80, 100), (30, 60)))
    assert json.loads(found.reason) == {
        "text": "Not refuted here: {members:percent} of the dissatisfied members bought again, {others:percent} of the"
        " satisfied non-members.",
        "members": 0.5,
        "others": 0.8,
    }
    other = found.parts["variant"]["dissatisfied_members_minus_satisfied_non_members"]
    assert (other.value, other.status) == (pytest.approx(-0.3), "ok")


def test_the_claim_fails_where_dissatisfied_members_stay_as_others_do() -> None:
    found = dissatisfied_retention_gap(outcomes((5, 100, 50, False), (1, 60, 30, True)))
    assert json.loads(found.reason)["text"].startswith("Not true here")


def test_gap_within_usage_classes() -> None:
    """Light: 40 of 50 - 20 of 50; heavy: 18 of 20 - 3 of 5 (a sixth of all, above the 80th percentile)."""
    low = outcomes((5, 50, 40, False), (1, 50, 20, False))
    heavy = outcomes((5, 20, 18, False), (1, 5, 3, False), spend=90.0)
    found = dissatisfied_retention_gap(pd.concat([low, heavy], ignore_index=True))
    weights = 50 * 50 / 100, 20 * 5 / 25
    assert found.value == pytest.approx((0.4 * weights[0] + 0.3 * weights[1]) / sum(weights))
    assert found.parts["variant"]["unadjusted"].value == pytest.approx(58 / 70 - 23 / 55)


def test_no_answer_is_a_year_old() -> None:
    none = outcomes((5, 3, 3, False)).assign(bought_before=0)
    found = dissatisfied_retention_gap(none)
    assert (found.value, found.status) == (None, "undefined")
    assert json.loads(found.reason)["text"].startswith("No answer on a scale from 1 to 5")
    alone = dissatisfied_retention_gap(outcomes((5, 60, 40, False)))
    assert (alone.status, json.loads(alone.reason)["id"]) == ("undefined", "reason.zero_denominator")


def test_margins_of_the_year_before_and_after_an_answer() -> None:
    """Answer of 2 May 2023. Before: 3 May 2022 (net 10, cost 4) and the day itself (20 - 5); 2 May 2022 is too early.
    After: 3 May 2023 (30 - 10) and 1 May 2024 (40 - 10), less a return of 10 in the former; 2 May 2024 is too late.
    The score without a year after it is not here; nor is a blank.
    """
    days = {"2022-05-02": (5, 1), "2022-05-03": (10, 4), "2023-05-02": (20, 5), "2023-05-03": (30, 10)}
    days |= {"2024-05-01": (40, 10), "2024-05-02": (50, 0)}
    bought = [
        receipt(i, day, net, "ann", cogs=cost, line_id=f"l-{day}") for i, (day, (net, cost)) in enumerate(days.items())
    ]
    bought.append(receipt(9, "2023-07-01", -10, "ann", cogs=0, return_of_line_id="l-2023-05-03"))
    answers = [
        answer("ann", "SAT_OVERALL", 7, day="2023-05-02", scale=(1, 10)),
        answer("ann", "SAT_OVERALL", 7, day="2024-06-02", scale=(1, 10), wave_id="v"),
        answer("ann", "SAT_OVERALL", None, day="2023-05-03", scale=(1, 10), wave_id="u"),
    ]

    @kpi(unit="money", better="higher")
    def margins(answer_outcomes):
        """Margins: test."""
        rows = answer_outcomes
        return variants(
            total(rows.margin_after.sum()), before=total(rows.margin_before.sum()), spent=total(rows.spend_before.sum())
        )

    catalog = build([*only("satisfaction_profit_link").definitions.values(), Source(margins, "test")])
    tables = shop(*bought, survey_responses=numbered(*answers))
    results = run(tables, YEAR, catalog=catalog, data=DATA)
    values = [row(results, "margins", s)["value"] for s in ("total", "before", "spent")]
    assert values == [pytest.approx(v) for v in (20 - 10 + 30, 6 + 15, 30)]


def linked(size: int = 320) -> pd.DataFrame:
    rng = np.random.default_rng(6)
    before = rng.gamma(2, 50, size)
    return pd.DataFrame(
        {
            "customer_id": [f"p{i}" for i in range(size)],
            "answered_on": pd.Timestamp("2023-05-02"),
            "survey_id": "s",
            "wave_id": "w",
            "scale": "1-5",
            "score": rng.integers(1, 6, size).astype(float),
            "satisfied": 1.0,
            "bought_before": 1,
            "question_code": "CSAT",
            "history": True,
            "spend_before": 2 * before,
            "margin_before": before,
            "margin_after": 0.0,
            "tenure_days": rng.integers(10, 900, size),
        }
    )


def test_margin_per_ten_points() -> None:
    """Margin after = 4 for every ten points + half the margin before + 1 a day of tenure, exactly: 4, nothing left."""
    rows = linked()
    points = (rows["score"] - 1) / 4 * 100
    rows["margin_after"] = 4 * points / 10 + 0.5 * rows["margin_before"] + rows["tenure_days"]
    found = satisfaction_profit_link(rows)
    assert (found.value, found.n, found.persons, found.status) == (pytest.approx(4), 320, 320, "ok")
    assert found.parts["variant"]["explained"].value == pytest.approx(1)
    assert found.parts["variant"]["reverse"].status == "undefined"
    assert satisfaction_profit_link(rows, question="NPS").status == "undefined"
    few = satisfaction_profit_link(rows.iloc[:200])
    assert (few.status, json.loads(few.reason)) == (
        "low_n",
        {"text": "Too few persons behind the answers: {n}; at least {minimum} are needed.", "n": 200, "minimum": 300},
    )


def test_a_scale_where_low_is_good_is_turned() -> None:
    rows = linked().assign(scale="1-5 low is good")
    rows["margin_after"] = 10 * (rows["score"] - 1) / 4 + 0.1 * rows["margin_before"]
    assert satisfaction_profit_link(rows).value == pytest.approx(-1)


def test_answers_without_a_year_before_do_not_count() -> None:
    found = satisfaction_profit_link(linked().assign(history=False))
    assert (found.value, found.status) == (None, "undefined")
    assert json.loads(found.reason)["text"].startswith("No answer with 365 days of purchases before and after it")


def test_the_other_way_round() -> None:
    """The second answer is half the first plus 10 points per euro of margin before, exactly: 10 times the margin's
    standard deviation.
    """
    first, second = linked(), linked().assign(answered_on=pd.Timestamp("2023-08-02"), wave_id="v")
    second["score"] = np.roll(first["score"], 1)
    points = [(rows["score"] - 1) * 25 for rows in (first, second)]
    second["margin_before"] = (points[1] - 0.5 * points[0]) / 10
    found = satisfaction_profit_link(pd.concat([first, second], ignore_index=True)).parts["variant"]["reverse"]
    assert (found.value, found.unit, found.status) == (
        pytest.approx(10 * second["margin_before"].std(ddof=0)),
        "points",
        "ok",
    )
