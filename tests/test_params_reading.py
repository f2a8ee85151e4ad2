"""Keys of a table that say how it is read: what they may hold, and what they exclude."""

from __future__ import annotations

from pathlib import Path

import pytest

from kpibook import params
from kpibook.errors import ParamsError
from kpibook.params_options import SUFFIXES
from kpibook.params_reading import DECIMALS, DELIMITERS, ENCODINGS, THOUSANDS

HEAD = """\
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Rome
period: 2017-07-01/2017-12-31
source: data
tables:
  order_lines:
    from: {file}
    columns: {{transaction_id: a, ts: b, net_amount: c, product_id: d}}
"""


def loaded(tmp_path: Path, lines: str, file: str = "x.csv") -> params.Params:
    path = tmp_path / "p.yaml"
    path.write_text(HEAD.format(file=file) + "".join(f"    {line}\n" for line in lines.splitlines()), encoding="utf-8")
    return params.load(path)


def told(tmp_path: Path, lines: str, file: str = "x.csv") -> str:
    with pytest.raises(ParamsError) as caught:
        loaded(tmp_path, lines, file)
    return str(caught.value).replace(f"{tmp_path}/", "")


def listed(known: dict[str, str]) -> str:
    return "write one of " + ", ".join(f"'{name}'" for name in known if name.strip())


AT = "p.yaml:12: tables.order_lines"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("encoding: mac_romen", f"{AT}.encoding: 'mac_romen' is no encoding · did you mean 'mac_roman'?"),
        ("encoding: base64", f"{AT}.encoding: 'base64' is no encoding · use one of: {', '.join(sorted(ENCODINGS))}"),
        ("delimiter: '#'", f"{AT}.delimiter: '#' is no delimiter · {listed(DELIMITERS)}"),
        ("decimal: dot", f"{AT}.decimal: 'dot' is no decimal sign · {listed(DECIMALS)}"),
        ("thousands: [1]", f"{AT}.thousands: '[1]' is no thousands sign · {listed(THOUSANDS)}"),
        ("date_format: dd/mm/yyyy", f"{AT}.date_format: 'dd/mm/yyyy' is no date format · write '%d/%m/%Y'"),
        ("date_format: exel", f"{AT}.date_format: 'exel' is no date format · did you mean 'excel'?"),
        (
            "date_format: '%d/%q/%Y'",
            f"{AT}.date_format: '%q' in '%d/%q/%Y' is not known · write one such as '%d/%m/%Y %H:%M'",
        ),
        ("date_format: '%d/%m'", f"{AT}.date_format: '%d/%m' has no year · write one such as '%d/%m/%Y'"),
        ("duplicates: none", f"{AT}.duplicates: 'none' is not known · use one of: first, last"),
        ("shete: a", f"{AT}.shete: unknown key · did you mean 'sheet'?"),
        ("sheet: A", f"{AT}.sheet: 'x.csv' is no workbook · take the key away"),
        (
            "decimal: ','\nthousands: comma",
            (
                "p.yaml:13: tables.order_lines.thousands: ',' stands for decimals and for thousands"
                " · give two different signs"
            ),
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, line: str, message: str) -> None:
    assert told(tmp_path, line) == message


@pytest.mark.parametrize(
    ("line", "file", "message"),
    [
        ("encoding: cp850", "x.xlsx", f"{AT}.encoding: 'x.xlsx' is no text file · take the key away"),
        ("delimiter: tab", "x.parquet", f"{AT}.delimiter: 'x.parquet' is no text file · take the key away"),
        ("header_row: 2", "x.parquet", f"{AT}.header_row: 'x.parquet' has no lines · take the key away"),
    ],
)
def test_what_a_file_cannot_have(tmp_path: Path, line: str, file: str, message: str) -> None:
    assert told(tmp_path, line, file) == message


def test_options_of_one_column(tmp_path: Path) -> None:
    text = HEAD.format(file="x.csv").replace(
        "ts: b, net_amount: c, product_id: d",
        "ts: {column: b, decimal: ','}, net_amount: {column: c, date_format: '%Y'},"
        " product_id: {column: d, thousands: ' '}",
    )
    (tmp_path / "p.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ParamsError) as caught:
        params.load(tmp_path / "p.yaml")
    at, remedy = f"{tmp_path}/p.yaml:11: tables.order_lines.columns", "give the column's name alone"
    assert str(caught.value).splitlines() == [
        f"{at}.net_amount: a date format on a column that is no time · {remedy}",
        f"{at}.product_id: a thousands sign on a column that is no number · {remedy}",
        f"{at}.ts: a decimal sign on a column that is no number · {remedy}",
    ]


def test_unpivot_excludes_one_row_per(tmp_path: Path) -> None:
    found = told(tmp_path, "unpivot: [a]\none_row_per: [a, b, c, d]")
    assert found == f"{AT}.unpivot: unpivot and one_row_per in one table · keep one of the two"


def test_a_column_speaks_before_its_table(tmp_path: Path) -> None:
    own = loaded(tmp_path, "decimal: comma\ntimezone: UTC\nmissing: [x]").tables["order_lines"]
    assert (own.at("net_amount").decimal, own.at("ts").timezone, own.at("ts").missing) == (",", "UTC", ("x",))
    mine = own.model_copy(update={"columns": {"ts": params.SourceColumn(column="b", timezone="Europe/Rome")}})
    assert (mine.at("ts").timezone, mine.at("ts").decimal) == ("Europe/Rome", ",")


def test_every_suffix_and_the_schema(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        assert loaded(tmp_path, "duplicates: first", f"x{suffix}").tables["order_lines"].from_ == f"x{suffix}"
    table = params.json_schema()["$defs"]["TableMapping"]["properties"]
    assert {"encoding", "delimiter", "decimal", "thousands", "date_format", "sheet", "header_row", "timezone",
            "missing", "duplicates", "unpivot"} <= set(table)  # fmt: skip
