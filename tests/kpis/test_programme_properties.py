"""What holds for every KPI of costs, points and rewards: order, currency, empty tables, missing columns."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from kpibook.engine.compute import compute
from kpibook.periods import Period
from kpis.points_cases import COSTS, MONEY, POINTS, REWARDS, client, computed
from tiny_client import TinyParams, load, only, row

EVERY = (*COSTS, *POINTS, *REWARDS)
PERIODS = ("2024-01-01/2024-12-31", "2023-01-01/2023-12-31")
DATA = {"data": "2023-01-01/2024-12-31"}
#: A column without which the KPI cannot be, by KPI.
NEEDED = {
    "total_programme_cost": "programme_costs.amount",
    "programme_cost_per_active_member": "memberships.enrolled_at",
    "loyalty_budget_share": "company_financials.net_revenue",
    "loyalty_budget_growth": "order_lines.supplier_funding",
    "ad_spend_share": "company_financials.advertising_spend",
    "redemption_rate": "points_ledger.lot_id",
    "earn_burn_ratio": "points_ledger.type",
    "breakage_rate": "points_ledger.expires_at",
    "ultimate_redemption_rate": "points_ledger.points",
    "points_liability": "points_ledger.unit_cost",
    "redeemer_rate": "redemptions.ts",
    "reward_rate": "redemptions.face_value",
    "effort_to_first_reward": "programme_rules.first_reward_points",
    "effort_reward_balance": "survey_responses.weight",
}


@pytest.fixture(scope="module")
def card() -> Any:
    return _figures(computed(EVERY, client(), *PERIODS, **DATA))


def _figures(results: Any) -> dict[tuple[str, ...], Any]:
    names = ["kpi", "segment_by", "segment", "period"]
    rows = results.scorecard.astype(object).where(results.scorecard.notna(), None).to_dict("records")
    return {tuple(r[n] for n in names): (r["value"], r["low"], r["high"], r["status"], r["unit"]) for r in rows}


def _same(one: Any, other: Any, factor: float = 1.0) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.isclose(one * factor, other, rtol=1e-9, atol=1e-9))


def test_the_client_says_something(card: Any) -> None:
    """Each KPI has a value in the current period, so that the properties below are about numbers."""
    assert [kpi for kpi in EVERY if card[kpi, "total", "total", "current"][0] is None] == []


def test_the_order_of_rows_does_not_matter(card: Any) -> None:
    rng = np.random.default_rng(11)
    shuffled = {name: [rows[i] for i in rng.permutation(len(rows))] for name, rows in client().items()}
    other = _figures(computed(EVERY, shuffled, *PERIODS, **DATA))
    assert card.keys() == other.keys()
    assert [k for k in card if card[k][3] != other[k][3]] == []
    assert [k for k in card if not all(_same(a, b) for a, b in zip(card[k][:3], other[k][:3], strict=True))] == []


def test_another_currency_changes_money_and_nothing_else(card: Any) -> None:
    """Ten times the money, a tenth of the points for each unit of it: money figures are ten times as large."""
    tables = client()
    for table, columns in MONEY.items():
        for entry in tables[table]:
            entry.update({name: entry[name] * 10 for name in columns})
    tables["programme_rules"][0]["points_per_currency"] = 0.1
    other = _figures(computed(EVERY, tables, *PERIODS, **DATA))
    assert card.keys() == other.keys()
    different = [
        k
        for k in card
        if not all(
            _same(a, b, 10.0 if card[k][4] == "money" else 1.0) for a, b in zip(card[k][:3], other[k][:3], strict=True)
        )
    ]
    assert different == []


def test_components_add_up(card: Any) -> None:
    for period in ("current", "previous"):
        parts = [v[0] for k, v in card.items() if (k[0], k[1], k[3]) == ("total_programme_cost", "component", period)]
        assert len(parts) > 3
        assert sum(parts) == pytest.approx(card["total_programme_cost", "total", "total", period][0])


def test_the_cost_holds_the_change_in_liability(card: Any) -> None:
    """Added up in SQL for the cost, from arrays for the liability's interval: one figure."""
    for period in ("current", "previous"):
        counted = card["total_programme_cost", "component", "points_liability_change", period][0]
        assert counted == pytest.approx(card["points_liability", "variant", "change", period][0], abs=1e-9)
        assert counted != 0


def test_without_tables() -> None:
    results = computed(EVERY, {}, PERIODS[0], **DATA)
    for kpi in EVERY:
        found = row(results, kpi)
        assert (found["value"], found["status"]) == (None, "missing_data")
        assert json.loads(found["reason"])["id"] == "reason.missing_table"


def test_a_period_without_rows() -> None:
    """Nothing happened in 2026: what lives on (points, waiting members) has a figure, nothing else, and none fails."""
    results = computed(EVERY, client(), "2026-01-01/2026-12-31", data="2023-01-01/2026-12-31")
    found = {kpi: row(results, kpi) for kpi in EVERY}
    assert {f["status"] for f in found.values()} <= {"undefined", "missing_data", "low_n", "bounded"}
    living = {
        "ultimate_redemption_rate",
        "breakage_rate",
        "points_liability",
        "redeemer_rate",
        "effort_to_first_reward",
    }
    assert {kpi for kpi, f in found.items() if f["value"] is not None} == living


@pytest.fixture(scope="module")
def loaded() -> Any:
    return load(client())


@pytest.mark.parametrize("kpi", EVERY)
def test_a_missing_column_is_named(kpi: str, loaded: Any) -> None:
    table, _, column = NEEDED[kpi].partition(".")
    supplied = {**loaded.supplied, table: loaded.supplied[table] - {column}}
    less = replace(loaded, supplied=supplied, data_start=date(2022, 1, 1))
    found = row(compute(only(kpi), TinyParams(Period.parse(PERIODS[0])), less), kpi)
    assert (found["value"], found["status"]) == (None, "missing_data")
    assert json.loads(found["reason"]) == {"id": "reason.missing_columns", "columns": NEEDED[kpi]}
