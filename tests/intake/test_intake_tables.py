"""Client files become canonical tables: mapping, types, joins, lifting, assumptions."""

from __future__ import annotations

import json
from datetime import date, datetime, time
from decimal import Decimal
from typing import TYPE_CHECKING

import duckdb
import pytest

from intake.shop_client import fetch, found
from kpibook import intake
from kpibook.errors import DataError, ParamsError
from kpibook.model import IBIS_TYPES, TABLES, schema

if TYPE_CHECKING:
    from intake.shop_client import Client

at = datetime.fromisoformat

FLAT = """
order_lines:
  from: lines.csv
  columns: {transaction_id: receipt, ts: time, net_amount: net}
"""
LINES = """\
receipt,time,net
A,2017-07-01 10:00:00,10.50
A,2017-07-01 10:00:00,2.25
B,2017-12-31 18:30:00,4
"""


def test_one_flat_file_is_enough(client: Client) -> None:
    client.csv("lines.csv", LINES)
    loaded = client.load(FLAT)
    assert fetch(loaded, "SELECT line_id, transaction_id, net_amount FROM order_lines ORDER BY 1") == [
        ("1", "A", Decimal("10.5000")),
        ("2", "A", Decimal("2.2500")),
        ("3", "B", Decimal("4.0000")),
    ]
    assert fetch(loaded, "SELECT transaction_id, ts, business_date, status, currency, is_staff FROM transactions") == [
        ("A", at("2017-07-01 10:00"), date(2017, 7, 1), "completed", "EUR", False),
        ("B", at("2017-12-31 18:30"), date(2017, 12, 31), "completed", "EUR", False),
    ]
    facts = loaded.facts["transactions"]
    assert facts.supplied == {"transaction_id", "ts", "business_date"}
    assert facts.assumed == {
        "status": "completed",
        "currency": "EUR",
        "is_staff": "false",
        "is_test": "false",
        "payment_token_hash": "null",
    }
    assert (facts.rows, facts.date_min, facts.date_max) == (2, date(2017, 7, 1), date(2017, 12, 31))
    assert (loaded.data_start, loaded.data_end) == (date(2017, 7, 1), date(2017, 12, 31))
    assert loaded.facts["order_lines"].supplied == {"line_id", "transaction_id", "net_amount"}
    assert loaded.facts["order_lines"].assumed == {"line_id": "row number", "return_of_line_id": "null"}


def test_every_canonical_table_exists_with_its_types_and_nothing_else(client: Client) -> None:
    client.csv("lines.csv", LINES)
    loaded = client.load(FLAT)
    names = [row[0] for row in fetch(loaded, "SELECT table_name FROM duckdb_tables() ORDER BY 1")]
    assert names == sorted(TABLES)
    assert list(loaded.facts) == list(TABLES)
    assert loaded.facts["tickets"].rows == 0
    for name, table in TABLES.items():
        columns = loaded.con.table(name).schema()
        assert list(columns.names) == list(table.columns)
        for column in table.columns.values():
            assert columns[column.name].copy(nullable=True) == schema(name)[column.name].copy(nullable=True), column
            assert column.kind in IBIS_TYPES


def test_an_auditor_can_run_the_query_in_the_source_folder(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.csv("lines.csv", LINES)
    client.csv("members.csv", "card,who,since\nM1,C1,2017-07-02\n")
    tables = FLAT.replace("net_amount: net", "net_amount: net, customer_id: \"= 'C1'\"") + (
        "memberships: {from: members.csv, columns: {member_id: card, customer_id: who, enrolled_at: since}}\n"
    )
    loaded = client.load(tables, "card_use: every_purchase\n")
    assert str(client.folder) not in loaded.facts["transactions"].sql
    monkeypatch.chdir(client.folder / "data")
    with duckdb.connect() as con:
        for name in ("transactions", "order_lines", "memberships"):
            assert sorted(con.execute(loaded.facts[name].sql).fetchall()) == sorted(fetch(loaded, f"FROM {name}"))


def test_ids_are_text_whatever_the_file_holds(client: Client) -> None:
    client.parquet(
        "lines.parquet",
        "SELECT 9007199254740993 AS receipt, 7.0::DOUBLE AS who, 5::UTINYINT AS item, 3.00::DECIMAL(9,2) AS shop, "
        "DATE '2017-07-01' AS day, 1.5 AS net UNION ALL SELECT 2, 'nan'::DOUBLE, 6, 4, DATE '2017-07-02', 2",
    )
    loaded = client.load(
        "order_lines: {from: lines.parquet, columns: {transaction_id: receipt, customer_id: who, product_id: item, "
        "store_id: shop, business_date: day, net_amount: net}}"
    )
    assert fetch(loaded, "SELECT transaction_id, customer_id, store_id FROM transactions ORDER BY 1") == [
        ("2", None, "4"),
        ("9007199254740993", "7", "3"),
    ]
    assert "ts" not in loaded.facts["transactions"].supplied
    assert "business_date" in loaded.facts["transactions"].supplied


def test_empty_text_is_nobody(client: Client) -> None:
    client.parquet(
        "lines.parquet",
        "SELECT 'A' AS receipt, '' AS who, DATE '2017-07-01' AS day UNION ALL SELECT 'B', '  ', DATE '2017-07-01' "
        "UNION ALL SELECT 'C', ' x ', DATE '2017-07-01'",
    )
    loaded = client.load(
        "order_lines: {from: lines.parquet, columns: {transaction_id: receipt, customer_id: who, business_date: day}}"
    )
    assert fetch(loaded, "SELECT transaction_id, customer_id FROM transactions ORDER BY 1") == [
        ("A", None),
        ("B", None),
        ("C", "x"),
    ]
    assert [f.rows for f in found(loaded, "read_ids_trimmed")] == [1]


@pytest.mark.parametrize(
    ("instant", "wall"),
    [
        ("2017-01-01 04:30:00", at("2016-12-31 23:30")),  # winter: 5 hours behind
        ("2017-01-01 05:00:00", at("2017-01-01")),
        ("2017-03-12 06:59:59", at("2017-03-12 01:59:59")),  # the last second before clocks go forward
        ("2017-03-12 07:00:00", at("2017-03-12 03:00")),
        ("2017-07-01 03:59:00", at("2017-06-30 23:59")),  # summer: 4 hours behind
        ("2017-11-05 05:30:00", at("2017-11-05 01:30")),
        ("2017-11-05 06:30:00", at("2017-11-05 01:30")),  # the hour that comes twice
        ("2017-11-05 07:00:00", at("2017-11-05 02:00")),
    ],
)
def test_utc_becomes_the_shops_wall_clock(client: Client, instant: str, wall: datetime) -> None:
    client.csv("lines.csv", f"receipt,naive,zoned\nA,{instant},{instant.replace(' ', 'T')}Z\n")
    client.parquet(
        "lines.parquet",
        f"SELECT 'A' AS receipt, TIMESTAMP '{instant}' AS naive, TIMESTAMPTZ '{instant}+00' AS zoned",
    )
    head = "timezone: America/New_York\nperiod: 2016-01-01/2017-12-31\n"
    for file in ("lines.csv", "lines.parquet"):
        for ts in ("{column: naive, timezone: UTC}", "zoned", "{column: '= naive', timezone: Etc/UTC}"):
            tables = f"order_lines: {{from: {file}, columns: {{transaction_id: receipt, ts: {ts}}}}}"
            loaded = client.load(tables, head)
            assert fetch(loaded, "SELECT ts, business_date FROM transactions") == [(wall, wall.date())]


def test_clock_times_without_a_zone_are_the_shops(client: Client) -> None:
    client.csv("lines.csv", "receipt,t\nA,2017-07-01T23:59:59\nB,2017-07-02\nC,2017-07-01T23:30:00+01:00\n")
    tables = "order_lines: {from: lines.csv, columns: {transaction_id: receipt, ts: t}}"
    assert client.refused(tables) == (
        "lines.csv: order_lines.ts (t): ambiguous: '2017-07-01T23:30:00+01:00' (row 3) has a time zone,"
        " 1 other have none · say in params where those stand: timezone: UTC"
    )
    loaded = client.load(tables.replace("columns", "timezone: Europe/Rome, columns"))
    assert fetch(loaded, "SELECT ts FROM transactions ORDER BY transaction_id") == [
        (at("2017-07-01 23:59:59"),),
        (at("2017-07-02"),),
        (at("2017-07-02 00:30"),),  # 22:30 UTC is half past midnight in Rome
    ]


def test_a_business_date_from_a_moment_is_the_shops_day(client: Client) -> None:
    client.parquet("lines.parquet", "SELECT 'A' AS receipt, TIMESTAMP '2017-07-01 23:30:00' AS t")
    loaded = client.load(
        "order_lines: {from: lines.parquet, columns: {transaction_id: receipt, "
        "business_date: {column: t, timezone: UTC}}}"
    )
    assert fetch(loaded, "SELECT business_date FROM transactions") == [(date(2017, 7, 2),)]


def test_all_types_from_text(client: Client) -> None:
    client.csv("lines.csv", LINES)
    client.csv(
        "customers.csv",
        """\
        id,year,tags,mail,push,made
        1, 1980 ,a; b;;c,yes,0,2017-01-01 10:00
        2,,,No,TRUE,
        """,
    )
    client.csv("scores.csv", "id,p,d,x\n1,0.25,30,1e2\n")
    client.csv("calendar.csv", "id,day,open,from\nc,2017-01-05,true,09:30\n")
    loaded = client.load(
        FLAT
        + """
customers:
  from: customers.csv
  columns:
    {customer_id: id, birth_year: year, interests: tags, consent_email: mail, consent_push: push, created_at: made}
customer_scores:
  from: scores.csv
  columns:
    {customer_id: id, model_id: "= 'm'", scored_at: "= date '2017-01-01'", horizon_days: d, p_active: p,
     expected_margin: x}
calendar: {from: calendar.csv, columns: {calendar_id: id, date: day, is_open: open, open_from: from}}
"""
    )
    assert fetch(
        loaded,
        "SELECT birth_year, interests, consent_email, consent_push, created_at FROM customers ORDER BY customer_id",
    ) == [
        (1980, ["a", "b", "c"], True, False, at("2017-01-01 10:00")),
        (None, [], False, True, None),
    ]
    assert fetch(loaded, "SELECT scored_at, horizon_days, p_active, expected_margin FROM customer_scores") == [
        (at("2017-01-01"), 30, 0.25, Decimal(100))
    ]
    assert fetch(loaded, "SELECT date, is_open, open_from, open_to FROM calendar") == [
        (date(2017, 1, 5), True, time(9, 30), None)
    ]


def test_all_types_from_parquet(client: Client) -> None:
    client.csv("lines.csv", LINES)
    client.parquet(
        "customers.parquet",
        "SELECT 1 AS id, 1980.0::FLOAT AS year, ['a', NULL] AS tags, true AS mail, 1 AS push, "
        "DATE '2017-01-01' AS made, NULL AS gone UNION ALL SELECT 2, 'nan'::FLOAT, NULL, NULL, 0, NULL, NULL",
    )
    loaded = client.load(
        FLAT + "customers: {from: customers.parquet, columns: {customer_id: id, birth_year: year, interests: tags, "
        "consent_email: mail, consent_push: push, created_at: made, deleted_at: gone}}"
    )
    assert fetch(
        loaded,
        "SELECT birth_year, interests, consent_email, consent_push, created_at, deleted_at FROM customers ORDER BY 1",
    ) == [
        (1980, ["a", None], True, True, at("2017-01-01"), None),
        (None, [], None, False, None, None),
    ]


def test_enums_are_read_in_any_spelling(client: Client) -> None:
    client.csv("lines.csv", "receipt,time,way\nA,2017-07-01, Store\nB,2017-07-01,WEB\nC,2017-07-01,\n")
    loaded = client.load("order_lines: {from: lines.csv, columns: {transaction_id: receipt, ts: time, channel: way}}")
    assert fetch(loaded, "SELECT channel FROM transactions ORDER BY transaction_id") == [("store",), ("web",), (None,)]


def test_expressions_compute_over_the_files_columns(client: Client) -> None:
    client.csv("lines.csv", 'receipt,day,price,n\nA,03.07.2017,"1.234,50",2\nB,04.07.2017,"0,99",1\n')
    loaded = client.load(
        """
        order_lines:
          from: lines.csv
          columns:
            transaction_id: "= receipt || '-' || row_id"
            ts: "= strptime(day, '%d.%m.%Y')"
            quantity: n
            net_amount: "= cast(replace(replace(price, '.', ''), ',', '.') as decimal(18,4)) * cast(n as int)"
        """
    )
    assert fetch(loaded, "SELECT transaction_id, quantity, net_amount FROM order_lines ORDER BY 1") == [
        ("A-1", Decimal(2), Decimal(2469)),
        ("B-2", Decimal(1), Decimal("0.99")),
    ]
    assert fetch(loaded, "SELECT business_date FROM transactions ORDER BY 1") == [
        (date(2017, 7, 3),),
        (date(2017, 7, 4),),
    ]


def test_a_files_own_row_id_comes_before_ours(client: Client) -> None:
    client.csv("lines.csv", "row_id,day\nx9,2017-07-03\n")
    loaded = client.load('order_lines: {from: lines.csv, columns: {transaction_id: "= row_id", ts: day}}')
    assert fetch(loaded, "SELECT transaction_id FROM transactions") == [("x9",)]


def test_where_leaves_rows_out_and_row_numbers_stay(client: Client) -> None:
    client.csv("lines.csv", LINES)
    loaded = client.load(FLAT.replace("from: lines.csv", "from: lines.csv\n  where: \"= net <> '10.50'\""))
    assert fetch(loaded, "SELECT line_id FROM order_lines ORDER BY 1") == [("2",), ("3",)]


def test_quoted_names_and_values(client: Client) -> None:
    client.csv("it's lines.csv", 'receipt,"the ""day""",select\n"A, 1",2017-07-01,"x\ny"\n')
    loaded = client.load(
        """
        order_lines:
          from: "it's lines.csv"
          columns: {transaction_id: receipt, ts: 'the "day"', store_id: select, product_id: '= "select"'}
        """
    )
    assert fetch(loaded, "SELECT transaction_id, store_id FROM transactions") == [("A, 1", "x\ny")]


def test_windows_line_ends_byte_order_mark_and_gzip(client: Client) -> None:
    import gzip

    client.csv("lines.csv", "")
    data = "\ufeff" + LINES.replace("\n", "\r\n")
    (client.folder / "data" / "lines.csv.gz").write_bytes(gzip.compress(data.encode()))
    (client.folder / "data" / "lines.csv").write_bytes(data.encode())
    for name in ("lines.csv", "lines.csv.gz"):
        loaded = client.load(FLAT.replace("lines.csv", name))
        assert fetch(loaded, "SELECT sum(net_amount), count(*) FROM order_lines") == [(Decimal("16.75"), 3)]


def test_join_and_one_row_per(client: Client) -> None:
    client.csv("lines.csv", LINES)
    client.csv("targeted.csv", "campaign,who\n1,7\n2,7\n2,8\n")
    client.parquet(
        "campaigns.parquet",
        "SELECT 1 AS campaign, DATE '2017-02-01' AS begins, DATE '2017-02-10' AS ends "
        "UNION ALL SELECT 2, DATE '2017-01-15', DATE '2017-01-31'",
    )
    client.csv("answers.csv", "who,campaign,day\n7,2,2017-01-20\n7,2,2017-01-18\n8,1,2017-02-02\n")
    loaded = client.load(
        FLAT
        + """
memberships:
  from: targeted.csv
  join: {campaigns.parquet: campaign}
  one_row_per: [who]
  columns: {member_id: who, customer_id: who, enrolled_at: "= min(begins)"}
campaigns:
  from: campaigns.parquet
  columns: {campaign_id: campaign, start_at: begins, response_window_days: "= date_diff('day', begins, ends) + 1"}
campaign_targets:
  from: targeted.csv
  join: {campaigns.parquet: campaign, answers.csv: [who, campaign]}
  one_row_per: [campaign, who]
  columns: {campaign_id: campaign, customer_id: who, sent_at: "= min(begins)", replied_at: "= min(day)"}
"""
    )
    assert fetch(loaded, "SELECT member_id, enrolled_at FROM memberships") == [
        ("7", at("2017-01-15")),
        ("8", at("2017-01-15")),
    ]
    assert fetch(loaded, "SELECT response_window_days FROM campaigns ORDER BY campaign_id") == [(10,), (17,)]
    assert fetch(loaded, "SELECT campaign_id, customer_id, sent_at, replied_at, arm FROM campaign_targets") == [
        ("1", "7", at("2017-02-01"), None, "treatment"),
        ("2", "7", at("2017-01-15"), at("2017-01-18"), "treatment"),
        ("2", "8", at("2017-01-15"), None, "treatment"),
    ]
    assert loaded.facts["campaign_targets"].files == ("targeted.csv", "campaigns.parquet", "answers.csv")
    assert sorted(loaded.fingerprints) == ["answers.csv", "campaigns.parquet", "lines.csv", "targeted.csv"]


def test_headers_and_lines_in_two_files(client: Client) -> None:
    client.csv("heads.csv", "id,day,card\nA,2017-07-01,M1\n")
    client.csv("lines.csv", "id,receipt,net\nl1,A,3\nl2,A,4\n")
    loaded = client.load(
        "transactions: {from: heads.csv, columns: {transaction_id: id, business_date: day, member_id: card}}\n"
        "order_lines: {from: lines.csv, columns: {line_id: id, transaction_id: receipt, net_amount: net}}"
    )
    assert fetch(loaded, "SELECT transaction_id, member_id FROM transactions") == [("A", "M1")]
    assert loaded.facts["order_lines"].assumed == {"return_of_line_id": "null"}
    assert found(loaded, "header_differs") == []


def test_every_purchase_of_a_member_counts_as_with_card(client: Client) -> None:
    client.csv(
        "lines.csv",
        "receipt,day,who\nA,2017-07-01,7\nB,2017-07-02,7\nC,2017-07-05,7\n"
        "D,2017-07-09,7\nE,2017-07-09,8\nF,2017-07-09,\n",
    )
    client.csv(
        "members.csv",
        "card,who,since,until\nM1,7,2017-07-02 18:00,2017-07-05\nM2,7,2017-07-08,\n"
        "M3,7,2017-07-09,\nM4,8,2017-07-10,\n",
    )
    tables = """
        order_lines: {from: lines.csv, columns: {transaction_id: receipt, ts: day, customer_id: who}}
        memberships:
          from: members.csv
          columns: {member_id: card, customer_id: who, enrolled_at: since, closed_at: until}
    """
    loaded = client.load(tables, "card_use: every_purchase\n")
    assert fetch(loaded, "SELECT transaction_id, member_id FROM transactions ORDER BY 1") == [
        ("A", None),  # the day before enrolment
        ("B", "M1"),  # the day of enrolment
        ("C", None),  # the day it was closed
        ("D", "M3"),  # the latest of two
        ("E", None),
        ("F", None),
    ]
    assert "member_id" in loaded.facts["transactions"].supplied
    assert [(f.rows, f.of_rows, f.severity) for f in found(loaded, "assumed_card_use")] == [(2, 6, "info")]
    assert "member_id" not in client.load(tables).facts["transactions"].supplied


def test_targets_and_costs_of_the_params_file(client: Client) -> None:
    client.csv("lines.csv", LINES)
    head = """
targets:
  - {kpi: avg_receipt, value: 30, comparator: ">=", set_at: 2017-06-15}
  - {kpi: churn_rate, value: 0.2, comparator: "<=", set_at: 2017-06-15, segment: "it's", baseline: 0.25}
costs:
  - {cost_type: personnel, amount: 1200.5, is_in_transactions: false, period_start: 2017-07-01, period_end: 2017-07-31}
"""
    loaded = client.load(FLAT, head)
    end = date(2017, 12, 31)
    set_at = at("2017-06-15")
    assert fetch(loaded, "FROM targets") == [
        ("1", "avg_receipt", "total", date(2017, 7, 1), end, None, 30.0, ">=", set_at, None),
        ("2", "churn_rate", "it's", date(2017, 7, 1), end, 0.25, 0.2, "<=", set_at, None),
    ]
    assert fetch(loaded, "FROM programme_costs") == [
        ("1", "programme", date(2017, 7, 1), date(2017, 7, 31), "personnel", Decimal("1200.5"), False, False)
    ]
    assert loaded.facts["programme_costs"].supplied == frozenset(TABLES["programme_costs"].columns)


def test_every_clock_is_utc_and_nothing_is_downloaded(client: Client) -> None:
    client.csv("lines.csv", LINES)
    setting = "SELECT current_setting('TimeZone'), current_setting('autoinstall_known_extensions')"
    assert client.load(FLAT).con.raw_sql(setting).fetchone() == ("UTC", False)


def test_loading_twice_gives_the_same(client: Client) -> None:
    client.csv("lines.csv", LINES)
    one, two = client.load(FLAT), client.load(FLAT)
    assert intake.quality_document(one) == intake.quality_document(two)
    document = intake.quality_document(one)
    assert json.loads(json.dumps(document)) == document
    assert document["data_start"] == "2017-07-01"
    assert document["files"] == one.fingerprints
    assert [table["name"] for table in document["tables"]] == list(TABLES)


def test_the_source_may_come_from_the_environment(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.csv("lines.csv", LINES)
    shop = client.params(FLAT, "source: ${KPIBOOK_TEST_DATA}\n")
    monkeypatch.delenv("KPIBOOK_TEST_DATA", raising=False)
    with pytest.raises(ParamsError) as caught:
        intake.load(shop)
    assert str(caught.value) == (
        f"{shop.path}:8: source: the environment variable KPIBOOK_TEST_DATA is not set"
        " · set KPIBOOK_TEST_DATA before kpibook starts"
    )
    monkeypatch.setenv("KPIBOOK_TEST_DATA", str(client.folder / "data"))
    assert intake.load(shop).facts["order_lines"].rows == 3


def test_a_folder_that_is_not_there_is_missing_data(client: Client) -> None:
    with pytest.raises(DataError) as caught:
        client.load(FLAT)
    assert str(caught.value) == (
        f"{client.folder}/shop.yaml:8: source: there is no folder 'data'"
        " · check the path, or that the files were delivered"
    )
