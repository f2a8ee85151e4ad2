"""Customer months: zero months kept, margin before and after benefits, membership."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pyarrow as pa
import pytest

from kpibook import windows
from kpibook.periods import Period
from loyalty_kpis import customer_months, views
from tiny_client import load, receipt, shop

LINE = {"gross_amount": 20, "general_discount": 2, "loyalty_discount": 3, "personal_discount": 1, "cogs": 6,
        "variable_cost": 1, "supplier_funding": 1.5}  # fmt: skip


def _rows() -> list[dict[str, Any]]:
    """anna buys 14 in January and 14 twice in one day of March; enrols in February, leaves in April; data to May."""
    back = {name: -value for name, value in LINE.items()}
    tables = shop(
        receipt(1, "2024-01-10", 14, "anna", channel="store", **LINE),
        receipt(2, "2024-03-10", 14, "anna", channel="store", **LINE),
        receipt(3, "2024-03-10", 14, "anna", channel="web", line_id="sold", **LINE),
        receipt(4, "2024-04-02", -14, "anna", return_of_line_id="sold", channel="web", **back),
        receipt(5, "2024-05-31", 14, "bea", channel="store", **LINE),
        receipt(6, "2024-02-01", 99, None, channel="store", **LINE),
    )
    tables["memberships"] = [
        {
            "member_id": "m",
            "customer_id": "anna",
            "enrolled_at": "2024-02-05 10:00:00",
            "closed_at": "2024-04-20 10:00:00",
        }
    ]
    con = load(tables).backend
    span = Period.parse("2024-03-01/2024-05-31")
    found = windows.windows({"current": span}, (), Period.parse("2024-01-01/2024-01-01").start, span.end)
    con.create_table("periods", pa.Table.from_pylist([asdict(w) for w in found]))
    transactions, lines = con.table("transactions"), con.table("order_lines")
    months = customer_months.purchase_months(views.receipts(transactions, lines))
    table = customer_months.customer_month(
        months,
        customer_months.benefit_months(transactions, lines),
        customer_months.first_months(months),
        customer_months.enrolled_persons(con.table("memberships")),
        con.table("periods"),
    )
    return table.order_by(["customer_id", "month"]).to_pyarrow().to_pylist()


@pytest.fixture(scope="module")
def months() -> list[dict[str, Any]]:
    return _rows()


def test_from_the_first_purchase_on_with_empty_months(months: list[dict[str, Any]]) -> None:
    """anna from January, bea in May only; the returned receipt of March is gone, the anonymous one nobody's."""
    found = [(m["customer_id"], str(m["first_day"])[:7], m["purchases"], m["net_amount"]) for m in months]
    assert found == [
        ("anna", "2024-01", 1, 14),
        ("anna", "2024-02", 0, 0),
        ("anna", "2024-03", 1, 14),
        ("anna", "2024-04", 0, 0),
        ("anna", "2024-05", 0, 0),
        ("bea", "2024-05", 1, 14),
    ]


def test_margin_before_and_after_benefits(months: list[dict[str, Any]]) -> None:
    """20 - 2 - 6 - 1 = 11 before; benefits 3 + 1 - 1.50 from the supplier = 2.50."""
    assert [(m["margin_before_benefits"], m["margin_after_benefits"]) for m in months[:3]] == [
        (11, 8.5),
        (0, 0),
        (11, 8.5),
    ]


def test_membership_and_event_month(months: list[dict[str, Any]]) -> None:
    """A member in the months after that of enrolment, until that of leaving."""
    assert [(m["is_member"], m["event_month"]) for m in months] == [
        (False, -1),
        (False, 0),
        (True, 1),
        (True, 2),
        (False, 3),
        (False, None),
    ]
