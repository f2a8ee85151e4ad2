"""How far back the data must reach."""

import json
from datetime import date, timedelta

import pytest

from kpibook import kpi, total
from kpibook.engine.history import complete, gap
from kpibook.periods import Period
from kpibook.windows import windows


def counted(looks_back):
    @kpi(unit="count", better="neutral", looks_back=looks_back)
    def receipts_of_days(transactions, *, days: int = 400):
        """Receipts: a count."""
        return total(transactions.count())

    return receipts_of_days


def reason(looks_back, first, period="2024-01-01/2024-12-31"):
    (window,) = windows({"current": Period.parse(period)}, (), first, date(2025, 1, 1))
    found = gap(counted(looks_back), {"days": 400}, window)
    return json.loads(found)["needed"] if found else None


@pytest.mark.parametrize(
    ("looks_back", "first", "needed"),
    [
        (None, date(2024, 12, 31), None),
        (None, date(2025, 1, 1), "2024-01-01"),
        ("before", date(2023, 1, 8), None),
        ("before", date(2023, 1, 9), "2023-01-01"),
        ("days", date(2023, 12, 5), None),  # 400 days before 2025-01-01 is 2023-11-28
        ("days", date(2023, 12, 6), "2023-11-28"),
        (lambda window, settings: window.start - timedelta(days=settings["days"]), date(2024, 1, 1), "2022-11-27"),
        (lambda window, settings: None, date(2024, 1, 1), None),
    ],
)
def test_reach(looks_back, first, needed):
    assert reason(looks_back, first) == needed


@pytest.mark.parametrize(
    ("first", "after", "whole"),
    [
        (date(2024, 1, 8), date(2024, 12, 25), True),
        (date(2024, 1, 9), date(2025, 1, 1), False),
        (date(2024, 1, 1), date(2024, 12, 24), False),
    ],
)
def test_a_window_is_whole_but_for_a_week_at_either_end(first, after, whole):
    (window,) = windows({"current": Period.parse("2024-01-01/2024-12-31")}, (), first, after)

    assert complete(window) is whole
