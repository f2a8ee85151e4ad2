"""Reporting windows and their parts."""

from datetime import date

from kpibook.periods import Period
from kpibook.windows import preceding, windows


def span(text):
    return Period.parse(text)


def table(period, *grains, data_end=date(2030, 1, 1)):
    return windows({"current": span(period)}, grains, date(2017, 1, 1), data_end)


def test_a_whole_year_has_twelve_months():
    rows = table("2017-01-01/2017-12-31", "month")

    assert [r.segment for r in rows] == ["total", *(f"2017-{m:02d}" for m in range(1, 13))]
    assert [r.period_id for r in rows] == list(range(13))
    assert (rows[2].start, rows[2].end, rows[2].days) == (date(2017, 2, 1), date(2017, 3, 1), 28)


def test_parts_are_cut_by_the_period():
    """15 January to 10 February: two parts of 17 and 10 days."""
    rows = table("2017-01-15/2017-02-10", "month")

    assert [(r.start, r.end, r.days) for r in rows[1:]] == [
        (date(2017, 1, 15), date(2017, 2, 1), 17),
        (date(2017, 2, 1), date(2017, 2, 11), 10),
    ]


def test_parts_after_the_data_are_left_out():
    rows = table("2017-01-01/2017-12-31", "quarter", data_end=date(2017, 7, 1))

    assert [r.segment for r in rows] == ["total", "2017-Q1", "2017-Q2"]


def test_weeks_and_years():
    """2017-12-25 is a Monday; 2018-01-01 begins ISO week 1 of 2018."""
    weeks = table("2017-12-23/2018-01-02", "week")
    years = table("2017-12-23/2018-01-02", "year")

    assert [r.segment for r in weeks[1:]] == ["2017-W51", "2017-W52", "2018-W01"]
    assert [(r.segment, r.days) for r in years[1:]] == [("2017", 9), ("2018", 2)]


def test_the_preceding_window_keeps_whole_months():
    assert preceding(span("2017-07-01/2017-12-31")) == date(2017, 1, 1)
    assert preceding(span("2017-03-01/2017-03-31")) == date(2017, 2, 1)
    assert preceding(span("2017-03-02/2017-03-31")) == date(2017, 1, 31)
