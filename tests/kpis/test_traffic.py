"""Visits, worked by hand."""

from __future__ import annotations

import pytest

from kpis.outreach_cases import parts, result, seen
from tiny_client import receipt, row, shop

BOTH = {"period": "2024-02-01/2024-02-29", "compare": "2024-01-01/2024-01-31", "data": "2024-01-01/2024-02-29"}
EVENTS = [
    seen(1, "v1", "2024-01-05 10:00:00", customer_id="ann"),
    seen(2, "v1", "2024-02-01 10:00:00", customer_id="ann"),
    seen(3, "v1", "2024-02-01 10:30:00"),
    seen(4, "v1", "2024-02-01 11:01:00"),
    seen(5, "v1", "2024-02-20 10:00:00"),
    seen(6, "v2", "2024-02-02 10:00:00", customer_id="bea"),
    seen(7, "v3", "2024-02-03 10:00:00"),
    seen(8, "v3", "2024-02-03 10:01:00", channel="store"),
    seen(9, "v4", "2024-02-03 10:00:00", channel="store"),
    seen(10, "v5", "2024-02-03 10:00:00", is_bot=True),
    seen(11, "v3", "2024-01-03 10:00:00"),
    seen(12, "v2", "2024-01-31 23:59:00", customer_id="bea"),
]
CLIENT = shop(
    receipt(1, "2024-02-10", 30, "ann", cogs=10),
    receipt(2, "2024-02-11", 20, "ann", cogs=20),
    receipt(3, "2024-02-12", 99, "carl", cogs=9),
    receipt(4, "2024-02-12", 50, cogs=10),
    receipt(5, "2024-01-10", 20, "ann", cogs=15, line_id="sold"),
    receipt(6, "2024-01-11", 15, "bea", cogs=10),
    funnel_events=EVENTS,
    memberships=[
        {"member_id": "m1", "customer_id": "ann", "enrolled_at": "2024-01-20"},
        {"member_id": "m2", "customer_id": "bea", "enrolled_at": "2024-02-02"},
    ],
)


def test_visit_frequency() -> None:
    """February: ann three visits (a pause of 31 minutes cuts the first day's session, one of 30 does not), bea one, v3
    one, v4 one, the bot none: 6 in 4 person-months; of one month, so 6 by 4 visitors as well. Ann was a member on
    1 February: 3 visits, the others 3 in 3. Margin of identified visitors: ann 20 + 0, bea 0; 20 per 4 visits; per
    person 10. January: ann and bea one visit each, margins 5 and 5. Visits per identified visitor from 1 to 2 (+100 %),
    margin per visitor from 5 to 10 (+100 %): no visits without margin.
    """
    results = result("visit_frequency", CLIENT, **BOTH)
    assert parts(results, "visit_frequency") == (1.5, 6, 4)
    assert parts(results, "visit_frequency", "visits_per_visitor") == (1.5, 6, 4)
    assert parts(results, "visit_frequency", "members") == (3, 3, 1)
    assert parts(results, "visit_frequency", "others") == (1, 3, 3)
    assert parts(results, "visit_frequency", "margin_per_visit") == (5, 20, 4)
    assert parts(results, "visit_frequency", "margin_per_person") == (10, 20, 2)
    assert row(results, "visit_frequency", "visits_without_margin")["value"] == pytest.approx(0)
    assert row(results, "visit_frequency", "margin_per_visit")["unit"] == "money"


def test_visits_per_visitor_count_the_whole_period() -> None:
    """January and February together: ann 4 visits, bea 2, v3 2, v4 1: 9 by 4 visitors, in 7 person-months."""
    results = result("visit_frequency", CLIENT, "2024-01-01/2024-02-29")
    assert parts(results, "visit_frequency")[1:] == (9, 7)
    assert parts(results, "visit_frequency", "visits_per_visitor") == (2.25, 9, 4)


def test_more_visits_with_less_margin() -> None:
    """Without ann's purchases of February margin per visitor falls to 0 (-100 %) while visits double: 1 - (-1) = 2."""
    lines = [line for line in CLIENT["order_lines"] if line["transaction_id"] not in ("t1", "t2")]
    results = result("visit_frequency", {**CLIENT, "order_lines": lines}, **BOTH)
    assert row(results, "visit_frequency", "visits_without_margin")["value"] == pytest.approx(2)


def test_frequency_over_two_months() -> None:
    """January and February together: ann 1 + 3 in 2 months, bea 1 + 1 in 2, v3 1 + 1 in 2, v4 1 in 1: 9 visits in 7."""
    results = result("visit_frequency", CLIENT, "2024-01-01/2024-02-29", data="2024-01-01/2024-02-29")
    assert parts(results, "visit_frequency") == (pytest.approx(9 / 7), 9, 7)


def test_website_statistics() -> None:
    """February without the store: ann 3, bea 1, v3 1 (its second event came in the store, in the same visit): 5 visits
    of 3 visitors. Logged in: ann's first and bea's: 2 of 5. By members at the month's start: ann's 3 of 5. Of a single
    event: ann's second and third, bea's: 3 of 5.
    """
    results = result("website_statistics", CLIENT, "2024-02-01/2024-02-29", data="2024-01-01/2024-02-29")
    assert parts(results, "website_statistics")[0] == 5
    assert parts(results, "website_statistics", "visitors")[0] == 3
    assert parts(results, "website_statistics", "identified_share") == (0.4, 2, 5)
    assert parts(results, "website_statistics", "member_share") == (0.6, 3, 5)
    assert parts(results, "website_statistics", "bounce_rate") == (0.6, 3, 5)
    assert row(results, "website_statistics", "visitors")["unit"] == "persons"


def test_all_channels_when_none_is_left_out() -> None:
    results = result(
        "website_statistics", CLIENT, "2024-02-01/2024-02-29", data="2024-01-01/2024-02-29",
        settings={"offline_channels": ""},
    )  # fmt: skip
    assert parts(results, "website_statistics")[0] == 6


def test_the_visit_of_the_last_night_stays_in_its_month() -> None:
    """Bea came at 23:59 on 31 January: January has ann, bea and v3."""
    results = result("website_statistics", CLIENT, "2024-01-01/2024-01-31", data="2024-01-01/2024-02-29")
    assert parts(results, "website_statistics")[0] == 3


def test_without_memberships_and_lines_the_frequency_stands() -> None:
    """What needs them is lost, the headline is not."""
    results = result("visit_frequency", {"funnel_events": EVENTS}, "2024-02-01/2024-02-29")
    assert parts(results, "visit_frequency") == (1.5, 6, 4)
    assert set(results.scorecard["segment"]) == {"total", "visits_per_visitor"}
