"""Data that are refused: whole messages, all at once, with the row but never more of it than one value."""

from __future__ import annotations

from pathlib import Path
from typing import IO, TYPE_CHECKING

import duckdb
import pandas as pd
import pytest

from kpibook.errors import DataError
from kpibook.intake import sql

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

    from intake.shop_client import Client

FLAT = """
order_lines:
  from: lines.csv
  columns: {transaction_id: receipt, ts: time, net_amount: net}
"""
LINES = "receipt,time,net\nA,2017-07-01 10:00:00,10.50\n"
MEND = "correct the file, or map it with an expression"
QUOTES = "put values that hold the delimiter or quotes into quotes, and double the quotes inside"


def test_refused_data_is_exit_code_three() -> None:
    assert DataError.exit_code == 3


def test_missing_files_are_told_together(client: Client) -> None:
    client.csv("linse.csv", LINES)
    assert client.refused(FLAT + "products: {from: goods.csv, columns: {product_id: p}}") == (
        "shop.yaml:12: tables.order_lines.from: there is no file 'lines.csv' in the source folder"
        " · did you mean 'linse.csv'?\n"
        "shop.yaml:14: tables.products.from: there is no file 'goods.csv' in the source folder"
        " · use one of: linse.csv"
    )


def test_an_empty_folder(client: Client) -> None:
    (client.folder / "data").mkdir()
    assert client.refused(FLAT) == (
        "shop.yaml:12: tables.order_lines.from: there is no file 'lines.csv' in the source folder"
        " · deliver the file; the source folder is empty"
    )


def test_a_link_out_of_the_folder(client: Client) -> None:
    client.csv("other.csv", LINES)
    (client.folder / "secret.csv").write_text(LINES, encoding="utf-8")
    (client.folder / "data" / "lines.csv").symlink_to(client.folder / "secret.csv")
    assert client.refused(FLAT) == (
        "shop.yaml:12: tables.order_lines.from: 'lines.csv' leads out of the source folder · put the file itself there"
    )


def test_missing_columns_are_told_together(client: Client) -> None:
    client.csv("lines.csv", LINES.replace("time", "tijd").replace("net", "NET"))
    tables = """
        order_lines:
          from: lines.csv
          where: x > '1'
          columns: {transaction_id: receipt, ts: time, net_amount: net, quantity: "= nett || row_id"}
        products: {from: lines.csv, one_row_per: [recipt], columns: {product_id: "= min(NET)"}}
    """
    assert client.refused(tables) == (
        "shop.yaml:14: tables.order_lines.columns.ts: lines.csv has no column 'time' · use one of: NET, receipt, tijd\n"
        "shop.yaml:14: tables.order_lines.columns.net_amount: lines.csv has no column 'net' · did you mean 'NET'?\n"
        "shop.yaml:14: tables.order_lines.columns.quantity: lines.csv has no column 'nett'"
        " · use one of: NET, receipt, tijd\n"
        "shop.yaml:13: tables.order_lines.where: lines.csv has no column 'x' · use one of: NET, receipt, tijd\n"
        "shop.yaml:15: tables.products.one_row_per: lines.csv has no column 'recipt' · did you mean 'receipt'?"
    )


def test_values_of_a_wrong_type_are_told_together(client: Client) -> None:
    client.csv(
        "lines.csv",
        f'receipt,time,net\nA,01/07/2017,10.50\nB,28/07/2017,abc\nC,32/07/2017,"1,234.5"\nD,30/02/2017,{"9" * 60}\n',
    )
    assert client.refused(FLAT) == (
        "lines.csv: order_lines.ts (time): row 3: '32/07/2017' is not a date and time such as 2017-07-01 09:30:00,"
        f" 2 rows in all · {MEND}\n"
        f"lines.csv: order_lines.net_amount (net): row 2: 'abc' is not a number · {MEND}"
    )


@pytest.mark.parametrize(
    ("table", "column", "value", "message"),
    [
        ("customers", "birth_year", "12.5", "'12.5' is not a whole number"),
        ("customers", "birth_year", "x" * 60, f"'{'x' * 39}…' is not a whole number"),
        ("customers", "consent_email", "perhaps", "'perhaps' is not true or false"),
        ("customers", "created_at", "20170101", "'20170101' is not a date and time such as 2017-07-01 09:30:00"),
        ("customers", "created_at", "infinity", "'infinity' is not a date and time such as 2017-07-01 09:30:00"),
        ("customer_scores", "p_active", "inf", "'inf' is not a number"),
        ("customer_scores", "p_active", "high", "'high' is not a number"),
        ("programme_rules", "launched_at", "2017-02-30", "'2017-02-30' is not a date such as 2017-07-01"),
        ("calendar", "open_from", "noon", "'noon' is not a time such as 09:30"),
    ],
)
def test_a_wrong_value_of_every_type(client: Client, table: str, column: str, value: str, message: str) -> None:
    client.csv("lines.csv", LINES)
    client.csv("other.csv", f"a,b\n1,\n2,{value}\n")
    keys = {
        "customers": "customer_id: a",
        "customer_scores": "customer_id: a, model_id: a, scored_at: \"= timestamp '2017-01-01'\"",
        "programme_rules": "programme_id: a, valid_from: \"= date '2017-01-01'\"",
        "calendar": "calendar_id: a, date: \"= date '2017-01-01'\"",
    }
    tables = FLAT + f"{table}: {{from: other.csv, columns: {{{keys[table]}, {column}: b}}}}"
    assert client.refused(tables) == f"other.csv: {table}.{column} (b): row 2: {message} · {MEND}"


@pytest.mark.parametrize(
    ("value", "column", "message"),
    [
        ("1.5::DOUBLE", "customer_id", "'1.5' is not an id or a text"),
        ("1e17::DOUBLE", "customer_id", "'1e+17' is not an id or a text"),
        ("20170701", "created_at", "'20170701' is not a date and time such as 2017-07-01 09:30:00"),
        ("2", "consent_email", "'2' is not true or false"),
        ("1.5", "birth_year", "'1.5' is not a whole number"),
        ("true", "birth_year", "'true' is not a whole number"),
        ("{'a': 1}", "postal_area", "\"{'a': 1}\" is not an id or a text (the column holds STRUCT(a INTEGER))"),
        ("1", "interests", "'1' is not a list"),
    ],
)
def test_a_wrong_value_of_a_typed_file(client: Client, value: str, column: str, message: str) -> None:
    client.csv("lines.csv", LINES)
    client.parquet("other.parquet", f"SELECT 'k' AS a, {value} AS b")
    key = "" if column == "customer_id" else "customer_id: a, "
    tables = FLAT + f"customers: {{from: other.parquet, columns: {{{key}{column}: b}}}}"
    assert client.refused(tables) == f"other.parquet: customers.{column} (b): row 1: {message} · {MEND}"


def test_a_column_without_any_value_fits_every_type(client: Client) -> None:
    client.csv("lines.csv", LINES)
    client.parquet("other.parquet", "SELECT 'k' AS a, NULL::INTEGER AS b")
    loaded = client.load(FLAT + "customers: {from: other.parquet, columns: {customer_id: a, created_at: b}}")
    assert loaded.facts["customers"].rows == 1


def test_values_outside_a_list(client: Client) -> None:
    ways = ["shop", "shop", "netz", "a", "b", "c", "d", "web"]
    client.csv("lines.csv", "receipt,time,way\n" + "".join(f"{i},2017-07-01,{way}\n" for i, way in enumerate(ways)))
    assert client.refused(FLAT.replace("net_amount: net", "channel: way")) == (
        "lines.csv: order_lines.channel (way): row 1: 7 rows outside the list:"
        " 'shop', 'a', 'b', 'c', 'd' and 1 more value"
        " · map it with an expression onto: store, web, app, marketplace, phone, b2b"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "lines.csv: the file is empty · deliver the file again"),
        ("receipt,time,net\n", "lines.csv: order_lines: no rows · check the file, and where: in the mapping"),
        ("receipt,time,Receipt\n", "lines.csv: line 1: two columns are called 'Receipt' · rename one of them"),
        (",,\n", "lines.csv: the file is empty · deliver the file again"),
        (LINES + "B,2017-07-01\n", f"lines.csv: line 3: the line does not have the header's columns · {QUOTES}"),
        (LINES + "B,2017-07-01,2,3\n", f"lines.csv: line 3: the line does not have the header's columns · {QUOTES}"),
        (
            LINES + 'B,2017-07-01,"2\n',
            f"lines.csv: line 3: a quote is not closed, or text follows a closed quote · {QUOTES}",
        ),
    ],
)
def test_files_that_are_no_clean_csv(client: Client, content: str, message: str) -> None:
    client.csv("lines.csv", content)
    assert client.refused(FLAT) == message


@pytest.mark.parametrize("rows", [0, 100_000])
def test_text_that_is_in_no_encoding_near_and_far(client: Client, rows: int) -> None:
    client.csv("lines.csv", LINES)
    path = client.folder / "data" / "lines.csv"
    path.write_bytes(LINES.encode() + b"x,2017-07-01,1\n" * rows + b"caf\x81,2017-07-01,1\n")
    assert client.refused(FLAT) == (
        f"lines.csv: line {rows + 3}: the encoding cannot be told: neither UTF-8 nor Windows-1252"
        " · name it: encoding: cp850, mac_roman, iso-8859-2, …"
    )


def test_files_that_are_broken(client: Client) -> None:
    client.csv("lines.csv", LINES)
    (client.folder / "data" / "a.csv.gz").write_bytes(b"\x1f\x8bxxxx")
    (client.folder / "data" / "b.parquet").write_bytes(b"xxxx")
    tables = (
        FLAT
        + "products: {from: a.csv.gz, columns: {product_id: p}}\ntickets: {from: b.parquet, columns: {ticket_id: t}}"
    )
    assert client.refused(tables) == (
        "a.csv.gz: cannot be unpacked · deliver the file again\n"
        "b.parquet: cannot be read as Parquet: damaged, or cut short · deliver the file again"
    )


def _parquet(client: Client) -> str:
    """The params of lines and of tickets in ``b.parquet``, which is a sound one."""
    client.csv("lines.csv", LINES)
    pd.DataFrame({"t": ["a", "b"]}).to_parquet(client.folder / "data" / "b.parquet")
    return FLAT + "tickets: {from: b.parquet, columns: {ticket_id: t}}"


@pytest.mark.parametrize("cut", ["start", "end", "thrift"])
def test_parquet_that_is_damaged(client: Client, cut: str) -> None:
    """Cut short; the end of another file; a footer whose first field has a type that Thrift does not know."""
    tables = _parquet(client)
    path = client.folder / "data" / "b.parquet"
    whole = path.read_bytes()
    footer = len(whole) - 8 - int.from_bytes(whole[-8:-4], "little")
    thrift = whole[:footer] + b"\x1f" + whole[footer + 1 :]
    path.write_bytes({"start": whole[:-20], "end": whole[-20:], "thrift": thrift}[cut])
    assert client.refused(tables) == (
        "b.parquet: cannot be read as Parquet: damaged, or cut short · deliver the file again"
    )


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (duckdb.OutOfMemoryException, "the data do not fit into the memory allowed · raise limits: memory"),
        (duckdb.PermissionException, "the files could not be read (Permission) · check files and expressions"),
    ],
)
def test_parquet_that_is_sound_is_not_called_damaged(
    client: Client, monkeypatch: pytest.MonkeyPatch, error: type[duckdb.Error], said: str
) -> None:
    tables, rows = _parquet(client), sql.rows

    def fails(con: Backend, query: str) -> list[tuple]:
        if query.startswith("DESCRIBE") and "b.parquet" in query:
            raise error("Out of Memory Error: secrets.parquet")
        return rows(con, query)

    monkeypatch.setattr(sql, "rows", fails)
    assert client.refused(tables) == f"b.parquet: {said}"


def test_a_file_that_may_not_be_opened(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.csv("lines.csv", LINES)
    opened = Path.open

    def closed(path: Path, *args: str, **kwargs: str) -> IO:
        if path.name == "lines.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *args, **kwargs)

    monkeypatch.setattr(Path, "open", closed)
    assert client.refused(FLAT) == (
        "shop.yaml:12: tables.order_lines.from: 'lines.csv' cannot be opened (Permission denied)"
        " · let the user who runs kpibook read the file"
    )


def test_keys_that_are_not_unique(client: Client) -> None:
    client.csv("lines.csv", LINES)
    client.csv("c.csv", "id,y\n1,2\n2,2\n1,3\n,1\n")
    client.csv("p.csv", "id,b\n1,x\n2,y\n1,x\n1,x\n")
    tables = (
        FLAT
        + "customers: {from: c.csv, columns: {customer_id: id, birth_year: y}}\n"
        + "products: {from: p.csv, columns: {product_id: id, brand: b}}"
    )
    assert client.refused(tables) == (
        "p.csv: products.product_id: 3 rows are exact copies of each other, first rows 1, 3, 4"
        " · deliver every row once\n"
        "c.csv: customers.customer_id: 1 row without a key, first row 4 · fill the key, or leave it out by where:\n"
        "c.csv: customers.customer_id: 2 rows have a duplicate key, first rows 1, 3: '1'"
        " · deliver every key once, map another key, or say duplicates: first"
    )


def test_a_key_of_several_columns(client: Client) -> None:
    client.csv("lines.csv", LINES)
    client.csv("t.csv", "c,w\n1,1\n1,2\n1,1\n,1\n")
    assert client.refused(FLAT + "campaign_targets: {from: t.csv, columns: {campaign_id: c, customer_id: w}}") == (
        "t.csv: campaign_targets.campaign_id+customer_id: 1 row without a key, first row 4"
        " · fill the key, or leave it out by where:\n"
        "t.csv: campaign_targets.campaign_id+customer_id: 2 rows are exact copies of each other, first rows 1, 3"
        " · deliver every row once"
    )


def test_a_period_without_a_purchase(client: Client) -> None:
    client.csv("lines.csv", LINES)
    assert client.refused(FLAT, "period: 2018-01-01/2018-12-31\n") == (
        "shop.yaml:8: period: no purchase between 2018-01-01 and 2018-12-31:"
        " the data go from 2017-07-01 to 2017-07-01 · choose a period inside the data, or deliver later data"
    )
    client.csv("lines.csv", "receipt,time,net\nA,,1\n")
    assert client.refused(FLAT) == (
        "shop.yaml:6: period: no purchase between 2017-07-01 and 2017-12-31: no purchase has a date"
        " · choose a period inside the data, or deliver later data"
    )


@pytest.mark.parametrize(
    ("file", "join", "message"),
    [
        ("net,x\n10.50,1\n10.50,2\n2,1\n", "{i.csv: net}", ("shop.yaml:13: tables.order_lines.join.i.csv:"
         " 1 key of i.csv on several rows: the join would multiply ours · join on more columns, or give one_row_per")),
        ("nett\n1\n", "{i.csv: net}", ("shop.yaml:13: tables.order_lines.join.i.csv: i.csv has no column 'net'"
         " · did you mean 'nett'?")),
        ("nett\n1\n", "{i.csv: nett}", ("shop.yaml:13: tables.order_lines.join.i.csv: lines.csv has no column 'nett'"
         " · did you mean 'net'?")),
        ("net,time\n1,2\n", "{i.csv: net}", ("shop.yaml:14: tables.order_lines.columns.ts:"
         " 'time' stands in several of the joined files · join on it, or deliver one of them under another name")),
        ("net,x\n1,2\n", "{i.csv: net}\n  where: y = '1'", ("shop.yaml:14: tables.order_lines.where:"
         " lines.csv and i.csv have no column 'y' · use one of: net, receipt, time, x")),
    ],
)  # fmt: skip
def test_joins(client: Client, file: str, join: str, message: str) -> None:
    client.csv("lines.csv", LINES)
    client.csv("i.csv", file)
    assert client.refused(FLAT.replace("from: lines.csv", f"from: lines.csv\n  join: {join}")) == message


def test_expressions_that_do_not_fit_their_columns(client: Client) -> None:
    client.csv("lines.csv", LINES)
    message = (
        "the expression does not fit its columns: No function matches the given name and argument types"
        " '{}(VARCHAR, INTEGER_LITERAL)'. You might need to add explicit type casts."
        " · columns of a CSV file are text: write cast(price as decimal(18, 4)) to compute with them,"
        " with decimal commas cast(replace(replace(price, '.', ''), ',', '.') as decimal(18, 4))"
    )
    assert client.refused(FLAT.replace("net_amount: net", 'net_amount: "= net * 2"')) == (
        "shop.yaml:13: tables.order_lines.columns.net_amount: " + message.format("*")
    )
    assert client.refused(FLAT.replace("from: lines.csv", "from: lines.csv\n  where: net + 1")) == (
        "shop.yaml:13: tables.order_lines.where: " + message.format("+")
    )


def test_expressions_that_meet_a_value_they_cannot_read(client: Client) -> None:
    client.csv("lines.csv", LINES + "B,2017-07-01,abc\n")
    columns = 'net_amount: "= cast(net as double) * 2", product_id: "= cast(strptime(time, \'%d\') as date)"'
    assert client.refused(FLAT.replace("net_amount: net", columns)) == (
        f"lines.csv: order_lines.net_amount: row 2: 'abc' is not a value for cast(net as double) · {MEND}\n"
        "lines.csv: order_lines.product_id: row 1: '2017-07-01 10:00:00' is not a value for strptime(time, '%d'),"
        f" 2 rows in all · {MEND}"
    )
    guarded = "net_amount: \"= case when net <> 'x' then cast(net as double) end\""
    assert client.refused(FLAT.replace("net_amount: net", guarded)) == (
        "order_lines: a cast inside CASE, COALESCE or an aggregate met a value it cannot read · use try_cast there"
    )
    fine = "net_amount: \"= case when net <> 'abc' then cast(net as double) end\""
    assert client.load(FLAT.replace("net_amount: net", fine)).facts["order_lines"].rows == 2


def test_numbers_too_large_to_compute_with(client: Client) -> None:
    client.parquet("lines.parquet", "SELECT 'A' AS receipt, DATE '2017-07-01' AS time, 9000000000000000000 AS net")
    tables = FLAT.replace("lines.csv", "lines.parquet").replace("net_amount: net", 'product_id: "= net * 9"')
    assert client.refused(tables) == (
        "order_lines: the files could not be read (OutOfRange) · check files and expressions"
    )


def test_division_by_zero_is_no_number(client: Client) -> None:
    client.parquet("lines.parquet", "SELECT 'A' AS receipt, DATE '2017-07-01' AS time, 1 AS net")
    tables = FLAT.replace("lines.csv", "lines.parquet").replace("net_amount: net", 'net_amount: "= net / 0"')
    assert client.refused(tables) == f"lines.parquet: order_lines.net_amount: row 1: 'inf' is not a number · {MEND}"


def test_too_little_memory(client: Client) -> None:
    client.csv("lines.csv", LINES)
    assert client.refused(FLAT, "limits: {memory: 1MB}\n") == (
        "lines.csv: the file does not fit into the memory allowed · raise limits: memory"
    )
