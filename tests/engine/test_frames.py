"""KPIs in pandas by a breakdown that says nothing of one of their tables, or by which they cannot be known."""

from __future__ import annotations

from typing import Any

import pandas as pd

from engine.test_compute import PERIODS, catalog, small
from kpibook import because, kpi, modelled
from tiny_client import run

PRODUCTS = [{"product_id": f"P{i}", "list_price": 10.0} for i in range(3)]


def _given(**more: Any) -> pd.DataFrame:
    """By total and channel: rows of receipts plus 100 times those of products, which no channel places."""

    def both(kept: pd.DataFrame, products: pd.DataFrame):
        """Both: a KPI."""
        assert products["list_price"].dtype == "float64"
        return modelled(float(len(kept) + 100 * len(products)), n=len(kept))

    columns = {"kept": ["net"], "products": ["product_id", "list_price"]}
    made = kpi(unit="count", better="higher", columns=columns, **more)(both)
    results = run({**small(), "products": PRODUCTS}, *PERIODS, catalog=catalog(made), breakdowns=("channel",))
    card = results.scorecard
    return card[(card.kpi == "both") & (card.period == "current")].set_index("segment")


def test_an_optional_table_is_empty_where_the_breakdown_does_not_place_it() -> None:
    """The channels add up to the total's rows, without the 300 of the products."""
    found = _given(optional=["products"])
    channels = found[found.segment_by == "channel"]
    assert len(channels) > 1
    assert found.loc["total", "value"] == channels["value"].sum() + 300


def test_a_table_that_is_needed_leaves_no_figure_by_that_breakdown() -> None:
    assert set(_given()["segment_by"]) == {"total"}


def test_segments_by_which_it_cannot_be_known_say_why() -> None:
    found = _given(optional=["products"], not_by={"channel": because("Nobody knows.")})
    channels = found[found.segment_by == "channel"]
    assert len(channels) > 1
    assert set(channels["status"]) == {"not_identified"}
    assert set(channels["reason"]) == {'{"text": "Nobody knows."}'}
    assert channels["value"].isna().all()


def test_a_dimension_of_its_own_is_not_told_twice() -> None:
    found = _given(optional=["products"], not_by={"channel": ""})
    assert set(found["segment_by"]) == {"total"}
