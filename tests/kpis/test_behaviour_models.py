"""Coverage and skill of behaviour models: worked by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from kpis.customer_cases import figure, people, results, view_rows
from loyalty_kpis.behaviour_models import baseline, behaviour_model_skill
from tiny_client import row

COVERAGE, SKILL = "behaviour_model_coverage", "behaviour_model_skill"


def _score(name: str, day: str, model: str = "m", **more: object) -> dict:
    facts = {"customer_id": name, "model_id": model, "scored_at": f"{day} 06:00:00", "horizon_days": 100}
    return facts | {"expected_purchases": 2.0, "expected_margin": 12.0, "p_active": 0.8} | more


def test_behaviour_model_coverage() -> None:
    """Active in 2024: anna (3 days, scored 90 days before the end of the year), bea (3 days, scored a day too early),
    carl (one day, scored twice) and dora (none): 2 of 4. With three days or more 1 of 2, with fewer 1 of 2. Emil,
    scored, bought last in 2023; a score of tomorrow does not count.
    """
    days = {"anna": ["2022-02-01", "2023-03-01", "2024-02-01"], "bea": ["2022-02-01", "2024-02-01", "2024-02-02"]}
    days |= {"carl": ["2024-12-31"], "dora": ["2024-02-01"], "emil": ["2023-02-01"]}
    scores = [
        _score("anna", "2024-10-03"),
        _score("bea", "2024-10-02"),
        _score("carl", "2024-12-31"),
        _score("emil", "2024-12-01"),
    ]
    scores += [_score("carl", "2024-12-01", "n"), _score("dora", "2025-01-01")]
    found = results(COVERAGE, people(**days) | {"customer_scores": scores})
    whole, rich, poor = (row(found, COVERAGE, name) for name in ("total", "with_history", "little_history"))
    assert [(r["numerator"], r["denominator"]) for r in (whole, rich, poor)] == [(2, 4), (1, 2), (1, 2)]
    assert whole["status"] == "low_n"


def test_which_scores_are_judged() -> None:
    """A horizon of 100 days after 1 March ends on 9 June: in the first half of 2024. Anna bought twice in it, on the
    next day and the last one, and three times in the 365 days up to 1 March, the first on 3 March 2023. Her score of 1
    February also ended in the half-year, but is not the last; that of 1 April has not ended. Bea's of 2022 lacks a year
    of history. Carl bought nothing at all. Cost is 4 of 10.
    """
    days = ["2023-03-02", "2023-03-03", "2023-12-01", "2024-03-01", "2024-03-02", "2024-06-09", "2024-06-10"]
    tables = people(anna=days)
    tables["order_lines"] = [line | {"cogs": 4} for line in tables["order_lines"]]
    scores = [_score("anna", day) for day in ("2024-02-01", "2024-03-01", "2024-04-01")]
    scores += [_score("bea", "2022-03-01"), _score("carl", "2024-03-01")]
    half = {"period": "2024-01-01/2024-06-30", "data": "2022-01-01/2024-12-31"}
    found = view_rows("judged_scores", SKILL, tables | {"customer_scores": scores}, **half)
    names = ["scored_on", "bought", "earned", "bought_before", "earned_before"]
    rows = {
        r["customer_id"]: [str(r["scored_on"])[:10], *(float(r[n]) for n in names[1:])]
        for r in found.to_dict("records")
    }
    assert rows == {"anna": ["2024-03-01", 2, 12, 3, 18], "carl": ["2024-03-01", 0, 0, 0, 0]}
    later = view_rows("judged_scores", SKILL, tables | {"customer_scores": scores}, period="2023-01-01/2023-12-31")
    assert later.empty


def _rows(n: int = 1, **columns: list) -> pd.DataFrame:
    """Scores of a year's horizon; ``n`` persons with the same figures each."""
    frame = pd.DataFrame(columns)
    frame = pd.concat([frame] * n, ignore_index=True)
    plain = {"model_id": "m", "scored_on": pd.Timestamp("2024-01-01"), "horizon_days": 365, "p_active": 0.5}
    plain |= {"expected_margin": 0.0, "earned": 0.0}
    for name, value in plain.items():
        if name not in frame:
            frame[name] = value
    return frame.assign(customer_id=[f"p{i:05d}" for i in range(len(frame))])


def test_the_simple_rule() -> None:
    """Ten persons, earned 1 to 10: P50 is 5, P80 8. Low, five of them, bought 0, 0, 0, 5, 5: mean 2, variance 6, so of
    the distance from the mean 1 - 2/6 = 2/3 is believed: 2/3 and 4. Medium, three, bought 2, 3, 4: variance below the
    mean, all 3. Heavy, two: 10 and 30, mean 20, variance 100: 0.8 of it: 12 and 28. Of a horizon of 73 days a fifth.
    """
    bought = [0, 0, 0, 5, 5, 2, 3, 4, 10, 30]
    rows = _rows(bought_before=bought, earned_before=list(range(1, 11))).assign(horizon_days=73)
    purchases, margin = baseline(rows)
    expected = np.array([2 / 3, 2 / 3, 2 / 3, 4, 4, 3, 3, 3, 12, 28]) / 5
    np.testing.assert_allclose(purchases, expected)
    np.testing.assert_allclose(margin[[0, 4, 5, 8]], np.array([3 - 4 / 3, 3 + 4 / 3, 7, 9.5 - 0.4]) / 5)


SCORED = {"bought_before": [0, 4], "earned_before": [1, 9], "bought": [1, 5], "expected_purchases": [1.5, 4.0]}


def test_behaviour_model_skill() -> None:
    """300 persons each who bought 0 and 4 before. P50 of their margins is 1, so they are two classes, all alike: the
    rule expects 0 and 4. They bought 1 and 5: the rule errs by 1, the model (1.5 and 4) by 0.5 and 1. Skill 1 - 1.5 /
    2. The slope through (1.5, 1) and (4, 5) is 1.6. All bought something, of which p_active has no skill to show.
    """
    found = behaviour_model_skill(_rows(300, **SCORED))
    assert (found.value, found.persons, found.status) == (pytest.approx(0.25), 600, "ok")
    assert found.low < 0.25 < found.high
    parts = found.parts["variant"]
    assert parts["calibration_slope"].value == pytest.approx(1.6)
    assert parts["activity"].status == "undefined"
    assert "model_id" not in found.parts


def test_margin_and_activity() -> None:
    """Margin: the rule expects 1 and 9, the model 2 and 8, 3 and 9 came: errors 2 and 0 against 1 and 1, skill 0. Half
    were active: p of 0.5 gives 0.25, their share as well; p of 0.9 and 0.1 gives 0.01 of 0.25.
    """
    facts = SCORED | {"expected_margin": [2.0, 8.0], "earned": [3.0, 9.0], "bought": [1, 0]}
    parts = behaviour_model_skill(_rows(300, **facts)).parts["variant"]
    assert parts["margin"].value == pytest.approx(0)
    assert json.loads(parts["margin"].reason)["text"].startswith("No better than last year's figures")
    assert parts["activity"].value == pytest.approx(0)
    sharp = behaviour_model_skill(_rows(300, **facts, p_active=[0.9, 0.1])).parts["variant"]
    assert sharp["activity"].value == pytest.approx(1 - 0.01 / 0.25)


def test_of_several_models_the_last_one_counts() -> None:
    """Model b scored later: its skill is the headline, and it is useless: it errs by 4 and 4 against 1 and 1."""
    later = SCORED | {"expected_purchases": [5.0, 9.0]}
    one = _rows(300, **SCORED)
    other = _rows(300, **later).assign(model_id="b", scored_on=pd.Timestamp("2024-02-01"))
    found = behaviour_model_skill(pd.concat([one, other], ignore_index=True))
    assert found.value == pytest.approx(1 - 8 / 2)
    assert json.loads(found.reason) == {"text": "No better than last year's figures: the model is of no use."}
    assert {name: part.value for name, part in found.parts["model_id"].items()} == {
        "m": pytest.approx(0.25), "b": pytest.approx(-3)
    }  # fmt: skip
    swapped = pd.concat([one.assign(scored_on=pd.Timestamp("2024-03-01")), other], ignore_index=True)
    found = behaviour_model_skill(swapped)
    assert found.value == pytest.approx(0.25)
    assert json.loads(found.reason) == {
        "text": "Of {count} models, {model} is the one in use.", "count": 2, "model": "m"
    }  # fmt: skip


def test_few_persons_and_none() -> None:
    found = behaviour_model_skill(_rows(200, **SCORED))
    assert (found.status, json.loads(found.reason)) == (
        "low_n", {"id": "reason.too_few_customers", "n": 400, "minimum": 500}
    )  # fmt: skip
    assert behaviour_model_skill(_rows(1, **SCORED).iloc[:0]).status == "undefined"
    assert figure(SKILL, people(anna=["2024-01-01"]))["status"] == "missing_data"
