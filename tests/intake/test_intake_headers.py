"""Receipts from lines, and values that are empty where one is needed."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from intake.shop_client import fetch, found

if TYPE_CHECKING:
    from intake.shop_client import Client


def test_lifted_headers_come_from_the_first_line(client: Client) -> None:
    client.csv("lines.csv", "receipt,time,who\nA,2017-07-01,\nA,2017-07-01,7\nA,2017-07-01,8\n,2017-07-01,9\n")
    loaded = client.load(
        "order_lines: {from: lines.csv, columns: {transaction_id: receipt, ts: time, customer_id: who}}"
    )
    assert fetch(loaded, "SELECT transaction_id, customer_id FROM transactions") == [("A", None)]
    assert [f.rows for f in found(loaded, "header_differs", column="customer_id")] == [2]
    assert [(f.rows, f.severity) for f in found(loaded, "header_differs", column="ts")] == [(0, "green")]
    assert [(f.rows, f.examples) for f in found(loaded, "empty", "order_lines", "transaction_id")] == [(1, (4,))]


def test_a_lifted_header_is_one_row_and_never_put_together_from_several(client: Client) -> None:
    client.csv(
        "lines.csv",
        """\
        receipt,day,who,card,shop
        A,2017-07-01,,m9,s1
        A,2017-07-01,c1,m1,s1
        B,2017-07-02,c2,,
        B,2017-07-02,c2,m2,s2
        C,2017-07-03,c3,m3,
        C,2017-07-03,c3,m3,
        """,
    )
    loaded = client.load(
        "order_lines: {from: lines.csv, columns: {transaction_id: receipt, business_date: day, customer_id: who,"
        " member_id: card, store_id: shop}}"
    )
    assert fetch(loaded, "SELECT transaction_id, customer_id, member_id, store_id FROM transactions ORDER BY 1") == [
        ("A", None, "m9", "s1"),
        ("B", "c2", None, None),
        ("C", "c3", "m3", None),
    ]
    differ = {f.column: (f.rows, f.severity) for f in found(loaded, "header_differs")}
    assert differ == {
        "customer_id": (1, "amber"),
        "member_id": (2, "amber"),
        "store_id": (1, "amber"),
        "business_date": (0, "green"),
    }


def test_the_first_row_is_the_files_and_not_the_smallest_value(client: Client) -> None:
    client.csv("lines.csv", "receipt,day,who\nA,2017-07-02,9\nA,2017-07-01,1\n")
    loaded = client.load(
        "order_lines: {from: lines.csv, columns: {transaction_id: receipt, business_date: day, customer_id: who}}"
    )
    assert fetch(loaded, "SELECT customer_id, business_date FROM transactions") == [("9", date(2017, 7, 2))]


FLAGS = """
transactions:
  from: heads.csv
  columns: {transaction_id: id, business_date: day, status: state, currency: coin, is_staff: staff, is_test: test}
order_lines: {from: lines.csv, columns: {line_id: line, transaction_id: id}}
"""


def test_an_empty_flag_is_taken_as_that_of_a_whole_column(client: Client) -> None:
    client.csv(
        "heads.csv",
        """\
        id,day,state,coin,staff,test
        A,2017-07-01,,USD,,no
        B,2017-07-02,cancelled,,yes,no
        C,2017-07-03,completed,EUR,,no
        """,
    )
    client.csv("lines.csv", "line,id\n1,A\n")
    loaded = client.load(FLAGS)
    query = "SELECT transaction_id, status, currency, is_staff, is_test FROM transactions ORDER BY 1"
    assert fetch(loaded, query) == [
        ("A", "completed", "USD", False, False),
        ("B", "cancelled", "EUR", True, False),
        ("C", "completed", "EUR", False, False),
    ]
    told = {f.column: (f.severity, f.rows, f.of_rows, f.details, f.examples) for f in found(loaded, "empty_assumed")}
    assert told == {
        "status": ("amber", 1, 3, {"value": "completed"}, (1,)),
        "currency": ("amber", 1, 3, {"value": "EUR"}, (2,)),
        "is_staff": ("amber", 2, 3, {"value": "false"}, (1, 3)),
    }
    assert found(loaded, "empty", "transactions") == []
    assert loaded.facts["transactions"].assumed == {"payment_token_hash": "null"}


def test_empty_flags_of_lifted_headers_are_counted_by_receipt(client: Client) -> None:
    client.csv("lines.csv", "receipt,day,staff\nA,2017-07-01,\nA,2017-07-01,\nB,2017-07-01,yes\nB,2017-07-01,\n")
    loaded = client.load(
        "order_lines: {from: lines.csv, columns: {transaction_id: receipt, business_date: day, is_staff: staff}}"
    )
    assert fetch(loaded, "SELECT transaction_id, is_staff FROM transactions ORDER BY 1") == [("A", False), ("B", True)]
    assert [(f.rows, f.of_rows, f.examples) for f in found(loaded, "empty_assumed")] == [(1, 2, (1,))]
    assert [f.rows for f in found(loaded, "header_differs", column="is_staff")] == [1]


def test_what_was_delivered_stays_unknown_where_it_is_empty(client: Client) -> None:
    client.csv("lines.csv", "receipt,time,net\nA,2017-07-01 10:00:00,4\n")
    client.csv("sent.csv", "action,who,arm,chance,came\n1,7,,,\n1,8,control,yes,no\n")
    loaded = client.load(
        "order_lines: {from: lines.csv, columns: {transaction_id: receipt, ts: time, net_amount: net}}\n"
        "campaign_targets:\n  from: sent.csv\n"
        "  columns: {campaign_id: action, customer_id: who, arm: arm, is_random: chance, delivered: came}\n"
    )
    query = "SELECT customer_id, arm, is_random, delivered FROM campaign_targets ORDER BY 1"
    assert fetch(loaded, query) == [("7", "treatment", False, None), ("8", "control", True, False)]
    assert {(f.column, f.rows) for f in found(loaded, "empty_assumed")} == {("arm", 1), ("is_random", 1)}
