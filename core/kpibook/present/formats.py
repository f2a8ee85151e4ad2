"""Numbers, money and dates as a language writes them, rounded to what is shown."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, cast

import pandas as pd
from babel import Locale
from babel.dates import format_date, format_interval, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, format_percent, get_currency_precision

NBSP = "\u00a0"
MINUS = "\u2212"
NONE = "\u2013"

#: Units whose numbers are whole unless they are averages.
COUNTED = ("count", "persons", "customers", "members", "receipts", "purchases", "rows", "items", "visits")
#: Classes that have an order of their own, in it.
CLASSES = ("low", "medium", "heavy", "new", "retained", "reactivated", "lost")
GRAINS = ("week", "month", "quarter", "year")
DURATIONS = ("hours", "minutes", "days", "weeks", "months", "years")
#: Units that are written out beside the number: no sign stands for them.
SPELT = (*DURATIONS, "waves")
#: Of these, those that are counted whole, such as the month in which something is repaid.
SPELT_WHOLE = ("months", "waves")


def is_missing(x: Any) -> bool:
    """None, NaN, NaT and pandas' NA; infinity is no figure either."""
    return bool(pd.isna(x)) or (isinstance(x, float) and math.isinf(x))


def is_money(unit: str) -> bool:
    return unit == "money" or unit.startswith("money_")


class Formats:
    """Formatting for one language and one currency. A missing number is shown as an en dash."""

    def __init__(self, language: str, currency: str = "EUR") -> None:
        self.language = language
        self.currency = currency
        self.locale = Locale.parse(language)

    def number(self, x: Any, digits: int = 0, *, signed: bool = False) -> str:
        """``1234.5`` -> ``1,234.5`` in English with one digit."""
        if is_missing(x):
            return NONE
        rounded = _rounded(x, digits)
        return _sign(format_decimal(rounded, format=_pattern(digits), locale=self.locale), rounded, signed)

    def money(self, x: Any, digits: int | None = None, *, signed: bool = False) -> str:
        """From 1,000 on without decimals, below with the currency's (at most two)."""
        if is_missing(x):
            return NONE
        digits = self.digits("money", x) if digits is None else digits
        rounded = _rounded(x, digits)
        pattern = self.locale.currency_formats["standard"].pattern.replace("#,##0.00", _pattern(digits))
        text = format_currency(rounded, self.currency, pattern, locale=self.locale, currency_digits=False)
        return _sign(text, rounded, signed)

    def percent(self, x: Any, digits: int = 1, *, signed: bool = False) -> str:
        """``0.413`` -> ``41.3%``."""
        if is_missing(x):
            return NONE
        rounded = _rounded(x, digits + 2)
        pattern = self.locale.percent_formats[None].pattern.replace("#,##0", _pattern(digits))
        return _sign(format_percent(rounded, pattern, locale=self.locale), rounded, signed)

    def digits(self, unit: str, *values: Any) -> int:
        """Decimals for figures of one unit that stand side by side: a value, then the ends of its interval.

        An interval that is not a point is not shown as one: up to two more decimals tell its ends apart.
        """
        usual = self._usual_digits(unit, *values)
        scale = 100 if unit in ("percent", "pp") else 1
        ends = [float(v) * scale for v in values[-2:] if not is_missing(v)]
        if len(values) < 2 or len(ends) < 2 or ends[0] == ends[1] or (is_money(unit) and max(map(abs, ends)) >= 1000):
            return usual
        return next((d for d in (usual, usual + 1) if _rounded(ends[0], d) != _rounded(ends[1], d)), usual + 2)

    def _usual_digits(self, unit: str, *values: Any) -> int:
        known = [abs(float(v)) for v in values if not is_missing(v)]
        largest = max(known, default=0.0)
        whole = all(v == round(v) for v in known[:1])
        if is_money(unit):
            return 0 if round(largest, 2) >= 1000 else min(2, get_currency_precision(self.currency))
        if unit in (*COUNTED, *SPELT_WHOLE) and whole:
            return 0
        if unit in ("percent", "pp", "points", "index") or unit in SPELT:
            return 1
        return 0 if largest >= 1000 else 1 if largest >= 100 else 2

    def date(self, day: Any) -> str:
        """``July 1, 2017``."""
        return NONE if is_missing(day) else format_date(as_day(day), "long", locale=self.locale)

    def datetime(self, moment: datetime) -> str:
        return f"{self.date(moment)}, {format_time(moment, 'HH:mm', locale=self.locale)}"

    def month(self, day: Any, *, short: bool = False) -> str:
        """``July 2017``, or ``Jul 2017``."""
        return format_skeleton("yMMM" if short else "yMMMM", as_day(day), locale=self.locale)

    def month_of_year(self, day: Any) -> str:
        """``Jul``."""
        return format_date(as_day(day), "LLL", locale=self.locale)

    def span(self, segment_by: str, segment: str, *, short: bool = False) -> str:
        """A week ``2017-W27``, month ``2017-07``, quarter ``2017-Q3`` or year, by name."""
        if segment_by == "month":
            return self.month(segment, short=short)
        if segment_by == "year":
            return segment
        first = as_day(segment)
        if segment_by == "quarter":
            return format_date(first, "QQQ yyyy", locale=self.locale)
        return format_interval(first, first + timedelta(days=6), "MMMd" if short else "yMMMMd", locale=self.locale)

    def period(self, start: Any, last: Any) -> str:
        """A period in words, ``last`` its last day. Whole months are named as months, whole years as years."""
        first, last = as_day(start), as_day(last)
        after = last + timedelta(days=1)
        if first.day != 1 or after.day != 1:
            return format_interval(first, last, "yMMMMd", locale=self.locale)
        if (first.month, after.month) == (1, 1):
            return str(first.year) if first.year == last.year else f"{first.year}\u2013{last.year}"
        if (first.year, first.month) == (last.year, last.month):
            return self.month(first)
        return format_interval(first, last, "yMMMM", locale=self.locale)

    def vega(self) -> dict[str, Any]:
        """The d3 number locale of charts' axes."""
        symbols = self.locale.number_symbols["latn"]
        before, after = self.locale.currency_formats["standard"].pattern.split("#,##0.00")
        sign = format_currency(0, self.currency, "\u00a4", locale=self.locale, currency_digits=False)
        sign = sign.replace("0", "").strip()
        return {
            "decimal": symbols["decimal"],
            "thousands": symbols["group"],
            "grouping": [3],
            "currency": [before.replace("\u00a4", sign), after.replace("\u00a4", sign)],
            "percent": self.locale.percent_formats[None].pattern.removeprefix("#,##0"),
            "minus": MINUS,
        }


def as_day(day: Any) -> date:
    """A date from a date, a timestamp, or the first day of ``2017``, ``2017-Q3``, ``2017-07``, ``2017-W27``."""
    if isinstance(day, str):
        year, _, part = day.partition("-")
        if part.startswith("Q"):
            return date(int(year), 3 * int(part[1:]) - 2, 1)
        return date.fromisoformat(day if len(part) > 2 else f"{year}-{part or '01'}-01")
    return day.date() if hasattr(day, "date") else cast("date", day)


def days_between(first: Any, last: Any) -> int:
    """Days from ``first`` to ``last``, both counted."""
    return (as_day(last) - as_day(first)).days + 1


def part_of_calendar(segment_by: str, segment: str) -> tuple[date, date]:
    """First and last day of a whole week, month, quarter or year."""
    first = as_day(segment)
    if segment_by == "week":
        return first, first + timedelta(days=6)
    months = first.year * 12 + first.month - 1 + {"month": 1, "quarter": 3, "year": 12}[segment_by]
    return first, date(months // 12, months % 12 + 1, 1) - timedelta(days=1)


def _rounded(x: Any, digits: int) -> Decimal:
    exact = x if isinstance(x, Decimal) else Decimal(str(float(x)))
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP) + 0


def _pattern(digits: int) -> str:
    return "#,##0" + ("." + "0" * digits if digits else "")


def _sign(text: str, x: Decimal, signed: bool) -> str:
    text = text.replace("-", MINUS)
    return f"+{text}" if signed and x > 0 else text.replace(MINUS, "") if x == 0 else text
