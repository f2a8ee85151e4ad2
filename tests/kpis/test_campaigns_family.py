"""What holds for every KPI of the family: empty tables, missing columns, order of rows, another currency."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kpibook import model
from kpis.campaign_case import CAMPAIGN, RECEIPTS, TARGETS, sale, target
from tiny_client import only, run, shop

#: Each KPI with a column that it cannot do without.
NEEDS = {
    "on_target_response_rate": "campaigns.target_product_ids",
    "campaign_uplift": "campaign_targets.assignment_prob",
    "campaign_roi": "campaigns.contact_cost",
    "subsidised_baseline_share": "order_lines.loyalty_discount",
    "initiative_continuity": "campaigns.objective",
    "contact_regularity": "customers.consent_push",
    "two_way_dialogue_rate": "funnel_events.touchpoint_type",
    "contactable_share": "customers.consent_email",
    "personalised_treatment_rate": "campaigns.target_rule",
    "suggestion_acceptance_rate": "funnel_events.product_id",
    "personalised_discount_share": "order_lines.general_discount",
    "personalised_discount_effect": "campaign_targets.offer_value",
    "uplift_qini": "campaign_targets.predicted_uplift",
}
MARCH = {"period": "2024-03-01/2024-03-31", "data": "2023-03-01/2024-06-30"}
MONEY = [name for name, column in model.TABLES["order_lines"].columns.items() if column.kind == "money"]


def _many() -> dict[str, list[dict[str, Any]]]:
    """The hand case, and 60 persons more who buy, are spoken to, answer and are suggested things."""
    dice = random.Random(5)
    people = [f"p{i:02d}" for i in range(60)]
    receipts = [
        sale(100 + i, f"2024-03-{dice.randint(1, 28):02d}", dice.choice(people), dice.choice("pqr"), dice.randint(1, 3),
             dice.randint(5, 40), personal_discount=dice.choice([0, 2]), general_discount=dice.choice([0, 1]),
             loyalty_discount=1, cogs=3)
        for i in range(90)
    ]  # fmt: skip
    targets = [
        target(name, dice.choice(["treatment", "control"]), predicted_uplift=dice.random(),
               offer_value=dice.choice([2, 4]), replied_at="2024-03-09" if dice.random() < 0.3 else None)
        for name in people
    ]  # fmt: skip
    events = [
        {"event_id": i, "customer_id": dice.choice(people), "product_id": dice.choice("pqr"), "is_bot": False,
         "event_name": dice.choice(["suggestion_shown", "comment"]), "ts": f"2024-03-{dice.randint(1, 28):02d}",
         "touchpoint_type": dice.choice(["app", "social"]), "channel": "app"}
        for i in range(80)
    ]  # fmt: skip
    persons = [
        {"customer_id": name, "consent_email": dice.random() < 0.7, "consent_push": dice.random() < 0.5,
         "deleted_at": None}
        for name in people
    ]  # fmt: skip
    return {
        **shop(*RECEIPTS, *receipts),
        "campaigns": [
            {**CAMPAIGN, "fixed_cost": 100},
            {**CAMPAIGN, "campaign_id": "l", "fixed_cost": 100, "target_product_ids": ["q"]},
        ],
        "campaign_targets": [*TARGETS, *targets, *({**t, "campaign_id": "l"} for t in targets[::2])],
        "customers": persons,
        "funnel_events": events,
        "tickets": [
            {"ticket_id": i, "customer_id": name, "direction": "inbound", "created_at": "2024-03-02", "is_spam": False}
            for i, name in enumerate(people[:9])
        ],
        "survey_responses": [
            {"response_id": i, "customer_id": name, "respondent_type": "customer", "ts": "2024-03-02"}
            for i, name in enumerate(people[9:15])
        ],
    }


def _numbered(tables: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    lines = [{"line_id": f"n{i}", **line} for i, line in enumerate(tables["order_lines"])]
    return {**tables, "order_lines": lines}


def _figures(tables: dict[str, list[dict[str, Any]]], **more: Any) -> pd.DataFrame:
    card = run(tables, **MARCH, catalog=only(*NEEDS), **more).scorecard
    keys = ["kpi", "segment_by", "segment", "period"]
    return card.sort_values(keys)[[*keys, "value", "low", "high", "n", "status", "reason", "unit"]].reset_index(
        drop=True
    )


@cache
def _base() -> pd.DataFrame:
    return _figures(_numbered(_many()))


def test_every_kpi_says_something_of_this_shop() -> None:
    totals = _base()[_base().segment_by == "total"].set_index("kpi")
    assert set(totals.index) == set(NEEDS)
    assert totals.index[totals["value"].isna()].tolist() == []


def test_order_of_rows_does_not_matter() -> None:
    tables = _numbered(_many())
    dice = random.Random(1)
    shuffled = {name: dice.sample(rows, len(rows)) for name, rows in tables.items()}
    pd.testing.assert_frame_equal(_figures(shuffled), _base(), rtol=1e-9)


def test_ten_times_the_currency() -> None:
    """Money figures are ten times as large, everything else stays."""
    tables = _numbered(_many())
    lines = [{k: v * 10 if k in MONEY else v for k, v in line.items()} for line in tables["order_lines"]]
    costs = [
        {**c, "fixed_cost": c["fixed_cost"] * 10, "contact_cost": c["contact_cost"] * 10} for c in tables["campaigns"]
    ]
    found = _figures({**tables, "order_lines": lines, "campaigns": costs})
    factor = _base()["unit"].map(lambda unit: 10.0 if unit == "money" else 1.0)
    assert (factor == 10).sum() >= 8
    for name in ("value", "low", "high"):
        values, before = (frame[name].to_numpy(dtype=float, na_value=np.nan) for frame in (found, _base()))
        assert values == pytest.approx(before * factor.to_numpy(), rel=1e-6, abs=1e-9, nan_ok=True), name
    assert list(found["status"]) == list(_base()["status"])


def test_empty_tables() -> None:
    """No row at all: nothing to divide by, or nothing supplied; never an error."""
    found = _figures({})
    assert set(found["kpi"]) == set(NEEDS)
    assert set(found["status"]) == {"missing_data"}


def test_tables_with_nothing_in_the_period() -> None:
    card = run(
        _numbered(_many()), "2023-04-01/2023-04-30", data="2022-01-01/2024-06-30", catalog=only(*NEEDS)
    ).scorecard
    totals = card[card.segment_by == "total"].set_index("kpi")
    assert dict(totals["status"].value_counts()) == {"undefined": 12, "ok": 1}
    assert totals.loc["initiative_continuity", "value"] == 0


def test_missing_columns() -> None:
    """A client without any of the columns of NEEDS: each KPI names its own."""
    card = run(_numbered(_many()), **MARCH, catalog=only(*NEEDS), without=list(NEEDS.values())).scorecard
    totals = card[card.segment_by == "total"].set_index("kpi")
    assert set(totals["status"]) == {"missing_data"}
    assert {kpi: NEEDS[kpi] in totals.loc[kpi, "reason"] for kpi in NEEDS} == dict.fromkeys(NEEDS, True)
