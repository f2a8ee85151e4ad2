"""What holds for every figure of return: order, currency, empty tables, missing columns."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from kpis.enrolment_shop import YEAR, client, cost
from tiny_client import only, row, run

EVERY = (
    "programme_roi",
    "net_programme_value",
    "break_even_uplift",
    "incremental_margin",
    "incremental_revenue",
    "incremental_revenue_share",
    "identified_member_share",
    "selection_gap",
    "holdout_lift",
    "payback_period",
)
MONEY = ("net_amount", "gross_amount", "loyalty_discount", "personal_discount", "general_discount", "cogs")
#: A column without which the KPI cannot be, by KPI.
NEEDED = {
    "programme_roi": "programme_costs.amount",
    "net_programme_value": "order_lines.cogs",
    "break_even_uplift": "order_lines.gross_amount",
    "incremental_margin": "order_lines.variable_cost",
    "incremental_revenue": "order_lines.net_amount",
    "incremental_revenue_share": "order_lines.net_amount",
    "identified_member_share": "memberships.enrolled_at",
    "selection_gap": "memberships.enrolled_at",
    "holdout_lift": "campaign_targets.assignment_prob",
    "payback_period": "programme_costs.cost_type",
}
RANDOM = {
    "campaigns": [{"campaign_id": "c", "start_at": "2023-09-05 08:00:00", "response_window_days": 30}],
    "campaign_targets": [
        {"campaign_id": "c", "customer_id": f"p{i}", "assigned_at": "2023-09-05 07:00:00", "is_random": True,
         "arm": "treatment" if i % 2 else "control", "assignment_prob": 0.5}
        for i in range(1, 7)
    ],
}  # fmt: skip


def _client(factor: float = 1.0) -> dict[str, Any]:
    ledger = [
        cost("operations", 24.0 * factor, "2023-01-01", "2023-12-31"),
        cost("launch_capex", 12.0 * factor, "2023-08-01", "2023-08-31"),
    ]
    tables = {**client(costs=ledger), **RANDOM}
    for line in tables["order_lines"]:
        line.update({name: line[name] * factor for name in MONEY})
    return tables


def _figures(results: Any) -> dict[tuple[str, ...], Any]:
    names = ["kpi", "segment_by", "segment", "period"]
    rows = results.scorecard.astype(object).where(results.scorecard.notna(), None).to_dict("records")
    return {tuple(r[n] for n in names): (r["value"], r["low"], r["high"], r["status"], r["unit"]) for r in rows}


@pytest.fixture(scope="module")
def card() -> Any:
    return _figures(run(_client(), **YEAR, catalog=only(*EVERY)))


def _same(one: Any, other: Any, factor: float = 1.0) -> bool:
    if one is None or other is None:
        return one is other
    return bool(np.isclose(one * factor, other, rtol=1e-9, atol=1e-9))


def test_the_client_says_something(card: Any) -> None:
    """Each KPI has a value or bounds, so that the properties below are about numbers."""
    silent = [kpi for kpi in EVERY if card[kpi, "total", "total", "current"][:3] == (None, None, None)]
    assert silent == ["selection_gap"]
    assert card["selection_gap", "variant", "effect_per_member_year", "current"][1] is not None


def test_the_order_of_rows_does_not_matter(card: Any) -> None:
    rng = np.random.default_rng(5)
    shuffled = {name: [rows[i] for i in rng.permutation(len(rows))] for name, rows in _client().items()}
    other = _figures(run(shuffled, **YEAR, catalog=only(*EVERY)))
    assert card.keys() == other.keys()
    assert [k for k in card if card[k][3] != other[k][3]] == []
    assert [k for k in card if not all(_same(a, b) for a, b in zip(card[k][:3], other[k][:3], strict=True))] == []


def test_another_currency_changes_money_and_nothing_else(card: Any) -> None:
    other = _figures(run(_client(10.0), **YEAR, catalog=only(*EVERY)))
    assert card.keys() == other.keys()
    factor = {k: 10.0 if v[4] == "money" else 1.0 for k, v in card.items()}
    pairs = {k: zip(card[k][:3], other[k][:3], strict=True) for k in card}
    assert [k for k in card if not all(_same(a, b, factor[k]) for a, b in pairs[k])] == []


@pytest.mark.parametrize("empty", ["transactions", "memberships", "programme_costs", "campaign_targets"])
def test_empty_tables(empty: str) -> None:
    tables = {name: ([] if name == empty else rows) for name, rows in _client().items()}
    if empty == "transactions":
        tables["order_lines"] = []
    results = run(tables, **YEAR, catalog=only(*EVERY))
    states = {kpi: row(results, kpi)["status"] for kpi in EVERY}
    assert set(states.values()) <= {"missing_data", "undefined", "not_identified", "bounded", "low_n"}
    told = {kpi for kpi in EVERY if states[kpi] in ("missing_data", "undefined", "not_identified")}
    assert told >= {"transactions": set(EVERY), "memberships": set(EVERY) - {"holdout_lift"},
                    "programme_costs": {"programme_roi", "net_programme_value", "break_even_uplift", "payback_period"},
                    "campaign_targets": {"holdout_lift"}}[empty]  # fmt: skip


def test_missing_columns_are_named() -> None:
    for column in sorted(set(NEEDED.values())):
        results = run(_client(), **YEAR, catalog=only(*EVERY), without=[column])
        for kpi in (kpi for kpi, needed in NEEDED.items() if needed == column):
            found = row(results, kpi)
            assert (kpi, found["status"]) == (kpi, "missing_data")
            assert column in json.loads(found["reason"])["columns"]
