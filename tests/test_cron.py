"""Cron expressions: what is refused, and when the others fire in a client's zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest

from kpibook import cron

FIVE = "write five cron fields, such as '0 6 2 * *'"
REAL_DAY = "name a day that one of the months has, such as 28"


@pytest.mark.parametrize(
    ("expression", "what", "remedy"),
    [
        ("daily", "'daily' is not a schedule", FIVE),
        ("0 6 * * * *", "'0 6 * * * *' is not a schedule", FIVE),
        ("60 6 * * *", "'60' is no minute of a schedule", FIVE),
        ("0 22-2 * * *", "'22-2' is no hour of a schedule", FIVE),
        ("0 6 L * *", "'L' is no day of a schedule", FIVE),
        ("0 6 1 mai *", "'mai' is no month of a schedule", FIVE),
        ("0 6 * * 8", "'8' is no weekday of a schedule", FIVE),
        ("*/0 * * * *", "'*/0' is no minute of a schedule", FIVE),
        ("0 6 31 2 *", "'0 6 31 2 *' never fires: no month of it has such a day", REAL_DAY),
        ("0 6 31 4,6,9,11 *", "'0 6 31 4,6,9,11 *' never fires: no month of it has such a day", REAL_DAY),
    ],
)
def test_what_is_no_schedule(expression: str, what: str, remedy: str) -> None:
    assert cron.problem(expression) == (what, remedy)


def first(expression: str, zone: str, after: str, count: int = 1) -> list[str]:
    assert cron.problem(expression) is None
    return [each.isoformat() for each in islice(cron.fires(expression, zone, datetime.fromisoformat(after)), count)]


def test_weekdays_are_counted_from_sunday_and_day_or_weekday_is_enough() -> None:
    """1 and 15 January 2024 are Mondays; 7 January is a Sunday."""
    assert first("0 6 * * 0", "UTC", "2024-01-01T00:00+00:00") == ["2024-01-07T06:00:00+00:00"]
    assert first("0 6 * * 7", "UTC", "2024-01-01T00:00+00:00") == ["2024-01-07T06:00:00+00:00"]
    found = first("0 6 3 * sun", "UTC", "2024-01-01T00:00+00:00", 2)
    assert found == ["2024-01-03T06:00:00+00:00", "2024-01-07T06:00:00+00:00"]


def test_a_leap_day_is_waited_for() -> None:
    assert first("0 6 29 feb *", "UTC", "2024-03-01T00:00+00:00") == ["2028-02-29T06:00:00+00:00"]


def test_the_clock_is_the_clients() -> None:
    """Madrid is one hour ahead of UTC in winter, two in summer."""
    assert first("0 6 2 * *", "Europe/Madrid", "2024-01-02T04:59+00:00") == ["2024-01-02T06:00:00+01:00"]
    assert first("0 6 2 * *", "Europe/Madrid", "2024-01-02T05:00+00:00") == ["2024-02-02T06:00:00+01:00"]
    assert first("0 6 2 * *", "Europe/Madrid", "2024-07-01T00:00+00:00") == ["2024-07-02T06:00:00+02:00"]


def test_an_hour_that_is_left_out_and_one_that_comes_twice() -> None:
    """In Madrid 02:00 to 03:00 is left out on 31 March 2024, and comes twice on 27 October 2024."""
    spring = first("30 2 * * *", "Europe/Madrid", "2024-03-30T12:00+01:00", 2)
    assert spring == ["2024-03-31T03:00:00+02:00", "2024-04-01T02:30:00+02:00"]
    autumn = first("30 2 * * *", "Europe/Madrid", "2024-10-26T12:00+02:00", 2)
    assert autumn == ["2024-10-27T02:30:00+02:00", "2024-10-28T02:30:00+01:00"]
    seen = first("30 2 * * *", "Europe/Madrid", "2024-10-27T00:30:00+00:00")
    assert seen == ["2024-10-28T02:30:00+01:00"]


def test_an_hourly_schedule_fires_in_both_of_the_hours() -> None:
    start = datetime(2024, 10, 26, 23, 59, tzinfo=UTC)
    found = list(islice(cron.fires("0 * * * *", "Europe/Madrid", start), 4))
    assert [each - start for each in found] == [timedelta(minutes=1, hours=n) for n in range(4)]
