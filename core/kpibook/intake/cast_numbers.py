"""Casts for numbers that are not written with a decimal point alone: what to write instead of one that failed."""

from __future__ import annotations

import re

from kpibook.intake.number_forms import SORTS

POINT = "cast({} as {})"
COMMA = "cast(replace(replace({}, '.', ''), ',', '.') as {})"
GROUPED = "cast(replace({}, ',', '') as {})"
_SIGN = "[+-]?"
#: A comma was made a point, and points for thousands left.
_LEFT = r"[0-9]{1,3}(\.[0-9]{3})+\.[0-9]+"
_REPLACED = re.compile(r"replace\((.+), ',', '\.'\)")


def remedy_for(value: str, cast: str, kind: str) -> str:
    """The expression that reads ``value``, on which a cast of ``cast`` to ``kind`` failed; empty if none is known."""
    if (made := _REPLACED.fullmatch(cast)) and _is(value, _LEFT):
        return f"write {COMMA.format(made[1], kind)}: it takes points for thousands away"
    if _is(value, SORTS["either_comma"]):
        return f"write {COMMA.format(cast, kind)} if the comma is a decimal one, {GROUPED.format(cast, kind)} if not"
    if _is(value, SORTS["comma"]) or _is(value, SORTS["points"]):
        return f"write {COMMA.format(cast, kind)}: it takes decimal commas"
    if _is(value, SORTS["commas"]):
        return f"write {GROUPED.format(cast, kind)}: it takes commas for thousands away"
    return ""


def _is(value: str, form: str) -> bool:
    return re.fullmatch(f"{_SIGN}({form})", value.strip()) is not None
