"""Moving periods, worked out on a calendar: 2024-05-15 is a Wednesday, 2024-01-01 a Monday."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from kpibook import params
from kpibook.errors import ParamsError
from kpibook.periods import is_moving, moving

DAY = date(2024, 5, 15)
WRITE = "write one such as previous month or last 12 months, of days, weeks, months, quarters or years"
TEXT = """\
client: shop
title: Shop
language: en
currency: EUR
timezone: Pacific/Auckland
period: {period}
source: data
tables:
  order_lines: {{from: lines.csv, columns: {{transaction_id: receipt, ts: time, net_amount: net}}}}
"""


@pytest.mark.parametrize(
    ("text", "day", "expected"),
    [
        ("previous day", DAY, "2024-05-14/2024-05-14"),
        ("previous week", DAY, "2024-05-06/2024-05-12"),
        ("previous week", date(2024, 1, 1), "2023-12-25/2023-12-31"),
        ("previous month", DAY, "2024-04-01/2024-04-30"),
        ("previous month", date(2024, 3, 1), "2024-02-01/2024-02-29"),
        ("previous quarter", DAY, "2024-01-01/2024-03-31"),
        ("previous quarter", date(2024, 1, 1), "2023-10-01/2023-12-31"),
        ("previous year", DAY, "2023-01-01/2023-12-31"),
        ("last 7 days", DAY, "2024-05-08/2024-05-14"),
        ("last 2 weeks", DAY, "2024-04-29/2024-05-12"),
        ("last 12 months", DAY, "2023-05-01/2024-04-30"),
        ("last 1 month", DAY, "2024-04-01/2024-04-30"),
        ("last 4 quarters", DAY, "2023-04-01/2024-03-31"),
        ("last 3 years", DAY, "2021-01-01/2023-12-31"),
    ],
)
def test_a_moving_period_is_over_on_its_day(text: str, day: date, expected: str) -> None:
    assert is_moving(text)
    assert str(moving(text, day)) == expected


def load(period: str, day: date | None = None) -> params.Params:
    Path("p.yaml").write_text(TEXT.format(period=period), encoding="utf-8")
    return params.load("p.yaml", day)


@pytest.mark.parametrize(
    "text", ["previous fortnight", "last month", "last 0 days", "last 1 months", "previous months"]
)
def test_what_is_no_moving_period(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParamsError) as caught:
        load(text)
    assert str(caught.value) == f"p.yaml:6: period: '{text}' is not a moving period · {WRITE}"


def test_period_and_comparison_follow_the_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "lines.csv").write_text("receipt,time,net\n", encoding="utf-8")
    quarter = load("previous quarter", DAY)
    assert (str(quarter.period), str(quarter.compare)) == ("2024-01-01/2024-03-31", "2023-10-01/2023-12-31")
    assert (quarter.as_of, quarter.moves) == (DAY, "previous quarter")
    fixed = load("2024-01-01/2024-01-31", DAY)
    assert (str(fixed.period), fixed.as_of) == ("2024-01-01/2024-01-31", None)


def test_by_hand_the_day_is_the_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At 13:00 UTC on 31 May it is 1 June in Auckland, and May is over."""

    class Clock(params.datetime):
        @classmethod
        def now(cls, tz: object = None) -> params.datetime:
            return params.datetime.fromisoformat("2024-05-31T13:00+00:00").astimezone(tz)  # type: ignore[arg-type]

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(params, "datetime", Clock)
    assert str(load("previous month").period) == "2024-05-01/2024-05-31"
