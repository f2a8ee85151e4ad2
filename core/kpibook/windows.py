"""The table ``periods`` that views may join: reporting windows and their parts.

One row for the whole period and one for each week, month, quarter or year asked for,
for the current and for the comparison period. ``end`` is exclusive; ``before`` is the
start of the window of equal length that precedes it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from kpibook.periods import Period, compared_with

SCHEMA = {
    "period_id": "int64",
    "period": "string",
    "segment_by": "string",
    "segment": "string",
    "start": "date",
    "end": "date",
    "before": "date",
    "days": "int64",
    "data_start": "date",
    "data_end": "date",
}
GRAINS = ("week", "month", "quarter", "year")
TOTAL = "total"


@dataclass(frozen=True)
class Window:
    """One row; ``data_end`` is exclusive, like ``end``."""

    period_id: int
    period: str
    segment_by: str
    segment: str
    start: date
    end: date
    before: date
    days: int
    data_start: date
    data_end: date


def windows(spans: Mapping[str, Period], grains: Sequence[str], data_start: date, data_end: date) -> list[Window]:
    """Rows for ``{"current": Period, "previous": Period}``; parts that begin after the data end are left out."""
    rows: list[Window] = []
    for name, span in spans.items():
        cells = [(TOTAL, TOTAL, span)]
        for grain in grains:
            cells += [(grain, label, part) for label, part in _parts(grain, span) if part.start < data_end]
        for segment_by, segment, part in cells:
            before = preceding(part)
            row = (name, segment_by, segment, part.start, part.end, before, part.days, data_start, data_end)
            rows.append(Window(len(rows), *row))
    return rows


def preceding(span: Period) -> date:
    """Start of the window of equal length just before: whole months if ``span`` is whole months, else days."""
    before = compared_with(span, "previous")
    return before.start if before else span.start


def _parts(grain: str, span: Period) -> Iterator[tuple[str, Period]]:
    first = span.start
    while first < span.end:
        last = min(_next(grain, first), span.end)
        yield _label(grain, first), Period(start=first, end=last)
        first = last


def _next(grain: str, day: date) -> date:
    if grain == "week":
        return day + timedelta(days=7 - day.weekday())
    months = {"month": 1, "quarter": 3, "year": 12}[grain]
    index = day.year * 12 + day.month - 1
    year, month = divmod(index - index % months + months, 12)
    return date(year, month + 1, 1)


def _label(grain: str, day: date) -> str:
    match grain:
        case "week":
            year, week, _ = day.isocalendar()
            return f"{year}-W{week:02d}"
        case "month":
            return f"{day:%Y-%m}"
        case "quarter":
            return f"{day.year}-Q{(day.month - 1) // 3 + 1}"
        case _:
            return str(day.year)
