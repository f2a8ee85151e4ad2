"""Marea: the incremental margin against plain pandas on the files, and against the generator's own truth."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from kpibook import params
from tiny_client import only, row

PARAMS = Path(__file__).parents[2] / "params"
START, END = 2024 * 12, 2025 * 12
KPIS = ("incremental_margin", "identified_member_share")


@pytest.fixture(scope="module")
def results(compute_client: Any, samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    text = (PARAMS / "marea.yaml").read_text(encoding="utf-8")
    own = tmp_path_factory.mktemp("marea") / "marea.yaml"
    own.write_text(text.replace("../data/marea", str(samples / "marea")), encoding="utf-8")
    client = params.load(own).model_copy(update={"settings": {}, "targets": (), "breakdowns": ()})
    return compute_client(client, only(*KPIS))


def _months(folder: Path) -> tuple[pd.DataFrame, pd.Series]:
    """Net sales, margin and purchase days by customer and month; month of enrolment by customer."""
    heads = pd.read_parquet(folder / "transactions.parquet").set_index("transaction_id")
    heads = heads[(heads["status"] == "completed") & ~heads["is_staff"] & ~heads["is_test"]]
    lines = pd.read_parquet(folder / "order_lines.parquet")
    lines = lines[lines["transaction_id"].isin(heads.index)]
    home = lines.set_index("line_id")["transaction_id"]
    lines["of"] = lines["return_of_line_id"].map(home).fillna(lines["transaction_id"])
    money = ["net_amount", "gross_amount", "general_discount", "cogs", "variable_cost"]
    lines[money] = lines[money].astype(float)
    lines["margin"] = lines["gross_amount"] - lines["general_discount"] - lines["cogs"] - lines["variable_cost"]
    sums = lines.groupby("of")[["net_amount", "margin"]].sum().join(heads, how="inner")
    sums = sums[(sums["net_amount"] > 1e-9) & sums["customer_id"].notna()]
    day = pd.to_datetime(sums["business_date"])
    sums = sums.assign(day=day, month=day.dt.year * 12 + day.dt.month - 1)
    found = sums.groupby(["customer_id", "month"]).agg(
        net=("net_amount", "sum"), margin=("margin", "sum"), days=("day", "nunique")
    )
    cards = pd.read_parquet(folder / "memberships.parquet")
    joined = pd.to_datetime(cards["enrolled_at"]).groupby(cards["customer_id"]).min()
    return found.reset_index(), joined.dt.year * 12 + joined.dt.month - 1


def _effect(months: pd.DataFrame, joined: pd.Series) -> tuple[float, int]:
    """The estimator in loops: effect on margin in 2024, and treated person-months."""
    first = months.groupby("customer_id")["month"].min()
    margin = months.set_index(["customer_id", "month"])["margin"].to_dict()
    enrolled = joined.reindex(first.index).fillna(10**6)
    effect, count = 0.0, 0
    for event in range(START - 12, END - 1):
        rows = months[months["month"] == event].set_index("customer_id")
        tenure = event - first[rows.index]
        rows = rows[(tenure >= 6) & (enrolled[rows.index] >= event)].assign(tenure=tenure, joins=enrolled == event)
        rows["basket"] = rows["net"] / rows["days"]
        rows = rows.reset_index().sort_values(["basket", "customer_id"], ignore_index=True)
        size, odd = divmod(len(rows), 3)
        edges = np.cumsum([size + (third < odd) for third in range(3)])
        rows["third"] = np.searchsorted(edges, rows.index, side="right")
        rows["band"] = np.digitize(rows["tenure"], [12, 24])
        for _, cell in rows.groupby(["third", "band"]):
            if cell["joins"].all() or not cell["joins"].any():
                continue
            for month in range(max(event + 1, START), min(event + 13, END)):
                moved = np.array(
                    [
                        margin.get((c, month), 0.0) - sum(margin.get((c, event - k), 0.0) for k in range(1, 7)) / 6
                        for c in cell["customer_id"]
                    ]
                )
                joins = cell["joins"].to_numpy(dtype=bool)
                effect += (moved[joins] - moved[~joins].mean()).sum()
                count += int(joins.sum())
    return effect, count


def test_the_estimate_is_that_of_plain_loops_over_the_files(results: Any, samples: Path) -> None:
    effect, count = _effect(*_months(samples / "marea"))
    found = row(results, "incremental_margin", "risk_set")
    assert found["value"] == pytest.approx(effect, rel=1e-6)
    assert results.tables["incremental_margin"].query("event_month > 0")["members"].sum() == count


@pytest.mark.parametrize(("period", "year"), [("current", "2024"), ("previous", "2023")])
def test_the_bounds_hold_what_the_programme_caused(results: Any, samples: Path, period: str, year: str) -> None:
    """The generator knows which purchases would not have been: of all members, and without those that campaigns
    caused.
    """
    truth = json.loads((samples / "marea" / "truth.json").read_text(encoding="utf-8"))["years"][year]
    caused = float(truth["programme_caused_margin_before_benefits"])
    found = row(results, "incremental_margin", "all_members", period)
    assert (found["status"], found["grade"]) == ("bounded", "C")
    assert found["low"] < caused < found["high"]
    assert caused > 0.1 * found["high"]
