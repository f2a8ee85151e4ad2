"""The book: what a notebook talks to, and the queries behind it."""

import json

import duckdb
import pandas as pd
import pytest

import kpibook
from kpibook import book as books
from kpibook import by_hand, intake
from kpibook.errors import ParamsError
from kpibook.params import load
from kpibook.plugins import discover

PARAMS = """
client: shop
title: Shop <b>of</b> Ana
language: es
currency: EUR
timezone: Europe/Madrid
period: 2024-01-01/2024-06-30
compare: 2023-07-01/2023-12-31
source: ../data
tables:
  order_lines:
    from: lines.csv
    columns: {transaction_id: ticket, customer_id: client, ts: sold_at, net_amount: total, channel: channel}
breakdowns: [month, channel]
targets:
  - {kpi: avg_receipt, value: 30, comparator: ">=", set_at: 2023-12-01}
"""


@pytest.fixture
def shop(make_project, monkeypatch):
    """240 receipts of 120 persons over 24 half-months, ticket n worth 10 + n modulo 60; channels in turn."""
    lines = pd.DataFrame({"ticket": [f"t{n}" for n in range(240)]})
    lines["client"] = [f"c{n % 120}" for n in range(240)]
    lines["sold_at"] = [f"{2023 + (n % 12) // 6}-{(n % 12 + 6) % 12 + 1:02d}-0{n % 7 + 1} 12:00:00" for n in range(240)]
    lines["channel"] = ["store" if n % 2 else "web" for n in range(240)]
    lines["total"] = [10 + n % 60 for n in range(240)]
    project = make_project({"params/shop.yaml": PARAMS, "data/lines.csv": lines})
    monkeypatch.chdir(project.path)
    return project


def test_the_printed_queries_give_the_figures_of_the_scorecard(shop, monkeypatch):
    """The auditor's way: the script run by hand where the data lie; value = t0 / t1 as its comment says."""
    found = kpibook.open("params/shop.yaml").scorecard.query("kpi == 'avg_receipt' and segment == 'total'")
    script = by_hand.queries("avg_receipt", load("params/shop.yaml"))
    monkeypatch.chdir(shop.path / "data")
    con = duckdb.connect()
    *setup, headline = [part for part in script.split("-- headline, current: ")[0].split(";\n") if part.strip()] + [
        script.split("-- headline, previous: (t2 / t3)\n")[1].split(";\n")[0]
    ]
    for statement in setup:
        con.execute(statement)
    row = con.execute(headline).fetch_df().iloc[0]

    assert "-- headline, current: (t0 / t1)\n" in script
    assert found.value.tolist() == pytest.approx([row["t0"] / row["t1"], row["t2"] / row["t3"]])
    assert str(shop.path) not in script


def test_an_unknown_kpi_has_no_query(shop):
    with pytest.raises(ParamsError) as caught:
        by_hand.queries("avg_reciept", load("params/shop.yaml"))

    assert str(caught.value) == "command line: there is no KPI 'avg_reciept' · did you mean 'avg_receipt'?"


def test_targets_for_unknown_kpis_and_second_targets_are_refused(shop):
    params = shop.path / "params" / "shop.yaml"
    wrong = '  - {kpi: avg_reciept, value: 1, comparator: ">=", set_at: 2023-12-01}\n'
    again = '  - {kpi: avg_receipt, value: 1, comparator: ">=", set_at: 2023-12-01}\n'
    params.write_text(params.read_text() + wrong + again)
    with pytest.raises(ParamsError) as caught:
        kpibook.open("params/shop.yaml")

    assert str(caught.value).splitlines() == [
        "params/shop.yaml:17: unknown KPI 'avg_reciept' · did you mean 'avg_receipt'?",
        "params/shop.yaml:18: a second target for 'avg_receipt' (total) · keep the one that holds",
    ]


def test_chapters_speak_the_client_s_language_and_escape_its_text(shop):
    book = kpibook.open("params/shop.yaml")
    chapters = [book.cover(), book.verdict(), book.section("sales"), book.other_sections("sales")]
    chapters += [book.data_quality(), book.computability_table(), book.definitions()]
    page = "".join(chapter.html for chapter in chapters)

    assert "Shop &lt;b&gt;of&lt;/b&gt; Ana" in page
    assert "Ticket medio" in page
    assert "¿Cuánto vale una compra, de media?" in chapters[-1].html
    assert "http" not in page
    assert all("Average receipt" not in chapter.html for chapter in chapters)


def test_saving_writes_only_into_a_run_s_folder(shop, monkeypatch, tmp_path):
    book = kpibook.open("params/shop.yaml")
    before = sorted(p.name for p in shop.path.rglob("*"))
    said = book.save()
    assert sorted(p.name for p in shop.path.rglob("*")) == before

    monkeypatch.setenv("KPIBOOK_RUN_DIR", str(tmp_path))
    assert book.save() == said
    assert {"quality.json", "scorecard.csv", "scorecard.parquet", "tables"} <= {p.name for p in tmp_path.iterdir()}
    quality = json.loads((tmp_path / "quality.json").read_text(encoding="utf-8"))
    assert quality["definitions"]["avg_receipt"]["origin"] == "kpibook 0.1.0"
    assert list(quality["fingerprints"]) == ["lines.csv"]


def test_the_computability_matrix_names_what_to_ask_for(shop):
    client = load("params/shop.yaml")
    table = books.computability(discover(client.plugins).catalog, intake.load(client), client).set_index("kpi")

    assert len(table) == 133
    assert table.loc["avg_receipt", "state"] == "computable"
    assert (table.loc["avg_receipt_card", "state"], table.loc["avg_receipt_card", "missing"]) == (
        "not",
        ["transactions.member_id"],
    )
    assert table.loc["identified_sales_share", "state"] == "computable"
    assert table.loc["avg_receipt_card", "title"] == "Ticket medio con tarjeta"
    pd.testing.assert_frame_equal(table.reset_index(), kpibook.open("params/shop.yaml").computability)
