"""Points KPIs, worked by hand."""

from __future__ import annotations

import json
from typing import Any

import ibis
import numpy as np
import pandas as pd
import pytest

from kpibook import windows
from kpibook.periods import Period
from kpibook.stats.development import develop
from kpis.points_cases import Ledger, computed, membership, rules, value
from loyalty_kpis import points, points_views
from tiny_client import load, receipt, row, shop

DATA = {"data": "2023-01-01/2024-12-31"}
YEAR = "2024-01-01/2024-12-31"
#: 100 points of January: 40 redeemed at age 10, 20 at 28, 40 expired at 30; 100 of March: 30 redeemed at 20, 70 open.
JANUARY_AND_MARCH = (
    Ledger()
    .book("2024-01-01", "ann", "earn", 100, "A")
    .book("2024-01-11", "ann", "redeem", -40, "A")
    .book("2024-01-29", "ann", "redeem", -20, "A")
    .book("2024-01-31", "ann", "expire", -40, "A")
    .book("2024-03-01", "bob", "earn", 100, "B", transaction_id="t1")
    .book("2024-03-21", "bob", "redeem", -30, "B")
    .rows
)
MARCH = {"period": "2024-03-01/2024-03-26", "data": "2024-01-01/2024-03-26"}
URR = 0.35 + 0.65 / 3


def ledger_views(ledger: list[dict[str, Any]]) -> tuple[Any, Any, Any]:
    """earned_lots, lot_uses and lot_movements of a ledger."""
    table = load({"points_ledger": ledger}).backend.table("points_ledger")
    lots = points_views.earned_lots(table)
    uses = points_views.lot_uses(table, lots)
    return lots, uses, points_views.lot_movements(uses, lots)


def moved(table: Any) -> list[tuple[Any, ...]]:
    rows = table.to_pyarrow().to_pylist()
    return sorted((r["member_id"], r["lot"], str(r["day"]), r["kind"], int(r["points"])) for r in rows)


def test_uses_without_a_lot_take_the_oldest_points_first() -> None:
    """Ann holds A 100 and B 50, of which 15 are taken by name: 10 withdrawn, 5 redeemed. 120 redeemed without a lot:
    all of A, 20 of B. Bob's 40 come from his own C; what exceeds it (10) finds no points. Nobody's lot Z is no lot.
    """
    ledger = (
        Ledger()
        .book("2023-01-10", "ann", "earn", 100, "A")
        .book("2023-02-10", "ann", "bonus", 50, "B")
        .book("2023-03-01", "ann", "redeem", -120, "Z")
        .book("2023-04-01", "ann", "reverse", -10, "B")
        .book("2023-05-01", "ann", "redeem", -5, "B")
        .book("2023-01-01", "bob", "earn", 40, "C")
        .book("2023-02-01", "bob", "redeem", -50)
    )
    assert moved(ledger_views(ledger.rows)[1]) == [
        ("ann", "A", "2023-03-01", "redeemed", 100),
        ("ann", "B", "2023-03-01", "redeemed", 20),
        ("ann", "B", "2023-04-01", "withdrawn", 10),
        ("ann", "B", "2023-05-01", "redeemed", 5),
        ("bob", "C", "2023-02-01", "redeemed", 40),
    ]


def test_points_given_back_cancel_the_latest_use() -> None:
    """120 used without a lot, 30 given back: 90 of A stay used. 10 given back by name: a negative redemption of B."""
    ledger = (
        Ledger()
        .book("2023-01-10", "ann", "earn", 100, "A")
        .book("2023-02-10", "ann", "earn", 50, "B")
        .book("2023-03-01", "ann", "redeem", -120)
        .book("2023-03-02", "ann", "reverse", 30)
        .book("2023-03-03", "ann", "redeem", -10, "B")
        .book("2023-03-04", "ann", "reverse", 10, "B")
    )
    assert moved(ledger_views(ledger.rows)[1]) == [
        ("ann", "A", "2023-03-01", "redeemed", 90),
        ("ann", "B", "2023-03-03", "redeemed", 10),
        ("ann", "B", "2023-03-04", "redeemed", -10),
    ]


def test_what_is_left_at_the_end_of_a_lot_expires_booked_or_not() -> None:
    """A: 60 of 100 are used, 40 lapse on the day it ends. B: the expiry was booked. C has no end."""
    end = "2023-06-01 00:00:00"
    ledger = (
        Ledger()
        .book("2023-01-10", "ann", "earn", 100, "A", expires_at=end)
        .book("2023-01-20", "ann", "redeem", -60, "A")
        .book("2023-01-10", "bob", "earn", 10, "B", expires_at=end)
        .book("2023-06-02", "bob", "expire", -10, "B")
        .book("2023-01-10", "cid", "earn", 10, "C")
    )
    assert moved(ledger_views(ledger.rows)[2]) == [
        ("ann", "A", "2023-01-20", "redeemed", 60),
        ("ann", "A", "2023-06-01", "expired", 40),
        ("bob", "B", "2023-06-02", "expired", 10),
    ]


def test_balances_from_before_the_ledger_are_told_from_corrections() -> None:
    """Adjusted on the ledger's first day: an opening balance; later: a correction. A lot without a name: its entry."""
    ledger = (
        Ledger()
        .book("2023-01-01", "ann", "adjust", 500, "O")
        .book("2023-02-01", "ann", "adjust", 5, "K")
        .book("2023-02-01", "ann", "adjust", -7, "O")
        .book("2023-03-01", "ann", "earn", 10)
    )
    found = ledger_views(ledger.rows)[0].to_pyarrow().to_pylist()
    assert sorted((r["lot"], r["origin"], int(r["credited"])) for r in found) == [
        ("K", "adjust", 5),
        ("O", "opening", 500),
        ("e0004", "earn", 10),
    ]


def test_lots_as_they_stand() -> None:
    """At the end of 26 March: A is gone after 60 redeemed and 40 expired; B is 26 days old with 70 of 100 open."""
    lots, _, movements = ledger_views(JANUARY_AND_MARCH)
    span = Period.parse(MARCH["period"])
    window = windows.windows({"current": span}, (), span.start, span.end)
    periods = ibis.memtable([vars(w) for w in window], schema=windows.SCHEMA)
    names = ("lot", "points", "redeemed", "expired", "open", "age_days", "vintage")
    rows = points_views.points_lots(lots, movements, periods).select(*names).to_pyarrow().to_pylist()
    assert sorted(tuple(r.values()) for r in rows) == [
        ("A", 100, 60, 40, 0, 86, "2024-01"),
        ("B", 100, 30, 0, 70, 26, "2024-03"),
    ]


AGED = (
    Ledger()
    .book("2024-01-01", "ann", "earn", 100, "A")
    .book("2024-04-10", "ann", "redeem", -60, "A")
    .book("2024-04-11", "ann", "redeem", -10, "A")
    .book("2024-02-01", "bob", "bonus", 50, "B")
    .book("2024-02-02", "bob", "reverse", -10, "B")
    .book("2024-03-01", "bob", "redeem", -20)
    .book("2024-12-01", "cid", "earn", 30, "C")
    .book("2023-01-01", "dan", "adjust", 500, "D")
    .book("2023-06-01", "eve", "earn", 80, "E")
    .book("2024-06-01", "eve", "redeem", -80, "E")
    .rows
)


def test_redemption_rate() -> None:
    """By age 100, reached in 2024: ann's 100 on 10 April, 60 redeemed by that day (not the 10 of the next); bob's 50
    less 10 reversed, 20 redeemed. Not cid (too young), dan (not issued), eve (reached it in 2023). 80 of 140.
    Burnt in 2024: 60 + 10 + 20 + 80 = 170 of 180 issued.
    """
    results = computed(
        ("redemption_rate",), {"points_ledger": AGED}, YEAR, settings={"redemption_rate": {"age_days": 100}}, **DATA
    )
    found = row(results, "redemption_rate")
    assert (found["numerator"], found["denominator"], found["status"]) == (80, 140, "low_n")
    assert found["value"] == pytest.approx(80 / 140)
    assert json.loads(found["reason"]) == {"id": "reason.too_few_customers", "n": 2, "minimum": 100}
    assert value(results, "redemption_rate", "burn_to_earn") == pytest.approx(170 / 180)


def test_redemption_rate_needs_the_points_of_an_age_ago() -> None:
    results = computed(("redemption_rate",), {"points_ledger": AGED}, YEAR, data="2023-03-01/2024-12-31")
    found = row(results, "redemption_rate")
    assert found["status"] == "missing_data"
    assert json.loads(found["reason"]) == {
        "id": "reason.history_not_covered",
        "needed": "2023-01-01",
        "first": "2023-03-01",
    }


def test_redemption_rate_of_hundred_members_counts() -> None:
    """40 of 100 members redeem half of their 10 points: shares of 0 or 0.5, clustered by member."""
    ledger = Ledger()
    for i in range(100):
        ledger.book("2024-01-01", f"m{i}", "earn", 10, f"L{i}")
        if i < 40:
            ledger.book("2024-01-15", f"m{i}", "redeem", -5, f"L{i}")
    month = {"redemption_rate": {"age_days": 30}}
    found = row(
        computed(("redemption_rate",), {"points_ledger": ledger.rows}, YEAR, settings=month, **DATA), "redemption_rate"
    )
    assert (found["value"], found["status"], found["n"]) == (0.2, "ok", 100)
    assert found["high"] - 0.2 == pytest.approx(1.959964 * 0.5 * (0.24 * 100 / 99) ** 0.5 / 10, rel=1e-6)


def test_earn_burn_ratio() -> None:
    """180 earned or given as a bonus in 2024 per 170 redeemed; reversals, adjustments and expiry are neither."""
    results = computed(("earn_burn_ratio",), {"points_ledger": AGED}, YEAR, **DATA)
    found = row(results, "earn_burn_ratio")
    assert (found["numerator"], found["denominator"]) == (180, 170)
    assert found["value"] == pytest.approx(180 / 170)


def test_nothing_burnt() -> None:
    ledger = Ledger().book("2024-02-01", "ann", "earn", 10, "A").rows
    found = row(computed(("earn_burn_ratio",), {"points_ledger": ledger}, YEAR, **DATA), "earn_burn_ratio")
    assert (found["value"], found["status"]) == (None, "undefined")
    assert json.loads(found["reason"]) == {"id": "reason.zero_denominator"}


def test_ultimate_redemption_and_breakage() -> None:
    """URR = 0.35 + 0.65/3 (worked in tests/stats/test_development.py); redeemed so far were 90 of 200 only. Of the
    points of January, the one month without open points, 60 of 100 were redeemed. Two members are too few.
    """
    results = computed(("ultimate_redemption_rate", "breakage_rate"), {"points_ledger": JANUARY_AND_MARCH}, **MARCH)
    found = row(results, "ultimate_redemption_rate")
    assert found["value"] == pytest.approx(URR)
    assert (found["denominator"], found["n"], found["status"]) == (200, 2, "low_n")
    assert json.loads(found["reason"]) == {"id": "reason.too_few_persons", "n": 2, "minimum": 300}
    assert value(results, "breakage_rate") == pytest.approx(1 - URR)
    assert value(results, "ultimate_redemption_rate", "closed_months") == 0.6
    closed = row(results, "breakage_rate", "closed_months")
    assert (closed["value"], closed["numerator"], closed["denominator"]) == (0.4, 40, 100)
    table = results.tables["ultimate_redemption_rate"].to_dict("records")
    assert table == [
        {"vintage": "2024-01", "redeemed": 60, "expired": 40, "open": 0, "issued": 100},
        {"vintage": "2024-03", "redeemed": 30, "expired": 0, "open": 70, "issued": 100},
    ]


def test_points_too_young_to_expire_are_not_breakage() -> None:
    """Everything is open: between none and all will be redeemed, and no month is closed."""
    ledger = Ledger().book("2024-03-01", "ann", "earn", 100, "A").rows
    results = computed(("breakage_rate",), {"points_ledger": ledger}, **MARCH)
    found = row(results, "breakage_rate")
    assert (found["value"], found["low"], found["high"]) == (0.5, 0, 1)
    closed = row(results, "breakage_rate", "closed_months")
    assert (closed["value"], closed["status"]) == (None, "undefined")
    assert json.loads(closed["reason"]) == {"text": "No month of issue is without open points."}


def _cells(members: int, months: int, expired: int) -> pd.DataFrame:
    """Of 10 points a month 6 are redeemed at age 5; of the other 4 so many expire at 20, the rest is open at 40."""
    names = ["vintage", "age", "redeemed", "expired", "open", "members", "holders"]
    rows = [
        (f"2024-{month + 1:02d}", *end, members, members)
        for month in range(months)
        for end in ((5, 6, 0, 0), (20, 0, expired, 0), (40, 0, 0, 4 - expired))
    ]
    return pd.DataFrame(rows, columns=names)


def _alike(cells: pd.DataFrame) -> pd.DataFrame:
    """Four groups of members whose points all end in the same way."""
    return pd.concat([cells.assign(group=group) for group in range(4)], ignore_index=True)


@pytest.mark.parametrize(
    ("cells", "status", "reason"),
    [
        (_cells(300, 12, 4), "ok", None),
        (_cells(299, 12, 4), "low_n", {"id": "reason.too_few_persons", "n": 299, "minimum": 300}),
        (_cells(300, 11, 4), "low_n", {"text": points.FEW_MONTHS, "months": 11, "minimum": 12}),
        (_cells(300, 12, 0), "bounded", {"text": points.OPEN_END, "share": 40.0}),
    ],
    ids=["enough", "members", "months", "tail"],
)
def test_when_the_ultimate_rate_may_be_shown(cells: pd.DataFrame, status: str, reason: Any) -> None:
    """Where nothing expires 4 of 10 stay open: between 0.6 and 1, in the middle 0.8."""
    found = points.ultimate_redemption_rate(cells, _alike(cells))
    assert found.status == status
    assert (json.loads(found.reason) if found.reason else None) == reason
    expected = (0.8, 0.6, 1.0) if status == "bounded" else (0.6, 0.6, 0.6)
    assert (found.value, found.low, found.high) == pytest.approx(expected)


def test_the_interval_lets_members_vary() -> None:
    """12 months in which 4 groups of members redeem 2, 4, 6 and 8 of 10 points: every month says 0.5, so resampled
    months would not vary; members do, by sqrt(5)/10 / sqrt(4) = 0.112 (bootstrap: about 0.28 to 0.72).
    """
    cells = _cells(300, 12, 4).assign(redeemed=[5, 0, 0] * 12, expired=[0, 5, 0] * 12, open=0)
    groups = pd.concat(
        [cells.assign(group=i, redeemed=[2 * i + 2, 0, 0] * 12, expired=[0, 8 - 2 * i, 0] * 12) for i in range(4)]
    )
    found = points.ultimate_redemption_rate(cells, groups)
    assert (found.value, found.status) == (pytest.approx(0.5), "ok")
    assert (found.low, found.high) == (pytest.approx(0.28, abs=0.03), pytest.approx(0.72, abs=0.03))
    rest = points.breakage_rate(cells, groups)
    assert (rest.low, rest.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_sentences() -> None:
    assert points.FEW_MONTHS == "Points of {months} months of issue are known; {minimum} are needed."
    assert points.OPEN_END == (
        "{share} % of the points are still open at the highest age in the data: what becomes of them is not known."
    )


LIABLE = {
    **shop(receipt(1, "2024-03-01", 100, "bob")),
    "points_ledger": JANUARY_AND_MARCH,
    "memberships": [membership("ann", "2024-01-01"), membership("bob", "2024-01-01")],
    "programme_rules": [rules()],
}


def test_points_liability() -> None:
    """After 26 March 70 points are open, 26 days old: a third will be redeemed, at 0.01 each. Before 1 March none was.
    IFRS 15: 100 points sell for 100 · 0.01 · URR beside goods of 100; 30 are redeemed, 70/3 to come.
    """
    results = computed(("points_liability",), LIABLE, **MARCH)
    found = row(results, "points_liability")
    assert found["value"] == pytest.approx(70 / 3 * 0.01)
    assert (found["denominator"], found["status"]) == (70, "low_n")
    assert value(results, "points_liability", "change") == pytest.approx(70 / 3 * 0.01)
    assert value(results, "points_liability", "if_all_redeemed") == pytest.approx(0.7)
    allocated = 100 * URR / (100 + URR)
    assert value(results, "points_liability", "ifrs15") == pytest.approx(allocated * (70 / 3) / (30 + 70 / 3))
    hidden = row(computed(("points_liability",), LIABLE, **MARCH, min_persons=10), "points_liability", "2024")
    assert (hidden["value"], json.loads(hidden["reason"])["id"]) == (None, "reason.privacy")


def test_points_liability_by_year_of_issue() -> None:
    """Of 10 points 6 are redeemed at age 5 and 4 expire: of points open at age 6 none comes, of new ones 0.6."""
    experience = _cells(300, 12, 4)
    names = ["moment", "earned", "age", "points", "cost", "members"]
    balance = [
        ("end", "2023", 6, 900, 90.0, 40),
        ("end", "2024", 0, 100, 10.0, 50),
        ("start", "2023", 0, 100, 10.0, 40),
    ]
    deferred = pd.DataFrame({"deferred": [7.0]})
    found = points.points_liability(experience, _alike(experience), pd.DataFrame(balance, columns=names), deferred)
    years = found.parts["year_of_issue"]
    assert {year: (part.value, part.persons) for year, part in years.items()} == {"2023": (0, 40), "2024": (6, 50)}
    assert (found.value, found.low, found.high, found.status) == (6, 6, 6, "ok")
    assert (found.parts["variant"]["change"].value, found.parts["variant"]["ifrs15"].value) == (0, 7)


def test_liability_falls_when_points_are_redeemed_or_expire() -> None:
    """Before 20 January 60 of A are open (of A 20 of 60 will be redeemed: 0.20); after the 31st none."""
    results = computed(
        ("points_liability",), LIABLE, "2024-03-01/2024-03-26", "2024-01-20/2024-01-31", data=MARCH["data"]
    )
    assert value(results, "points_liability", period="previous") == 0
    # at age 19 of all points 0.8 are open, and 0.15 + 0.65/3 of all are redeemed later
    assert value(results, "points_liability", "change", "previous") == pytest.approx(-0.6 * (0.15 + 0.65 / 3) / 0.8)


def test_the_rules_of_the_day_price_a_point() -> None:
    """Points of March are worth 0.01; rules that ended in February or begin in April say otherwise and do not count."""
    versions = [
        rules(valid_to="2024-02-29", point_face_value=9),
        rules(valid_from="2024-03-01", valid_to="2024-03-01"),
        rules(valid_from="2024-03-02", point_face_value=7),
    ]
    results = computed(("points_liability",), {**LIABLE, "programme_rules": versions}, **MARCH)
    allocated = 100 * URR / (100 + URR)
    assert value(results, "points_liability", "ifrs15") == pytest.approx(allocated * (70 / 3) / (30 + 70 / 3))


def test_the_curve_in_sql_is_that_of_the_statistics() -> None:
    """Two ways to the same prospects: windows in SQL for the cost, arrays for the intervals."""
    ledger = Ledger()
    for i in range(60):
        day = np.datetime64("2024-01-01") + 3 * i
        ledger.book(str(day), f"m{i % 5}", "earn", 10, f"L{i}")
        ledger.book(str(day + i % 17), f"m{i % 5}", "redeem", -(i % 7), f"L{i}")
        if i % 3:
            ledger.book(str(day + 40 + i % 5), f"m{i % 5}", "expire", -3, f"L{i}")
    con = load({"points_ledger": ledger.rows}).backend
    table = con.table("points_ledger")
    lots = points_views.earned_lots(table)
    movements = points_views.lot_movements(points_views.lot_uses(table, lots), lots)
    flow = points_views.points_flow(lots, movements)
    span = Period.parse("2024-07-01/2024-07-10")
    window = windows.windows({"current": span}, (), span.start, span.end)
    periods = ibis.memtable([vars(w) for w in window], schema=windows.SCHEMA)
    development = points_views.points_development(flow, lots, periods)
    curve = points_views.redemption_prospects(development).order_by("age").to_pyarrow().to_pandas()
    cells = development.to_pyarrow().to_pandas()
    months = cells["vintage"].rank(method="dense").astype(int) - 1
    known = develop(months, cells["age"], cells["redeemed"], cells["expired"], cells["open"])
    groups = points_views.points_by_group(lots, movements, periods).to_pyarrow().to_pandas()
    assert sorted(groups["group"].unique()) == [0, 1, 2, 3, 4]  # five members, each a group
    ends = ["redeemed", "expired", "open"]
    assert groups.groupby("age")[ends].sum().equals(cells.groupby("age")[ends].sum())
    assert len(curve) == len(known.low) > 150
    reached = known.low + known.high > 0
    assert curve["prospect"].to_numpy()[reached] == pytest.approx(known.middle[reached], abs=1e-12)
    assert curve["tail"].iloc[0] == pytest.approx(known.tail)
