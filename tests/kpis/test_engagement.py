"""Digital use and actions beside buying, worked by hand."""

from __future__ import annotations

from typing import Any

from kpis.sales_cases import reason, sale, tables
from tiny_client import only, row, run

DIGITAL, ACTIONS = "digital_adoption_rate", "value_added_action_rate"
YEAR = {"period": "2024-01-01/2024-12-31", "data": "2023-01-01/2024-12-31"}


def event(name: str, day: str, what: str, where: str = "app", bot: bool = False) -> dict[str, Any]:
    who = {"event_id": f"{name} {day} {what}", "visitor_id": name, "customer_id": name, "ts": f"{day} 12:00"}
    return who | {"event_name": what, "touchpoint_type": where, "is_bot": bot}


def member(name: str, digital: bool, closed: str | None = None) -> dict[str, Any]:
    dates = {"enrolled_at": "2023-02-01 10:00", "closed_at": closed}
    return {"member_id": f"card {name}", "customer_id": name, "digital_card": digital} | dates


#: 90 days to the end of 2024 begin on 3 October. Active: anna, bea, carl, fay; dora showed no card, emil left.
SHOP = tables(
    sale("r1", "2024-10-03", 10, by="anna", card="card anna"),
    sale("r2", "2024-03-01", 10, by="bea", card="card bea"),
    sale("r3", "2024-12-05", 10, by="carl", card="card carl"),
    sale("r4", "2024-12-05", 10, by="dora"),
    sale("r5", "2024-12-05", 10, by="emil", card="card emil"),
    sale("r6", "2024-06-01", 10, by="fay", card="card fay"),
    memberships=[
        member("anna", digital=True),
        member("bea", digital=True),
        member("carl", digital=False),
        member("dora", digital=True),
        member("emil", digital=True, closed="2024-12-20 10:00"),
        member("fay", digital=False),
    ],
    funnel_events=[
        event("bea", "2024-11-20", "visit"),
        event("carl", "2024-12-05", "visit", bot=True),
        event("carl", "2024-12-06", "review", bot=True),
        event("fay", "2024-12-05", "visit", where="website"),
        event("fay", "2024-10-02", "visit"),
        event("anna", "2024-12-10", "review", where="website"),
        event("dora", "2024-12-10", "review"),
        event("fay", "2024-10-02", "profile_update"),
    ],
    referrals=[{"referral_id": "1", "referrer_customer_id": "bea", "sent_at": "2024-12-01 12:00"}],
    survey_invitations=[
        {"invitation_id": "1", "customer_id": "carl", "sent_at": "2024-09-01", "responded_at": "2024-12-01 12:00"},
        {"invitation_id": "2", "customer_id": "fay", "sent_at": "2024-12-01", "responded_at": None},
    ],
)


def _shares(kpi: str, names: tuple[str, ...], **more: Any) -> dict[str, tuple[float, float]]:
    results = run(SHOP, **YEAR, catalog=only(kpi), **more)
    return {n: (row(results, kpi, n)["numerator"], row(results, kpi, n)["denominator"]) for n in names}


def test_digital_adoption() -> None:
    """anna bought with a digital card on the first of the 90 days, bea opened the app; carl's app visit is a bot's and
    fay's the day before.
    """
    found = _shares(DIGITAL, ("total", "digital_card", "app"))
    assert found == {"total": (2, 4), "digital_card": (1, 4), "app": (1, 4)}


def test_value_added_actions() -> None:
    """anna reviewed, bea invited a friend, carl answered; carl's review is a bot's, fay's update is too old, dora is
    inactive.
    """
    names = ("total", "review", "profile_update", "referral", "survey_answer")
    assert _shares(ACTIONS, names) == {
        "total": (3, 4),
        "review": (1, 4),
        "profile_update": (0, 4),
        "referral": (1, 4),
        "survey_answer": (1, 4),
    }


def test_the_list_of_actions_is_the_clients() -> None:
    """Only referrals: neither events nor surveys are needed then."""
    few = {name: rows for name, rows in SHOP.items() if name not in ("funnel_events", "survey_invitations")}
    settings = {ACTIONS: {"actions": ["referral"]}}
    found = row(run(few, **YEAR, catalog=only(ACTIONS), settings=settings), ACTIONS)
    assert (found["numerator"], found["denominator"], found["status"]) == (1, 4, "low_n")


def test_an_empty_list_of_actions() -> None:
    found = row(run(SHOP, **YEAR, catalog=only(ACTIONS), settings={ACTIONS: {"actions": []}}), ACTIONS)
    assert found["status"] == "failed"
    assert reason(found)["error"].endswith("no action is listed · name at least one in actions")
