"""What DuckDB and PostgreSQL round, fold and trim alike once a statement is translated, on a real server."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import duckdb
import pytest

from intake import postgres_server
from kpibook.intake.server_sql import translated

if TYPE_CHECKING:
    from collections.abc import Iterator

    import psycopg


@pytest.fixture(scope="module")
def server() -> Iterator[psycopg.Connection]:
    with postgres_server.running() as running, running.admin() as con:
        yield con


def both(server: psycopg.Connection, expression: str, kind: str, values: list) -> tuple[list, list]:
    """The expression of each ``x``, here and there."""
    here = duckdb.execute(f"SELECT {expression} FROM (SELECT unnest(?) AS x)", [values]).fetchall()
    said = translated(f"SELECT {expression} FROM given", {}, "pg_c_utf8")
    return here, server.execute(f"WITH given AS (SELECT unnest(%s::{kind}[]) AS x) {said}", [values]).fetchall()


def test_inexact_numbers_become_the_same_money(server: psycopg.Connection) -> None:
    """Halves of the last digit, which are none in binary, among them."""
    made = random.Random(1)
    halves = [(10 * k + 5) / 100_000 for k in range(-5_000, 5_000)]
    values = [*halves, *(made.uniform(-1e6, 1e6) for _ in range(5_000)), *(made.uniform(0, 1e11) for _ in range(500))]
    here, there = both(server, "TRY_CAST(x AS DECIMAL(18,4))", "float8", values)
    assert [pair for pair in zip(values, here, there, strict=True) if pair[1] != pair[2]] == []


def test_small_letters_of_every_script(server: psycopg.Connection) -> None:
    """All up to Greek extended but for one, U+1C89, which Unicode has since 2024."""
    letters = [chr(code) for code in range(1, 0x2000) if code != 0x1C89]
    here, there = both(server, "lower(x)", "text", letters)
    assert here == there
    assert there[letters.index("Ñ")] == ("ñ",)


def test_the_same_blanks_are_taken_away(server: psycopg.Connection) -> None:
    """Every sign of two bytes or three that stands around an a: 17 are blanks, and neither tab nor line break is."""
    signs = [chr(code) for code in range(1, 0xD800)]
    here, there = both(server, "trim(x)", "text", [f"{sign}a{sign}" for sign in signs])
    assert here == there
    assert sum(text == "a" for (text,) in there) == 17
    assert there[signs.index("\t")] == ("\ta\t",)


def test_the_least_of_rows_with_their_text(server: psycopg.Connection) -> None:
    """Of 3, 20 and 100 those above 3, the first two, and the text of the first; the largest two, and one."""
    said = translated(
        "SELECT min(x, 2) FILTER (x > 3), arg_min(CAST(x AS VARCHAR), x) FILTER (x > 3), arg_min_null(x, x), "
        "max_by(x, -x), max_by(x, x, 2) FROM given",
        {},
        "pg_c_utf8",
    )
    found = server.execute(f"WITH given AS (SELECT unnest(ARRAY[100, 3, 20]) AS x) {said}").fetchall()
    assert found == [([20, 100], "20", 3, 3, [100, 20])]
