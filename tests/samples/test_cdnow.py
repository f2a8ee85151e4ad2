"""CDNOW as converted, against the text file of the package."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from kpibook.errors import DataError
from kpibook.samples import cdnow

if TYPE_CHECKING:
    from pathlib import Path


def test_orders_are_those_of_the_published_file(samples: Path) -> None:
    """69,659 orders of 23,570 persons from January 1997 to June 1998 (Fader & Hardie)."""
    orders = pq.read_table(samples / "cdnow" / "orders.parquet").to_pandas()
    assert len(orders) == 69_659
    assert orders["customer_id"].nunique() == 23_570
    assert orders["date"].min() == dt.date(1997, 1, 1)
    assert orders["date"].max() == dt.date(1998, 6, 30)
    text = cdnow.master().read_text().splitlines()[1:]
    assert orders["amount"].sum() == sum(Decimal(line.split()[3]) for line in text)
    assert orders["quantity"].sum() == sum(int(line.split()[2]) for line in text)


def test_the_sample_is_that_of_the_published_file(samples: Path) -> None:
    """6,919 orders of 2,357 persons, each with all of his or her orders of the other file."""
    folder = samples / "cdnow"
    everybody, sample = (pq.read_table(folder / f"{name}.parquet").to_pandas() for name in ("orders", "sample"))
    assert (len(sample), sample["customer_id"].nunique()) == (6_919, 2_357)
    own = everybody[everybody["customer_id"].isin(sample["customer_id"])]
    one, other = (rows.sort_values([*rows.columns]).reset_index(drop=True) for rows in (own, sample))
    assert one.equals(other)


def test_first_rows_keep_zeros_and_order(samples: Path) -> None:
    orders = pq.read_table(samples / "cdnow" / "orders.parquet").slice(0, 3).to_pylist()
    assert orders == [
        {"customer_id": "00001", "date": dt.date(1997, 1, 1), "quantity": 1, "amount": Decimal("11.77")},
        {"customer_id": "00002", "date": dt.date(1997, 1, 12), "quantity": 1, "amount": Decimal("12.00")},
        {"customer_id": "00002", "date": dt.date(1997, 1, 12), "quantity": 5, "amount": Decimal("77.00")},
    ]


def test_a_missing_package_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cdnow, "find_spec", lambda name: None)
    with pytest.raises(DataError) as caught:
        cdnow.master()
    assert str(caught.value) == (
        "cdnow: lifetimes/datasets/CDNOW_master.txt is not installed · install it with pip install 'kpibook[demo]'"
    )
