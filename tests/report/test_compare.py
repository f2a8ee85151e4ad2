"""Results compared as numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from kpibook.report.compare import KEYS, as_csv, compare, compare_json, csv_like, same

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (0.1 + 0.2, 0.3, True),
        (1e9, 1e9 + 0.5, True),  # 0.5 in 1e9 is 5e-10
        (1e9, 1e9 + 2.0, False),  # 2e-9
        (0.0, 1e-9, True),
        (0.0, 2e-9, False),
        (None, float("nan"), True),
        (None, 0.0, False),
        (float("inf"), float("inf"), True),
        (float("inf"), 1.0, False),
        (Decimal("12.25"), 12.25, True),
        ("ok", "ok", True),
        ("1", 1, False),
        (np.array([1.0, 2.0]), [1.0, 2.0 + 1e-12], True),
        ([1.0], [1.0, 2.0], False),
        (True, False, False),
    ],
)
def test_numbers_within_1e_9_are_the_same(left: object, right: object, expected: bool) -> None:
    assert same(left, right) is expected


def scorecard(**columns: list) -> pd.DataFrame:
    return pd.DataFrame({"kpi": ["a", "b"], "segment_by": "total", "segment": "total", "period": "current"} | columns)


def said(stored: pd.DataFrame, again: pd.DataFrame) -> list[str]:
    return [str(problem) for problem in compare("s", stored, again, KEYS)]


def test_the_order_of_rows_does_not_matter_where_there_are_keys() -> None:
    stored = scorecard(value=[1.0, 2.0])
    assert said(stored, stored.iloc[::-1]) == []


def test_columns_and_rows_that_differ_are_named() -> None:
    stored = scorecard(value=[1.0, 2.0])
    assert said(stored, stored.rename(columns={"value": "low"})) == [
        "s: the columns differ: low, value · make the report again"
    ]
    assert said(stored, stored[["value", *KEYS]]) == ["s: the columns differ: another order · make the report again"]
    assert said(stored, stored.head(1)) == ["s: the rows differ: b total total current · make the report again"]
    doubled = pd.concat([stored, stored])
    assert said(stored, doubled) == ["s: the rows differ: 2 stored, 4 computed again · make the report again"]


def test_a_value_that_went_missing_is_told() -> None:
    assert said(scorecard(value=[1.0, 2.0]), scorecard(value=[1.0, None])) == [
        "s, b total total current: value is 2.0, computed again missing · make the report again"
    ]


def test_at_most_five_values_are_named() -> None:
    stored = pd.DataFrame({"day": range(7)})
    problems = compare("t", stored, stored + 1)
    assert [str(p) for p in problems[-2:]] == [
        "t, row 5: day is 4, computed again 5 · make the report again",
        "t: 2 more values differ · make the report again",
    ]
    assert len(problems) == 6


def test_a_csv_file_is_read_with_the_types_of_the_parquet_file(tmp_path: Path) -> None:
    """Floats come back to the last digit, a missing text and an empty one are one."""
    typed = pd.DataFrame(
        {
            "kpi": ["a", "NA", "c"],
            "value": [1 / 3, None, 1e300],
            "n": [1, 2, 3],
            "net": [Decimal("1.10"), None, Decimal(2)],
            "sure": [True, False, True],
            "reason": ["", None, "x"],
            "start": pd.to_datetime(["2017-07-01"] * 3).date,
        }
    )
    typed.to_csv(tmp_path / "s.csv", index=False)
    assert compare("s.csv", csv_like(tmp_path / "s.csv", typed), as_csv(typed)) == []


def test_json_values_are_compared_place_by_place_and_numbers_as_numbers() -> None:
    stored = {"a": [1.0, {"b": None}], "c": "x", "d": [1]}
    assert compare_json("q", stored, {"a": [1.0 + 1e-12, {}], "c": "x", "d": [1]}) == []
    said = [str(p) for p in compare_json("q", stored, {"a": [2, {"b": 0}], "d": {"e": 1}})]
    assert said == [
        "q, a 1: is 1.0, computed again 2 · make the report again",
        "q, a 2 b: is missing, computed again 0 · make the report again",
        "q, c: is 'x', computed again missing · make the report again",
        "q, d: is [1], computed again {'e': 1} · make the report again",
    ]


def test_of_many_different_places_five_are_named() -> None:
    said = [str(p) for p in compare_json("q", list(range(9)), list(range(1, 10)))]
    assert said[4:] == [
        "q, 5: is 4, computed again 5 · make the report again",
        "q: 4 more values differ · make the report again",
    ]
