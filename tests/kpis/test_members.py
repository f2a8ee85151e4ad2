"""Enrolment, use of the programme and onboarding, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from kpis.sales_cases import back, copies, reason, sale, tables, values
from tiny_client import only, row, run

YEAR = {"period": "2024-01-01/2024-12-31", "data": "2023-01-01/2024-12-31"}


def member(name: str, enrolled: str, closed: str | None = None, **more: Any) -> dict[str, Any]:
    dates = {"enrolled_at": f"{enrolled} 10:00", "closed_at": closed and f"{closed} 10:00"}
    return {"member_id": f"card {name}", "customer_id": name} | dates | more


SHOP = tables(
    sale("r1", "2024-02-01", 10, by="anna", channel="store"),
    sale("r2", "2024-03-01", 10, by="anna", channel="web"),
    sale("r3", "2024-05-01", 10, by="bea", channel="web"),
    sale("r4", "2024-04-01", 10, by="carl", channel="store"),
    sale("r5", "2024-06-01", 10, by="dora", channel="store"),
    sale("r6", "2023-06-01", 10, by="emil", channel="store"),
    sale("r7", "2024-07-01", 10, by="fay", channel="store"),
    sale("r8", "2024-07-09", back("r7.1", 10), by="fay", channel="store"),
    sale("r9", "2024-07-09", 10, channel="store"),
    memberships=[
        member("anna", "2023-02-01"),
        member("bea", "2024-05-01"),
        member("carl", "2023-02-01", "2024-06-30"),
        member("emil", "2023-02-01"),
        member("fay", "2023-02-01"),
        member("gus", "2025-02-01"),
    ],
)


def test_enrolment_rate() -> None:
    """Bought and kept something in 2024: anna, bea, carl, dora; emil bought in 2023, fay brought it back, one is
    unknown. Open at the end: anna and bea; at the start: anna and carl. Of bea and dora, no members then, bea joined.
    """
    results = run(SHOP, **YEAR, catalog=only("enrolment_rate"))
    names = ("total", "at_start", "new_members")
    found = [row(results, "enrolment_rate", name) for name in names]
    assert [(f["numerator"], f["denominator"]) for f in found] == [(2, 4), (2, 4), (1, 2)]
    assert (found[0]["value"], found[0]["status"]) == (0.5, "low_n")
    assert reason(found[0]) == {"id": "reason.too_few_cases", "n": 4, "minimum": 30}


def test_enrolment_rate_by_channel_is_that_of_the_last_purchase() -> None:
    """On the web anna and bea, both members; in the store carl, who left, and dora."""
    results = run(copies(SHOP, 10), **YEAR, catalog=only("enrolment_rate"), breakdowns=("channel",))
    assert values(results, "enrolment_rate", "channel") == {"web": 1, "store": 0}
    assert row(results, "enrolment_rate")["status"] == "ok"


def test_a_window_that_the_data_do_not_cover() -> None:
    found = row(
        run(SHOP, **{**YEAR, "data": "2024-03-01/2024-12-31"}, catalog=only("enrolment_rate")), "enrolment_rate"
    )
    assert (found["status"], reason(found)["id"]) == ("missing_data", "reason.history_not_covered")


def entry(name: str, day: str, kind: str) -> dict[str, Any]:
    return {"entry_id": f"{name} {day} {kind}", "member_id": f"card {name}", "ts": f"{day} 12:00", "type": kind}


def test_active_member_rate() -> None:
    """365 days to the end of 2024 begin on 2 January, 90 days on 3 October. Enrolled for a year and open: ann, bob,
    cat, eve. Ann earned and cat redeemed; what bob has is expiry, a bonus and an adjustment; eve earned on 1 January.
    Dan enrolled in March, fay left: 2 of 4. In 90 days: cat and dan of ann, bob, cat, dan, eve. Only bob showed a card.
    """
    shop = tables(
        sale("r1", "2024-06-01", 10, by="bob", card="card bob"),
        sale("r2", "2024-01-01", 10, by="eve", card="card eve"),
        memberships=[
            *(member(name, "2023-02-01") for name in ("ann", "bob", "cat", "eve")),
            member("dan", "2024-03-01"),
            member("fay", "2022-03-01", "2024-08-01"),
        ],
        points_ledger=[
            entry("ann", "2024-05-01", "earn"),
            *(entry("bob", "2024-05-01", kind) for kind in ("expire", "bonus", "adjust", "reverse")),
            entry("cat", "2024-10-03", "redeem"),
            entry("dan", "2024-12-01", "earn"),
            entry("eve", "2024-01-01", "earn"),
            entry("fay", "2024-02-01", "earn"),
        ],
    )
    results = run(shop, **YEAR, catalog=only("active_member_rate"))
    found = [row(results, "active_member_rate", name) for name in ("total", "at_90_days", "card_use")]
    assert [(f["numerator"], f["denominator"]) for f in found] == [(2, 4), (2, 5), (1, 4)]
    assert found[0]["status"] == "low_n"


def test_nobody_is_enrolled_long_enough() -> None:
    shop = tables(
        sale("r1", "2024-06-01", 10, by="bob", card="card bob"),
        memberships=[member("bob", "2024-05-01")],
        points_ledger=[entry("bob", "2024-06-01", "earn")],
    )
    found = row(run(shop, **YEAR, catalog=only("active_member_rate")), "active_member_rate")
    assert (found["value"], found["status"], reason(found)) == (None, "undefined", {"id": "reason.zero_denominator"})


def test_onboarding_completion() -> None:
    """Enrolled from January to March, data until 31 March. ann: done after 5 days, earned after 10. bob: marked after
    2, but only a bonus. cat: 10 days of data, nothing. dan: earned at once, done after 50. eve left after 4 days and
    stays in the base. Day 10: 1 of 5 at risk; S(30) = 0.8. As recorded: 1 of 5 on day 2, 1 of 4 on day 5: S = 0.6.
    First reward of ann after 31 days, cat gone by then: 1 of 4. fay enrolled before the period.
    """
    shop = tables(
        sale("r1", "2024-01-10", 10, by="ann", card="card ann"),
        memberships=[
            member("ann", "2024-01-10", onboarding_done_at="2024-01-15 09:00"),
            member("bob", "2024-01-10", onboarding_done_at="2024-01-12 09:00"),
            member("cat", "2024-03-21"),
            member("dan", "2024-01-20", onboarding_done_at="2024-03-10 09:00"),
            member("eve", "2024-02-01", "2024-02-05"),
            member("fay", "2023-12-31", onboarding_done_at="2024-01-01 09:00"),
        ],
        points_ledger=[
            entry("ann", "2024-01-20", "earn"),
            entry("ann", "2024-02-20", "earn"),
            entry("bob", "2024-01-10", "bonus"),
            entry("dan", "2024-01-20", "earn"),
            entry("fay", "2024-01-01", "earn"),
        ],
        redemptions=[{"redemption_id": "a", "member_id": "card ann", "ts": "2024-02-10 12:00"}],
    )
    kpi = "onboarding_completion_rate"
    results = run(shop, "2024-01-01/2024-03-31", data="2023-12-01/2024-03-31", catalog=only(kpi))
    found = {name: row(results, kpi, name) for name in ("total", "as_recorded", "first_redemption")}
    assert {name: f["value"] for name, f in found.items()} == pytest.approx(
        {"total": 0.2, "as_recorded": 0.4, "first_redemption": 0.25}
    )
    assert (found["total"]["n"], found["total"]["status"]) == (5, "low_n")
    assert reason(found["total"])["id"] == "reason.too_few_at_risk"
