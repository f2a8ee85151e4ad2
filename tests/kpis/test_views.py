"""Shared steps: what becomes of returns, exchanges, cancelled, test and staff receipts."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import ibis

from kpibook import windows
from kpibook.periods import Period
from kpis.sales_cases import back, sale, tables
from loyalty_kpis import sales_views, views
from tiny_client import load


def rows(table: Any, *columns: str) -> list[tuple[Any, ...]]:
    """The table's rows, sorted; money as float."""
    found = table.select(*columns).to_pyarrow().to_pylist()
    plain = [tuple(float(v) if isinstance(v, Decimal) else v for v in row.values()) for row in found]
    return sorted(plain, key=repr)


def membership(member: str, customer: str, enrolled: str, closed: str | None) -> dict[str, Any]:
    return {"member_id": member, "customer_id": customer, "enrolled_at": enrolled, "closed_at": closed}


def receipts_of(shop: dict[str, Any]) -> Any:
    con = load(shop).backend
    return views.receipts(con.table("transactions"), con.table("order_lines"))


def netted(*sales: Any) -> list[tuple[Any, ...]]:
    return rows(receipts_of(tables(*sales)), "transaction_id", "net_amount", "is_purchase")


def test_a_return_is_netted_into_the_purchase_it_belongs_to() -> None:
    """r1 = 60 + 40 - 40 = 60 on its own day; the return's receipt r2 is gone."""
    assert netted(sale("r1", "2024-01-10", 60, 40), sale("r2", "2024-02-05", back("r1.2", 40))) == [("r1", 60.0, True)]


def test_a_fully_returned_receipt_is_no_purchase() -> None:
    found = netted(sale("r1", "2024-01-10", 60), sale("r2", "2024-01-11", back("r1.1", 60)))
    assert found == [("r1", 0.0, False)]


def test_an_exchange_is_a_return_of_the_first_purchase_and_a_new_one() -> None:
    found = netted(sale("r1", "2024-01-15", 50), sale("r2", "2024-02-10", back("r1.1", 50), 70))
    assert found == [("r1", 0.0, False), ("r2", 70.0, True)]


def test_negative_lines_without_a_known_original_stay_in_their_receipt() -> None:
    """r1 = -20, r2 = 25 - 5 = 20, where 5 belong to a line nobody knows; a receipt over 0 is no purchase."""
    found = netted(
        sale("r1", "2024-01-10", -20), sale("r2", "2024-01-11", 25, back("gone", 5)), sale("r3", "2024-01-12", 0)
    )
    assert found == [("r1", -20.0, False), ("r2", 20.0, True), ("r3", 0.0, False)]


def test_cancelled_test_and_staff_receipts_are_out_and_so_are_returns_in_them() -> None:
    """The cancelled return r5 of r1 does not happen; a return of the cancelled r2 has nowhere to go."""
    found = netted(
        sale("r1", "2024-01-10", 60),
        sale("r2", "2024-01-10", 99, status="cancelled"),
        sale("r3", "2024-01-10", 99, is_test=True),
        sale("r4", "2024-01-10", 99, is_staff=True),
        sale("r5", "2024-01-11", back("r1.1", 60), status="cancelled"),
        sale("r6", "2024-01-11", back("r2.1", 99)),
    )
    assert found == [("r1", 60.0, True)]


def test_receipts_say_who_bought_and_whether_the_card_was_shown() -> None:
    shop = tables(
        sale("r1", "2024-01-10", 1, by="c1", card="m1"),
        sale("r2", "2024-01-10", 1, by="c1"),
        sale("r3", "2024-01-10", 1),
    )
    assert rows(receipts_of(shop), "transaction_id", "identification", "with_card") == [
        ("r1", "member", "with_card"),
        ("r2", "identified", "without_card"),
        ("r3", "anonymous", "without_card"),
    ]


def test_purchase_days_join_the_receipts_of_a_day_and_leave_anonymous_buyers_out() -> None:
    shop = tables(
        sale("r1", "2024-01-10", 10, by="c1"),
        sale("r2", "2024-01-10", 5, by="c1"),
        sale("r3", "2024-01-11", -5, by="c1"),
        sale("r4", "2024-01-10", 7),
    )
    found = views.purchase_days(receipts_of(shop))
    assert rows(found, "customer_id", "business_date", "receipts", "net_amount") == [("c1", date(2024, 1, 10), 2, 15.0)]


def test_bookings_keep_a_return_on_its_own_day() -> None:
    shop = tables(
        sale("r1", "2024-01-10", 60, by="c1"),
        sale("r2", "2024-02-05", back("r1.1", 60), by="c1"),
        sale("r3", "2024-02-05", 9, is_test=True),
    )
    con = load(shop).backend
    found = sales_views.booked_receipts(con.table("transactions"), con.table("order_lines"))
    assert rows(found, "transaction_id", "net_amount") == [("r1", 60.0), ("r2", -60.0)]


def test_members_buy_from_the_day_they_enrol_to_the_day_before_they_leave() -> None:
    """c1 is a member from 10 to 19 January; r5 shows a card nobody knows."""
    shop = tables(
        sale("r1", "2024-01-09", 1, by="c1"),
        sale("r2", "2024-01-10", 1, by="c1"),
        sale("r3", "2024-01-19", 1, by="c1"),
        sale("r4", "2024-01-20", 1, by="c1"),
        sale("r5", "2024-01-20", 1, card="m9"),
        sale("r6", "2024-01-20", 1),
        memberships=[
            membership("m1", "c1", "2024-01-10 18:00", "2024-01-20 08:00"),
            membership("m2", "c1", "2024-01-10 19:00", "2024-01-20 08:00"),
        ],
    )
    con = load(shop).backend
    found = sales_views.enrolled_receipts(
        views.receipts(con.table("transactions"), con.table("order_lines")), con.table("memberships")
    )
    assert rows(found, "transaction_id", "by_member") == [
        ("r1", False),
        ("r2", True),
        ("r3", True),
        ("r4", False),
        ("r5", True),
        ("r6", False),
    ]


def _status(memberships: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Who of c1, c2, c3 is a member at the start of January, of February, and of both months together."""
    sales = [sale(f"{by}{month}", f"2024-{month}-15", 1, by=by) for by in ("c1", "c2", "c3") for month in ("01", "02")]
    con = load(tables(*sales, memberships=memberships)).backend
    spans = {"current": Period.parse("2024-01-01/2024-02-29")}
    table = windows.windows(spans, ["month"], date(2024, 1, 1), date(2024, 3, 1))
    periods = ibis.memtable([vars(w) for w in table], schema=windows.SCHEMA)
    days = views.purchase_days(views.receipts(con.table("transactions"), con.table("order_lines")))
    found = sales_views.membership_at_start(views.buyers(days, periods), con.table("memberships"), periods)
    named = found.join(periods, "period_id")
    return rows(con.create_table("named", con.to_pyarrow(named)), "customer_id", "segment", "member")


def test_membership_counts_before_the_first_day_of_each_window() -> None:
    """c1 enrolled on 31 December and stays; c2 enrols on 2 January and leaves on 1 February; c3 joins on 1 January,
    so is no member when January begins, but is when February does.
    """
    found = _status(
        [
            membership("m1", "c1", "2023-12-31 20:00", None),
            membership("m2", "c2", "2024-01-02 09:00", "2024-02-01 09:00"),
            membership("m3", "c3", "2024-01-01 00:00", None),
        ]
    )
    assert found == [
        *[("c1", segment, "member") for segment in ("2024-01", "2024-02", "total")],
        *[("c2", segment, "non_member") for segment in ("2024-01", "2024-02", "total")],
        ("c3", "2024-01", "non_member"),
        ("c3", "2024-02", "member"),
        ("c3", "total", "non_member"),
    ]


def test_nobodys_membership_is_known_where_there_are_no_memberships() -> None:
    assert {member for _, _, member in _status([])} == {None}


def test_category_days_hold_what_was_kept() -> None:
    """r1: food 10 + 5 - 5 stays, toys 8 - 8 goes, x is in no catalogue; r2 is a second day of food."""

    def of(product: str, amount: float) -> dict[str, Any]:
        return {"product_id": product, "net_amount": amount}

    shop = tables(
        sale("r1", "2024-01-10", of("bread", 10), of("milk", 5), of("doll", 8), of("x", 1), by="c1"),
        sale("r2", "2024-01-12", back("r1.2", 5, product_id="milk"), back("r1.3", 8, product_id="doll"), by="c1"),
        sale("r3", "2024-01-15", of("milk", 2), by="c1"),
        sale("r4", "2024-01-15", of("milk", 2)),
        products=[
            {"product_id": "bread", "category_id": "food"},
            {"product_id": "milk", "category_id": "food"},
            {"product_id": "doll", "category_id": "toys"},
            {"product_id": "p", "category_id": None},
        ],
    )
    con = load(shop).backend
    found = sales_views.category_days(
        con.table("transactions"), con.table("order_lines"), con.table("products"), receipts_of_con(con)
    )
    assert rows(found, "customer_id", "category_id", "business_date", "previous_day") == [
        ("c1", "food", date(2024, 1, 10), None),
        ("c1", "food", date(2024, 1, 15), date(2024, 1, 10)),
    ]


def receipts_of_con(con: Any) -> Any:
    return views.receipts(con.table("transactions"), con.table("order_lines"))
