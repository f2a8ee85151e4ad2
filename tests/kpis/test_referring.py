"""Recommendations that can be traced, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from kpis.outreach_cases import parts, result
from tiny_client import receipt, row, shop


def _sent(number: int, who: str, friend: str | None, sent: str, bought: str | None, **more: Any) -> dict[str, Any]:
    return {"referral_id": f"f{number}", "referrer_customer_id": who, "invitee_hash": f"h{number}", "sent_at": sent,
            "mode": "organic", "referred_customer_id": friend, "first_purchase_at": bought, "reward_cost": 0.0,
            **more}  # fmt: skip


CARD = {"payment_token_hash": "c4"}


def _home(name: str, home: str | None = None) -> dict[str, Any]:
    return {"customer_id": name, "household_id": home}


#: Anna invited bob (bought 30 days later), carl (returned it), dora (100 days later); emil invited his household and
#: somebody with his card; fred, who has not bought since 2022, invited gus; hal invited ida, who bought in the year.
CLIENT = shop(
    receipt(1, "2024-01-10", 10, "anna"),
    receipt(2, "2024-02-09", 20, "bob", cogs=5),
    receipt(3, "2024-02-10", 20, "carl", line_id="sold"),
    receipt(4, "2024-02-11", -20, "carl", return_of_line_id="sold"),
    receipt(5, "2024-04-19", 10, "dora"),
    receipt(6, "2024-01-10", 10, "emil", **CARD),
    receipt(7, "2024-02-10", 10, "eva"),
    receipt(8, "2024-02-10", 10, "ed", **CARD),
    receipt(9, "2022-01-10", 10, "fred"),
    receipt(10, "2024-02-10", 10, "gus"),
    receipt(11, "2024-01-10", 10, "hal"),
    receipt(12, "2024-03-01", 40, "ida", cogs=10),
    receipt(13, "2024-06-01", 60, "ida", cogs=20),
    receipt(14, "2024-01-10", 10),
    customers=[*map(_home, ["anna", "bob", "carl", "dora", "fred", "gus", "hal", "ida"]),
               _home("emil", "home"), _home("eva", "home"), _home("ed")],
    referrals=[
        _sent(1, "anna", "bob", "2024-01-10", "2024-02-09"),
        _sent(2, "anna", "carl", "2024-01-10", "2024-02-10"),
        _sent(3, "anna", "dora", "2024-01-10", "2024-04-19"),
        _sent(4, "emil", "eva", "2024-01-15", "2024-02-10"),
        _sent(5, "emil", "ed", "2024-01-15", "2024-02-10"),
        _sent(6, "emil", "emil", "2024-01-15", "2024-01-16"),
        _sent(7, "fred", "gus", "2024-01-15", "2024-02-10"),
        _sent(8, "hal", "ida", "2024-02-01", "2024-03-01", mode="incentivised", reward_cost=8.0),
        _sent(9, "hal", None, "2024-02-01", None, mode="incentivised", reward_cost=2.0),
        _sent(10, "anna", "ida", "2024-02-02", "2024-03-01", invitee_hash="h8"),
    ],
)  # fmt: skip
JUNE = {"period": "2024-01-01/2024-06-30", "data": "2022-01-01/2024-06-30"}


def test_referral_rate() -> None:
    """Active in the 365 days to 30 June: anna, bob, dora, emil, eva, ed, gus, hal, ida: 9; not carl (returned), fred,
    the anonymous. With a friend within 90 days: anna (bob), hal (ida). Emil's are himself, his household, his card;
    fred is not active. 2 of 9.
    """
    results = result("referral_rate", CLIENT, **JUNE)
    assert parts(results, "referral_rate") == (pytest.approx(2 / 9), 2, 9)


def test_the_friends_purchase_places_the_referral() -> None:
    """In March only ida bought: hal, and anna who invited her a day later."""
    results = result("referral_rate", CLIENT, "2024-03-01/2024-03-31", data="2022-01-01/2024-06-30")
    assert parts(results, "referral_rate")[1:] == (2, 8)


def test_a_longer_wait_counts_dora() -> None:
    """100 days after the invitation: within 101 days, not within 100."""
    for days, referrers in ((101, 1), (100, 0)):
        tables = {**CLIENT, "referrals": [r for r in CLIENT["referrals"] if r["referral_id"] == "f3"]}
        results = result("referral_rate", tables, **JUNE, settings={"within_days": days})
        assert parts(results, "referral_rate")[1] == referrers


def test_k_factor() -> None:
    """Cycles of 90 days before 1 July: invitations of 3 January to 1 April, whose 90 days are over. Active in the 365
    days to 2 April: anna, bob, emil, eva, ed, gus, hal, ida: 8. Friends invited by them, once each: bob, carl, dora,
    and hal's ida and stranger (anna's later invitation to ida does not count): 5. Bought and kept within 90 days: bob,
    ida: 2. K = 5/8 * 2/5 = 1/4. Bob waited 30 days, ida 29: median 29.5.
    """
    results = result("k_factor", CLIENT, **JUNE)
    assert parts(results, "k_factor") == (0.25, 2, 8)
    assert parts(results, "k_factor", "invitations_per_customer") == (0.625, 5, 8)
    assert parts(results, "k_factor", "purchases_per_invitation") == (0.4, 2, 5)
    cycle = row(results, "k_factor", "cycle_time")
    assert (cycle["value"], cycle["unit"]) == (29.5, "days")


def test_natural_and_rewarded() -> None:
    """Friends who came in the half-year, by the first invitation: bob, dora, gus (organic), ida (rewarded): 3 of 4; not
    carl. Rewards of 8 per 4 friends; 8 per rewarded one. The stranger's 2 are no friend's.
    """
    results = result("organic_referral_share", CLIENT, **JUNE)
    assert parts(results, "organic_referral_share") == (0.75, 3, 4)
    assert parts(results, "organic_referral_share", "cost_per_friend") == (2, 8, 4)
    assert parts(results, "organic_referral_share", "cost_per_friend_incentivised") == (8, 8, 1)


def test_margin_of_the_first_year() -> None:
    """First years end 365 days after the first purchase: bob's on 8 February 2025 (20 - 5), ida's on 1 March 2025
    (40 - 10 + 60 - 20).
    """
    tables = {**CLIENT, "referrals": [r for r in CLIENT["referrals"] if r["referral_id"] in ("f1", "f8")]}
    results = result("organic_referral_share", tables, "2025-01-01/2025-12-31", data="2022-01-01/2025-12-31")
    assert parts(results, "organic_referral_share", "margin_12m_organic") == (15, 15, 1)
    assert parts(results, "organic_referral_share", "margin_12m_incentivised") == (70, 70, 1)
    assert row(results, "organic_referral_share", "margin_12m_organic")["unit"] == "money"
