"""Whether frequency alone foretells the margin of the next year."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from kpis.customer_cases import bought, view_rows
from loyalty_kpis.sufficiency import FEATURES, frequency_sufficiency
from tiny_client import shop

VIEW, KPI = "known_and_next_year", "frequency_sufficiency"


def _client() -> dict:
    """The year before the last 365 days: 3 January 2023 to 1 January 2024. Anna bought in it on 3 January 2023 (for
    10), and twice for 20 on 22 December, of which one came back; then for 30 on 2 January 2024. Bea bought first in
    2022 and within the year on its last day, 1 January 2024. Carl bought in 2022 and 2024 only, dora in 2024. Cost is a
    half.
    """
    line = {"quantity": 1, "cogs": 5}
    receipts = [
        *bought("anna", "2023-01-03", first=1, product_id="a", **line),
        *bought(
            "anna", "2023-12-22", "2023-12-22", first=2, amount=20, product_id="b", quantity=1, cogs=10, line_id=None
        ),
        *bought("anna", "2024-01-02", first=3, amount=30, product_id="c", quantity=1, cogs=15),
        *bought("bea", "2022-07-01", "2024-01-01", first=4, product_id="a", **line),
        *bought("carl", "2022-07-01", "2024-07-01", first=5, product_id="a", **line),
        *bought("dora", "2024-07-01", first=6, product_id="a", **line),
    ]
    for number, (_, own) in enumerate(receipts):
        own["line_id"] = f"l{number}"
    receipts += [(receipts[2][0] | {"transaction_id": "back", "ts": "2024-03-01 10:00:00"}, {
        "transaction_id": "back", "line_id": "back", "return_of_line_id": "l2", "net_amount": -20, "cogs": -10,
        "quantity": -1, "product_id": "b",
    })]  # fmt: skip
    members = [{"member_id": "m", "customer_id": "anna", "enrolled_at": "2022-12-04 10:00:00"}]
    answers = [
        _answer("a1", "anna", "2023-02-01", "CSAT", 1, 5, 5), _answer("a2", "anna", "2023-03-01", "CSAT", 1, 5, 2),
        _answer("a3", "anna", "2023-03-01", "NPS", 0, 10, 10), _answer("a4", "anna", "2024-02-01", "CSAT", 1, 5, 5),
        _answer("a5", "anna", "2023-04-01", "NPS", 0, 10, 99), _answer("a6", "anna", "2023-03-01", "CES", 1, 5, 1),
    ]  # fmt: skip
    return shop(*receipts, memberships=members, survey_responses=answers)


def _answer(name: str, who: str, day: str, question: str, low: int, high: int, score: int) -> dict:
    scale = {"scale_min": low, "scale_max": high, "higher_is_better": True, "score": score}
    return {"response_id": name, "customer_id": who, "ts": f"{day} 10:00:00", "question_code": question} | scale


def test_what_was_known_and_what_came() -> None:
    """On 2 January 2024: anna bought on 2 days, the last 11 days ago, for 30 with a margin of 15, two products, member
    since 394 days; satisfied 1/4 by the latest CSAT and 1 by NPS (one outside its scale): 0.625; then a margin of 15.
    Bea: one day, yesterday, 10 with 5, known for 550 days, never asked; then nothing. Carl and dora bought nothing in
    that year.
    """
    found = view_rows(VIEW, KPI, _client()).set_index("customer_id")
    assert sorted(found.index) == ["anna", "bea"]
    anna = [float(found.loc["anna", name]) for name in (*FEATURES, "next_margin")]
    assert anna == [2, 11, 30, 15, 394, 2, 0.625, 15]
    bea = [float(found.loc["bea", name]) for name in (*FEATURES[:-1], "next_margin")]
    assert bea == [1, 1, 10, 5, 550, 1, 0]
    assert pd.isna(found.loc["bea", "satisfaction"])


def test_a_year_that_is_not_over_is_not_foretold() -> None:
    assert view_rows(VIEW, KPI, _client(), data="2022-01-01/2024-12-20").empty
    assert len(view_rows(VIEW, KPI, _client(), data="2022-01-01/2024-12-26")) == 2


def test_without_surveys() -> None:
    settings = {VIEW: {"satisfaction": False}}
    found = view_rows(VIEW, KPI, _client() | {"survey_responses": []}, settings=settings)
    assert (len(found), found["satisfaction"].isna().all()) == (2, True)


def _people(persons: int = 1500, by_recency: float = 0.0, seed: int = 3) -> pd.DataFrame:
    """Next year's margin rests on frequency, and as far as asked on recency."""
    rng = np.random.default_rng(seed)
    frequency, recency = rng.poisson(rng.gamma(2, 3, persons)) + 1, rng.uniform(0, 365, persons)
    target = 10 * frequency * (1 - by_recency * recency / 365) + rng.normal(0, 15, persons)
    noise = {name: rng.gamma(2, 3, persons) for name in FEATURES if name not in ("frequency", "recency")}
    frame = pd.DataFrame({"frequency": frequency, "recency": recency, **noise, "next_margin": target})
    return frame.assign(customer_id=[f"p{i:04d}" for i in range(persons)])


def test_frequency_is_sufficient() -> None:
    found = frequency_sufficiency(_people())
    assert (found.status, json.loads(found.reason)) == ("ok", {"text": "Frequency is sufficient."})
    assert found.value == pytest.approx(1, abs=0.02)
    assert found.low >= 0.90
    assert found.value == pytest.approx(found.numerator / found.denominator)
    parts = found.parts["variant"]
    assert (parts["r2_frequency"].value, parts["r2_everything"].value) == (found.numerator, found.denominator)


def test_what_adds_most_is_named() -> None:
    found = frequency_sufficiency(_people(by_recency=1.0))
    text = "Frequency is not sufficient: {feature} adds most."
    assert json.loads(found.reason) == {"text": text, "feature": "recency"}
    assert found.high < 0.95
    table = found.table.set_index("feature")
    assert table["added_to_frequency"].idxmax() == table["lost_without"].idxmax() == "recency"
    assert sorted(table.index) == sorted(set(FEATURES) - {"frequency"})
    parts = found.parts["variant"]
    for name in ("r2", "spearman", "top_decile"):
        assert 0 < parts[f"{name}_frequency"].value < parts[f"{name}_everything"].value < 1


def test_who_was_not_asked() -> None:
    """Satisfaction is known of a third, and of nobody: the latter leaves it out of everything known."""
    people = _people()
    some = people.assign(satisfaction=people["satisfaction"].where(people.index % 3 == 0))
    assert "satisfaction" in set(frequency_sufficiency(some).table["feature"])
    none = people.assign(satisfaction=np.nan)
    assert "satisfaction" not in set(frequency_sufficiency(none).table["feature"])


def test_too_few_or_nothing_to_foretell() -> None:
    found = frequency_sufficiency(_people(900))
    assert (found.status, json.loads(found.reason)) == (
        "low_n", {"id": "reason.too_few_customers", "n": 900, "minimum": 1000}
    )  # fmt: skip
    flat = frequency_sufficiency(_people().assign(next_margin=5.0))
    assert json.loads(flat.reason) == {"text": "Margins of the next year do not differ."}
    chance = _people(200).assign(next_margin=np.random.default_rng(0).normal(0, 1, 200))
    found = frequency_sufficiency(chance)
    text = "Nothing known of the customers foretells their margin of the next year."
    assert (found.status, json.loads(found.reason)) == ("undefined", {"text": text})
    assert frequency_sufficiency(_people().iloc[:0]).status == "undefined"
