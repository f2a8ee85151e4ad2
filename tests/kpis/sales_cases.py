"""Till slips written by hand: receipts of several lines, their returns, and the sales part of the pack."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pandas as pd

import tiny_client
from kpibook.catalog import Catalog
from kpibook.engine.compute import Results
from loyalty_kpis import sales


def sale(
    number: str, day: str, *lines: float | dict[str, Any], by: str | None = None, card: str | None = None, **header: Any
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """One receipt; its lines are called r1.1, r1.2, ...: amounts, or columns of order_lines."""
    hour = header.pop("hour", 12)
    head = {"transaction_id": number, "ts": f"{day} {hour}:00:00", "customer_id": by, "member_id": card}
    head["store_id"] = "s1"
    rows: list[dict[str, Any]] = []
    for position, line in enumerate(lines, 1):
        own = line if isinstance(line, dict) else {"net_amount": line}
        base = {"line_id": f"{number}.{position}", "transaction_id": number, "product_id": "p", "quantity": 1}
        rows.append(base | own)
    return head | header, rows


def back(line: str, amount: float, **more: Any) -> dict[str, Any]:
    """A returned line: of which line, and the (positive) amount paid back."""
    return {"net_amount": -amount, "quantity": -1, "return_of_line_id": line, **more}


def tables(*sales: tuple[dict[str, Any], list[dict[str, Any]]], **more: Any) -> dict[str, Any]:
    return {"transactions": [head for head, _ in sales], "order_lines": [r for _, rows in sales for r in rows], **more}


def copies(shop: dict[str, Any], times: int) -> dict[str, Any]:
    """The same shop several times over, with other receipts and persons each time."""
    names = ("transaction_id", "customer_id", "member_id", "line_id", "return_of_line_id")

    def copy(row: dict[str, Any], i: int) -> dict[str, Any]:
        return {k: f"{v}/{i}" if k in names and v is not None else v for k, v in row.items()}

    return {
        table: rows if table == "products" else [copy(row, i) for i in range(times) for row in rows]
        for table, rows in shop.items()
    }


@cache
def only(*kpis: str) -> Catalog:
    """These KPIs of the module sales, all when none is named, and the views that they or membership rest on."""
    chosen = kpis or tuple(d.id for d in sales.DEFINITIONS)
    return tiny_client.only(*chosen, "membership_at_start")


def values(results: Results, kpi: str, by: str) -> dict[str, float | None]:
    """{segment: value} of the current period."""
    card = results.scorecard
    found = card[(card.kpi == kpi) & (card.segment_by == by) & (card.period == "current")]
    return {s: None if pd.isna(v) else float(v) for s, v in zip(found.segment, found.value, strict=True)}


def reason(found: dict[str, Any]) -> dict[str, Any]:
    return json.loads(found["reason"])


def of(product: str, units: float, amount: float) -> dict[str, Any]:
    return {"product_id": product, "quantity": units, "net_amount": amount}


CATALOGUE = [{"product_id": p, "category_id": p.upper()} for p in "abc"]
PERIOD = "2024-01-01/2024-02-29"
KNOWN = "2022-12-01/2024-03-31"  # first and last day of the data

#: The corner shop of the tests below. Purchases: r1 60, r10 70, r13 20, r14 30, r15 10.
SHOP = tables(
    sale("r1", "2024-01-10", 60, 40, by="c1", card="m1"),
    sale("r2", "2024-02-05", back("r1.2", 40), by="c1", card="m1"),  # of r1: 60 stay
    sale("r3", "2024-01-20", 30),
    sale("r4", "2024-01-21", back("r3.1", 30)),  # all of r3: no purchase
    sale("r5", "2024-01-22", 99, by="c1", status="cancelled"),
    sale("r6", "2024-01-22", 99, is_test=True),
    sale("r7", "2024-01-22", 99, is_staff=True),
    sale("r9", "2024-01-15", 50, by="c2"),
    sale("r10", "2024-02-10", back("r9.1", 50), 70, by="c2"),  # an exchange: r9 is none, r10 is 70
    sale("r11", "2024-02-11", -20, by="c2"),  # nobody knows of what: no purchase, but in net sales
    sale("r12", "2024-02-12", 0),  # given away
    sale("r13", "2024-02-13", 25, back("gone", 5)),
    sale("r14", "2024-02-14", 30, 15, by="c1", card="m1"),
    sale("r15", "2024-02-14", 10, by="c1", card="m1"),
    sale("r16", "2024-03-01", 500, by="c1", card="m1"),  # after the period
    sale("r17", "2024-03-02", back("r14.2", 15), by="c1"),  # of r14: 30 stay
    memberships=[
        {"member_id": "m1", "customer_id": "c1", "enrolled_at": "2023-12-31 10:00", "closed_at": None},
        {"member_id": "m2", "customer_id": "c2", "enrolled_at": "2024-02-11 10:00", "closed_at": None},
    ],
)

YEARS = tables(
    sale("r1", "2023-01-10", of("a", 2, 20), of("b", 1, 5), by="c1", card="m1"),
    sale("r2", "2023-01-11", of("a", 1, 10), by="c2"),
    sale("r3", "2024-01-10", of("a", 4, 48), of("d", 1, 8), by="c1", card="m1"),
    sale("r4", "2024-01-12", back("r3.1", 12, product_id="a")),
    sale("r5", "2024-01-11", of("b", 2, 8)),
)
