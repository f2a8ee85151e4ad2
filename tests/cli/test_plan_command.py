"""``kpibook plan`` on a client of three receipts and five definitions: the whole output."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from kpibook import book, cli, kpi, modelled, quantile, ratio, share, view
from kpibook.catalog import build
from kpibook.plugins import Discovered
from kpibook.tracing import Source

if TYPE_CHECKING:
    from pathlib import Path

PARAMS = """
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Madrid
period: 2024-01-01/2024-06-30
compare: 2023-07-01/2023-12-31
source: ../data
breakdowns: [channel]
tables:
  order_lines:
    from: lines.csv
    columns: {transaction_id: ticket, customer_id: client, ts: sold_at, net_amount: total, channel: channel}
  products:
    from: articles.csv
    columns: {product_id: article}
"""
LINES = """\
ticket,client,sold_at,total,channel
t1,c1,2023-07-01 10:00:00,10,web
t2,c1,2024-01-01 10:00:00,12,web
t3,c2,2024-06-30 10:00:00,20,store
"""


@view(key="transaction_id", date="business_date")
def sold(transactions: Any, order_lines: Any) -> Any:
    """Sold: receipts with their amounts."""
    sums = order_lines.group_by("transaction_id").agg(net=order_lines.net_amount.sum(), lines=order_lines.count())
    return transactions.join(sums, "transaction_id")


@view(key="ticket_id", date="created_at")
def idle(tickets: Any) -> Any:
    """Idle: read by a KPI that cannot be computed."""
    return tickets


@kpi(unit="money", better="higher")
def receipt_value(sold: Any) -> Any:
    """Receipt value: net sales per receipt."""
    return ratio(sold.net.sum(), sold.count(), cluster=sold.customer_id)


@kpi(unit="money", better="higher")
def median_receipt(sold: Any) -> Any:
    """Median receipt: of all."""
    return quantile(sold.net)


@kpi(unit="percent", better="lower")
def closed(idle: Any) -> Any:
    """Closed: resolved tickets."""
    return share(idle.resolved_at.notnull())


@kpi(unit="ratio", better="neutral", columns={"sold": ["net"]})
def spread(sold: pd.DataFrame) -> Any:
    """Spread: largest over smallest receipt."""
    return modelled(float(sold["net"].max() / sold["net"].min()), n=len(sold))


PLAN = """\
shop: 2024-01-01/2024-06-30 against 2023-07-01/2023-12-31, by channel
times: {times}
tables
  order_lines: 3 rows, 2 of 14 columns: net_amount, transaction_id
  transactions: 3 rows, 4 of 12 columns: business_date, channel, customer_id, transaction_id
  delivered and not read by any KPI: products
views, each made once
  sold: T s{made}, 5 of 14 columns · for 3 of the KPIs: receipt_value, median_receipt, spread
queries and what is made of their rows
  sums: receipt_value by total: T s
  sums: receipt_value by channel: T s
  values: median_receipt by total: T s
  values: median_receipt by channel: T s
  rows: sold by total: T s
  in pandas: spread by total: T s
  rows: sold by channel: T s
  in pandas: spread by channel: T s
KPIs, and what their definitions read
  receipt_value: order_lines.net_amount, order_lines.transaction_id, transactions.customer_id, \
transactions.transaction_id · through sold
  median_receipt: order_lines.net_amount, order_lines.transaction_id, transactions.transaction_id · through sold
  spread: order_lines.net_amount, order_lines.transaction_id, transactions.transaction_id · through sold
KPIs that these data do not allow: 1, kpibook check says why
views that nobody reads and that are not made: 1
in all: 9 tasks, 6 queries, T s of work{clock}
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {
        "params/shop.yaml": PARAMS,
        "data/lines.csv": LINES,
        "data/articles.csv": "article\na1\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    definitions = (sold, idle, receipt_value, median_receipt, closed, spread)
    catalog = build(Source(each, "tests") for each in definitions)
    assert book.discover is not None  # it has the real one, before another stands in its place
    monkeypatch.setattr("kpibook.plugins.discover", lambda folder: Discovered(catalog, ()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """What the command prints, each time as T."""
    with pytest.raises(SystemExit) as left:
        cli.main(["plan", "params/shop.yaml", *arguments])
    out, err = capsys.readouterr()
    assert (left.value.code or 0, err) == (0, "")
    return re.sub(r"\d+\.\d\d s\b", "T s", out)


def test_a_plan_says_what_is_read_made_and_asked(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = "estimated from row counts, roughly"
    assert said(capsys) == PLAN.format(times=times, made="", clock="")


def test_measured_it_has_rows_and_the_next_plan_has_its_times(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measured = said(capsys, "--measure")
    assert measured == PLAN.format(times="measured", made=", 3 rows", clock=", T s by the clock")
    assert said(capsys) == PLAN.format(times="as last measured", made="", clock="")
    assert sorted(path.name for path in (shop / "reports" / ".cache" / "shop").iterdir()) == ["inputs", "plan"]


def test_where_nothing_is_kept_no_times_are(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = shop / "params" / "shop.yaml"
    path.write_text(path.read_text() + "limits: {cache: none}\n")
    said(capsys, "--measure")
    assert said(capsys).splitlines()[1] == "times: estimated from row counts, roughly"
    assert not (shop / "reports").exists()


def test_estimates_grow_with_the_rows_below(shop: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nine tasks of 0.02 s, and of 1e-7 s for each of three rows: nothing at all."""
    with pytest.raises(SystemExit):
        cli.main(["plan", "params/shop.yaml"])
    assert capsys.readouterr().out.splitlines()[-1] == "in all: 9 tasks, 6 queries, 0.18 s of work"
