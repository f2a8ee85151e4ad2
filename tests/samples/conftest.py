"""Marea's files as plain pandas frames, read once."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CENTS = ["gross_amount", "general_discount", "loyalty_discount", "personal_discount", "points_tender", "net_amount"]


@pytest.fixture(scope="session")
def read(samples: Path) -> Callable[[str], pd.DataFrame]:
    @cache
    def table(name: str) -> pd.DataFrame:
        return pq.read_table(samples / "marea" / f"{name}.parquet").to_pandas()

    return lambda name: table(name).copy()


@pytest.fixture(scope="session")
def truth(samples: Path) -> dict:
    return json.loads((samples / "marea" / "truth.json").read_text())


@pytest.fixture(scope="session")
def headers(read: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    return read("transactions").set_index("transaction_id")


@pytest.fixture(scope="session")
def lines(read: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    """Order lines, money in whole cents, with the receipt that each line belongs to after returns are netted."""
    frame = read("order_lines").set_index("line_id")
    for name in [*CENTS, "cogs", "variable_cost", "supplier_funding"]:
        frame[name] = (frame[name] * 100).astype(np.int64)
    back = frame["return_of_line_id"].notna()
    frame["original"] = frame["transaction_id"]
    frame.loc[back, "original"] = frame["transaction_id"].loc[frame.loc[back, "return_of_line_id"]].to_numpy()
    return frame


@pytest.fixture(scope="session")
def purchases(headers: pd.DataFrame, lines: pd.DataFrame) -> pd.DataFrame:
    """Completed, real orders of which something was kept; ``kept`` and ``margin`` before benefits in cents."""
    before = lines["gross_amount"] - lines["general_discount"] - lines["cogs"] - lines["variable_cost"]
    sums = lines.assign(margin=before).groupby("original")[["net_amount", "margin"]].sum()
    year = pd.to_datetime(headers["business_date"]).dt.year
    frame = headers.assign(kept=sums["net_amount"], margin=sums["margin"], year=year)
    real = (frame["status"] == "completed") & ~frame["is_staff"] & ~frame["is_test"]
    return frame[real & (frame["kept"] > 0)]
