"""Staff, worked by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from scipy import stats

from kpis.outreach_cases import parts, result
from tiny_client import row

YEAR = {"period": "2024-01-01/2024-12-31", "data": "2024-01-01/2024-12-31"}


def _unit(name: str, first: str, last: str, heads: tuple[int, int], leavers: tuple[int, int | None]) -> dict[str, Any]:
    return {"unit_id": name, "period_start": first, "period_end": last, "headcount_start": heads[0],
            "headcount_end": heads[1], "leavers_total": leavers[0], "leavers_voluntary": leavers[1]}  # fmt: skip


def _halves(name: str, heads: int, leavers: int, voluntary: int) -> list[dict[str, Any]]:
    """A unit of constant size with the same figures in both halves of the leap year 2024."""
    return [
        _unit(name, first, last, (heads, heads), (leavers, voluntary))
        for first, last in (("2024-01-01", "2024-06-30"), ("2024-07-01", "2024-12-31"))
    ]


def _turnover(rows: list[dict[str, Any]], **more: Any) -> Any:
    return result("employee_turnover", {"staff_periods": rows}, **{**YEAR, **more})


def test_turnover() -> None:
    """North 40 persons, 2 * 6 leavers, south 60 persons, 2 * 9: 30 leavers of 100; of their own accord 2 * (3 + 5).
    Exact Poisson interval: half the chi-squared quantiles with 60 and 62 degrees of freedom, per 100. North 12 of 40.
    """
    results = _turnover([*_halves("north", 40, 6, 3), *_halves("south", 60, 9, 5)])
    assert parts(results, "employee_turnover") == (pytest.approx(0.30), 30, pytest.approx(100))
    found = row(results, "employee_turnover")
    assert found["low"] == pytest.approx(stats.chi2.ppf(0.025, 60) / 200)
    assert found["high"] == pytest.approx(stats.chi2.ppf(0.975, 62) / 200)
    assert parts(results, "employee_turnover", "voluntary")[:2] == (pytest.approx(0.16), 16)
    assert parts(results, "employee_turnover", "north")[:2] == (pytest.approx(0.30), 12)


def test_mean_headcount() -> None:
    """From 100 to 80 in 182 days, 80 to 60 in 184: means 90 and 70, weighted by days 79.95 of 366 days; 20 leavers."""
    rows = [
        _unit("north", "2024-01-01", "2024-06-30", (100, 80), (10, None)),
        _unit("north", "2024-07-01", "2024-12-31", (80, 60), (10, None)),
    ]
    results = _turnover(rows)
    heads = (90 * 182 + 70 * 184) / 366
    assert parts(results, "employee_turnover") == (pytest.approx(20 / heads), 20, pytest.approx(heads))
    assert row(results, "employee_turnover", "voluntary")["status"] == "undefined"


def test_twelve_months_whatever_the_period() -> None:
    """For the last quarter the whole year before its end counts, not the leavers of 2023."""
    rows = [_unit("north", "2023-07-01", "2023-12-31", (40, 40), (500, 500)), *_halves("north", 40, 6, 3)]
    results = _turnover(rows, period="2024-10-01/2024-12-31")
    assert parts(results, "employee_turnover")[1] == 12


def test_half_a_year_is_stated_per_year() -> None:
    """12 leavers of 40 persons in the 184 days of the second half: 12 / (40 * 184/365)."""
    results = _turnover([_unit("north", "2024-07-01", "2024-12-31", (40, 40), (12, 12))])
    found = row(results, "employee_turnover")
    assert found["value"] == pytest.approx(12 / (40 * 184 / 365))
    assert json.loads(found["reason"]) == {
        "text": "The headcounts cover {days} days; the rate is stated per year.",
        "days": 184,
    }


def test_fewer_than_ten_leavers_are_withheld() -> None:
    """9 of 60 persons: neither the rate nor the count is shown; nor the voluntary ones."""
    results = _turnover([_unit("north", "2024-01-01", "2024-12-31", (60, 60), (9, 4))])
    for segment in ("total", "voluntary"):
        found = row(results, "employee_turnover", segment)
        assert (found["value"], found["numerator"], found["n"], found["status"]) == (None, None, None, "low_n")
        assert json.loads(found["reason"]) == {"id": "reason.privacy", "minimum": 10}


def test_small_units_are_pooled_until_they_hide_each_other() -> None:
    """East (4 leavers) and west (15 persons, 12 leavers) are pooled: 16. Without west, east alone could be worked out
    from the total: south, the next smallest, joins it.
    """
    large = [*_halves("north", 100, 20, 10), *_halves("south", 60, 9, 5)]
    east, west = _halves("east", 50, 2, 1), _halves("west", 15, 6, 3)
    results = _turnover([*large, *east, *west])
    assert parts(results, "employee_turnover", "other units")[1:] == (16, pytest.approx(65))
    assert set(results.scorecard["segment"]) == {"total", "voluntary", "north", "south", "other units"}
    results = _turnover([*large, *east])
    assert parts(results, "employee_turnover", "other units")[1:] == (22, pytest.approx(110))
    assert set(results.scorecard["segment"]) == {"total", "voluntary", "north", "other units"}


def test_nobody_employed() -> None:
    found = row(_turnover([_unit("north", "2024-01-01", "2024-12-31", (0, 0), (0, 0))]), "employee_turnover")
    assert (found["value"], found["status"]) == (None, "undefined")
