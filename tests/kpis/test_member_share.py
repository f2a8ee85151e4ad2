"""Why the members' share of sales moved, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from kpis.sales_cases import copies, reason, sale, tables
from tiny_client import only, row, run

KPI = "member_revenue_share_change"
PARTS = ("relabelled", "like_for_like", "new_to_brand", "lost", "rest")
TOKEN = "t"  # noqa: S105  of a payment card
YEARS = {"period": "2024-01-01/2024-12-31", "compare": "2023-01-01/2023-12-31", "data": "2023-01-01/2024-12-31"}


def _enrolled(**days: str) -> list[dict[str, Any]]:
    return [{"member_id": f"card {n}", "customer_id": n, "enrolled_at": f"{day} 10:00"} for n, day in days.items()]


MEMBERSHIPS = _enrolled(anna="2022-06-01", bea="2024-02-01", carl="2024-03-01", dora="2022-01-01", zoe="2025-02-01")


def shop(carl: str | None = None, dora: str | None = None) -> dict[str, Any]:
    """``carl`` and ``dora``: payment tokens of their purchases; anonymous purchases of 2023 are paid with token t."""
    return tables(
        sale("a1", "2023-05-01", 100, by="anna", card="card anna"),
        sale("a2", "2024-05-01", 120, by="anna", card="card anna"),
        sale("b1", "2023-05-01", 50, by="bea"),
        sale("b2", "2024-05-01", 60, by="bea", card="card bea"),
        sale("c1", "2024-03-01", 40, by="carl", card="card carl", payment_token_hash=carl),
        sale("d1", "2023-05-01", 80, by="dora", card="card dora", payment_token_hash=dora),
        sale("e1", "2023-05-01", 70, by="emil"),
        sale("e2", "2024-05-01", 90, by="emil"),
        sale("x1", "2023-05-01", 100, payment_token_hash=TOKEN),
        sale("x2", "2024-05-01", 50),
        sale("x3", "2024-05-02", 40),
        memberships=MEMBERSHIPS,
    )


def parts(results: Any) -> dict[str, float]:
    return {name: row(results, KPI, name)["value"] for name in PARTS}


def of_400(*sums: float) -> Any:
    return pytest.approx({name: each / 400 for name, each in zip(PARTS, sums, strict=True)})


def test_change() -> None:
    """Sales 400 in both years, with card 180 and 220: from 0.45 to 0.55. Each person's part is
    (0.55 x change with card - 0.45 x change without) / 400: anna 0.55 x 20; bea, who had bought before she
    enrolled, 0.55 x 60 + 0.45 x 50; carl 0.55 x 40; dora, who stayed away, 0.55 x -80; the rest -0.45 x (20 - 10).
    """
    results = run(shop(), **YEARS, catalog=only(KPI))
    found = row(results, KPI)
    assert (found["value"], found["unit"], found["status"]) == (pytest.approx(0.10), "pp", "low_n")
    assert row(results, KPI, "rest")["unit"] == "pp"
    assert reason(found) == {"id": "reason.too_few_customers", "n": 2, "minimum": 100}
    assert parts(results) == of_400(55.5, 11, 22, -44, -4.5)
    table = results.tables[KPI].set_index("component")
    assert table["persons"].to_dict() == dict.fromkeys(PARTS, 1)
    assert table.loc["rest", ["other_before", "other_now"]].tolist() == [170, 180]


def test_anonymous_purchases_leave_an_interval() -> None:
    """Of 50 such shops: carl's 22/400 may belong to relabelled, for there were anonymous purchases enough: the
    middles are (55.5 + 11)/400 and 11/400, the intervals hold both ends, and all parts still add up.
    """
    results = run(copies(shop(), 50), **YEARS, catalog=only(KPI))
    found = row(results, KPI)
    assert (found["value"], found["status"]) == (pytest.approx(0.10), "ok")
    assert found["low"] < 0.10 < found["high"]
    moved, new = row(results, KPI, "relabelled"), row(results, KPI, "new_to_brand")
    assert (moved["value"], moved["status"]) == (pytest.approx(66.5 / 400), "bounded")
    assert (new["value"], new["status"]) == (pytest.approx(11 / 400), "bounded")
    assert moved["low"] < 55.5 / 400 < 77.5 / 400 < moved["high"]
    assert new["low"] < 0 < 22 / 400 < new["high"]
    assert reason(moved)["text"].startswith("Between the members known to have bought before they enrolled")
    assert sum(parts(results).values()) == pytest.approx(0.10)
    assert row(results, KPI, "like_for_like")["status"] == "ok"


def test_without_anonymous_purchases_the_parts_are_points() -> None:
    """x1 to x3 bought by emil: 90 fewer unknown receipts, the same sums."""
    known = shop()
    for header in known["transactions"]:
        header["customer_id"] = header["customer_id"] or "emil"
        header["payment_token_hash"] = None
    results = run(copies(known, 50), **YEARS, catalog=only(KPI))
    assert {row(results, KPI, name)["status"] for name in PARTS} == {"ok"}
    assert parts(results)["relabelled"] == pytest.approx(55.5 / 400)


def test_a_payment_token_tells_who_bought_before() -> None:
    """The anonymous 100 of 2023 were carl's: 0.55 x 40 + 0.45 x 100 join relabelled, the rest grows by 20 + 90."""
    found = parts(run(shop(carl=TOKEN), **YEARS, catalog=only(KPI)))
    assert found == of_400(122.5, 11, 0, -44, -49.5)


def test_a_token_of_two_persons_tells_nothing() -> None:
    found = parts(run(shop(carl=TOKEN, dora=TOKEN), **YEARS, catalog=only(KPI)))
    assert found["new_to_brand"] == pytest.approx(22 / 400)


def test_it_is_the_change_of_the_share() -> None:
    results = run(shop(), **YEARS, catalog=only(KPI, "member_revenue_share"))
    now, before = (row(results, "member_revenue_share", period=p)["value"] for p in ("current", "previous"))
    assert now - before == pytest.approx(row(results, KPI)["value"])


@pytest.mark.parametrize(
    ("given", "status", "why"),
    [
        ({"compare": None}, "missing_data", {"id": "reason.no_comparison"}),
        (
            {"data": "2023-03-01/2024-12-31"},
            "missing_data",
            {"id": "reason.history_not_covered", "needed": "2023-01-01", "first": "2023-03-01"},
        ),
    ],
)
def test_nothing_to_compare_with(given: dict, status: str, why: dict) -> None:
    found = row(run(shop(), **{**YEARS, **given}, catalog=only(KPI)), KPI)
    assert (found["value"], found["status"], reason(found)) == (None, status, why)


def test_the_comparison_period_has_no_change_of_its_own() -> None:
    found = row(run(shop(), **YEARS, catalog=only(KPI)), KPI, period="previous")
    assert (found["value"], found["status"], reason(found)) == (None, "undefined", {"id": "reason.compares_itself"})


def test_a_period_without_sales() -> None:
    later = tables(sale("a2", "2024-05-01", 120, by="anna", card="card anna"), memberships=MEMBERSHIPS)
    found = row(run(later, **YEARS, catalog=only(KPI)), KPI)
    assert (found["value"], found["status"], reason(found)) == (None, "undefined", {"id": "reason.zero_denominator"})
