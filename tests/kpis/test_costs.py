"""Programme costs, worked by hand: every euro once."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from kpis.points_cases import Ledger, computed, cost, membership, reward, value
from loyalty_kpis import costs
from tiny_client import receipt, row, shop

JANUARY = {"period": "2024-01-01/2024-01-31", "data": "2023-01-01/2024-12-31"}
BOOKS = {"programme_cost": {"points": "books"}}
RECEIPTS = shop(
    receipt(1, "2024-01-10", 85, "ann", loyalty_discount=10, personal_discount=5, supplier_funding=3, line_id="sold"),
    receipt(2, "2024-02-05", -16, "ann", loyalty_discount=-4, supplier_funding=-1, return_of_line_id="sold"),
    receipt(3, "2024-01-12", 9, loyalty_discount=1),
    receipt(4, "2024-01-13", 40, "sue", loyalty_discount=7, is_staff=True),
    receipt(5, "2024-02-10", 9, "ann", loyalty_discount=1),
)
POINTS = (
    Ledger()
    .book("2023-12-01", "ann", "earn", 100, "A")
    .book("2023-12-06", "ann", "redeem", -100, "A")
    .book("2024-01-05", "ann", "earn", 100, "B")
    .rows
)
LEDGER = [
    cost("operations", 310, "2024-01-01", "2024-01-31"),
    cost("personnel", 600, "2023-12-17", "2024-02-14"),
    cost("loyalty_discount", 8, "2024-01-01", "2024-01-31", booked=True),
    cost("personal_discount", 5, "2024-01-01", "2024-01-31"),
    cost("reward", 4, "2024-01-20", "2024-01-20"),
    cost("points_liability_change", 1, "2024-01-01", "2024-01-31"),
    cost("launch_capex", 36, "2024-01-01", "2024-01-01"),
    cost("communication", 99, "2024-02-01", "2024-02-29"),
]
TABLES = {
    **RECEIPTS,
    "points_ledger": POINTS,
    "redemptions": [reward("2024-01-20", "ann", 4), reward("2024-02-01", "ann", 9, number=2)],
    "programme_costs": LEDGER,
}


def components(results: Any, period: str = "current") -> dict[str, float]:
    card = results.scorecard
    found = card[(card.kpi == "total_programme_cost") & (card.segment_by == "component") & (card.period == period)]
    return dict(zip(found.segment, found.value, strict=True))


def remark(results: Any) -> Any:
    return json.loads(row(results, "total_programme_cost")["reason"])


def test_every_euro_once() -> None:
    """Discounts of January net of the return of February: member 10 - 4 + 1 (anonymous), not 7 (staff); personal 5;
    suppliers refund 3 - 1. Reward 4. Points: 100 of A are gone, 100 of B open at the end; half of all points were
    redeemed at age 5, the rest is open at the highest age, so half of it is expected: 100 · 0.5 · 0.01. Operations;
    31 of personnel's 60 days; the launch. Left out: what the receipts deduct, the personal discount booked again,
    the other side of reward and liability, February. 7 + 5 - 2 + 4 + 0.5 + 310 + 310 + 36 = 670.5.
    """
    results = computed(("total_programme_cost",), TABLES, **JANUARY)
    assert components(results) == pytest.approx(
        {
            "launch_capex": 36,
            "loyalty_discount": 7,
            "operations": 310,
            "personal_discount": 5,
            "personnel": 310,
            "points_liability_change": 0.5,
            "reward": 4,
            "supplier_funding": -2,
        }
    )
    found = row(results, "total_programme_cost")
    assert (found["value"], found["status"]) == (pytest.approx(670.5), "ok")
    assert remark(results) == {"text": costs.TWICE, "amount": 5.0}
    booked = results.tables["total_programme_cost"].set_index("component")["booked"]
    assert booked["loyalty_discount"] == 8
    assert "communication" not in booked


def test_against_the_ledger() -> None:
    """Types that the ledger has: 36 + 7 + 310 + 5 + 310 + 0.5 + 4 = 672.5 counted, 36 + 8 + 310 + 5 + 310 + 1 + 4 = 674
    booked.
    """
    results = computed(("total_programme_cost",), TABLES, **JANUARY)
    assert value(results, "total_programme_cost", "ledger") == 674
    assert value(results, "total_programme_cost", "gap_to_ledger") == pytest.approx(672.5 / 674 - 1)


def test_a_ledger_that_says_something_else() -> None:
    """Counted 310 + 310 of both, 7 for 8 of discounts, 4 for 30 of rewards."""
    ledger = [*LEDGER[:3], cost("reward", 30, "2024-01-20", "2024-01-20")]
    results = computed(("total_programme_cost",), {**TABLES, "programme_costs": ledger}, **JANUARY)
    gap = (310 + 310 + 7 + 4) / (310 + 310 + 8 + 30) - 1
    assert remark(results) == {"text": costs.GAP, "gap": round(100 * gap, 1)}


def test_costs_by_the_books() -> None:
    """Reward and change in liability as booked, 4 + 1 for 4 + 0.5; no points and no rewards are needed."""
    tables = {name: rows for name, rows in TABLES.items() if name not in ("points_ledger", "redemptions")}
    results = computed(("total_programme_cost",), tables, **JANUARY, settings=BOOKS)
    found = row(results, "total_programme_cost")
    assert (found["value"], found["low"], found["high"]) == (671, 671, 671)


def test_discounts_of_a_ledger_count_where_receipts_have_none() -> None:
    """The ledger's 5 of personal discount, as the receipts' are zero; member discounts 7, funding -2 stay."""
    lines = [{**line, "personal_discount": 0} for line in TABLES["order_lines"]]
    results = computed(("total_programme_cost",), {**TABLES, "order_lines": lines}, **JANUARY)
    assert components(results)["personal_discount"] == 5
    assert value(results, "total_programme_cost") == 670.5


@pytest.mark.parametrize(
    ("more", "settings", "launch"),
    [
        ([], {"points": "books", "capex_life_months": 36}, 36 * 31 / 1096),
        ([cost("technology_amortisation", 1, "2024-01-01", "2024-01-31")], {"points": "books"}, None),
        (
            [cost("technology_amortisation", 1, "2024-01-01", "2024-01-31")],
            {"points": "books", "capex_life_months": 36},
            36 * 31 / 1096,
        ),
    ],
    ids=["spread over three years", "amortised in the ledger", "amortised and spread"],
)
def test_launch_capex(more: list[Any], settings: dict[str, Any], launch: float | None) -> None:
    """36 months from January 2024 have 1,096 days; a ledger that amortises already has the launch in it."""
    tables = {**TABLES, "programme_costs": [*LEDGER, *more]}
    results = computed(("total_programme_cost",), tables, **JANUARY, settings={"programme_cost": settings})
    assert components(results).get("launch_capex") == (None if launch is None else pytest.approx(launch))


def test_no_ledger_rows_in_the_period() -> None:
    tables = {**TABLES, "programme_costs": LEDGER[-1:]}
    found = row(computed(("total_programme_cost",), tables, **JANUARY), "total_programme_cost")
    assert (found["value"], found["status"]) == (None, "missing_data")
    assert json.loads(found["reason"]) == {"text": "The cost ledger has no rows in this period."}


def test_a_ledger_that_begins_late() -> None:
    tables = {**TABLES, "programme_costs": [cost("operations", 100, "2024-01-11", "2024-01-20")]}
    results = computed(("total_programme_cost",), tables, **JANUARY)
    assert remark(results) == {"text": costs.PART, "first": "2024-01-11", "last": "2024-01-20"}


def test_the_cost_is_as_uncertain_as_the_liability() -> None:
    """The change in liability is 10 between 8 and 13: the cost of 100 lies between 98 and 103."""
    cells = pd.DataFrame([("operations", 90.0, False), ("points_liability_change", 10.0, True)], columns=costs.COST)
    booked = pd.DataFrame([{"component": "operations", "booked": 90.0, "in_receipts": 0.0}])
    booked = booked.assign(rows=1, first=0, last=9, start=0, end=9)
    card = pd.DataFrame([{"kpi": "points_liability", "segment": "change", "value": 10.0, "low": 8.0, "high": 13.0}])
    found = costs.total_programme_cost(cells, booked, card)
    assert (found.value, found.low, found.high) == (100, 98, 103)
    unknown = costs.total_programme_cost(cells, booked, card.iloc[:0])
    assert (unknown.value, unknown.low, unknown.high) == (100, None, None)


TWO_MONTHS = {"period": "2024-01-01/2024-02-29", "data": "2023-01-01/2024-12-31", "settings": BOOKS}


def test_cost_per_active_member() -> None:
    """January: ann (twice) and bob; February: ann. Not: bob without card, eve before she joined, a returned purchase.
    Three member-months in two months, 1.5 active on average; cost 30 in two months, 180 a year: 120 each.
    """
    receipts = shop(
        receipt(1, "2024-01-03", 10, "ann", member_id="ann", loyalty_discount=0, personal_discount=0),
        receipt(2, "2024-01-20", 10, "ann", member_id="ann"),
        receipt(3, "2024-02-20", 10, "ann", member_id="ann"),
        receipt(4, "2024-01-20", 10, "bob", member_id="bob"),
        receipt(5, "2024-02-20", 10, "bob"),
        receipt(6, "2024-02-21", 10, "eve", member_id="eve"),
        receipt(7, "2024-02-22", 10, "bob", member_id="bob", line_id="sold", supplier_funding=0),
        receipt(8, "2024-02-23", -10, "bob", member_id="bob", return_of_line_id="sold"),
    )
    cards = [membership("ann", "2023-05-05"), membership("bob", "2024-01-20"), membership("eve", "2024-02-22")]
    tables = {**receipts, "memberships": cards, "programme_costs": [cost("operations", 30, "2024-01-01", "2024-02-29")]}
    results = computed(("programme_cost_per_active_member",), tables, **TWO_MONTHS)
    found = row(results, "programme_cost_per_active_member")
    assert found["value"] == pytest.approx(120)
    assert (found["numerator"], found["denominator"], found["status"]) == (pytest.approx(180), 1.5, "low_n")
    assert json.loads(found["reason"]) == {"id": "reason.too_few_persons", "n": 1, "minimum": 30}


def test_nobody_active() -> None:
    receipts = shop(
        receipt(1, "2024-01-03", 10, "ann", member_id=None, loyalty_discount=0, personal_discount=0, supplier_funding=0)
    )
    tables = {**receipts, "memberships": [membership("ann", "2023-01-01")], "programme_costs": LEDGER[:1]}
    results = computed(("programme_cost_per_active_member",), tables, **JANUARY, settings=BOOKS)
    found = row(results, "programme_cost_per_active_member")
    assert (found["value"], found["status"]) == (None, "undefined")
    assert json.loads(found["reason"]) == {"id": "reason.zero_denominator"}


def test_thirty_active_members_are_enough() -> None:
    active = pd.DataFrame([{"member_months": 60, "months": 2.0, "members": 40}])
    cells = pd.DataFrame([("operations", 90.0, False)], columns=costs.COST)
    ledger, card = pd.DataFrame({"rows": [1]}), pd.DataFrame(columns=costs.FIGURES)
    found = costs.programme_cost_per_active_member(cells, ledger, active, card)
    assert (found.value, found.low, found.high, found.n, found.status) == (18, 18, 18, 30, "ok")
