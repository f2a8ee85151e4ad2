"""A made-up shop of a few hundred purchases in which every table of the programme has rows; seeded."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

PERIOD, COMPARE, DATA = "2024-01-01/2024-12-31", "2023-01-01/2023-12-31", "2022-01-01/2024-12-31"
FIRST = date(2022, 1, 1)
PEOPLE, PURCHASES = 50, 240
CHANNELS = ("store", "store", "web", "app", "marketplace")
PRODUCTS = tuple("abcd")


def tables() -> dict[str, list[dict[str, Any]]]:
    """The same rows in each call, as lists of their own."""
    rng = random.Random(11)
    people = [f"p{i:02d}" for i in range(PEOPLE)]
    created = {p: FIRST + timedelta(days=rng.randrange(-1500, 1000)) for p in people}
    joined = {p: created[p] + timedelta(days=rng.choice((0, 30, 200))) for p in people[::2]}
    transactions, lines = _sales(rng, people, created, joined)
    return {
        "transactions": transactions,
        "order_lines": lines,
        "products": [
            {"product_id": p, "category_id": p.upper() if p != "d" else None, "points_eligible": p != "c"}
            for p in PRODUCTS
        ],
        "customers": [{"customer_id": p, "created_at": f"{created[p]} 09:00"} for p in people],
        "memberships": [_membership(rng, p, day) for p, day in joined.items()],
        "programme_costs": [
            {"cost_id": str(year), "cost_type": "enrolment_incentive", "amount": 40.0, "is_in_transactions": False}
            | {"period_start": f"{year}-01-01", "period_end": f"{year}-12-31"}
            for year in (2022, 2023, 2024)
        ],
        **_doings(rng, joined),
    }


def _day(rng: random.Random, first: date = FIRST) -> date:
    return first + timedelta(days=rng.randrange(max(1, (date(2025, 1, 1) - first).days)))


def _sales(rng: random.Random, people: list[str], created: dict, joined: dict) -> tuple[list, list]:
    transactions, lines = [], []
    for number in range(PURCHASES):
        person = rng.choice(people) if number % 5 else None
        day = _day(rng, max(FIRST, created[person]) if person else FIRST)
        enrolled = person in joined and joined[person] <= day
        card = f"m {person}" if enrolled and rng.random() < 0.8 else None
        head = {"transaction_id": f"t{number:03d}", "customer_id": person, "member_id": card, "ts": f"{day} 12:00:00"}
        token = f"k{number % 7}" if not person and number % 2 else None
        transactions.append(head | {"channel": rng.choice(CHANNELS), "store_id": "s", "payment_token_hash": token})
        lines += [_line(rng, f"t{number:03d}", position, bool(card)) for position in range(rng.choice((1, 2)))]
    for number in range(0, PURCHASES, 12):
        bought = next(line for line in lines if line["transaction_id"] == f"t{number:03d}")
        of = transactions[number]
        transactions.append(of | {"transaction_id": f"b{number:03d}", "channel": "store"})
        money = ("gross_amount", "general_discount", "loyalty_discount", "personal_discount", "net_amount", "cogs")
        lines.append(
            bought
            | {name: -bought[name] for name in money}
            | {"transaction_id": f"b{number:03d}", "line_id": f"b{number:03d}", "return_of_line_id": bought["line_id"]}
        )
    return transactions, lines


def _line(rng: random.Random, receipt: str, position: int, card: bool) -> dict[str, Any]:
    gross = float(rng.randrange(5, 120))
    general, own, personal = (round(gross * share, 2) for share in (0.02, 0.05 * card, 0.01 * card))
    discounts = {"general_discount": general, "loyalty_discount": own, "personal_discount": personal}
    net = round(gross - general - own - personal, 2)
    costs = {"cogs": round(gross * 0.6, 2), "variable_cost": 1.0, "supplier_funding": round(own * 0.3, 2)}
    names = {"line_id": f"{receipt}.{position}", "transaction_id": receipt, "product_id": rng.choice(PRODUCTS)}
    return names | {"return_of_line_id": None, "gross_amount": gross, "net_amount": net} | discounts | costs


def _membership(rng: random.Random, person: str, day: date) -> dict[str, Any]:
    left = day + timedelta(days=500) if rng.random() < 0.1 else None
    done = day + timedelta(days=rng.randrange(60)) if rng.random() < 0.6 else None
    dates = {"enrolled_at": f"{day} 10:00", "closed_at": left and f"{left} 10:00"}
    own = {"member_id": f"m {person}", "customer_id": person, "enrol_channel": rng.choice(("store", "web"))}
    return own | dates | {"digital_card": rng.random() < 0.5, "onboarding_done_at": done and f"{done} 10:00"}


def _doings(rng: random.Random, joined: dict[str, date]) -> dict[str, list[dict[str, Any]]]:
    ledger, taken, spells, events, invited, asked = [], [], [], [], [], []
    for person, first in joined.items():
        card = {"member_id": f"m {person}"}
        for kind in ("earn", "earn", "redeem", "bonus", "expire"):
            if rng.random() < 0.7:
                ledger.append(card | {"entry_id": f"e{len(ledger)}", "ts": f"{_day(rng, first)} 12:00", "type": kind})
        for _ in range(3):
            special = rng.random() < 0.4
            value = {"is_qualitative": special, "cost": 2.0 + special, "face_value": None if special else 3.0}
            taken.append(card | {"redemption_id": f"r{len(taken)}", "ts": f"{_day(rng, first)} 12:00"} | value)
        change = max(first, _day(rng, first))
        for rank, start, stop in ((rng.choice((1, 2)), first, change), (rng.choice((1, 2, 3)), change, None)):
            dates = {"valid_from": f"{start} 0{rank}:00", "valid_to": stop and f"{stop} 00:00"}
            spells.append(card | {"tier_id": "abc"[rank - 1], "tier_rank": rank} | dates)
        who = {"visitor_id": person, "customer_id": person, "is_bot": False}
        day = f"{_day(rng, date(2024, 6, 1))} 12:00"
        what = {"event_name": rng.choice(("review", "visit")), "touchpoint_type": rng.choice(("app", "website"))}
        events.append(who | what | {"event_id": f"v{len(events)}", "ts": day})
        if rng.random() < 0.3:
            invited.append({"referral_id": f"f{len(invited)}", "referrer_customer_id": person, "sent_at": day})
            asked.append(
                {"invitation_id": f"i{len(asked)}", "customer_id": person, "sent_at": day, "responded_at": day}
            )
    return {
        "points_ledger": ledger,
        "redemptions": taken,
        "tier_history": spells,
        "funnel_events": events,
        "referrals": invited,
        "survey_invitations": asked,
    }
