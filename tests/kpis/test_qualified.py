"""Qualified purchase lines, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from kpis.sales_cases import back, copies, reason, sale, tables
from tiny_client import only, row, run

KPI = "qualified_purchase_rate"
PERIOD, KNOWN = "2024-01-01/2024-03-31", "2024-01-01/2024-06-30"


def one(number: str, product: str = "a", net: float = 10, cogs: float | None = 4, **header: Any) -> tuple:
    line = {"product_id": product, "net_amount": net, "cogs": cogs}
    return sale(number, "2024-02-01", line, **{"by": "c1", "channel": "store"} | header)


SHOP = tables(
    one("r1", net=30),
    one("r2", "b"),
    one("r3", "c"),
    one("r4", by=None),
    one("r5", cogs=None),
    one("r6", channel=None),
    one("r7", cogs=12),
    one("r8", is_staff=True),
    one("r9", by="c2"),
    one("r10", by="c2"),
    one("r11", ts=None, business_date="2024-02-01"),
    one("r12", status="cancelled"),
    one("r13", net=-3),  # nobody knows of what
    sale("b9", "2024-03-02", back("r9.1", 10, product_id="a", cogs=-4), by="c2"),  # 30 days later
    sale("b10", "2024-03-03", back("r10.1", 10, product_id="a", cogs=-4), by="c2"),  # 31 days later: kept
    products=[
        {"product_id": "a", "category_id": "A", "points_eligible": True},
        {"product_id": "b", "category_id": "B", "points_eligible": False},
        {"product_id": "c", "category_id": None, "points_eligible": True},
    ],
)


def test_rate() -> None:
    """Eleven purchase lines, r1 to r11, of 130. All data: r1, r2, r7, r8, r9, r10: 6 of 11, 80 of 130.
    Wanted: of these not r2 (no points), r7 (sold below cost), r8 (staff), r9 (returned in 30 days): 2 of 11, 40 of 130.
    """
    results = run(SHOP, PERIOD, data=KNOWN, catalog=only(KPI))
    found = row(results, KPI)
    assert (found["value"], found["numerator"], found["denominator"]) == (pytest.approx(6 / 11), 6, 11)
    assert found["status"] == "low_n"
    by_name = {
        name: (row(results, KPI, name)["numerator"], row(results, KPI, name)["denominator"])
        for name in ("by_value", "business", "business_by_value")
    }
    assert by_name == {"by_value": (80, 130), "business": (2, 11), "business_by_value": (40, 130)}


def test_failing_rules() -> None:
    """One line each, but r5 without a cost has no margin either (r5, r7), and time is missing in r11."""
    results = run(SHOP, PERIOD, data=KNOWN, catalog=only(KPI))
    rules = ("customer", "category", "cost", "channel", "time", "kept", "regular", "margin", "eligible")
    found = {name: row(results, KPI, f"failing_{name}")["numerator"] for name in rules}
    assert found == dict.fromkeys(rules, 1) | {"margin": 2}


def test_rate_of_many() -> None:
    found = row(run(copies(SHOP, 30), PERIOD, data=KNOWN, catalog=only(KPI)), KPI)
    assert (found["value"], found["n"], found["status"]) == (pytest.approx(6 / 11), 330, "ok")


def test_no_purchase_line() -> None:
    shop = SHOP | {"transactions": [one("r1")[0]], "order_lines": []}
    found = row(run(shop | {"order_lines": [one("r9", net=-3)[1][0]]}, PERIOD, data=KNOWN, catalog=only(KPI)), KPI)
    assert (found["value"], found["status"], reason(found)) == (None, "undefined", {"id": "reason.no_rows"})
