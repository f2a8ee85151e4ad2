"""Rows of a points programme, and a random client with costs, points, rewards and opinions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tiny_client import only, row, run

Row = dict[str, Any]
PROGRAMME = "card"
COSTS = (
    "total_programme_cost",
    "programme_cost_per_active_member",
    "loyalty_budget_share",
    "loyalty_budget_growth",
    "ad_spend_share",
)
POINTS = ("redemption_rate", "earn_burn_ratio", "breakage_rate", "ultimate_redemption_rate", "points_liability")
REWARDS = ("redeemer_rate", "reward_rate", "effort_to_first_reward", "effort_reward_balance")
MONEY = {
    "order_lines": ("gross_amount", "loyalty_discount", "personal_discount", "net_amount", "supplier_funding"),
    "redemptions": ("face_value", "cost"),
    "programme_costs": ("amount",),
    "company_financials": ("net_revenue", "advertising_spend"),
    "points_ledger": ("unit_cost",),
    "programme_rules": ("point_face_value",),
}


class Ledger:
    """``ledger.book("2024-01-05", "anna", "earn", 100, lot="A")``: rows of points_ledger."""

    def __init__(self, unit_cost: float = 0.01) -> None:
        self.rows: list[Row] = []
        self.unit_cost = unit_cost

    def book(self, day: str, member: str, kind: str, points: int, lot: str | None = None, **more: Any) -> Ledger:
        number = len(self.rows) + 1
        entry = {"entry_id": f"e{number:04d}", "member_id": member, "ts": f"{day} 10:00:00", "type": kind}
        own = {"points": points, "lot_id": lot, "unit_cost": self.unit_cost, "expires_at": None, "transaction_id": None}
        self.rows.append({**entry, **own, **more})
        return self


def membership(member: str, enrolled: str, closed: str | None = None, customer: str | None = None) -> Row:
    """One row of memberships; the person is called like the card unless told otherwise."""
    return {
        "member_id": member,
        "customer_id": customer or member,
        "programme_id": PROGRAMME,
        "enrolled_at": f"{enrolled} 09:00:00",
        "closed_at": closed and f"{closed} 09:00:00",
    }


def rules(**terms: Any) -> Row:
    """One version of the programme's rules, valid from 2020 on unless told otherwise."""
    return {
        "programme_id": PROGRAMME,
        "valid_from": "2020-01-01",
        "valid_to": None,
        "points_per_currency": 1,
        "point_face_value": 0.01,
        "expiry_days": 365,
        "first_reward_points": 100,
        **terms,
    }


def reward(day: str, member: str, cost: float, face: float = 0, number: int = 1) -> Row:
    return {
        "redemption_id": f"r{number}",
        "member_id": member,
        "ts": f"{day} 12:00:00",
        "cost": cost,
        "face_value": face,
    }


def cost(kind: str, amount: float, first: str, last: str, *, booked: bool = False) -> Row:
    """A row of the cost ledger; ``booked`` if the receipts already deduct it."""
    return {
        "cost_id": f"{kind} {first}",
        "cost_type": kind,
        "amount": amount,
        "period_start": first,
        "period_end": last,
        "is_in_transactions": booked,
    }


def computed(
    kpis: tuple[str, ...], tables: dict[str, Any], period: str, compare: str | None = None, **more: Any
) -> Any:
    """Results of some KPIs."""
    return run(tables, period, compare, catalog=only(*kpis), **more)


def value(results: Any, kpi: str, segment: str = "total", period: str = "current") -> Any:
    return row(results, kpi, segment, period)["value"]


def client(seed: int = 3) -> dict[str, list[Row]]:
    """Two years of 24 members, one anonymous buyer, returns, points, rewards, costs, totals and opinions."""
    rng = np.random.default_rng(seed)
    first = np.datetime64("2023-01-01")
    names = [f"p{i:02d}" for i in range(24)]
    receipts, lines, rewards = [], [], []
    ledger = Ledger()
    for number in range(220):
        who = names[number % 24] if number % 9 else None
        day = str(first + int(rng.integers(0, 725)))
        gross = float(rng.integers(10, 90))
        receipts.append(
            {
                "transaction_id": f"t{number}",
                "ts": f"{day} 11:00:00",
                "business_date": day,
                "customer_id": who,
                "member_id": who if number % 4 else None,
            }
        )
        discount = float(rng.integers(0, 5))
        lines.append(_line(f"l{number}", f"t{number}", gross, discount))
        if number % 7 == 0:
            back = {**_line(f"b{number}", f"b{number}", -gross / 2, -discount / 2), "return_of_line_id": f"l{number}"}
            later = str(np.datetime64(day) + 5)
            receipts.append({**receipts[-1], "transaction_id": f"b{number}", "business_date": later})
            lines.append(back)
        if who and number % 4:
            expires = f"{np.datetime64(day) + 200} 11:00:00"
            more = {"transaction_id": f"t{number}", "expires_at": expires}
            ledger.book(day, who, "earn", int(gross), f"L{number}", **more)
            used = str(np.datetime64(day) + int(rng.integers(1, 150)))
            if used < "2025-01-01" and rng.random() < 0.6:
                ledger.book(used, who, "redeem", -int(gross) // 2, f"L{number}" if number % 2 else None)
                rewards.append(reward(used, who, gross / 200, gross / 100, number))
    months = np.arange("2023-01", "2025-01", dtype="datetime64[M]").astype("datetime64[D]")
    opinions = [
        {
            "response_id": f"{question}{who}",
            "survey_id": "s",
            "wave_id": "w",
            "respondent_type": "customer",
            "customer_id": who,
            "ts": "2024-05-05 10:00:00",
            "question_code": question,
            "scale_min": 1,
            "scale_max": 7,
            "score": int(rng.integers(1, 8)),
            "weight": float(rng.uniform(0.5, 2)),
        }
        for who in names
        for question in ("REWARD", "EFFORT")
    ]
    return {
        "transactions": receipts,
        "order_lines": lines,
        "points_ledger": ledger.rows,
        "redemptions": rewards,
        "memberships": [membership(who, f"2023-0{1 + i % 3}-1{i % 9}") for i, who in enumerate(names)],
        "programme_rules": [rules(first_reward_points=60)],
        "programme_costs": [cost("operations", float(30 + i), str(day), str(day + 27)) for i, day in enumerate(months)],
        "company_financials": [
            {
                "period_start": f"{year}-01-01",
                "period_end": f"{year}-12-31",
                "net_revenue": 9000.0 + year,
                "advertising_spend": 120.0,
            }
            for year in (2023, 2024)
        ],
        "survey_responses": opinions,
    }


def _line(line: str, receipt: str, gross: float, discount: float) -> Row:
    return {
        "line_id": line,
        "transaction_id": receipt,
        "gross_amount": gross,
        "loyalty_discount": discount,
        "personal_discount": discount / 2,
        "supplier_funding": discount / 4,
        "net_amount": gross - 1.5 * discount,
        "return_of_line_id": None,
    }
