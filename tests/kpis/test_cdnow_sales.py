"""Sales KPIs of CDNOW against plain pandas: orders without products, cards or members, some of them over 0."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from loyalty_kpis import sales
from tiny_client import row

if TYPE_CHECKING:
    from kpibook.engine.compute import Results

SPANS = {"current": ("1998-01-01", "1998-07-01"), "previous": ("1997-07-01", "1998-01-01")}


@pytest.fixture(scope="module")
def orders() -> pd.DataFrame:
    """customer, day, discs, cents, month; the file's own columns, not the sample's."""
    spec = find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    path = Path(spec.origin).parent / "datasets" / "CDNOW_master.txt"
    found = pd.read_csv(
        path, sep=r"\s+", skiprows=1, names=["customer", "day", "discs", "amount"], dtype={"customer": str, "day": str}
    )
    found["day"] = pd.to_datetime(found["day"], format="%Y%m%d")
    found["cents"] = (found["amount"] * 100).round().astype("int64")
    found["month"] = found["day"].dt.strftime("%Y-%m")
    return found


def cells(orders: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    found = []
    for period, (start, end) in SPANS.items():
        own = orders[(orders["day"] >= start) & (orders["day"] < end)]
        found += [(period, "total", own), *((period, month, part) for month, part in own.groupby("month"))]
    return found


def test_every_cell_is_there(orders: pd.DataFrame) -> None:
    assert len(cells(orders)) == 2 + 12
    assert (orders["cents"] == 0).any()


def test_net_sales_and_average_receipt(cdnow: Results, orders: pd.DataFrame) -> None:
    for period, segment, own in cells(orders):
        bought = own[own["cents"] > 0]
        assert row(cdnow, "net_sales", segment, period)["value"] == pytest.approx(own["cents"].sum() / 100, abs=0.005)
        found = row(cdnow, "avg_receipt", segment, period)
        assert (found["denominator"], found["n"]) == (len(bought), bought["customer"].nunique())
        assert found["value"] == pytest.approx(bought["cents"].sum() / 100 / len(bought), rel=1e-9)


def test_spend_per_customer_and_identification(cdnow: Results, orders: pd.DataFrame) -> None:
    for period, segment, own in cells(orders):
        bought = own[own["cents"] > 0]
        spend = row(cdnow, "spend_per_customer", segment, period)
        persons = bought["customer"].nunique()
        assert spend["n"] == persons
        assert spend["value"] == pytest.approx(bought["cents"].sum() / 100 / persons, rel=1e-9)
        found = row(cdnow, "identified_sales_share", segment, period)
        assert (found["value"], found["denominator"]) == (1, len(bought))


def test_the_change_without_products(cdnow: Results, orders: pd.DataFrame) -> None:
    (_, _, now), (_, _, before) = (cell for cell in cells(orders[orders["cents"] > 0]) if cell[1] == "total")
    found = row(cdnow, "avg_receipt_change")
    assert found["value"] == pytest.approx(now["cents"].mean() / before["cents"].mean() - 1, rel=1e-9)


def test_what_needs_cards_or_products_says_so(cdnow: Results) -> None:
    own = {definition.id for definition in sales.DEFINITIONS}
    found = {c.kpi: c for c in cdnow.computability if c.kpi in own}
    cards = "transactions.member_id"
    assert {kpi: c.missing for kpi, c in found.items() if c.state == "not"} == {
        "avg_receipt_card": (cards,),
        "avg_receipt_no_card": (cards,),
        "avg_receipt_gap": (cards,),
        "member_revenue_share": (cards,),
        "cross_sell_rate": ("order_lines.product_id", "products"),
    }
    assert {kpi: (c.missing, c.lost) for kpi, c in found.items() if c.state == "partly"} == {
        "avg_receipt_change": (("order_lines.product_id", cards), ("card", "no_card", "price", "units", "mix")),
    }
    for kpi in (kpi for kpi, c in found.items() if c.state == "not"):
        assert row(cdnow, kpi)["status"] == "missing_data"
