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


def test_what_one_kpi_does_to_its_rows_no_other_sees() -> None:
    """Current receipts are 10, 20, 30, 40 and 60, previous 12 and 28; the spoiler writes over all that it is given."""

    def spoiler(kept: pd.DataFrame):
        """Spoiler: a KPI."""
        kept["net"].array[:] = -1.0
        kept.loc[:, "net"] = -2.0
        kept.index = kept.index + 7
        return modelled(float(kept["net"].sum()), n=len(kept))

    def witness(kept: pd.DataFrame):
        """Witness: a KPI."""
        assert list(kept.index) == list(range(len(kept)))
        return modelled(float(kept["net"].sum()), n=len(kept))

    made = [kpi(unit="money", better="higher", columns={"kept": ["net"]})(each) for each in (spoiler, witness)]
    card = run(small(), *PERIODS, catalog=catalog(*made)).scorecard
    found = card.set_index(["kpi", "period"])["value"]
    assert found["spoiler"].to_dict() == {"current": -10.0, "previous": -4.0}
    assert found["witness"].to_dict() == {"current": 160.0, "previous": 40.0}
