"""Sums and counts are complete and grow with the period; what has no interval is not judged."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from kpibook import results
from kpibook.present import cells
from kpibook.present.tables import family_table
from present.cards import figure
from present.markup import rows

if TYPE_CHECKING:
    import pandas as pd

    from kpibook.present.words import Words


def test_a_change_without_an_interval_is_neither_marked_nor_judged(english: Words):
    pair = [figure("x", 0.6, 0.5, 0.7, change=0.1), figure("x", 0.5, 0.4, 0.6, period="previous")]
    card = results.scorecard(pair)
    table = family_table(card, "customers", english)
    assert rows(table.html)["X"][-1] == "+10.0 pp"
    assert "▲" not in table.html
    assert [cells.moved(r) for r in cells.records(card)] == [None, None]


def sums(days: tuple[int, int], **more: Any) -> pd.DataFrame:
    """Sales of so many days now and before, from the first of July 2017 and the first of January."""
    now, before = date(2017, 7, 1), date(2017, 1, 1)
    ends = [first + timedelta(days=n - 1) for first, n in zip((now, before), days, strict=True)]
    one = {"unit": "money", "family": "sales", "numerator": 50.0, **more}
    return results.scorecard(
        [
            figure("net_sales", 50.0, 50.0, 50.0, period_start=now, period_end=ends[0], **one),
            figure("net_sales", 50.0, 50.0, 50.0, period="previous", period_start=before, period_end=ends[1], **one),
        ]
    )


def test_totals_of_unequal_periods_are_not_per_day(english: Words):
    html = family_table(sums((184, 181)), "sales", english).html
    assert "The periods differ in length: 184 and 181 days; totals are not per day." in html


def test_equal_periods_and_averages_need_no_such_note(words: Words):
    said = words("table.lengths", current=184, previous=181)
    assert said in family_table(sums((184, 181)), "sales", words).html
    for card in (sums((181, 181)), sums((184, 181), denominator=2.0), sums((184, 181), status="failed")):
        assert "181" not in re.sub(r"<caption>.*?</caption>", "", family_table(card, "sales", words).html)


@pytest.mark.parametrize(
    ("days", "judged"), [((5, 4), False), ((184, 181), True), ((100, 95), True), ((100, 94), False)]
)
def test_a_rate_among_the_active_of_a_longer_window_is_not_judged(
    days: tuple[int, int], judged: bool, english: Words
) -> None:
    """Whoever buys at all in 4 days buys at least 91 times a year, in 5 days 73 times: fewer, and no news."""
    card = sums(days, unit="purchases", numerator=50.0, denominator=2.0)
    card = card.assign(kpi="purchase_frequency", change=-9.0, change_low=-11.0, change_high=-7.0)
    html = family_table(card, "sales", english).html
    assert ("not comparable" in html) is not judged
    assert ("\u25bc" in html) is judged


def test_what_cannot_vary_is_exact(english: Words):
    """A sum, and a ratio of sums whose interval has no width, have none to show. A median of a survival curve can have
    both ends on the same day: it is estimated all the same.
    """
    alike = {"unit": "days", "family": "sales"}
    card = results.scorecard(
        [
            figure("orders", 7.0, 7.0, 7.0, numerator=7.0, **alike),
            figure("median", 7.0, 7.0, 7.0, **alike),
            figure("mean", 7.0, 7.0, 7.0, numerator=7.0, denominator=1.0, **alike),
        ]
    )
    table = family_table(card, "sales", english)
    found = rows(table.html)
    assert {name: line[1] for name, line in found.items()} == {
        "Orders": "exact",
        "Median": "[7.0; 7.0]",
        "Mean": "exact",
    }
    assert [line.replace("\u00a0", " ") for line in table.text.splitlines()[1:]] == [
        "Orders: 7.0 days exact",
        "Median: 7.0 days [7.0; 7.0]",
        "Mean: 7.0 days exact",
    ]


def compared(now: tuple[date, date], before: tuple[date, date], looks_back: str = "", **more: Any) -> pd.DataFrame:
    """A figure that rose from 40 to 50, interval 5 to 15, between two windows (first and last day)."""
    one = {"unit": "money", "family": "sales", "denominator": None, **more}
    spans = [{"period_start": first, "period_end": last} for first, last in (now, before)]
    ends = {"change": 10.0, "change_low": 5.0, "change_high": 15.0}
    card = results.scorecard(
        [
            figure("x", 50.0, 45.0, 55.0, **ends, **spans[0], **one),
            figure("x", 40.0, 35.0, 45.0, period="previous", **spans[1], **one),
        ]
    )
    return card.assign(looks_back=looks_back)


SECOND, FIRST = (date(2017, 7, 1), date(2017, 12, 31)), (date(2017, 1, 1), date(2017, 6, 30))
PER_PERSON = {"numerator": 5000.0, "denominator": 100.0, "n": 100}
PER_RECEIPT = {"numerator": 5000.0, "denominator": 100.0, "n": 60}
TOTAL = {"numerator": 50.0}
COMPARABLE, NOT = "\u25b2|rise| +$10.00|[+5.00; +15.00]", "+$10.00|not comparable: 184 and 181 days"


@pytest.mark.parametrize(
    ("looks_back", "more", "wanted"),
    [
        ("", TOTAL, NOT),  # a sum of 184 days beside one of 181
        ("", PER_PERSON, NOT),  # a sum per person as well
        ("", PER_RECEIPT, COMPARABLE),
        ("own", TOTAL, COMPARABLE),  # active in the 365 days before the end of each
        ("before", PER_RECEIPT, NOT),  # who bought in the window before, out of it
    ],
)
def test_a_change_between_windows_of_different_lengths(
    english: Words, looks_back: str, more: dict[str, Any], wanted: str
):
    card = compared(SECOND, FIRST, looks_back, **more)
    table = family_table(card, "sales", english)
    assert rows(table.html)["X"][-1] == wanted
    assert ("\u25b2 \u25bc" in table.html) == (wanted == COMPARABLE)


def test_a_leap_year_is_as_long_as_another(english: Words):
    years = ((date(2024, 1, 1), date(2024, 12, 31)), (date(2023, 1, 1), date(2023, 12, 31)))
    februaries = ((date(2024, 2, 1), date(2024, 2, 29)), (date(2023, 2, 1), date(2023, 2, 28)))
    for now, before in (years, februaries):
        assert rows(family_table(compared(now, before, **TOTAL), "sales", english).html)["X"][-1] == COMPARABLE


def test_a_change_that_cannot_vary_has_no_interval(english: Words):
    card = compared(SECOND, FIRST, "own", **TOTAL).assign(change=0.0, change_low=0.0, change_high=0.0)
    assert rows(family_table(card, "sales", english).html)["X"][-1] == "$0.00"


def test_bounds_that_are_one_are_said_once(english: Words):
    card = results.scorecard([figure("x", None, 0.976, 0.976, status="bounded", family="sales")])
    assert rows(family_table(card, "sales", english).html)["X"][0] == "97.6%"
