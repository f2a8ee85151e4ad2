"""Where a person stands: the limit of silence, and the state on a day."""

from __future__ import annotations

import pytest

from kpis.customer_cases import THREE_YEARS, YEAR_2024, figure, people, view_rows
from tiny_client import only, receipt, run, shop

LOST_40 = {"purchase_sequence": {"lost_days": 40}}


def test_person_state_breaks_down_other_kpis() -> None:
    """At the end of 2024, lost after 40 days, silent after 20, new for 90 days. Five kinds of ten persons each bought
    for 10 on two days of the year, dora and emil on one: anna (31 December) is active, bea (1 December, silent for 31
    days) silent, carl (20 November) silent for 42 days and lost, dora first bought on 1 December and is new, emil on 1
    November, so he would be new but is lost.
    """
    days = {
        "anna": ["2024-01-01", "2024-12-31"],
        "bea": ["2024-01-01", "2024-12-01"],
        "carl": ["2024-01-01", "2024-11-20"],
        "dora": ["2024-12-01"],
        "emil": ["2024-11-01"],
    }
    tables = people(**{f"{name}{i}": own for name, own in days.items() for i in range(10)})
    more = {"data": THREE_YEARS, "settings": LOST_40, "breakdowns": ("person_state",)}
    found = run(tables, YEAR_2024, catalog=only("net_sales", "person_state"), **more)
    sales = found.scorecard[found.scorecard["segment_by"] == "person_state"]
    own = dict(zip(sales["segment"], sales["numerator"].astype(float), strict=True))
    assert own == {"active": 200, "silent": 200, "lost": 300, "new": 100}


def test_the_limit_is_that_of_the_class() -> None:
    """Ten persons spend 10 on 11 November and 31 December 2024, after 50 days, ten others 100 on 21 and 31 December,
    after 10 days. Up to 20 is low (P50), up to 200 medium (P80): who spends 10 or 20 within a year is low, 100 or 200
    medium. Of each class all come back on one day, which is then its limit; the last gaps are open and 0 days old.
    """
    light = [(f"l{i}", day, 10) for i in range(10) for day in ("2024-11-11", "2024-12-31")]
    heavy = [(f"h{i}", day, 100) for i in range(10) for day in ("2024-12-21", "2024-12-31")]
    tables = shop(*(receipt(i, day, amount, name) for i, (name, day, amount) in enumerate(light + heavy)))
    found = view_rows("purchase_sequence", "reactivation_rate", tables, data=YEAR_2024)
    limits = {(r.customer_id[0], r.limit_days) for r in found.itertuples()}
    assert limits == {("l", 50), ("h", 10)}


def test_the_limit_of_a_class_from_which_many_never_come_back() -> None:
    """Thirty persons spend 10 on 10 January, 19 of them 1 more after 10 days, one after 60: all are low (P50 is 11). Of
    50 gaps 19 close at 10: 31/50, above 0.05; the last at 60: 30/50 stay open. Of those that close 19 of 20 had by 10.
    """
    days = {f"p{i:02d}": ["2024-01-10"] for i in range(30)}
    receipts = [receipt(i, "2024-01-10", 10, name) for i, name in enumerate(days)]
    for i, name in enumerate(list(days)[:20]):
        receipts.append(receipt(100 + i, "2024-01-20" if i < 19 else "2024-03-10", 1, name))
    found = view_rows("purchase_sequence", "reactivation_rate", shop(*receipts), data=YEAR_2024)
    assert (len(found), set(found["limit_days"])) == (50, {10})


def test_a_class_without_a_limit_is_not_judged() -> None:
    """One purchase each: nobody ever came back, there is no limit, and nobody is lost."""
    tables = people(anna=["2022-02-01"], bea=["2022-03-01"])
    assert figure("reactivation_rate", tables)["status"] == "undefined"


def test_purchases_a_year_old_do_not_make_a_class() -> None:
    """365 days up to a day: of purchases of 2023-03-01 (100), 2024-02-29 (10) and 2024-03-01 (10) the first counts for
    the second, not for the third; nobody else: cut points of 2024 are 20 for low and medium alike.
    """
    days = [("2023-03-01", 100), ("2024-02-29", 10), ("2024-03-01", 10)]
    tables = shop(*(receipt(i, day, amount, "anna") for i, (day, amount) in enumerate(days)))
    found = run(tables, "2024-01-01/2024-12-31", catalog=only("low_to_heavy_conversion"), data="2022-01-01/2024-12-31")
    moves = found.tables["low_to_heavy_conversion"]
    assert [(r.row, r.column) for r in moves.itertuples()] == [("heavy", "low")]


@pytest.mark.parametrize(("period", "expected"), [("2024-01-01/2024-12-31", 366), ("2023-01-01/2023-12-31", 365)])
def test_days_of_a_person_end_with_the_period(period: str, expected: int) -> None:
    """First bought on the first day of the year, and again after it: until the last day of the year."""
    year = period[:4]
    tables = people(anna=[f"{year}-01-01", f"{int(year) + 1}-02-01"])
    tables["order_lines"] = [line | {"cogs": 4} for line in tables["order_lines"]]
    found = view_rows("repeat_histories", "clv", tables, period)
    (person,) = found.to_dict("records")
    assert (person["x"], person["t"], person["silent_days"]) == (0, expected - 1, expected)


def test_repeat_histories() -> None:
    """Data and period from 1 January to 31 December 2024, 366 days: the holdout is the last 183, from 2 July.

    Anna: 10 January, 20 January, 1 July and 2 July; cost 4 of 10. Repeat purchases 3 with a margin of 18, the last
    after 174 days of 356 seen; before the holdout 2 with 12, the last after 173 of 173; in the holdout 1 with 6.
    """
    tables = people(anna=["2024-01-10", "2024-01-20", "2024-07-01", "2024-07-02"])
    tables["order_lines"] = [line | {"cogs": 4} for line in tables["order_lines"]]
    data = "2024-01-01/2024-12-31"
    (person,) = view_rows("repeat_histories", "clv", tables, data=data).to_dict("records")
    assert (person["x"], float(person["margin"]), person["t_x"], person["t"]) == (3, 18, 174, 356)
    assert (person["x_early"], float(person["margin_early"])) == (2, 12)
    assert (person["t_x_early"], person["t_early"], person["holdout_days"]) == (173, 173, 183)
    assert (person["bought_held"], float(person["margin_held"])) == (1, 6)
