"""How far back the data must reach."""

import json
from datetime import date, timedelta

import pytest

from kpibook import kpi, total
from kpibook.engine.history import gap
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
        (None, date(2024, 2, 6), None),  # 36 days into 366: a tenth is 36.6
        (None, date(2024, 2, 7), "2024-01-01"),
        ("before", date(2023, 2, 6), None),
        ("before", date(2023, 2, 7), "2023-01-01"),
        ("days", date(2024, 1, 2), None),  # 400 days before 2025-01-01 is 2023-11-28, 35 days earlier
        ("days", date(2024, 1, 4), "2023-11-28"),
        (lambda window, settings: window.start - timedelta(days=settings["days"]), date(2024, 1, 1), "2022-11-27"),
        (lambda window, settings: None, date(2024, 1, 1), None),
    ],
)
def test_reach(looks_back, first, needed):
    assert reason(looks_back, first) == needed


def test_a_month_forgives_a_week():
    assert reason(None, date(2024, 3, 8), "2024-03-01/2024-03-31") is None
    assert reason(None, date(2024, 3, 9), "2024-03-01/2024-03-31") == "2024-03-01"
