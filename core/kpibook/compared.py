"""Two runs of a client compared: what moved, what the data now say of the same days, what was defined anew.

A difference between two reports has causes that must not be added up under one name:

definition   the KPI was computed by another definition: no difference is stated
population   of the same days there are more or fewer cases than the first run had
restated     of the same days there are as many cases, with other values
moved        between the two periods, as the second run alone sees both; ``within noise`` when its interval holds 0

The last is told apart from the others only where the second run's comparison period is the first run's period.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Hashable

TOTAL = "total"
SAME, DEFINITION, POPULATION, RESTATED = "same", "definition", "population", "restated"
MOVED, NOISE, APART, ABSENT = "moved", "within noise", "not separable", "in one only"
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """One figure in two runs. ``data`` is how much the same days changed, ``movement`` what came after them.

    None where it cannot be told; ``causes`` in the order of the module's list.
    """

    kpi: str
    segment_by: str
    segment: str
    unit: str
    first: float | None
    second: float | None
    data: float | None
    movement: float | None
    causes: tuple[str, ...]


def compared(first: pd.DataFrame, second: pd.DataFrame, segments: bool = False) -> list[Difference]:
    """Every figure of the current periods of two scorecards, in the order of the second one's.

    Totals only, or every segment; parts of the calendar are compared by their name, as months of both periods.
    """
    before, after = _rows(first, "current", segments), _rows(second, "current", segments)
    linked = _rows(second, "previous", segments)
    keys = [*after, *(key for key in before if key not in after)]
    return [_difference(key, before.get(key), after.get(key), linked.get(key)) for key in keys]


def _rows(card: pd.DataFrame, period: str, segments: bool) -> dict[tuple[Hashable, ...], Row]:
    chosen = card[(card["period"] == period) & (segments | (card["segment_by"] == TOTAL))]
    rows: list[dict[str, Any]] = chosen.to_dict("records")  # type: ignore[assignment]
    return {(row["kpi"], row["segment_by"], row["segment"]): row for row in rows}


def _difference(key: tuple[Any, ...], before: Row | None, after: Row | None, linked: Row | None) -> Difference:
    any_row = after or before or {}
    first, second = _number(before, "value"), _number(after, "value")
    data, movement, causes = _told(before, after, linked)
    return Difference(key[0], key[1], key[2], any_row["unit"], first, second, data, movement, causes)


def _told(
    before: Row | None, after: Row | None, linked: Row | None
) -> tuple[float | None, float | None, tuple[str, ...]]:
    if before is None or after is None:
        return None, None, (ABSENT,)
    if before["definition_hash"] != after["definition_hash"]:
        return None, None, (DEFINITION,)
    first, second = _number(before, "value"), _number(after, "value")
    if first is None or second is None:
        return None, None, ((SAME,) if first is second else (ABSENT,))
    if _days(before) == _days(after):
        cause = _same_days(before, after)
        return second - first, 0.0, (cause,)
    then = _number(linked, "value")
    if linked is None or then is None or _days(linked) != _days(before):
        return None, None, (APART,)
    cause = _same_days(before, linked)
    return then - first, second - then, (*((cause,) if cause != SAME else ()), _movement(after, then, second))


def _same_days(before: Row, after: Row) -> str:
    """What the data of the same days became."""
    cases = [(_number(before, name), _number(after, name)) for name in ("n", "denominator")]
    if not all(_equal(one, other) for one, other in cases):
        return POPULATION
    return SAME if _equal(_number(before, "value"), _number(after, "value")) else RESTATED


def _movement(after: Row, then: float, now: float) -> str:
    """As the second run judges its own change: an exact figure moves when it differs."""
    low, high = _number(after, "change_low"), _number(after, "change_high")
    if low is not None and high is not None:
        return NOISE if low <= 0 <= high else MOVED
    if _number(after, "low") is not None:  # an estimate whose change has no interval: nobody knows
        return APART
    return NOISE if _equal(then, now) else MOVED


def _days(row: Row) -> tuple[Any, Any]:
    return row["period_start"], row["period_end"]


def _number(row: Row | None, name: str) -> float | None:
    value = None if row is None else row[name]
    return None if value is None or pd.isna(value) else float(value)


def _equal(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
