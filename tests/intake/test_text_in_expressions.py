"""Text columns of Parquet and inside expressions: read as those of a text file are, or refused, never "
"another number."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from intake.corpus import HEADER, ROWS, comma, day, grouped, text
from intake.orders import TRUTH, orders, read

AT = "shop.yaml:{}: tables.order_lines."
AMOUNT = AT.format(18) + "columns.net_amount: "
CAST = "'= cast(amount as decimal(18, 4))'"
LETTERS = " · write cast(… as decimal(18, 4)), or as date, around it"


def parquet(folder: Path, **change) -> None:
    """The eight orders, every column text; ``change`` rewrites the cells of a column."""
    (folder / "data").mkdir()
    rows = [tuple(change.get(name, str)(cell) for name, cell in zip(HEADER, row, strict=True)) for row in ROWS]
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE o ({', '.join(f'{name} VARCHAR' for name in HEADER)})")
        con.executemany("INSERT INTO o VALUES (?, ?, ?, ?, ?, ?)", rows)
        con.execute(f"COPY o TO '{folder}/data/a.parquet' (FORMAT parquet)")


@pytest.mark.parametrize(
    ("change", "options", "rules"),
    [
        ({}, "", set()),
        ({"amount": grouped(".", ","), "order_date": day("%d/%m/%Y")}, "", {"read_decimal_comma", "read_dates"}),
        ({"amount": grouped(",", "."), "order_date": day("%m/%d/%Y")}, "", {"read_decimal_point", "read_dates"}),
        ({"amount": lambda c: comma(c) + " €"}, "", {"read_decimal_comma", "read_currency"}),
        ({"order_id": lambda c: c + ".0", "order_date": day("%Y%m%d")}, "date_format: '%Y%m%d'",
         {"read_ids_float", "read_dates"}),
    ],
)  # fmt: skip
def test_text_in_parquet_is_read_as_text_is(tmp_path: Path, change: dict, options: str, rules: set[str]) -> None:
    parquet(tmp_path, **change)
    done = read(tmp_path, orders("a.parquet", options))
    assert done.found == TRUTH, done.said
    assert {f.rule for f in done.told} == rules


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"amount": lambda c: "1.234" if c == "1234.50" else c.partition(".")[0]},
            (
                "a.parquet: order_lines.net_amount (amount): row 1: ambiguous: '1.234' has decimals or "
                "thousands, and no "
                "other number of the column tells · say in params which it is: decimal: '.' or decimal: ','"
            ),
        ),
        (
            {"order_date": lambda c: "03/04/2025"},
            (
                "a.parquet: order_lines.business_date (order_date): row 1: ambiguous: '03/04/2025' may be day or month "
                "first, and no other date of the column tells · say in params which it is: date_format: '%d/%m/%Y' or "
                "'%m/%d/%Y'"
            ),
        ),
        (
            {"order_id": lambda c: "1.23E+12"},
            (
                "a.parquet: order_lines.transaction_id (order_id): row 1: '1.23E+12' is an id that lost "
                "its digits in a "
                "spreadsheet, 8 rows in all · export the column as text"
            ),
        ),
    ],
)
def test_text_in_parquet_that_leaves_it_open_is_refused(tmp_path: Path, change: dict, message: str) -> None:
    parquet(tmp_path, **change)
    assert read(tmp_path, orders("a.parquet")).said == message


def shop(folder: Path, options: str = "", columns: dict[str, str] | None = None, **change):
    (folder / "data").mkdir()
    (folder / "data" / "a.csv").write_bytes(text(";", **change)())
    return read(folder, orders("a.csv", options, **(columns or {})))


def whole(cell: str) -> str:
    return "1.234" if cell == "1234.50" else cell.partition(".")[0]


@pytest.mark.parametrize(
    ("options", "columns", "change", "message"),
    [
        (
            "",
            {"net_amount": CAST},
            {"amount": whole},
            AMOUNT + "ambiguous: '1.234' (row 1) of 'amount' has decimals or thousands, and no other number of the "
            "column tells · map the column by its name, and say which it is: decimal: '.' or decimal: ','",
        ),
        (
            "decimal: ','",
            {"net_amount": CAST},
            {"amount": whole},
            AMOUNT + "cast takes the point in '1.234' (row 1) of 'amount' for decimals, and params say decimal: ','"
            " · map the column by its name, or write"
            " cast(replace(replace(amount, '.', ''), ',', '.') as decimal(18, 4))",
        ),
        (
            "",
            {"net_amount": "'= try_cast(amount as integer)'"},
            {},
            AMOUNT + "cast to whole numbers would round '1234.50' (row 1) of 'amount'"
            " · cast 'amount' to decimal(18, 4), and round() what may be rounded",
        ),
        (
            "",
            {"net_amount": "'= greatest(amount, quantity)'"},
            {},
            "\n".join(
                AMOUNT + f"compares the texts of '{name}' letter by letter, not as numbers{LETTERS}"
                for name in ("amount", "quantity")
            ),
        ),
        (
            "where: amount > '100'",
            {},
            {},
            AT.format(19) + f"where: compares the texts of 'amount' letter by letter, not as numbers{LETTERS}",
        ),
        (
            "where: order_date >= '2025-02-01'",
            {},
            {"order_date": day("%d/%m/%Y")},
            AT.format(19) + "where: compares the texts of 'order_date' letter by letter, and '05/01/2025' (row 1) is "
            f"no date that sorts so{LETTERS}",
        ),
        (
            "",
            {"business_date": "'= cast(order_date as date)'"},
            {"order_date": day("%y-%m-%d")},
            AT.format(15) + "columns.business_date: cast takes '25-01-05' (row 1) of 'order_date' for a date in the "
            "first centuries · map the column by its name",
        ),
        (
            "",
            {"net_amount": "'= trim(amount)'"},
            {"amount": whole},
            (
                "a.csv: order_lines.net_amount: row 1: ambiguous: '1.234' has decimals or thousands, and "
                "no other number "
                "of the column tells · say in params which it is: decimal: '.' or decimal: ','"
            ),
        ),
    ],
)
def test_expressions_that_may_read_text_wrongly(
    tmp_path: Path, options: str, columns: dict, change: dict, message: str
) -> None:
    assert shop(tmp_path, options, columns, **change).said == message


@pytest.mark.parametrize(
    ("options", "columns", "change"),
    [
        ("", {"net_amount": CAST}, {}),
        ("decimal: '.'", {"net_amount": CAST}, {}),
        ("", {"net_amount": "\"= cast(replace(replace(amount, '.', ''), ',', '.') as decimal(18, 4))\""},
         {"amount": grouped(".", ",")}),
        ("", {"net_amount": "'= trim(amount)'"}, {"amount": grouped(".", ",")}),
        ("where: order_date >= '2025-01-01'", {}, {}),
        ("where: cast(amount as decimal(18, 4)) > 5", {"business_date": "'= cast(order_date as date)'"}, {}),
        ("where: product > 'A'", {"quantity": "'= cast(quantity as integer)'"}, {}),
    ],
)  # fmt: skip
def test_expressions_that_read_text_rightly(tmp_path: Path, options: str, columns: dict, change: dict) -> None:
    done = shop(tmp_path, options, columns, **change)
    assert done.found == TRUTH, done.said


def test_params_say_that_the_point_is_one(tmp_path: Path) -> None:
    done = shop(tmp_path, "decimal: '.'", {"net_amount": CAST}, amount=whole)
    assert done.found["revenue"] == 1.234 + 19 + 49 + 7 + 899 + 24 + 12 + 9
