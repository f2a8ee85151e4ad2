"""The demo's data, loaded whole: the traps that its timestamps and product table set."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from intake.shop_client import fetch, found
from kpibook import intake, params

if TYPE_CHECKING:
    from kpibook.intake import Intake

DEMO = Path(__file__).parents[2] / "params" / "complete_journey.yaml"


@pytest.fixture(scope="module")
def demo() -> Intake:
    return intake.load(params.load(DEMO))


def test_a_year_of_local_time_has_twelve_months(demo: Intake) -> None:
    months = "SELECT count(DISTINCT date_trunc('month', {})) FROM transactions"
    assert fetch(demo, months.format("business_date")) == [(12,)]
    assert (demo.data_start, demo.data_end) == (date(2017, 1, 1), date(2017, 12, 31))
    stored = "timezone('UTC', timezone('America/New_York', ts))"
    assert fetch(demo, months.format(stored)) == [(13,)]
    assert fetch(demo, f"SELECT count(*) FROM transactions WHERE {stored} >= TIMESTAMP '2018-01-01'") == [(86,)]


def test_rows(demo: Intake) -> None:
    rows = {name: facts.rows for name, facts in demo.facts.items() if facts.rows}
    assert rows == {
        "transactions": 155_848,
        "order_lines": 1_469_307,
        "products": 92_331,
        "customers": 2_469,
        "memberships": 1_559,
        "campaigns": 27,
        "campaign_targets": 6_589,
        "targets": 2,
    }
    assert fetch(demo, "SELECT count(*) FROM customers WHERE socio_economic_band IS NOT NULL") == [(801,)]


def test_nothing_is_lost_to_the_product_table(demo: Intake) -> None:
    finding = found(demo, "unknown_reference", "order_lines", "product_id")[0]
    assert (finding.severity, finding.rows, finding.details["distinct"]) == ("amber", 4_836, 17)
    assert sorted(f.rule for f in demo.findings if f.severity in {"red", "amber"}) == ["empty", "unknown_reference"]


def test_amounts_add_up_line_by_line(demo: Intake) -> None:
    assert found(demo, "amounts_differ")[0].severity == "green"
    assert fetch(demo, "SELECT count(*) FROM order_lines WHERE gross_amount - loyalty_discount <> net_amount") == [(0,)]


def test_the_proxy_is_told(demo: Intake) -> None:
    assert found(demo, "assumed_card_use")[0].rows == 94_252
    first = "SELECT count(*) FROM transactions JOIN memberships USING (member_id) WHERE business_date < enrolled_at"
    assert fetch(demo, first) == [(0,)]
    assert params.load(DEMO).notes[0] == (
        "Members are households that were targeted by at least one campaign, from the start of their first campaign: "
        "a proxy, everybody in these data shops with a card."
    )
