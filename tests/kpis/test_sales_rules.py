"""What must hold for any shop: minimum numbers, reasons where there is nothing, sums of parts, no order."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpis.sales_cases import CATALOGUE, KNOWN, PERIOD, SHOP, YEARS, back, copies, of, only, sale, tables, values
from tiny_client import row, run


@pytest.mark.parametrize(
    ("kpi", "buyers"), [("avg_receipt", 3), ("avg_receipt_card", 1), ("avg_receipt_no_card", 2)], ids=lambda p: str(p)
)
def test_a_hundred_buyers_of_the_kind_make_a_figure(kpi: str, buyers: int) -> None:
    """Only those who bought in that way count: others in the shop do not help."""
    enough = -(-100 // buyers)
    found = row(run(copies(SHOP, enough), PERIOD, catalog=only(kpi), data=KNOWN), kpi)
    assert (found["n"], found["status"]) == (enough * buyers, "ok")
    assert found["low"] <= found["value"] <= found["high"]
    fewer = row(run(copies(SHOP, enough - 1), PERIOD, catalog=only(kpi), data=KNOWN), kpi)
    assert (fewer["n"], fewer["status"]) == ((enough - 1) * buyers, "low_n")


def test_every_sales_kpi_has_a_reason_where_there_is_nothing() -> None:
    """No tables at all; and a shop that was closed throughout the period."""
    empty = run({}, PERIOD, catalog=only())
    assert set(empty.scorecard.status) == {"missing_data"}
    elsewhere = tables(sale("r1", "2023-01-01", 5, by="c1"), sale("r2", "2024-12-01", 5, by="c1"), products=CATALOGUE)
    closed = run(elsewhere, PERIOD, catalog=only())
    assert set(closed.scorecard.status) == {"undefined"}
    assert closed.scorecard.value.isna().all()
    assert set(closed.scorecard.kpi) == set(only().kpis)


def test_nothing_but_a_gift_is_no_receipt_and_no_share() -> None:
    """One receipt over 0: net sales 0, and nothing to divide by."""
    found = run(tables(sale("r1", "2024-01-10", 0, by="c1")), PERIOD, catalog=only(), data=KNOWN)
    assert row(found, "net_sales")["value"] == 0
    for kpi in set(only().kpis) - {"net_sales", "cross_sell_rate", "avg_receipt_change"}:
        assert (row(found, kpi)["value"], row(found, kpi)["status"]) == (None, "undefined")


def test_without_products_the_change_keeps_its_headline() -> None:
    lines = ("order_lines.product_id", "order_lines.quantity")
    catalog = only("avg_receipt_change")
    found = run(YEARS, "2024-01-01/2024-01-31", "2023-01-01/2023-01-31", catalog=catalog, without=lines)
    assert row(found, "avg_receipt_change")["value"] == pytest.approx(26 / 17.5 - 1)
    assert set(values(found, "avg_receipt_change", "variant")) == {"card", "no_card"}
    (verdict,) = found.computability
    assert (verdict.state, verdict.missing) == ("partly", lines)


SALES = st.lists(
    st.tuples(
        st.sampled_from(("2023-01", "2024-01", "2024-02")),
        st.integers(1, 28),
        st.sampled_from((None, "c1", "c2", "c3")),
        st.booleans(),
        st.lists(st.tuples(st.sampled_from("abx"), st.integers(-300, 2000)), min_size=1, max_size=3),
        st.booleans(),
    ),
    min_size=1,
    max_size=14,
)


def tills(drawn: list[Any]) -> list[Any]:
    """Receipts with prices in cents; every second wish to return the first line is granted a day later."""
    found = []
    for i, (month, day, by, shows_card, lines, returns) in enumerate(drawn):
        card = f"card of {by}" if by and shows_card else None
        rows = [of(product, 1, cents / 100) for product, cents in lines]
        found.append(sale(f"r{i}", f"{month}-{day:02d}", *rows, by=by, card=card))
        if returns and lines[0][1] > 0:
            gone = back(f"r{i}.1", lines[0][1] / 100, product_id=lines[0][0])
            found.append(sale(f"b{i}", f"{month}-{day:02d}", gone, by=by, card=card))
    return found


MEMBERS = [
    {"member_id": "card of c1", "customer_id": "c1", "enrolled_at": "2023-12-31", "closed_at": None},
    {"member_id": "card of c2", "customer_id": "c2", "enrolled_at": "2024-01-20", "closed_at": "2024-02-10"},
]


def card_of(receipts: list[Any], *breakdowns: str) -> pd.DataFrame:
    shop = tables(*receipts, products=CATALOGUE, memberships=MEMBERS)
    history = {"cross_sell_rate": {"history_days": 30}}
    span = (PERIOD, "2023-01-01/2023-02-28")
    return run(shop, *span, catalog=only(), breakdowns=breakdowns, settings=history, data=KNOWN).scorecard


@settings(max_examples=4, deadline=None)
@given(drawn=SALES, shuffle=st.randoms(use_true_random=False))
def test_neither_the_order_nor_what_did_not_happen_counts(drawn: list[Any], shuffle: Any) -> None:
    """The same receipts shuffled, among cancelled, test and staff receipts that return parts of real purchases."""
    receipts = tills(drawn)
    ghosts = [
        sale(f"g{i}", "2024-01-15", 7, back("r0.1", 3), by="c1", card="card of c1", **flag)
        for i, flag in enumerate(({"status": "cancelled"}, {"is_test": True}, {"is_staff": True}))
    ]
    mixed = shuffle.sample([*receipts, *ghosts], len(receipts) + 3)
    pd.testing.assert_frame_equal(card_of(receipts), card_of(mixed), rtol=1e-9, atol=1e-9)


@settings(max_examples=8, deadline=None)
@given(drawn=SALES)
def test_parts_make_the_whole(drawn: list[Any]) -> None:
    """Months add up to the period, price, units and mix to the change, receipts with and without card to all."""
    card = card_of(tills(drawn), "month")
    now = card[card.period == "current"].set_index(["kpi", "segment_by", "segment"])
    months = card[(card.segment_by == "month") & (card.period == "current")].groupby("kpi")
    for kpi, column in (("net_sales", "value"), ("avg_receipt", "denominator"), ("avg_receipt", "numerator")):
        if (kpi, "total", "total") in now.index:
            whole = now.loc[(kpi, "total", "total"), column]
            parts = months.get_group(kpi)[column].sum() if kpi in months.groups else 0
            assert (0 if pd.isna(whole) else whole) == pytest.approx(parts)

    def of_change(segment: str) -> float | None:
        by = "total" if segment == "total" else "variant"
        key = ("avg_receipt_change", by, segment)
        return None if key not in now.index or pd.isna(now.loc[key, "value"]) else now.loc[key, "value"] + 1

    parts = [of_change(name) for name in ("price", "units", "mix")]
    if None not in parts:
        assert parts[0] * parts[1] * parts[2] == pytest.approx(of_change("total"))
    counts = {kpi: _denominator(now, kpi) for kpi in ("avg_receipt", "avg_receipt_card", "avg_receipt_no_card")}
    assert counts["avg_receipt"] == counts["avg_receipt_card"] + counts["avg_receipt_no_card"]


def _denominator(now: pd.DataFrame, kpi: str) -> float:
    found = now.loc[(kpi, "total", "total"), "denominator"]
    return 0 if pd.isna(found) else float(found)
