"""An error over a client's data is told without their values, whoever raised it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import duckdb
import ibis
import pandas as pd
import pyarrow as pa
import pytest

from kpibook.errors import PluginError, Problem
from kpibook.withheld import literal, masked, told

NAME = "Maria Rossi"


def caught(call: Callable[[], Any]) -> Exception:
    try:
        call()
    except Exception as error:  # noqa: BLE001 (whatever it is, it is what is looked at)
        return error
    raise AssertionError("nothing was raised")


def thrown(error: Exception) -> Exception:
    def call() -> None:
        raise error

    return caught(call)


def unknown(customer: str) -> None:
    raise ValueError(f"unknown customer {customer}, seen {len(customer)} times")


def unknown_by_percent(customer: str) -> None:
    raise LookupError("unknown customer %s" % customer)  # noqa: UP031 (as authors write)


def looked_up(customer: str) -> None:
    raise KeyError(customer)


def literally() -> None:
    raise ValueError("only shops with 3 tills")


CON = ibis.duckdb.connect()


def table() -> ibis.Table:
    return ibis.memtable(pa.table({"note": [NAME]})).note.cast("int64")


CASES: list[tuple[Callable[[], Any], str]] = [
    (
        lambda: duckdb.sql(f"SELECT CAST('{NAME}' AS INT)").fetchall(),
        "ConversionException: Conversion Error: Could not convert string … to INT32",
    ),
    (
        lambda: CON.to_pyarrow(table()),
        (
            "ConversionException: Conversion Error: Could not convert string … to INT64"
            " when casting from source column note"
        ),
    ),
    (
        lambda: duckdb.sql(f"SELECT CAST('d''Angelo {NAME}' AS INT)").fetchall(),
        "ConversionException: Conversion Error: Could not convert string … to INT32",
    ),
    (
        lambda: duckdb.sql(f"SELECT CAST('{NAME}\n{NAME}' AS DATE)").fetchall(),
        "ConversionException: Conversion Error: invalid date field format: …",
    ),
    (
        lambda: duckdb.sql("SELECT 9223372036854775807::BIGINT * 17").fetchall(),
        "OutOfRangeException: Out of Range Error: Overflow in multiplication of INT64 (… * …)!",
    ),
    (lambda: duckdb.sql(f"SELECT error('{NAME}')").fetchall(), "InvalidInputException: Invalid Input Error: …"),
    (
        lambda: duckdb.sql("SELECT absent(1)").fetchall(),
        "CatalogException: Catalog Error: Scalar Function with name absent does not exist!",
    ),
    (lambda: float(NAME), "ValueError: could not convert string to float: …"),
    (lambda: int(NAME), "ValueError: invalid literal for int() with base … …"),
    (lambda: [].index(NAME), "ValueError: … is not in list"),
    (lambda: 1 / 0, "ZeroDivisionError: division by zero"),
    (lambda: {}[NAME], "KeyError"),
    (lambda: pd.DataFrame()[NAME], "KeyError"),
    (lambda: pd.to_datetime([NAME]), "DateParseError: Unknown datetime string format, unable to parse: …"),
    (lambda: time.strptime(NAME, "%Y"), "ValueError: time data … does not match format …"),
    (lambda: pd.DataFrame().absent, "AttributeError: 'DataFrame' object has no attribute 'absent'"),
    (lambda: unknown(NAME), "ValueError: unknown customer …, seen … times"),
    (lambda: unknown_by_percent(NAME), "LookupError: unknown customer …"),
    (lambda: looked_up(NAME), "KeyError"),
    (literally, "ValueError: only shops with 3 tills"),
    (lambda: thrown(ValueError()).args[0], "IndexError: tuple index out of range"),
]


@pytest.mark.parametrize(("call", "text"), CASES, ids=[text for _, text in CASES])
def test_an_error_is_told_without_the_values_in_it(call: Callable[[], Any], text: str) -> None:
    assert told(caught(call)) == text


def test_an_error_that_was_not_raised_is_told_by_its_class() -> None:
    assert told(ValueError(NAME)) == "ValueError"


def test_an_error_that_came_from_elsewhere_is_told_by_its_class() -> None:
    """Nothing in the code that raised it was literal."""
    assert told(thrown(RuntimeError(NAME))) == "RuntimeError"


def test_our_own_errors_keep_their_text() -> None:
    from kpibook.estimates import quantile

    error = caught(lambda: quantile(table(), 3.0))
    assert told(error) == f"PluginError: {Problem('quantile', 'q is 3.0', 'give a number between 0 and 1')}"
    assert type(error) is PluginError


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("No numeric types to aggregate", "No numeric types to aggregate"),
        ("", ""),
        (f"'{NAME}' and \"{NAME}\" differ", "… differ"),
        (f"Could not convert string '{NAME}", "Could not convert string …"),
        ("row 17 of INT32 has 12.5", "row … of INT32 has …"),
        (f"cannot parse: {NAME}: again", "cannot parse: …"),
    ],
)
def test_a_library_s_text_keeps_its_words(text: str, left: str) -> None:
    assert masked(text) == left


@pytest.mark.parametrize(
    ("text", "written", "left"),
    [
        (f"no {NAME} in shop", ["no %s in shop"], "… in shop"),
        (f"customer {NAME}", ["customer {name!r:>20}"], "customer …"),
        ("Maria", ["ari"], "…"),
        ("Maria", [], ""),
        ("whole", ["whole"], "whole"),
    ],
)
def test_of_an_author_s_text_the_literals_stay(text: str, written: list[str], left: str) -> None:
    """Literals of fewer than three characters stay out: they could be met inside a value."""
    assert literal(text, written) == left
