"""What is written in any dialect is read back equal; no params file and no bytes bring a traceback to a user."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import ibis
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpibook import params
from kpibook.errors import KpibookError
from kpibook.intake import sql, staging
from kpibook.intake.doubtful_rows import is_total
from kpibook.intake.leftovers import without_leftovers
from kpibook.intake.typed_text import Asked, decide
from kpibook.model import TABLES
from kpibook.params_tables import SourceColumn, TableMapping

NAMES = ("code", "remark", "place")
#: No separators of lines but the line feed, nothing that the cp1252 of the dialects lacks.
LETTERS = st.text(alphabet=st.sampled_from("abcXYZ 019-_.,;|\t'\"äéñßÀ€\n"), max_size=12)
DIALECTS = st.tuples(
    st.sampled_from(",;\t|"),
    st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "cp1252")),
    st.sampled_from(("\n", "\r\n")),
    st.booleans(),
)


@pytest.fixture(scope="module")
def con() -> Any:
    return ibis.duckdb.connect()


def staged(con: Any, folder: Path, content: bytes, **options: Any) -> list[tuple]:
    path = folder / "a.csv"
    path.write_bytes(content)
    mapping = TableMapping(**{"from": "a.csv", "columns": {"product_id": "code"}}, **options)
    made = staging.stage(con, path, "a.csv", NAMES, mapping, folder / "a.parquet", lambda *_: None)
    kept = without_leftovers(con, made.path, "a.csv", made.columns, made.written, made.header_lines, judged=True)
    return [row[1:] for row in sql.rows(con, f"SELECT * FROM ({kept.numbered}) ORDER BY 1")]


@settings(max_examples=60)
@given(rows=st.lists(st.tuples(LETTERS, LETTERS, LETTERS), min_size=1, max_size=12), dialect=DIALECTS)
def test_any_dialect_reads_back_equal(con: Any, rows: list[tuple[str, str, str]], dialect: tuple) -> None:
    delimiter, encoding, newline, quoted = dialect
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline,
                        quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)  # fmt: skip
    writer.writerows([NAMES, *rows])
    content = out.getvalue().encode(encoding)
    named = {"encoding": "cp1252"} if encoding == "cp1252" else {}
    with tempfile.TemporaryDirectory() as folder:
        found = staged(con, Path(folder), content, delimiter=delimiter, **named)
    expected = [tuple(cell or None for cell in row) for row in rows]
    assert found == [row for row in expected if any(row) and not is_total(next(filter(None, row)))]


def decided(con: Any, table: str, column: str, cells: list[str], **how: Any) -> Any:
    values = ", ".join(f"({i}, {sql.text(cell)})" for i, cell in enumerate(cells, 1))
    untyped = f'SELECT r AS "__row", v AS v0 FROM (VALUES {values}) AS given(r, v)'
    asked = Asked(table, TABLES[table].columns[column], "a.csv: t.c", '"v0"', untyped,
                  SourceColumn(column="c", **how), "Europe/Rome", "EUR")  # fmt: skip
    made = decide(lambda query: sql.rows(con, query), asked)
    if made.problems:
        return [str(p) for p in made.problems]
    return [row[0] for row in sql.rows(con, f'SELECT {made.cast.sql} FROM ({untyped}) ORDER BY "__row"')]


AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=2)


@settings(max_examples=60)
@given(
    amounts=st.lists(AMOUNTS, min_size=1, max_size=8),
    signs=st.sampled_from(((".", ","), (",", "."), (".", ""), (",", ""), (".", "'"), (",", " "), (",", "\u202f"))),
    dress=st.sampled_from(("{}", "€ {}", "{} EUR", "{}€")),
)
def test_amounts_of_any_convention_read_back_equal(
    con: Any, amounts: list[Decimal], signs: tuple[str, str], dress: str
) -> None:
    decimal, thousands = signs
    cells = [f"{a:,.2f}".replace(",", "T").replace(".", decimal).replace("T", thousands) for a in amounts]
    assert decided(con, "order_lines", "net_amount", [dress.format(cell) for cell in cells]) == amounts


MOMENTS = st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2099, 12, 31))  # noqa: DTZ001


@settings(max_examples=60)
@given(
    moments=st.lists(MOMENTS, min_size=1, max_size=6),
    written=st.sampled_from(("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%Y-%m-%d", "%d-%m-%Y")),
    clock=st.sampled_from(("", " %H:%M", " %H:%M:%S", " %I:%M:%S %p")),
)
def test_dates_read_back_equal_or_are_refused_as_ambiguous(
    con: Any, moments: list[datetime], written: str, clock: str
) -> None:
    parts = {"": {"hour": 0, "minute": 0}, " %H:%M": {}}.get(clock, {})
    seconds = {} if "%S" in clock else {"second": 0}
    moments = [m.replace(microsecond=0, **seconds, **parts) for m in moments]
    cells = [m.strftime(written + clock) for m in moments]
    found = decided(con, "points_ledger", "ts", cells)
    if found != moments:
        assert all("ambiguous" in str(each) for each in found)
        assert all(m.day <= 12 for m in moments)
    assert decided(con, "points_ledger", "ts", cells, date_format=written + clock) == moments


@settings(max_examples=150)
@given(content=st.binary(max_size=400))
def test_no_bytes_bring_a_traceback(con: Any, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            staged(con, Path(folder), content)
        except KpibookError as error:
            assert " · " in str(error)


WORDS = st.one_of(
    st.sampled_from(("decimal", "sheet", "missing", "a.csv", "order_lines", "tables", ",", ".", "%d/%m/%Y", "")),
    st.text(max_size=8), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False),
)  # fmt: skip
KEYS = st.sampled_from(tuple(TableMapping.model_json_schema(by_alias=True)["properties"]))
TREES = st.recursive(
    WORDS, lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=4))
)


@settings(max_examples=200)
@given(table=st.dictionaries(KEYS, TREES, max_size=6))
def test_no_params_bring_a_traceback(table: dict[str, Any]) -> None:
    mapping = {"from": "a.csv", "columns": {"ts": "a", "transaction_id": "b"}} | table
    head = (
        "client: a\ntitle: A\nlanguage: en\ncurrency: EUR\ntimezone: UTC\nperiod: 2024-01-01/2024-12-31\nsource: data\n"
    )
    text = head + f"tables: {{order_lines: {json.dumps(mapping)}}}\n"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.yaml")
        path.write_text(text, encoding="utf-8")
        try:
            loaded = params.load(path)
        except KpibookError as error:
            assert all(str(problem).startswith(str(path)) and problem.remedy for problem in error.problems)
        else:
            assert loaded.tables["order_lines"].columns
