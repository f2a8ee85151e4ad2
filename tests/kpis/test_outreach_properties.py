"""What holds for every KPI about visitors, service and governance."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kpibook.engine.computable import judge
from kpibook.model import TABLES
from kpis.outreach_cases import HALF, KPIS, everything
from tiny_client import only, row, run

SETTINGS = {"reply_times": {"in_opening_hours": True}, "rival_satisfaction": {"asked": True}}
MONEY = {"order_lines": ("net_amount", "cogs"), "referrals": ("reward_cost",)}
NEEDS = {
    "new_customers_due_to_programme": "customers.acquisition_reason",
    "wom_reach": "survey_responses.question_code",
    "wom_new_customer_share": "customers.referred_by_customer_id",
    "referral_rate": "referrals.first_purchase_at",
    "k_factor": "referrals.invitee_hash",
    "organic_referral_share": "referrals.mode",
    "funnel_stage_conversion": "funnel_events.stage",
    "overall_conversion_rate": "funnel_events.transaction_id",
    "visit_frequency": "funnel_events.session_id",
    "website_statistics": "funnel_events.channel",
    "visitor_segmentation_rate": "funnel_events.product_id",
    "post_sale_engagement_rate": "campaign_targets.clicked_at",
    "touchpoint_effect": "funnel_events.touchpoint_type",
    "touchpoint_sentiment": "funnel_events.sentiment",
    "first_response_time": "tickets.first_human_reply_at",
    "accessibility_rate": "tickets.abandoned",
    "first_contact_resolution": "tickets.contacts_count",
    "proactive_contact_share": "tickets.is_complaint",
    "a_priori_target_share": "targets.superseded_at",
    "monitoring_cadence": "audit_inventory.cadence_days",
    "roi_monitored": "audit_inventory.used_in_decision",
    "kpi_specificity_share": "audit_inventory.has_comparator",
    "data_driven_decision_share": "campaigns.target_rule",
    "benchmark_gap": "benchmarks.same_definition",
    "employee_turnover": "staff_periods.leavers_total",
}


def _computed(tables: dict[str, Any], **more: Any) -> Any:
    return run(tables, **{**HALF, **more}, catalog=only(*KPIS, "active_customers"), settings=SETTINGS)


@cache
def _whole() -> Any:
    return _computed(everything())


@cache
def _empty() -> Any:
    return run({}, "2024-01-01/2024-06-30", catalog=only(*KPIS))


def test_the_whole_client_is_computed() -> None:
    """Every KPI has a figure or says why not; none fails."""
    card = _whole().scorecard
    assert card.loc[card.status == "failed", ["kpi", "segment", "reason"]].to_numpy().tolist() == []
    assert set(card.kpi) >= set(KPIS)
    assert len(card[card.status == "ok"]) > 20


@pytest.mark.parametrize("kpi", KPIS)
def test_empty_tables(kpi: str) -> None:
    found = row(_empty(), kpi)
    assert (found["status"], found["value"]) == ("missing_data", None)


def test_tables_without_rows_in_the_period() -> None:
    """A year before the client's first day: nothing to see, and nothing fails."""
    watched = {"a_priori_target_share", "monitoring_cadence", "roi_monitored", "kpi_specificity_share", "benchmark_gap"}
    results = _computed(everything(), period="2022-06-01/2022-06-30")
    found = {kpi: row(results, kpi)["status"] for kpi in set(KPIS) - watched}
    assert {kpi for kpi, status in found.items() if status not in ("undefined", "missing_data")} == set()
    card = results.scorecard
    assert card.loc[card.status == "failed", ["kpi", "segment", "reason"]].to_numpy().tolist() == []


def test_the_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(7)
    mixed = {name: [rows[i] for i in rng.permutation(len(rows))] for name, rows in everything().items()}
    again = _computed(mixed)
    pd.testing.assert_frame_equal(again.scorecard, _whole().scorecard, rtol=1e-12)
    for name, table in _whole().tables.items():
        pd.testing.assert_frame_equal(again.tables[name], table, rtol=1e-12)


def test_ten_times_the_money() -> None:
    """Money figures are ten times as large; every other figure stays."""
    tables = everything()
    for name, columns in MONEY.items():
        tables[name] = [{**r, **{c: r[c] * 10 for c in columns}} for r in tables[name]]
    before, after = _whole().scorecard, _computed(tables).scorecard
    money = (before["unit"] == "money").to_numpy()
    assert money.sum() >= 4
    factor = pd.Series(money).map({True: 10.0, False: 1.0})
    for column in ("value", "low", "high"):
        expected = before[column].astype(float) * factor
        pd.testing.assert_series_equal(after[column].astype(float), expected, check_names=False, rtol=1e-9)


@pytest.mark.parametrize(("kpi", "column"), NEEDS.items())
def test_a_missing_column_is_named(kpi: str, column: str) -> None:
    supplied = {table.name: frozenset(table.columns) for table in TABLES.values()}
    table, _, name = column.partition(".")
    resolved = only(kpi).resolve().kpis[kpi]
    verdict = judge(resolved, {**supplied, table: supplied[table] - {name}}, dict.fromkeys(supplied, 1))
    assert (verdict.state, verdict.missing) == ("not", (column,))
    assert json.loads(verdict.reason) == {"id": "reason.missing_columns", "columns": column}
    assert judge(resolved, supplied, dict.fromkeys(supplied, 1)).state == "computable"


def test_a_missing_column_stands_in_the_scorecard() -> None:
    found = row(
        run(everything(), **HALF, catalog=only("roi_monitored"), without=[NEEDS["roi_monitored"]]), "roi_monitored"
    )
    assert (found["status"], json.loads(found["reason"])["columns"]) == ("missing_data", NEEDS["roi_monitored"])
