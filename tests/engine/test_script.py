"""The queries of a KPI, printed for an auditor, in plain DuckDB where the client's files lie."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from kpibook import asked, intake, params
from kpibook.book import loaded
from kpibook.engine import compute
from kpibook.engine.script import script
from kpibook.plugins import discover

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from kpibook.tracing import Resolved

PARAMS = """
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Madrid
period: 2024-01-01/2024-06-30
compare: previous
source: ../data
tables:
  order_lines:
    from: lines.csv
    columns: {transaction_id: ticket, customer_id: client, ts: sold_at, net_amount: total, channel: channel}
settings:
  large_rows: {least: 15}
plugins: ../plugins
"""

LINES = """\
ticket,client,sold_at,channel,total
t1,ana,2024-01-10 12:00:00,web,10.00
t2,ana,2024-02-10 12:00:00,store,20.00
t3,bea,2024-03-10 12:00:00,web,30.00
t4,bea,2024-04-10 12:00:00,web,60.00
t5,carl,2024-05-10 12:00:00,store,20.00
t6,,2024-06-10 12:00:00,store,5.50
t7,ana,2023-10-10 12:00:00,web,8.00
t8,carl,2023-11-10 12:00:00,store,12.00
"""

PLUGIN = '''\
"""One KPI of each kind of estimate."""

import pandas as pd

from kpibook import change, curve, hookimpl, kpi, matrix, mean, modelled, quantile, ratio, share, total, variants


def _web(receipts):
    web = receipts.channel == "web"
    return ratio(receipts.net_amount.sum(where=web), receipts.count(where=web), cluster=receipts.customer_id)


@kpi(unit="money", better="higher")
def sold(receipts):
    """Sold: net sales."""
    return total(receipts.net_amount.sum(), cluster=receipts.customer_id)


@kpi(unit="percent", better="neutral")
def web_share(receipts):
    """Web share: web receipts, out of all; points its distance from a quarter."""
    web = share(receipts.channel == "web", cluster=receipts.customer_id)
    return variants(web, points=100 * (web - 0.25))


@kpi(unit="money", better="higher")
def spend(receipts):
    """Spend: net sales per person."""
    return mean(receipts.net_amount.sum(), per=receipts.customer_id)


@kpi(unit="money", better="higher")
def web_receipt(receipts):
    """Web receipt: net sales per web receipt; growth is its change."""
    return variants(_web(receipts), growth=change(_web(receipts)))


@kpi(unit="money", better="higher")
def low_receipt(receipts):
    """Low receipt: a quarter of the receipts are no larger."""
    return quantile(receipts.net_amount, 0.25)


@kpi(unit="money", better="neutral")
def to_web(receipts):
    """To web: the amount at which receipts are of the web."""
    return curve(receipts.net_amount, receipts.channel == "web")


@kpi(unit="percent", better="neutral")
def sizes(receipts):
    """Sizes: receipts of 20 or more, by channel; amounts is the part of the amount that is theirs."""
    large = receipts.net_amount >= 20
    part = share(large, cluster=receipts.customer_id)
    size = large.ifelse("large", "small")
    amount = receipts.net_amount.sum()
    cell = ratio(receipts.net_amount.sum(where=large), amount, cluster=receipts.customer_id)
    return variants(
        matrix(receipts.channel, size, headline=part), amounts=matrix(receipts.channel, size, headline=part, cell=cell)
    )


@kpi(
    unit="money",
    better="neutral",
    columns={"receipts": ["net_amount", "channel"], "memberships": ["member_id"]},
    optional=["memberships"],
)
def large_rows(receipts: pd.DataFrame, memberships: pd.DataFrame, *, least: float = 10.0):
    """Large rows: the mean of what is not below the setting `least`."""
    return modelled(float(receipts.net_amount[receipts.net_amount >= least].mean()))


@kpi(unit="count", better="neutral", columns={"scorecard": ["kpi", "value"]})
def figures(scorecard: pd.DataFrame):
    """Figures: how many there are."""
    return modelled(float(len(scorecard)))


@kpi(unit="count", better="neutral")
def wrong(receipts):
    """Wrong: its author's mistake."""
    raise ValueError("no")


@hookimpl
def kpibook_definitions():
    return [sold, web_share, spend, web_receipt, low_receipt, to_web, sizes, large_rows, figures, wrong]
'''


@dataclass(frozen=True)
class Client:
    """The client's queries, and DuckDB started in the folder of its data."""

    folder: Path
    resolution: Any
    rest: Sequence[Any]

    def printed(self, kpi: str | Resolved) -> str:
        resolved = self.resolution.kpis[kpi] if isinstance(kpi, str) else kpi
        return script(resolved, self.resolution, *self.rest)

    def queries(self, text: str) -> list[str]:
        """The SELECTs of a script whose other statements have been executed on ``self.con``."""
        con = duckdb.connect()
        con.execute(f"SET file_search_path = '{self.folder}'")
        object.__setattr__(self, "con", con)
        found = []
        for statement in con.extract_statements(text):
            if statement.type == duckdb.StatementType.SELECT:
                found.append(statement.query.strip().rstrip(";"))
            else:
                con.execute(statement)
        return found

    def rows(self, kpi: str) -> list[list[tuple[Any, ...]]]:
        """What each query of a KPI's script answers."""
        return [self.con.execute(query).fetchall() for query in self.queries(self.printed(kpi))]

    def values(self, kpi: str) -> dict[str, float]:
        """Every formula that the script's comments give, over the row of the query below it."""
        found = {}
        for query in self.queries(self.printed(kpi)):
            for name, formula in re.findall(r"^-- (\w+, \w+): (.*)$", query, re.MULTILINE):
                ((found[name],),) = self.con.execute(f"SELECT {formula} FROM (\n{query}\n)").fetchall()
        return {name: float(value) for name, value in found.items()}


def _line(function: str) -> int:
    """Where a function of the plugin begins: at its decorator."""
    lines = PLUGIN.splitlines()
    start = next(i for i, text in enumerate(lines) if text.startswith(f"def {function}("))
    return 1 + max(i for i, text in enumerate(lines[:start]) if text.startswith("@kpi("))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Client:
    root = tmp_path_factory.mktemp("shop")
    for name, text in {"params/shop.yaml": PARAMS, "data/lines.csv": LINES, "plugins/kinds.py": PLUGIN}.items():
        (root / name).parent.mkdir()
        (root / name).write_text(text, encoding="utf-8")
    client = params.load(root / "params" / "shop.yaml")
    catalog = discover(client.plugins).catalog
    resolution, data = asked.resolved(catalog, client), intake.load(client)
    sources = {name: facts.sql for name, facts in data.facts.items() if facts.sql}
    windows = compute.reporting_windows(client, loaded(data))
    return Client(root / "data", resolution, (compute.placer(catalog, resolution), windows, sources))


def test_a_total_is_its_sum(shop: Client) -> None:
    """10 + 20 + 30 + 60 + 20 + 5.50, and 8 + 12 before."""
    assert shop.values("sold") == {"headline, current": 145.5, "headline, previous": 20.0}


def test_a_share_is_rows_out_of_rows_and_a_variant_has_its_own_query(shop: Client) -> None:
    """Three of six receipts, one of two before; 100 times (1/2 - 1/4)."""
    assert shop.values("web_share") == {
        "headline, current": 0.5,
        "headline, previous": 0.5,
        "points, current": 25.0,
        "points, previous": 25.0,
    }
    assert "-- points, current: (((t0 / t1) - 0.25) * 100)\n" in shop.printed("web_share")


def test_a_mean_is_over_known_persons(shop: Client) -> None:
    """Ana 30, Bea 90, Carl 20, without the receipt of nobody; Ana 8 and Carl 12 before."""
    assert shop.values("spend") == {"headline, current": pytest.approx(140 / 3), "headline, previous": 10.0}


def test_the_query_of_a_mean_has_what_its_largest_persons_spend(shop: Client) -> None:
    """One of three persons is the upper hundredth, rounded up: Bea with 90; Carl with 12 before."""
    (query,) = shop.queries(shop.printed("spend"))
    answer = shop.con.execute(query)
    row = dict(zip([column for column, *_ in answer.description], answer.fetchone(), strict=True))
    assert [float(value) for name, value in row.items() if name.startswith("h")] == [90.0, 12.0]


def test_a_ratio_is_sum_over_sum_and_a_change_is_over_both_periods(shop: Client) -> None:
    """(10 + 30 + 60) / 3, 8 / 1 before; 33.3 / 8 - 1."""
    assert shop.values("web_receipt") == {
        "headline, current": pytest.approx(100 / 3),
        "headline, previous": 8.0,
        "growth, current": pytest.approx(100 / 24 - 1),
        "growth, previous": pytest.approx(100 / 24 - 1),
    }


def test_a_quantile_is_interpolated_between_its_neighbours(shop: Client) -> None:
    """5.50, 10, 20, 20, 30, 60: rank 1.25 from 0 is 10 + 0.25 x 10; 8, 12: 8 + 0.25 x 4."""
    assert shop.rows("low_receipt") == [[("current", "total", 12.5), ("previous", "total", 9.0)]]


def test_a_curve_is_its_durations_counted(shop: Client) -> None:
    """Two store receipts of 20; 1 where a duration ended with the event."""
    assert shop.rows("to_web") == [
        [
            ("current", "total", 5.5, 0, 1),
            ("current", "total", 10.0, 1, 1),
            ("current", "total", 20.0, 0, 2),
            ("current", "total", 30.0, 1, 1),
            ("current", "total", 60.0, 1, 1),
            ("previous", "total", 8.0, 1, 1),
            ("previous", "total", 12.0, 0, 1),
        ]
    ]


def test_a_matrix_is_its_headline_and_its_cells(shop: Client) -> None:
    """Four of six receipts are large; the small store receipt is nobody's, and counts as one person."""
    headline, cells, again, amounts = shop.queries(shop.printed("sizes"))
    assert "-- headline, current: (t0 / t1)\n" in headline
    assert shop.values("sizes")["headline, current"] == pytest.approx(4 / 6)
    assert "-- amounts, current: (t0 / t1)\n" in again
    assert shop.con.execute(cells).fetchall() == [
        ("current", "store", "large", 2, 2),
        ("current", "store", "small", 1, 1),
        ("current", "web", "large", 2, 1),
        ("current", "web", "small", 1, 1),
        ("previous", "store", "small", 1, 1),
        ("previous", "web", "small", 1, 1),
    ]
    assert [row[:5] for row in shop.con.execute(amounts).fetchall()] == [
        ("current", "store", "large", 40, 40),
        ("current", "store", "small", None, 5.5),
        ("current", "web", "large", 90, 90),
        ("current", "web", "small", None, 10),
        ("previous", "store", "small", None, 12),
        ("previous", "web", "small", None, 8),
    ]


def test_of_a_kpi_in_pandas_the_rows_are_printed_that_its_function_gets(shop: Client) -> None:
    """By receipt, the current period first, the columns it named; a table that the client lacks is empty."""
    receipts, memberships = shop.rows("large_rows")
    assert receipts == [
        ("current", "total", 10.0, "web"),
        ("current", "total", 20.0, "store"),
        ("current", "total", 30.0, "web"),
        ("current", "total", 60.0, "web"),
        ("current", "total", 20.0, "store"),
        ("current", "total", 5.5, "store"),
        ("previous", "total", 8.0, "web"),
        ("previous", "total", 12.0, "store"),
    ]
    assert memberships == []
    text = shop.printed("large_rows")
    assert '\n-- The client has no memberships.\nCREATE TEMP TABLE memberships ("member_id" VARCHAR' in text
    assert "\nCREATE TEMP TABLE receipts AS\n" in text
    assert "\n-- receipts: the rows that the function gets, one period at a time\nSELECT" in text
    assert text.endswith(
        f"\n\n-- From these rows the Python function large_rows (plugins/kinds.py, kinds.py:{_line('large_rows')})"
        " goes on with least = 15.\n"
    )


def test_a_kpi_made_of_other_kpis_names_the_scorecard(shop: Client) -> None:
    text = shop.printed("figures")
    assert shop.queries(text) == []
    assert text.endswith(
        "\n\n-- scorecard: kpi, value of the report's scorecard.csv, made of the other KPIs"
        f"\n\n-- From these rows the Python function figures (plugins/kinds.py, kinds.py:{_line('figures')}) goes on.\n"
    )


def test_a_kpi_that_fails_says_why_there_is_no_query(shop: Client) -> None:
    text = shop.printed("wrong")
    assert shop.queries(text) == []
    assert text.endswith(f"\n\n-- it fails: {shop.resolution.kpis['wrong'].failure}\n")


def test_words_of_others_stay_in_their_comments(shop: Client) -> None:
    """An origin with a line break: still one statement for each table, view and reading, and the period's."""
    hostile = replace(shop.resolution.kpis["sold"], origin="a.py\nDROP TABLE receipts;\r\u2028--")
    text = shop.printed(hostile)
    assert "definition " + hostile.hash + ", a.py DROP TABLE receipts; --\n" in text
    statements = duckdb.connect().extract_statements(text)
    assert len(statements) == len(duckdb.connect().extract_statements(shop.printed("sold")))
