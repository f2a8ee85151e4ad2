"""What an expression gets wrong about a client's numbers and names, told with what to write; and that reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from intake.shop_client import fetch
from kpibook.errors import DataError, ParamsError

if TYPE_CHECKING:
    from intake.shop_client import Client

PAGE = Path(__file__).parents[2] / "docs" / "params.md"
AT = "lines.csv: order_lines.net_amount: row 1: "
TO = "as decimal(18, 4))"


def shop(client: Client, expression: str, *values: str) -> str:
    """Tables of a file whose one column with a number has a name with a space."""
    rows = "".join(f"{i};2017-08-01;7;{value}\n" for i, value in enumerate(values))
    client.csv("lines.csv", "t;day;who;importe total\n" + rows)
    columns = "transaction_id: t\nts: day\ncustomer_id: who\nnet_amount: >-\n  " + expression
    inner = columns.replace("\n", "\n    ")
    return f"order_lines:\n  from: lines.csv\n  columns:\n    {inner}\n"


@pytest.mark.parametrize(
    ("cast", "values", "said", "written", "read"),
    [
        (f'cast("importe total" {TO}', ("1.234,50", "3,99"), ", 2 rows in all",
         f"write cast(replace(replace(\"importe total\", '.', ''), ',', '.') {TO}: it takes decimal commas",
         [1234.50, 3.99]),
        (f"cast(replace(\"importe total\", ',', '.') {TO}", ("1.234,50", "3,99"), "",
         f"write cast(replace(replace(\"importe total\", '.', ''), ',', '.') {TO}: it takes points for thousands away",
         [1234.50, 3.99]),
        (f'cast("importe total" {TO}', ("-1,234.50", "3.99"), "",
         f"write cast(replace(\"importe total\", ',', '') {TO}: it takes commas for thousands away",
         [-1234.50, 3.99]),
        (f'cast("importe total" {TO}', ("1,234", "2"), "",
         (f"write cast(replace(replace(\"importe total\", '.', ''), ',', '.') {TO} if the comma is a decimal one, "
          f"cast(replace(\"importe total\", ',', '') {TO} if not"),
         [1.234, 2.0]),
        ('cast("importe total" as double)', ("0,5",), "",
         "write cast(replace(replace(\"importe total\", '.', ''), ',', '.') as double): it takes decimal commas",
         [0.5]),
    ],
)  # fmt: skip
def test_a_cast_of_other_numbers_says_what_to_write(
    client: Client, cast: str, values: tuple[str, ...], said: str, written: str, read: list[float]
) -> None:
    shown = {"cast(replace(": values[0].replace(",", ".")}.get(cast[:13], values[0])
    assert client.refused(shop(client, f"= {cast} * 2", *values)) == (
        f"{AT}'{shown}' is not a value for {cast}{said} · {written}"
    )
    better = re.search(r"^write (cast\(.+? as \w+(?:\(18, 4\))?\))", written)
    assert better is not None
    loaded = client.load(shop(client, f"= {better[1]} * 2", *values))
    found = fetch(loaded, "SELECT CAST(net_amount AS DOUBLE) FROM order_lines ORDER BY transaction_id")
    assert found == [(pytest.approx(2 * x),) for x in read]


def test_a_cast_of_no_number_leaves_the_file_to_be_corrected(client: Client) -> None:
    assert client.refused(shop(client, f'= cast("importe total" {TO} / 2', "abc")) == (
        f"{AT}'abc' is not a value for cast(\"importe total\" {TO} · correct the file, or map it with an expression"
    )


def test_what_a_format_says_is_told_in_its_own_letters(client: Client) -> None:
    tables = shop(client, "= 1", "5").replace("ts: day", "ts: = strptime(day, '%d.%m.%Y')")
    assert client.refused(tables) == (
        "lines.csv: order_lines.ts: row 1: '2017-08-01' is not a value for strptime(day, '%d.%m.%Y')"
        " · correct the file, or map it with an expression"
    )


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("= importe_totl", "lines.csv has no column 'importe_totl' · did you mean \"importe total\"?"),
        ("= who_ + 1", "lines.csv has no column 'who_' · did you mean 'who'?"),
        ('"importe total" / 2', "lines.csv has no column '\"importe total\" / 2' · begin an expression with '='"),
        (
            "= 'importe total' / 2.5",
            (
                "the expression does not fit its columns: Could not choose a best candidate function for the function "
                'call "/(STRING_LITERAL, DECIMAL(2,1))". In order to select one, please add explicit type casts.'
                ' · write "importe total" if the column is meant: in single quotes it is a text'
            ),
        ),
        (
            "= importe total / 2",
            (
                "not an SQL expression: invalid expression / unexpected token · write one scalar expression over the "
                "columns of the source, such as '= price * quantity'; a name with spaces stands in double quotes: "
                '"unit price"'
            ),
        ),
    ],
)
def test_names_inside_expressions(client: Client, expression: str, message: str) -> None:
    with pytest.raises((DataError, ParamsError)) as caught:
        client.load(shop(client, expression, "5"))
    assert str(caught.value).replace(f"{client.folder}/", "") == (
        f"shop.yaml:17: tables.order_lines.columns.net_amount: {message}"
    )


def test_the_example_of_the_docs(client: Client) -> None:
    """2.420,00 with 21 % VAT is 2,000."""
    page = PAGE.read_text(encoding="utf-8")
    (example,) = re.findall(r"<!-- test: expression -->\n```yaml\nnet_amount: >-\n  (= .+)\n```", page)
    loaded = client.load(shop(client, example, "2.420,00"))
    assert fetch(loaded, "SELECT net_amount FROM order_lines") == [(2000,)]
