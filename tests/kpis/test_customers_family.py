"""What holds for all KPIs about customers' lives: nothing there, something missing, other order, other currency."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from kpis.customer_cases import KPIS, THREE_YEARS, YEAR_2024, whole_client
from tiny_client import only, receipt, row, run, shop

COLUMNS = ["kpi", "segment_by", "segment", "period"]
MISSING = {
    "retention_time": "customers.created_at",
    "reactivation_rate": "transactions.customer_id",
    "net_revenue_retention": "order_lines.net_amount",
    "low_to_heavy_conversion": "order_lines.net_amount",
    "clv": "order_lines.cogs",
    "buyers_who_are_customers": "transactions.customer_id",
    "profile_completeness": "customers.consent_profiling",
    "heavy_medium_target_coverage": "memberships.enrolled_at",
    "lifecycle_alignment": "campaigns.lifecycle_stage",
    "share_of_wallet": "competitor_panel.spend",
    "first_choice_rate": "competitor_panel.preference_rank",
    "behaviour_model_coverage": "customer_scores.scored_at",
    "behaviour_model_skill": "customer_scores.expected_purchases",
    "frequency_sufficiency": "survey_responses.score",
}


def _card(tables: dict[str, Any], **more: Any) -> Any:
    found = run(tables, YEAR_2024, "2023-01-01/2023-12-31", catalog=only(*KPIS), data=THREE_YEARS, **more)
    return found.scorecard.sort_values(COLUMNS).reset_index(drop=True)


@pytest.fixture(scope="module")
def card() -> Any:
    return _card(whole_client())


def test_every_kpi_says_something_of_the_whole_client(card: Any) -> None:
    """The other tests of this file compare figures that are there."""
    assert sorted(card["kpi"].unique()) == sorted(KPIS)
    assert "failed" not in set(card["status"])
    assert "missing_data" not in set(card[card["period"] == "current"]["status"])
    valued = set(card[card["value"].notna() | card["low"].notna()]["kpi"])
    assert set(KPIS) - valued <= {"clv"}


def test_without_any_rows() -> None:
    results = run({}, YEAR_2024, catalog=only(*KPIS), data=THREE_YEARS)
    assert {row(results, kpi)["status"] for kpi in KPIS} == {"missing_data"}


def test_with_a_single_purchase_of_nobody_known() -> None:
    """Every table is there, but nobody in it ever bought: undefined, or nothing is said, and never a failure."""
    tables = whole_client(persons=2) | shop(receipt(1, "2024-05-01", 10, None, cogs=5, channel="web", store_id="s"))
    tables["order_lines"][0] |= {"product_id": "a", "quantity": 1, "loyalty_discount": 0}
    results = run(tables, YEAR_2024, catalog=only(*KPIS), data=THREE_YEARS)
    assert set(results.scorecard["status"]) <= {"undefined", "low_n", "missing_data"}
    for kpi in set(KPIS) - {"share_of_wallet", "first_choice_rate", "lifecycle_alignment"}:
        assert row(results, kpi)["status"] == "undefined", kpi


@pytest.mark.parametrize("kpi", KPIS)
def test_without_a_column(kpi: str) -> None:
    results = run(whole_client(persons=2), YEAR_2024, catalog=only(kpi), data=THREE_YEARS, without=[MISSING[kpi]])
    found = row(results, kpi)
    assert (found["status"], found["value"]) == ("missing_data", None)
    assert MISSING[kpi] in json.loads(found["reason"])["columns"].split(", ")


def test_neither_order_nor_currency_matters(card: Any) -> None:
    """Rows in another order, and all money times ten: money is ten times as much; shares, days and indices stay."""
    tables, rng = whole_client(money=10), np.random.default_rng(2)
    other = _card({name: [rows[i] for i in rng.permutation(len(rows))] for name, rows in tables.items()})
    assert other[COLUMNS].equals(card[COLUMNS])
    assert other["status"].tolist() == card["status"].tolist()
    factor = np.where(card["unit"] == "money", 10.0, 1.0)
    for name in ("value", "low", "high"):
        np.testing.assert_allclose(_numbers(other, name), _numbers(card, name) * factor, rtol=1e-5, atol=1e-8)


def _numbers(card: Any, name: str) -> Any:
    return card[name].astype("Float64").to_numpy(dtype=float, na_value=np.nan)
