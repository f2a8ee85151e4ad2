"""Rewards and benefits, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from kpis.sales_cases import copies, reason, sale, tables
from tiny_client import only, row, run

REWARDS, GRADIENT, RATIO = "qualitative_reward_share", "tenure_benefit_gradient", "existing_vs_new_benefit_ratio"
YEAR = {"period": "2024-01-01/2024-12-31", "data": "2023-01-01/2024-12-31"}


def reward(number: str, by: str, day: str, special: bool | None, cost: float, value: float | None = None) -> dict:
    given = {"redemption_id": number, "member_id": f"card {by}", "ts": f"{day} 12:00", "reward_type": "voucher"}
    return given | {"is_qualitative": special, "cost": cost, "face_value": value}


def members(*names: str) -> list[dict[str, Any]]:
    return [{"member_id": f"card {n}", "customer_id": n, "enrolled_at": "2023-01-10 10:00"} for n in names]


def test_qualitative_share() -> None:
    """Four rewards in 2024, two of them privileges costing 4 of 10; the unmarked one is none. Active: a, b, c showed
    a card, d took a reward; a and d took a privilege. One reward was taken the year before.
    """
    shop = tables(
        *(sale(f"r{n}", "2024-03-01", 10, by=n, card=f"card {n}") for n in "abc"),
        sale("r0", "2024-03-01", 10, by="e"),
        memberships=members("a", "b", "c", "d", "e"),
        redemptions=[
            reward("1", "a", "2024-04-01", True, 2),
            reward("2", "a", "2024-05-01", False, 3),
            reward("3", "b", "2024-05-01", None, 3),
            reward("4", "d", "2024-05-01", True, 2),
            reward("5", "c", "2023-05-01", True, 50),
        ],
    )
    results = run(shop, **YEAR, catalog=only(REWARDS))
    found = {name: row(results, REWARDS, name) for name in ("total", "by_cost", "members")}
    assert {name: (f["numerator"], f["denominator"]) for name, f in found.items()} == {
        "total": (2, 4), "by_cost": (4, 10), "members": (2, 4),
    }  # fmt: skip
    assert (found["total"]["value"], found["total"]["status"]) == (0.5, "low_n")


def bought(number: str, by: str | None, day: str, gross: float, general: float = 0, own: float = 0) -> tuple:
    paid = {"gross_amount": gross, "general_discount": general, "loyalty_discount": own, "personal_discount": 0}
    return sale(number, day, paid | {"net_amount": gross - general - own}, by=by)


def given_back(number: str, line: str, by: str, day: str, gross: float, own: float) -> tuple:
    back = {"gross_amount": -gross, "general_discount": 0, "loyalty_discount": -own, "personal_discount": 0}
    return sale(number, day, back | {"net_amount": own - gross, "return_of_line_id": line}, by=by)


def customer(name: str, created: str | None) -> dict[str, Any]:
    return {"customer_id": name, "created_at": created}


#: Net spend 94, 94, 10, 10, 45, 80: up to 45 low, up to 94 medium.
SHOP = tables(
    bought("r1", "leo", "2024-03-01", 120, own=6),
    given_back("b1", "r1.1", "leo", "2024-03-09", 20, 0),
    bought("r2", "lia", "2024-03-01", 10),
    bought("r3", "yan", "2024-03-20", 98, own=4),
    bought("r4", "yve", "2024-03-20", 10),
    bought("r5", "max", "2024-03-20", 50, general=5),
    bought("r6", "nil", "2024-03-20", 80),
    bought("r7", None, "2024-03-20", 500, own=400),
    customers=[
        customer("leo", "2021-03-01 10:00"),
        customer("lia", "2020-03-01 10:00"),
        customer("yan", "2024-03-01 10:00"),
        customer("yve", "2024-03-20 10:00"),
        customer("max", "2022-06-01 10:00"),
        customer("nil", None),
    ],
    memberships=members("leo", "lia", "yan"),
    redemptions=[
        reward("1", "leo", "2024-04-01", special=False, cost=3, value=4),
        reward("2", "lia", "2024-04-01", special=True, cost=1),
    ],
    programme_costs=[
        {"cost_id": str(i), "cost_type": kind, "amount": amount, "period_start": first, "period_end": last}
        | {"is_in_transactions": inside}
        for i, (kind, amount, first, last, inside) in enumerate(
            [
                ("enrolment_incentive", 6, "2024-01-01", "2024-12-31", False),
                ("referral_incentive", 6.1, "2023-12-01", "2024-01-30", False),
                ("enrolment_incentive", 99, "2024-01-01", "2024-12-31", True),
                ("operations", 99, "2024-01-01", "2024-12-31", False),
                ("enrolment_incentive", 99, "2023-01-01", "2023-12-31", False),
            ]
        )
    ],
)


def test_gradient() -> None:
    """For 36 months: leo (to the day) 6 + 4 of 100 kept, lia 1 (at cost) of 10; under 12: yan 4 of 98, yve 0 of 10.
    By class, low 0.1 and 0, medium 0.1 and 4/98; spend of both: low 20, medium 198 of 218. max is in between, nil's age
    is unknown, and discounts open to all do not count.
    """
    results = run(SHOP, **YEAR, catalog=only(GRADIENT))
    found = row(results, GRADIENT)
    young = 198 / 218 * 4 / 98
    assert (found["value"], found["status"]) == (pytest.approx(0.1 - young), "low_n")
    assert reason(found) == {"id": "reason.too_few_customers", "n": 2, "minimum": 100}
    assert row(results, GRADIENT, "long")["value"] == pytest.approx(0.1)
    assert row(results, GRADIENT, "young")["value"] == pytest.approx(young)
    table = results.tables[GRADIENT].set_index(["usage_class", "tenure"])
    assert table["spend"].tolist() == [10, 10, 100, 98, 0, 0]
    assert table["customers"].tolist() == [1, 1, 1, 1, 0, 0]


def test_many() -> None:
    """50 such shops with one cost ledger. Rule R on each side: 100 customers for 36 months, 100 for under 12. All of
    one class and side get the same rate: nothing varies. For the ratio 50 x 16 of 160 per (50 x 4 + 9) of (50 x 108).
    """
    many = copies(SHOP, 50) | {"programme_costs": SHOP["programme_costs"]}
    results = run(many, **YEAR, catalog=only(GRADIENT, RATIO))
    found = row(results, GRADIENT)
    assert (found["value"], found["status"], found["n"]) == (pytest.approx(0.1 - 198 / 218 * 4 / 98), "ok", 100)
    assert (found["low"], found["high"]) == (pytest.approx(found["value"]), pytest.approx(found["value"]))
    found = row(results, RATIO)
    assert (found["value"], found["status"], found["n"]) == (pytest.approx(0.1 / (209 / 5400)), "ok", 100)
    assert found["low"] < found["value"] < found["high"]


def test_gradient_without_a_common_class() -> None:
    shop = SHOP | {"transactions": [h for h in SHOP["transactions"] if h["transaction_id"] in ("r2", "r3")]}
    found = row(run(shop, **YEAR, catalog=only(GRADIENT)), GRADIENT)
    assert (found["value"], found["status"]) == (None, "undefined")
    assert reason(found) == {"text": "No usage class has spend of both long-standing and new customers."}


def test_ratio() -> None:
    """Over 12 months: leo 10 of 100, lia 1 of 10, max 5 (open to all) of 50: 0.1. In the first 90 days: yan 4 of 98,
    yve 0 of 10, and gifts of 6 and of 30 of 61 days' 6.1, that is 3: 13 of 108. 0.1 / (13/108).
    """
    results = run(SHOP, **YEAR, catalog=only(RATIO))
    found = row(results, RATIO)
    assert (found["value"], found["status"]) == (pytest.approx(10.8 / 13), "low_n")
    assert row(results, RATIO, "existing")["value"] == pytest.approx(0.1)
    assert row(results, RATIO, "newcomers")["value"] == pytest.approx(13 / 108)
    assert row(results, RATIO, "newcomers")["unit"] == "percent"


def test_newcomers_count_for_90_days() -> None:
    """yan's purchases 89 and 90 days after creation: only the first counts, 1 of 10, against leo's 1 of 20."""
    shop = SHOP | tables(
        bought("r1", "leo", "2024-05-01", 20, own=1),
        bought("r2", "yan", "2024-05-29", 10, own=1),
        bought("r3", "yan", "2024-05-30", 10, own=9),
        programme_costs=[SHOP["programme_costs"][3]],
        redemptions=[reward("1", "leo", "2023-04-01", special=False, cost=3, value=4)],
    )
    assert row(run(shop, **YEAR, catalog=only(RATIO)), RATIO)["value"] == pytest.approx(0.5)


def test_newcomers_without_benefits() -> None:
    shop = SHOP | {"programme_costs": [SHOP["programme_costs"][3]], "transactions": SHOP["transactions"][:3]}
    found = row(run(shop, **YEAR, catalog=only(RATIO)), RATIO)
    assert (found["value"], found["status"], reason(found)) == (None, "undefined", {"id": "reason.zero_denominator"})
