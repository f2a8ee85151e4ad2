"""Sums and counts are complete and grow with the period; what has no interval is not judged."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

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


def test_only_totals_are_exact(english: Words):
    """A median of a survival curve can have both ends on the same day: it is estimated all the same."""
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
        "Mean": "[7.0; 7.0]",
    }
    assert [line.replace("\u00a0", " ") for line in table.text.splitlines()[1:]] == [
        "Orders: 7.0 days exact",
        "Median: 7.0 days [7.0; 7.0]",
        "Mean: 7.0 days [7.0; 7.0]",
    ]
