"""Why new customers came, worked by hand."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kpibook.stats.intervals import wilson
from kpis.outreach_cases import parts, result
from tiny_client import row

MAY = {"period": "2024-05-01/2024-05-31"}


def _new(number: int, reason: str | None, day: str = "2024-05-10", **more: Any) -> dict[str, Any]:
    return {"customer_id": f"n{number}", "created_at": day, "acquisition_reason": reason,
            "referred_by_customer_id": None, "acquisition_channel": "web", **more}  # fmt: skip


def _brought(number: int, friend: str | None, mode: str, bought: str | None = "2024-05-12") -> dict[str, Any]:
    return {"referral_id": f"f{number}", "referrer_customer_id": "old", "invitee_hash": f"h{number}", "mode": mode,
            "sent_at": f"2024-04-0{number}", "referred_customer_id": friend, "first_purchase_at": bought,
            "reward_cost": 5.0}  # fmt: skip


#: 50 new customers in May: 20 for the programme, 10 on a recommendation, 8 for the price, 12 of unknown reason.
PEOPLE = [
    *(_new(i, "programme") for i in range(20)),
    *(_new(20 + i, "recommendation") for i in range(10)),
    *(_new(30 + i, "price") for i in range(8)),
    *(_new(38 + i, "unknown" if i % 2 else None) for i in range(12)),
    _new(60, "programme", "2024-04-30"),
    _new(61, "programme", "2024-06-01"),
]
#: n30 was brought by two invitations, the first of them rewarded; n38 by a rewarded one; n39 has not bought.
LINKS = [
    _brought(2, "n30", "organic"),
    _brought(1, "n30", "incentivised"),
    _brought(3, "n38", "incentivised"),
    _brought(4, "n39", "incentivised", None),
    _brought(5, None, "organic", None),
]
CLIENT = {"customers": PEOPLE, "referrals": LINKS}


def test_bounds_of_what_customers_declare() -> None:
    """20 of 50 name the programme; with the 12 who did not say, at most 32 of 50. No single value, but the bounds with
    their sampling error: Wilson below 20/50 and above 32/50. Tracked: n30 and n38 of 50.
    """
    results = result("new_customers_due_to_programme", CLIENT, **MAY)
    found = row(results, "new_customers_due_to_programme")
    assert (found["status"], found["value"], found["numerator"], found["denominator"]) == ("bounded", None, 20, 50)
    assert found["low"] == pytest.approx(wilson(20, 50).low)
    assert found["high"] == pytest.approx(wilson(32, 50).high)
    assert json.loads(found["reason"]) == {
        "text": "{unknown} of {n} new customers did not say why they came: only bounds can be given.",
        "unknown": 12,
        "n": 50,
    }
    assert parts(results, "new_customers_due_to_programme", "declared") == (0.4, 20, 50)
    assert parts(results, "new_customers_due_to_programme", "tracked") == (0.04, 2, 50)
    causal = row(results, "new_customers_due_to_programme", "causal")
    assert (causal["value"], causal["status"]) == (None, "not_identified")


def test_a_point_when_everybody_says_why() -> None:
    """Without the twelve: 20 of 38."""
    told = [person for person in PEOPLE if person["acquisition_reason"] not in (None, "unknown")]
    results = result("new_customers_due_to_programme", {**CLIENT, "customers": told}, **MAY)
    found = row(results, "new_customers_due_to_programme")
    assert (found["value"], found["status"]) == (pytest.approx(20 / 38), "low_n")
    assert json.loads(found["reason"])["id"] == "reason.interval_too_wide"


def test_word_of_mouth() -> None:
    """Recommended: the ten who say so, n30 and n38 by their invitations. Reason known of 38, and of n38 by the link: 12
    of 39. If none of the other eleven was recommended 12 of 50, if all 23 of 50.
    """
    results = result("wom_new_customer_share", CLIENT, **MAY)
    assert parts(results, "wom_new_customer_share") == (pytest.approx(12 / 39), 12, 39)
    assert parts(results, "wom_new_customer_share", "at_least") == (0.24, 12, 50)
    assert parts(results, "wom_new_customer_share", "at_most") == (0.46, 23, 50)


def test_a_recommender_in_the_customer_record_is_a_link() -> None:
    people = [_new(1, "price", referred_by_customer_id="old"), _new(2, "price")]
    results = result("wom_new_customer_share", {**CLIENT, "customers": people}, **MAY)
    assert parts(results, "wom_new_customer_share") == (0.5, 1, 2)
