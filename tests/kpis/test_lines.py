"""Lines of receipts, returns netted into the original purchase."""

from __future__ import annotations

import ibis
import pyarrow as pa
import pytest

from loyalty_kpis.views import kept, lines_of, netted_lines

TRANSACTIONS = [
    {"transaction_id": "r1", "status": "completed", "is_test": False, "is_staff": False},
    {"transaction_id": "r2", "status": "completed", "is_test": True, "is_staff": False},
    {"transaction_id": "r3", "status": "completed", "is_test": False, "is_staff": False},
    {"transaction_id": "r4", "status": "completed", "is_test": True, "is_staff": False},
    {"transaction_id": "r5", "status": "completed", "is_test": False, "is_staff": False},
]
#: (line, receipt, line that it gives back, amount)
LINES = [
    ("a", "r1", None, 10),
    ("b", "r1", None, 5),
    ("c", "r2", None, 99),
    ("d", "r3", "a", -10),
    ("e", "r4", "b", -5),
    ("f", "r3", "unknown", -2),
    ("g", "r5", "c", -99),
]


@pytest.fixture
def tables():
    names = ("line_id", "transaction_id", "return_of_line_id", "net_amount")
    con = ibis.duckdb.connect()
    lines = pa.Table.from_pylist([dict(zip(names, line, strict=True)) for line in LINES])
    return con.create_table("transactions", pa.Table.from_pylist(TRANSACTIONS)), con.create_table("order_lines", lines)


def rows(table):
    return sorted(tuple(row.values()) for row in table.to_pyarrow().to_pylist())


def test_lines_of_kept_receipts_and_returns_in_their_purchase(tables):
    """r1: 10 + 5, and d gives 10 back; f's purchase is unknown, so it stays in r3; g belongs to the test r2.

    c was bought in a test, e came back in one: neither counts.
    """
    assert rows(netted_lines(*tables, "net_amount")) == [("r1", -10), ("r1", 5), ("r1", 10), ("r2", -99), ("r3", -2)]


def test_lines_of_given_receipts_are_the_netted_ones_of_these(tables):
    """As above, of the kept receipts only; g's purchase is none of them."""
    transactions, lines = tables
    headers = kept(transactions).select("transaction_id")
    found = lines_of(headers, transactions, lines, "net_amount").select("transaction_id", "net_amount")
    assert rows(found) == [("r1", -10), ("r1", 5), ("r1", 10), ("r3", -2)]
