"""Cron expressions of five fields: when they fire, in a client's time zone, as Debian's cron reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

if TYPE_CHECKING:
    from collections.abc import Iterator


FIELDS = ("minute", "hour", "day", "month", "weekday")
EXAMPLE = "write five cron fields, such as '0 6 2 * *'"
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_NAMES = {"month": frozenset(MONTHS), "weekday": frozenset(WEEKDAYS)}
_SHAPE = re.compile(r"[\w*/,-]+")
_SOME_DAY = datetime(2024, 1, 1, tzinfo=UTC)


def problem(expression: str) -> tuple[str, str] | None:
    """What is wrong with an expression and the remedy; None when it fires some day."""
    parts = expression.split()
    if len(parts) != len(FIELDS) or not all(_SHAPE.fullmatch(part) for part in parts):
        return f"'{expression}' is not a schedule", EXAMPLE
    for name, part in zip(FIELDS, parts, strict=True):
        words = re.findall(r"[a-z_]+", part.lower())
        if not set(words) <= _NAMES.get(name, frozenset()) or not _fits(name, part):
            return f"'{part}' is no {name} of a schedule", EXAMPLE
    try:
        CronSim(expression, _SOME_DAY)
    except CronSimError:  # each field is one: what is left is a day that none of the months has
        what = f"'{expression}' never fires: no month of it has such a day"
        return what, "name a day that one of the months has, such as 28"
    return None


def fires(expression: str, zone: str, after: datetime) -> Iterator[datetime]:
    """The moments at which it fires after ``after``, which has a zone; in the client's zone, without end.

    Where clocks are put forward, a moment in the gap is taken right after it; where they are put back, an hour
    that comes twice counts once, unless the schedule is for every hour or minute.
    """
    yield from CronSim(expression, after.astimezone(ZoneInfo(zone)))


def _fits(name: str, part: str) -> bool:
    alone = ["*"] * len(FIELDS)
    alone[FIELDS.index(name)] = part
    try:
        CronSim(" ".join(alone), _SOME_DAY)
    except CronSimError:
        return False
    return True
