"""Periods: what is looked at, and what it is compared with."""

from __future__ import annotations

import calendar
import os
import re
from datetime import date, timedelta

from pydantic import BaseModel, ConfigDict

#: Set by a run for its kernels: the day on which a moving period is read.
AS_OF = "KPIBOOK_AS_OF"
COMPARISONS = ("previous", "year_before", "none")
#: Months of each unit of a moving period that is counted in months.
_MONTHS = {"month": 1, "quarter": 3, "year": 12}
_MOVING = re.compile(r"(?:previous|last (?P<n>[1-9]\d{0,3})) (?P<unit>day|week|month|quarter|year)s?")


class Period(BaseModel):
    """Days from ``start`` up to, not including, ``end``; written and labelled with its last day."""

    model_config = ConfigDict(frozen=True)

    start: date
    end: date

    @property
    def last(self) -> date:
        """The last day inside."""
        return self.end - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def label(self) -> str:
        """``2017-07-01_2017-12-31``: first and last day, fit for a folder's name."""
        return f"{self.start}_{self.last}"

    def __str__(self) -> str:
        return f"{self.start}/{self.last}"

    def contains(self, day: date) -> bool:
        return self.start <= day < self.end

    @classmethod
    def parse(cls, text: str) -> Period:
        """From ``2017-07-01/2017-12-31``, both days inside. Raises ValueError with the reason."""
        first, slash, last = text.partition("/")
        try:
            start, final = date.fromisoformat(first.strip()), date.fromisoformat(last.strip())
        except ValueError as error:
            what = f"'{text}' is not a period"
            raise ValueError(what if not slash else f"{what}: {_reason(error)}") from error
        if final < start:
            raise ValueError(f"the last day {final} comes before the first day {start}")
        if final == date.max:
            raise ValueError(f"the last day {final} is too late")
        return cls(start=start, end=final + timedelta(days=1))


def compared_with(period: Period, how: str) -> Period | None:
    """The period that ``previous``, ``year_before`` or ``none`` stands for. Raises ValueError before year 1."""
    if how == "none":
        return None
    if how == "year_before":
        return Period(start=_shifted(period.start, -12), end=_shifted(period.end, -12))
    if period.start.day == 1 and period.end.day == 1:
        months = (period.end.year - period.start.year) * 12 + period.end.month - period.start.month
        return Period(start=_shifted(period.start, -months), end=period.start)
    return Period(start=date.fromordinal(period.start.toordinal() - period.days), end=period.start)


def is_moving(text: str) -> bool:
    """Whether it reads as ``previous month``, ``last 12 months`` or the like."""
    found = _MOVING.fullmatch(text)
    return found is not None and text.endswith("s") == (found["n"] not in (None, "1"))


def moving(text: str, day: date) -> Period:
    """The whole days, weeks (Monday to Sunday), months, quarters or years that had ended before ``day`` began.

    ``previous quarter`` is the last that is over, ``last 12 months`` the twelve months up to the last that is over.
    Raises ValueError before year 1.
    """
    found = _MOVING.fullmatch(text)
    assert found is not None  # noqa: S101 (params let nothing else pass)
    count, unit = int(found["n"] or 1), found["unit"]
    if unit in ("day", "week"):
        end = day - timedelta(days=day.weekday() if unit == "week" else 0)
        return Period(start=date.fromordinal(end.toordinal() - count * (7 if unit == "week" else 1)), end=end)
    months = _MONTHS[unit]
    end = date(day.year, (day.month - 1) // months * months + 1, 1)
    return Period(start=_shifted(end, -count * months), end=end)


def day_of_run() -> date | None:
    """In a kernel of a run the day on which the run reads a moving period; None elsewhere, and where none moves."""
    day = os.environ.get(AS_OF)
    return date.fromisoformat(day) if day else None


def _shifted(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def _reason(error: ValueError) -> str:
    text = str(error)
    return text if "must be" in text or "out of range" in text else "dates are written 2017-07-01"
