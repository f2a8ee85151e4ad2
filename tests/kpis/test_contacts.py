"""Who may be addressed, how regularly it happens, who answers: worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from tiny_client import only, receipt, row, run, shop

YEAR = {"period": "2024-01-01/2024-12-31", "data": "2023-01-01/2024-12-31"}


def _buyers(*names: str, day: str = "2024-02-10", **days: str) -> list:
    return [receipt(i, days.get(name, day), 10, name) for i, name in enumerate([*names, *days], 1)]


def _consents(**given: tuple[bool, bool]) -> list[dict[str, Any]]:
    return [
        {"customer_id": name, "consent_email": email, "consent_push": push, "deleted_at": None}
        for name, (email, push) in given.items()
    ]


def _contact(customer: str, day: str, channel: str = "email", **more: Any) -> tuple[dict, dict]:
    """A campaign of its own and its contact."""
    name = f"{customer}-{day}-{channel}"
    campaign = {"campaign_id": name, "start_at": day, "channel": channel}
    facts = {"arm": "treatment", "delivered": True, "unsubscribed_at": None, "replied_at": None}
    return campaign, {"campaign_id": name, "customer_id": customer, "sent_at": f"{day} 09:00:00", **facts, **more}


def _tables(receipts: list, contacts: list[tuple[dict, dict]], **more: Any) -> dict[str, Any]:
    campaigns, targets = [c for c, _ in contacts], [t for _, t in contacts]
    return {**shop(*receipts), "campaigns": campaigns, "campaign_targets": targets, **more}


def test_contactable_by_hand() -> None:
    """March 2024; active: a purchase since 2 April 2023. Not hal (bought before that). Open: anna; carl (a bounce, but
    reached since); emil (left a mailing by post only); ida (her bounce is older than a year). Not: bea (bounced),
    dora (push only, and left an app campaign), fay (deleted), gus (unknown), kim (no consent): 4 of 9.
    """
    receipts = _buyers("anna", "bea", "carl", "dora", "emil", "fay", "gus", "ida", "kim", hal="2023-04-01")
    persons = _consents(anna=(True, False), bea=(True, False), carl=(True, False), dora=(False, True),
                        emil=(True, True), fay=(True, True), ida=(True, False), kim=(False, False),
                        hal=(True, True))  # fmt: skip
    persons[5]["deleted_at"] = "2024-02-20"
    contacts = [
        _contact("anna", "2024-03-05", "post"),
        _contact("bea", "2024-01-10", delivered=False),
        _contact("bea", "2024-01-10", "app"),
        _contact("carl", "2024-01-10", delivered=False),
        _contact("carl", "2024-02-10"),
        _contact("dora", "2024-02-11", "app", unsubscribed_at="2024-02-12"),
        _contact("emil", "2024-03-06", "post", unsubscribed_at="2024-03-07"),
        _contact("ida", "2023-03-01", delivered=False),
        _contact("anna", "2024-02-01", arm="control", delivered=False),
    ]
    tables = _tables(receipts, contacts, customers=persons)
    results = run(tables, "2024-03-01/2024-03-31", data="2023-01-01/2024-03-31", catalog=only("contactable_share"))
    found = row(results, "contactable_share")
    assert (found["value"], found["numerator"], found["denominator"]) == (pytest.approx(4 / 9), 4, 9)
    by = {name: row(results, "contactable_share", name) for name in ("by_email", "by_push", "unsubscribe_rate")}
    assert {name: (f["numerator"], f["denominator"]) for name, f in by.items()} == {
        "by_email": (4, 9),
        "by_push": (1, 9),
        "unsubscribe_rate": (1, 2),
    }


def test_leaving_after_the_period_does_not_close_a_channel_in_it() -> None:
    contacts = [_contact("anna", "2024-02-11", unsubscribed_at="2024-04-01")]
    tables = _tables(_buyers("anna"), contacts, customers=_consents(anna=(True, False)))
    results = run(tables, "2024-03-01/2024-03-31", data="2023-01-01/2024-04-30", catalog=only("contactable_share"))
    assert row(results, "contactable_share")["value"] == 1


def test_regularity_by_hand() -> None:
    """2024, quarters back from its end. ann: one contact in each. bob: none in the third. cat: each, and nine in
    October (eight campaigns more). eve: a control only. dan: his October message bounced: not contactable.
    Regular: ann of ann, bob, cat, eve; too rare bob and eve, too often cat.
    """
    quarters = ("2024-01-15", "2024-04-15", "2024-07-15", "2024-10-15")
    contacts = [_contact(name, day) for name in ("ann", "cat") for day in quarters]
    contacts += [_contact("bob", day) for day in quarters if "-07-" not in day]
    contacts += [_contact("cat", f"2024-10-{day:02d}") for day in range(1, 9)]
    contacts += [_contact("eve", day, arm="control") for day in quarters]
    contacts += [_contact("dan", day, delivered="-10-" not in day) for day in quarters]
    people = ("ann", "bob", "cat", "dan", "eve")
    tables = _tables(_buyers(*people), contacts, customers=_consents(**dict.fromkeys(people, (True, False))))
    results = run(tables, **YEAR, catalog=only("contact_regularity"))
    found = {name: row(results, "contact_regularity", name) for name in ("total", "too_rare", "too_often")}
    assert {name: (f["numerator"], f["denominator"]) for name, f in found.items()} == {
        "total": (1, 4),
        "too_rare": (2, 4),
        "too_often": (1, 4),
    }
    wider = run(
        tables, **YEAR, catalog=only("contact_regularity"), settings={"contact_regularity": {"max_per_month": 9}}
    )
    assert row(wider, "contact_regularity")["numerator"] == 2


def test_months_are_counted_back_from_any_day() -> None:
    """A period that ends on 14 May 2024: 14 May is in the last month, 15 April too, 14 April in the one before."""
    days = ("2024-05-14", "2024-04-15", "2024-04-14", "2024-01-20", "2023-10-20", "2023-07-20")
    tables = _tables(_buyers("ann"), [_contact("ann", day) for day in days], customers=_consents(ann=(True, False)))
    two, one = (
        run(tables, "2024-05-01/2024-05-14", data="2023-01-01/2024-05-14", catalog=only("contact_regularity"),
            settings={"contact_regularity": {"max_per_month": most}})
        for most in (2, 1)
    )  # fmt: skip
    assert row(two, "contact_regularity")["value"] == 1
    assert row(one, "contact_regularity", "too_often")["value"] == 1


def _event(customer: str | None, name: str, touchpoint: str, **more: Any) -> dict[str, Any]:
    return {"event_id": f"{customer}{name}", "customer_id": customer, "event_name": name, "ts": "2024-05-01 10:00:00",
            "touchpoint_type": touchpoint, "is_bot": False, **more}  # fmt: skip


def test_dialogue_by_hand() -> None:
    """Both ways: ann (mail, replied), bob (mail, survey), dan (proactive ticket, review on a social channel), hal
    (mail, meeting). Only addressed: cat (her ticket is spam), kim (opened the app). Only spoke: eve, and gil, who was
    addressed before the year. 4 of 8, one of them socially.
    """
    contacts = [_contact(name, "2024-03-01") for name in ("bob", "cat", "hal", "kim")]
    contacts += [_contact("ann", "2024-03-01", replied_at="2024-03-02"), _contact("gil", "2023-06-01")]
    tickets = [
        {"ticket_id": i, "customer_id": who, "direction": way, "created_at": "2024-04-01", "is_spam": spam}
        for i, (who, way, spam) in enumerate(
            [
                ("cat", "inbound", True),
                ("dan", "proactive", False),
                ("eve", "inbound", False),
                ("gil", "inbound", False),
            ]
        )
    ]
    answers = [
        {"response_id": i, "customer_id": who, "respondent_type": kind, "ts": "2024-06-01"}
        for i, (who, kind) in enumerate([("bob", "customer"), ("cat", "employee"), (None, "customer")])
    ]
    events = [
        _event("dan", "Review", "social"),
        _event("hal", "appointment", "meeting"),
        _event("kim", "app_open", "app"),
        _event("kim", "comment", "social", is_bot=True),
        _event(None, "comment", "social"),
    ]
    people = ("ann", "bob", "cat", "dan", "eve", "gil", "hal", "kim")
    tables = _tables(_buyers(*people), contacts, tickets=tickets, survey_responses=answers, funnel_events=events)
    results = run(tables, **YEAR, catalog=only("two_way_dialogue_rate"))
    found = {n: row(results, "two_way_dialogue_rate", n) for n in ("total", "social", "spoken_to", "spoke")}
    assert {n: (f["numerator"], f["denominator"]) for n, f in found.items()} == {
        "total": (4, 8),
        "social": (1, 8),
        "spoken_to": (6, 8),
        "spoke": (6, 8),
    }


@pytest.mark.parametrize("kpi", ["contactable_share", "contact_regularity", "two_way_dialogue_rate"])
def test_without_a_year_of_history(kpi: str) -> None:
    contacts = [_contact("ann", "2024-03-01")]
    more = {
        "tickets": [{"ticket_id": 1, "customer_id": "ann", "direction": "inbound", "created_at": "2024-03-03",
                     "is_spam": False}],
        "survey_responses": [
            {"response_id": 1, "customer_id": "ann", "respondent_type": "customer", "ts": "2024-03-03"}
        ],
        "funnel_events": [_event("ann", "comment", "social")],
    }  # fmt: skip
    tables = _tables(_buyers("ann"), contacts, customers=_consents(ann=(True, False)), **more)
    found = row(run(tables, "2024-03-01/2024-03-31", data="2024-01-01/2024-03-31", catalog=only(kpi)), kpi)
    assert found["status"] == "missing_data"
    assert "history_not_covered" in found["reason"]
