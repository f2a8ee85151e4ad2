"""Results compared as numbers: what is stored against what was computed again."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from kpibook.errors import Problem
from kpibook.results import inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import pandas as pd

RELATIVE = 1e-9
ABSOLUTE = 1e-9
KEYS = ("kpi", "segment_by", "segment", "period")
SHOWN = 5


def compare(
    name: str, stored: pd.DataFrame, again: pd.DataFrame, keys: Sequence[str] = (), other: str = "computed again"
) -> list[Problem]:
    """Where two tables differ: columns, rows, values; numbers within 1e-9, nulls equal nulls only.

    Rows are matched by ``keys``, or by their order when there are none; at most five values are
    named. ``other`` says what the second table is.
    """
    remedy = "make the report again"
    if list(stored.columns) != list(again.columns):
        odd = sorted(set(stored.columns) ^ set(again.columns)) or ["another order"]
        return [Problem(name, f"the columns differ: {', '.join(odd)}", remedy)]
    keys = [key for key in keys if key in stored.columns]
    if keys:
        stored, again = (frame.sort_values(keys, kind="stable") for frame in (stored, again))
    labels = _labels(stored, keys)
    if labels != _labels(again, keys):
        odd = sorted(set(labels) ^ set(_labels(again, keys))) or [f"{len(stored)} stored, {len(again)} {other}"]
        return [Problem(name, f"the rows differ: {'; '.join(odd[:SHOWN])}", remedy)]
    found = [
        Problem(f"{name}, {label}", f"{column} is {_text(left)}, {other} {_text(right)}", remedy)
        for column in stored.columns
        if not stored[column].reset_index(drop=True).equals(again[column].reset_index(drop=True))
        for label, left, right in zip(labels, stored[column], again[column], strict=True)
        if not same(left, right)
    ]
    if len(found) > SHOWN:
        found[SHOWN:] = [Problem(name, f"{len(found) - SHOWN} more values differ", remedy)]
    return found


def compare_json(name: str, stored: Any, again: Any) -> list[Problem]:
    """Where two JSON values differ, by the path to the place; what is on one side only is missing on the other."""
    remedy = "make the report again"
    found = [
        Problem(f"{name}, {path}", f"is {_text(left)}, computed again {_text(right)}", remedy)
        for path, left, right in _apart("", stored, again)
    ]
    if len(found) > SHOWN:
        found[SHOWN:] = [Problem(name, f"{len(found) - SHOWN} more values differ", remedy)]
    return found


def _apart(path: str, left: Any, right: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(left, dict) and isinstance(right, dict):
        for key in {**left, **right}:
            yield from _apart(f"{path} {key}".lstrip(), left.get(key), right.get(key))
    elif isinstance(left, list) and isinstance(right, list):
        for number, (one, other) in enumerate(zip_longest(left, right), 1):
            yield from _apart(f"{path} {number}".lstrip(), one, other)
    elif not same(left, right):
        yield path, left, right


def same(left: Any, right: Any) -> bool:
    """Equal, equal within tolerance when both are numbers, or both missing."""
    missing = _missing(left), _missing(right)
    if any(missing):
        return all(missing)
    if hasattr(left, "tolist"):
        left = left.tolist()
    if hasattr(right, "tolist"):
        right = right.tolist()
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, str) or isinstance(right, str) or not (_number(left) and _number(right)):
        return bool(left == right)
    a, b = float(left), float(right)
    return a == b or abs(a - b) <= ABSOLUTE + RELATIVE * abs(b)


def csv_like(path: Path, typed: pd.DataFrame) -> pd.DataFrame:
    """A CSV file read with the types that ``typed`` has, so that the two can be compared."""
    import pandas as pd

    read = pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""])
    for column in read.columns.intersection(typed.columns):
        sample = next((value for value in typed[column] if not _missing(value)), None)
        if isinstance(sample, bool):
            read[column] = read[column].map({"True": True, "False": False})
        elif _number(sample):
            read[column] = pd.to_numeric(read[column])
    return read


def as_csv(typed: pd.DataFrame) -> pd.DataFrame:
    """A typed table as a CSV file can hold it: numbers stay, an empty text is missing, the rest is text, inert."""
    plain = typed.astype(object).copy()
    for column in plain.columns:
        plain[column] = [
            None if _missing(value) or value == "" else value if _number(value) else inert(str(value))
            for value in plain[column]
        ]
    return plain


def _number(value: Any) -> bool:
    from decimal import Decimal
    from numbers import Number

    return isinstance(value, (Number, Decimal))


def _missing(value: Any) -> bool:
    import pandas as pd

    return value is None or (pd.api.types.is_scalar(value) and bool(pd.isna(value)))


def _labels(frame: pd.DataFrame, keys: Sequence[str]) -> list[str]:
    if not keys:
        return [f"row {number}" for number in range(1, len(frame) + 1)]
    return [" ".join(map(str, row)) for row in frame[list(keys)].itertuples(index=False)]


def _text(value: Any) -> str:
    return "missing" if _missing(value) else repr(value.item() if hasattr(value, "item") else value)
