"""Runs of the command, one after the other: the later takes what the earlier made, and is proved all the same."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import nbformat
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from kpibook import runs
from kpibook.cache.store import Store
from kpibook.report import cached

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Project

PARAMS = """
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Madrid
period: 2024-01-01/2024-06-30
compare: 2023-07-01/2023-12-31
source: ../data
tables:
  order_lines:
    from: lines.csv
    columns: {transaction_id: ticket, customer_id: client, ts: sold_at, net_amount: total, channel: channel}
notebook: short.ipynb
"""
REPORT = "reports/shop/2024-01-01_2024-06-30"


@pytest.fixture
def shop(make_project: Callable[..., Project]) -> Project:
    """240 receipts of 120 persons; ticket n is worth 10 + n modulo 60. The report is its verdict, and no more."""
    numbers = range(240)
    lines = pd.DataFrame({"ticket": [f"t{n}" for n in numbers], "client": [f"c{n % 120}" for n in numbers]})
    lines["sold_at"] = [f"{2023 + (n % 12) // 6}-{(n % 12 + 6) % 12 + 1:02d}-0{n % 7 + 1} 12:00:00" for n in numbers]
    lines["channel"] = ["store" if n % 2 else "web" for n in numbers]
    lines["total"] = [10 + n % 60 for n in numbers]
    project = make_project({"params/shop.yaml": PARAMS, "data/lines.csv": lines})
    book = nbformat.v4.new_notebook()
    first = nbformat.v4.new_code_cell('params = "shop.yaml"', metadata={"tags": ["parameters"]})
    cells = ["import kpibook\nbook = kpibook.open(params)\nbook.verdict()", "book.save()"]
    book.cells = [first, *map(nbformat.v4.new_code_cell, cells)]
    nbformat.write(book, project.path / "params" / "short.ipynb")
    return project


def record(shop: Project) -> runs.RunRecord:
    return runs.read(shop.path / REPORT)


def value(shop: Project, kpi: str) -> float:
    card = pd.read_parquet(shop.path / REPORT / "scorecard.parquet")
    found = card[(card.kpi == kpi) & (card.segment_by == "total") & (card.period == "current")]
    return float(found["value"].iloc[0])


def plant(folder: Path, right: float, wrong: float) -> int:
    """In every kept figure, ``wrong`` for ``right``, under checksums that fit; how many."""
    store, planted = Store(folder, "shop", 10**9), 0
    for entry in sorted((folder / "figures").iterdir()):
        files = store.read("figures", entry.name)
        assert files is not None
        table = pq.read_table(io.BytesIO(files["figures.parquet"]))
        rows = [{**row, "value": wrong} if row["value"] == right else row for row in table.to_pylist()]
        changed = pa.Table.from_pylist(rows, schema=table.schema)
        if changed != table:
            sink = io.BytesIO()
            pq.write_table(changed, sink)
            files["figures.parquet"] = sink.getvalue()
            store.put("figures", entry.name, lambda new: [(new / n).write_bytes(c) for n, c in files.items()])  # noqa: B023
            planted += 1
    assert store.notes == []
    return planted


def test_a_later_run_takes_what_is_kept_and_a_wrong_figure_in_it_is_found(shop: Project) -> None:
    """Receipts of the period: n with n modulo 12 from 6 to 11, 120 of them; 10 + n modulo 60 is on average
    10 + 6 modulo 12 to 11 modulo 12 over five twelves: 10 + 24 + 8.5 = 42.5."""
    done = shop.run("run", "params/shop.yaml")
    assert (done.code, done.err.count("cache")) == (0, 0), done.err
    first = record(shop).cache
    assert first is not None
    assert (first["inputs"], first["pieces"]["taken"], first["notes"]) == ("read", 0, [])
    assert value(shop, "avg_receipt") == 42.5
    folder = shop.path / "reports" / ".cache" / "shop"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert sorted(p.name for p in (shop.path / "reports" / "shop").iterdir()) == ["2024-01-01_2024-06-30"]

    assert plant(folder, right=42.5, wrong=43.5) > 0
    done = shop.run("run", "params/shop.yaml")
    second = record(shop).cache
    assert second is not None
    assert (second["inputs"], second["notes"]) == ("taken", [])
    assert second["pieces"]["taken"] + second["pieces"]["computed"] == first["pieces"]["computed"]
    assert second["pieces"]["taken"] > 10 * second["pieces"]["computed"]
    assert value(shop, "avg_receipt") == 43.5
    assert done.code == 5
    told = "avg_receipt total total current: value is 43.5, computed again 42.5 · make the report again"
    assert f"  scorecard.parquet, {told}" in done.err.splitlines()

    done = shop.run("run", "params/shop.yaml", "--no-cache")
    assert (done.code, value(shop, "avg_receipt"), record(shop).cache) == (0, 42.5, None)


def test_a_damaged_entry_is_told_and_harms_nothing(shop: Project) -> None:
    assert shop.run("run", "params/shop.yaml").code == 0
    (entry,) = (shop.path / "reports" / ".cache" / "shop" / "inputs").iterdir()
    path = entry / "order_lines.parquet"
    damaged = bytearray(path.read_bytes())
    damaged[20] ^= 1
    path.write_bytes(damaged)
    done = shop.run("run", "params/shop.yaml")

    note = f"cache, inputs: the entry {entry.name[:12]} is thrown away: order_lines.parquet was damaged"
    assert (done.code, f"shop: {note}" in done.err.splitlines()) == (0, True)
    told = json.loads((shop.path / REPORT / "run.json").read_text())["cache"]
    assert (told["inputs"], told["notes"]) == ("read", [note])
    assert value(shop, "avg_receipt") == 42.5


def test_params_may_keep_nothing(shop: Project) -> None:
    path = shop.path / "params" / "shop.yaml"
    path.write_text(path.read_text() + "limits: {cache: none}\n")
    assert shop.run("run", "params/shop.yaml").code == 0
    assert record(shop).cache is None
    assert not (shop.path / "reports" / ".cache").exists()


def test_a_note_that_is_none_is_no_note(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    assert cached.told(tmp_path) is None
    for text in ("{", "[1]"):
        (tmp_path / "work" / "cache.json").write_text(text)
        assert cached.told(tmp_path) is None
