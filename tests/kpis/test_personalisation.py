"""Individual treatment, suggestions and discounts, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from kpis.campaign_case import sale
from tiny_client import only, receipt, row, run, shop

YEAR = {"period": "2024-01-01/2024-12-31", "data": "2023-01-01/2024-12-31"}


def test_personalised_treatment_by_hand() -> None:
    """Delivered in 2024: ann by a rule on her purchases (personal), bob by the same; ann from a campaign that only
    knows her first name (blank rule), bob from one for everybody (not personalised). Not: cat (not delivered), dan
    (control), eve (delivered in 2023). 2 of 4. Active: the five of them; reached personally in the year: 2 of 5.
    """
    campaigns = [
        {"campaign_id": "rule", "is_personalised": True, "target_rule": "bought baby food", "start_at": "2024-02-01"},
        {"campaign_id": "name", "is_personalised": True, "target_rule": " ", "start_at": "2024-02-01"},
        {"campaign_id": "mass", "is_personalised": False, "target_rule": "everybody", "start_at": "2024-02-01"},
    ]
    targets = [
        ("rule", "ann", {}), ("rule", "bob", {}), ("name", "ann", {}), ("mass", "bob", {}),
        ("rule", "cat", {"delivered": False}), ("rule", "dan", {"arm": "control"}), ("rule", "eve", {"year": 2023}),
    ]  # fmt: skip
    rows = [
        {"campaign_id": c, "customer_id": who, "arm": "treatment", "delivered": True, **more}
        | {"sent_at": f"{more.get('year', 2024)}-02-01"}
        for c, who, more in targets
    ]
    rows = [{k: v for k, v in r.items() if k != "year"} for r in rows]
    buyers = [receipt(i, "2024-06-01", 10, who) for i, who in enumerate(("ann", "bob", "cat", "dan", "eve"))]
    tables = {**shop(*buyers), "campaigns": campaigns, "campaign_targets": rows}
    results = run(tables, **YEAR, catalog=only("personalised_treatment_rate"))
    found, persons = (row(results, "personalised_treatment_rate", name) for name in ("total", "customers"))
    assert (found["value"], found["numerator"], found["denominator"]) == (0.5, 2, 4)
    assert (persons["numerator"], persons["denominator"]) == (2, 5)


def _shown(customer: str | None, product: str, day: str, **more: Any) -> dict[str, Any]:
    facts = {"event_name": "suggestion_shown", "channel": "app", "touchpoint_type": "app", "is_bot": False}
    return {"event_id": f"{customer}{product}{day}", "customer_id": customer, "product_id": product, "ts": day,
            **facts, **more}  # fmt: skip


SUGGESTIONS = [
    _shown("ann", "p", "2024-03-01 10:00:00"),
    _shown("ann", "p", "2024-03-14 10:00:00"),  # 13 days on: the same suggestion
    _shown("bob", "p", "2024-03-01 10:00:00"),
    _shown("cat", "q", "2024-03-02 10:00:00"),
    _shown("dan", "q", "2024-03-02 10:00:00"),
    _shown("dan", "q", "2024-03-16 10:00:00"),  # 14 days on: a new one
    _shown("eve", "p", "2024-12-20 10:00:00"),  # its 14 days are not over
    _shown("eve", "q", "2024-03-02 10:00:00", event_name="product_view"),
    _shown("eve", "r", "2024-03-02 10:00:00", is_bot=True),
    _shown(None, "p", "2024-03-02 10:00:00"),
]
BOUGHT = [
    sale(1, "2024-03-27", "ann", "p", 1, 10),  # 13 days after the last showing
    sale(2, "2024-03-15", "bob", "p", 1, 10),  # 14 days after: too late
    sale(3, "2024-03-03", "cat", "q", 1, 10, line_id="sold"),
    sale(4, "2024-03-30", "cat", "q", -1, -10, return_of_line_id="sold"),
    sale(5, "2024-03-20", "dan", "q", 1, 10),  # answers his second suggestion
    sale(6, "2024-03-05", "fay", "p", 1, 10),
    sale(7, "2024-03-05", None, "p", 1, 10),
    *(sale(10 + i, "2024-01-05", who, "x", 1, 10) for i, who in enumerate(("ann", "bob", "cat", "dan", "fay", "gus"))),
]


def test_suggestions_by_hand() -> None:
    """Suggestions whose days are over: ann p, bob p, cat q, dan q twice. Accepted: ann, and dan's second: 2 of 5.

    The others, active in the year before March: of p fay and gus, cat and dan (not ann, bob, eve: eve never bought).
    In the 14 days from 1 March fay bought: 1 of 4. Of q from 2 March ann, bob, fay, gus: none; likewise from the
    16th. Expected (1/4 + 1/4 + 0 + 0 + 0) / 5 = 0.1; difference 0.3.
    """
    tables = {**shop(*BOUGHT), "funnel_events": SUGGESTIONS}
    results = run(tables, **YEAR, catalog=only("suggestion_acceptance_rate"))
    found = row(results, "suggestion_acceptance_rate")
    assert (found["value"], found["numerator"], found["denominator"]) == (pytest.approx(0.4), 2, 5)
    assert row(results, "suggestion_acceptance_rate", "not_shown")["value"] == pytest.approx(0.1)
    assert row(results, "suggestion_acceptance_rate", "more_than_not_shown")["value"] == pytest.approx(0.3)


def test_others_who_bought_give_the_expected_rate_its_interval() -> None:
    """Of the others only fay bought, which counts for two suggestions, among four others: 2/4. Owed by each
    of the six active in March: 2/4 / 6 = 1/12. Sums by person: ann and bob 1/4 - 1/12, fay 1/2 - 1/12, cat, dan, gus
    -1/12: 0.5 together. Less 0.1 a suggestion (1, 1, 0, 1, 2, 0): 0.0667 twice, 0.4167, -0.1833, -0.2833, -0.0833;
    squares 0.3033; standard error sqrt(0.3033 x 6/5) / 5 = 0.1207. The difference has 0.5333, -0.4667, -0.4167,
    -0.2167, 0.4833, 0.0833: squares 0.9633, standard error 0.2150.
    """
    results = run({**shop(*BOUGHT), "funnel_events": SUGGESTIONS}, **YEAR, catalog=only("suggestion_acceptance_rate"))
    found, more = (row(results, "suggestion_acceptance_rate", n) for n in ("not_shown", "more_than_not_shown"))
    assert (found["low"], found["high"]) == pytest.approx((0.1 - 0.2365, 0.1 + 0.2365), abs=1e-4)
    assert (more["low"], more["high"]) == pytest.approx((0.3 - 0.4215, 0.3 + 0.4215), abs=1e-4)


def test_personal_discounts_by_hand() -> None:
    """2024: ann 2 personal, 1 loyalty, 1 general on 20; bob 3 general; an anonymous 4 loyalty; cat's 10 personal were
    returned with everything; dan gave back one of two lines of 5 personal each on 20: 5 on 20 are left. Staff
    and 2023 do not count. Personal 2 + 5 of 2 + 1 + 1 + 3 + 4 + 5 = 16. Depth: 7 of 20 + 20.
    """
    receipts = [
        sale(1, "2024-03-01", "ann", "p", 1, 16, personal_discount=2, loyalty_discount=1, general_discount=1),
        sale(2, "2024-03-01", "bob", "p", 1, 7, general_discount=3),
        sale(3, "2024-03-01", None, "p", 1, 6, loyalty_discount=4),
        sale(4, "2024-03-01", "cat", "p", 1, 10, personal_discount=10, line_id="cat"),
        sale(5, "2024-03-09", "cat", "p", -1, -10, personal_discount=-10, return_of_line_id="cat"),
        sale(6, "2024-03-01", "dan", "p", 1, 15, personal_discount=5, line_id="dan"),
        sale(6, "2024-03-01", "dan", "p", 1, 15, personal_discount=5),
        sale(7, "2024-03-09", "dan", "p", -1, -15, personal_discount=-5, return_of_line_id="dan"),
        sale(8, "2024-03-01", "eve", "p", 1, 10, personal_discount=9, is_staff=True),
        sale(9, "2023-03-01", "ann", "p", 1, 10, personal_discount=9),
    ]
    tables = shop(*receipts)
    tables["transactions"] = list({t["transaction_id"]: t for t in tables["transactions"]}.values())
    tables["campaigns"] = [
        {"campaign_id": n, "is_personalised": n == "own", "start_at": "2024-02-01"} for n in ("own", "all")
    ]
    tables["campaign_targets"] = [
        {"campaign_id": c, "customer_id": who, "sent_at": "2024-02-01", "delivered": True, "offer_value": value}
        for c, who, value in (("own", "ann", 5), ("own", "bob", 0), ("all", "dan", 5))
    ]
    results = run(tables, **YEAR, catalog=only("personalised_discount_share"))
    found = row(results, "personalised_discount_share")
    assert (found["value"], found["numerator"], found["denominator"]) == (pytest.approx(7 / 16), 7, 16)
    depth = row(results, "personalised_discount_share", "depth")
    assert (depth["numerator"], depth["denominator"]) == (7, 40)
    persons = row(results, "personalised_discount_share", "customers")
    assert (persons["numerator"], persons["denominator"]) == (1, 3)  # ann, of ann, bob and dan


def test_no_discount_at_all() -> None:
    tables = shop(sale(1, "2024-03-01", "ann", "p", 1, 16))
    found = row(run(tables, **YEAR, catalog=only("personalised_discount_share")), "personalised_discount_share")
    assert (found["value"], found["status"]) == (None, "undefined")
