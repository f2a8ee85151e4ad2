"""Margins, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from kpis.sales_cases import back, copies, reason, sale, tables, values
from tiny_client import only, row, run

RATE, GAP = "gross_margin_rate", "margin_gap_members"
PERIOD, KNOWN = "2024-01-01/2024-01-31", "2023-01-01/2024-03-31"


def line(product: str, net: float, cogs: float | None, variable: float | None, funding: float | None = 0) -> dict:
    given = {"product_id": product, "net_amount": net, "gross_amount": net, "general_discount": 0}
    return given | {"cogs": cogs, "variable_cost": variable, "supplier_funding": funding}


SHOP = tables(
    sale("r1", "2024-01-10", line("a", 60, 30, 6, 2), line("b", 40, None, 4), by="c1", card="m1"),
    sale("r2", "2024-01-20", line("a", 100, 50, 10, None)),
    sale("r3", "2024-02-01", back("r2.1", 20, product_id="a", cogs=-10, variable_cost=0, supplier_funding=0)),
    sale("r4", "2024-01-21", line("a", 500, 1, 1), is_staff=True),
    products=[{"product_id": p, "category_id": p.upper()} for p in "ab"],
)


def test_margin_rate() -> None:
    """r1: 60 - 30 - 6 + 2 = 26; its second line has no cost and is left out. r2: 100 - 50 - 10 = 40, less the return
    of February: -20 + 10 = -10. 56 of 140 = 0.4; known costs for 140 of 180. Only r2 is wholly known: 30 a receipt.
    """
    results = run(SHOP, PERIOD, data=KNOWN, catalog=only(RATE))
    found = row(results, RATE)
    assert (found["value"], found["numerator"], found["denominator"]) == (pytest.approx(0.4), 56, 140)
    assert (found["status"], reason(found)) == ("low_n", {"id": "reason.too_few_customers", "n": 2, "minimum": 100})
    assert row(results, RATE, "coverage")["value"] == pytest.approx(140 / 180)
    each = row(results, RATE, "per_receipt")
    assert (each["value"], each["denominator"], each["unit"]) == (30, 1, "money")


def test_margin_rate_by_category_and_identification() -> None:
    """A: (26 + 30)/(60 + 80), B: nothing known. Receipts with card 26/60, anonymous ones 30/80."""
    results = run(copies(SHOP, 12), PERIOD, data=KNOWN, catalog=only(RATE), breakdowns=("category_id",))
    assert values(results, RATE, "category_id") == {"A": pytest.approx(0.4), "B": None}
    assert values(results, RATE, "identification") == {"member": pytest.approx(26 / 60), "anonymous": 30 / 80}


def test_lines_of_an_unknown_buyer_vary_with_their_receipt() -> None:
    """100 anonymous receipts of two lines are 100 cases, not 200."""
    receipts = (sale(f"r{i}", "2024-01-10", line("a", 10, 5, 0), line("b", 10, 6, 0)) for i in range(100))
    found = row(run(tables(*receipts), PERIOD, data=KNOWN, catalog=only(RATE)), RATE)
    assert (found["n"], found["status"], found["value"]) == (100, "ok", pytest.approx(0.45))


def test_no_costs_known() -> None:
    shop = tables(sale("r1", "2024-01-10", line("a", 60, None, 6)))
    results = run(shop, PERIOD, data=KNOWN, catalog=only(RATE))
    assert (row(results, RATE)["value"], row(results, RATE)["status"]) == (None, "undefined")
    assert row(results, RATE, "coverage")["value"] == 0


def bought(number: str, by: str | None, gross: float, net: float, cogs: float, **more: Any) -> tuple:
    zero = {"general_discount": 0, "loyalty_discount": 0, "personal_discount": 0, "variable_cost": 0}
    return sale(
        number,
        "2024-01-10",
        zero | {"gross_amount": gross, "net_amount": net, "cogs": cogs, "supplier_funding": 0} | more,
        by=by,
    )


GAP_SHOP = tables(
    bought("r1", "mia", 100, 90, 50, loyalty_discount=10, variable_cost=5, supplier_funding=1),
    bought("r2", "noa", 100, 80, 50, general_discount=20, variable_cost=6),
    bought("r3", "joy", 40, 40, 20, variable_cost=4),
    bought("r4", None, 500, 500, 1),
    memberships=[
        {"member_id": "m1", "customer_id": "mia", "enrolled_at": "2023-12-01 10:00"},
        {"member_id": "m2", "customer_id": "joy", "enrolled_at": "2024-01-10 12:00"},
    ],
)


def test_gap() -> None:
    """Member: mia; joy joined in the period and is none. After: 90 - 50 - 5 + 1 = 36/90 = 0.4 against (24 + 16)/120.
    Before: 100 - 50 - 5 = 45/100 against the same 40/120 (general discounts are not loyalty's).
    Per person: 36 - 20 and 45 - 20.
    Anonymous buyers are left out; no usage class holds both sides: 40, 80 and 90 are low, low and medium.
    """
    results = run(GAP_SHOP, PERIOD, data=KNOWN, catalog=only(GAP))
    found = row(results, GAP)
    assert (found["value"], found["status"]) == (pytest.approx(0.4 - 1 / 3), "low_n")
    assert reason(found) == {"id": "reason.too_few_customers", "n": 1, "minimum": 100}
    assert row(results, GAP, "before_benefits")["value"] == pytest.approx(0.45 - 1 / 3)
    assert row(results, GAP, "per_person")["value"] == pytest.approx(16)
    assert row(results, GAP, "per_person_before")["value"] == pytest.approx(25)
    units = [row(results, GAP, name)["unit"] for name in ("before_benefits", "same_usage", "per_person")]
    assert [found["unit"], *units] == ["pp", "pp", "pp", "money"]
    assert row(results, GAP, "same_usage")["status"] == "undefined"


def test_gap_at_one_usage_mix() -> None:
    """Spends 10, 10, 10 are low, 100 and 100 medium. Members: 30/100 and 1/10: 31/110. Others by class: 20/100 and
    (2 + 4)/20, at the members' 100 to 10: 23/110. The raw gap has 26/120 instead.
    """
    spends = {"ann": (100, 30), "ben": (10, 1), "cat": (100, 20), "dan": (10, 2), "eve": (10, 4)}
    shop = tables(
        *(bought(f"r{i}", name, net, net, net - left) for i, (name, (net, left)) in enumerate(spends.items())),
        memberships=[
            {"member_id": n, "customer_id": n, "enrolled_at": "2023-12-01 10:00"} for n in ("ann", "ben", "old")
        ],
    )
    results = run(shop, PERIOD, data=KNOWN, catalog=only(GAP))
    assert row(results, GAP)["value"] == pytest.approx(31 / 110 - 26 / 120)
    assert row(results, GAP, "same_usage")["value"] == pytest.approx(8 / 110)


def test_gap_without_non_members() -> None:
    shop = {**GAP_SHOP, "transactions": GAP_SHOP["transactions"][:1], "order_lines": GAP_SHOP["order_lines"][:1]}
    found = row(run(shop, PERIOD, data=KNOWN, catalog=only(GAP)), GAP)
    assert (found["value"], found["status"], reason(found)) == (None, "undefined", {"id": "reason.zero_denominator"})
