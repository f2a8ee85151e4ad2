"""A shop with six customers, three of whom enrol in August: every figure of return worked by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tiny_client import Rows, receipt, shop

YEAR = {"period": "2023-01-01/2023-12-31", "data": "2023-01-01/2023-12-31"}
#: What each buys from January to August, and from September to December, on the 10th of every month.
SPENT = {"p1": (10, 15), "p2": (10, 10), "p3": (10, 10), "p4": (10, 5), "p5": (10, 0), "p6": (10, 0)}
ENROLLED = {"p1": "2023-08-10", "p2": "2023-12-10", "p3": "2023-08-10", "p5": "2023-08-10"}


def monthly(spent: Mapping[str, tuple[float, float]] = SPENT, **line: float) -> list[tuple[dict, dict]]:
    """One receipt a month and customer; ``line`` gives further amounts as shares of the net amount."""
    made = []
    for customer, (before, after) in spent.items():
        for month in range(1, 13):
            amount = before if month <= 8 else after
            if amount:
                more = {name: share * amount for name, share in line.items()}
                more = {"gross_amount": amount, "loyalty_discount": 0, "personal_discount": 0, **more}
                more = {"general_discount": 0, "cogs": 0, "variable_cost": 0, "supplier_funding": 0, **more}
                day = f"2023-{month:02d}-10"
                made.append(receipt(len(made), day, amount, customer, channel="store", quantity=1, **more))
    return made


def memberships(enrolled: Mapping[str, str] = ENROLLED) -> Rows:
    return [
        {"member_id": f"m-{c}", "customer_id": c, "enrolled_at": f"{day} 12:00:00", "programme_id": "p"}
        for c, day in enrolled.items()
    ]


def cost(kind: str, amount: float, start: str, end: str, **more: Any) -> dict[str, Any]:
    made = {"cost_id": f"{kind}-{start}", "programme_id": "p", "cost_type": kind, "amount": amount}
    return made | {"period_start": start, "period_end": end, "is_in_transactions": False, "is_estimate": False, **more}


def client(*extra: tuple[dict, dict], costs: Sequence[Mapping[str, Any]] = (), **tables: Rows) -> dict[str, Rows]:
    """The shop with half of every amount left as margin; points and rewards are known but never used."""
    made = shop(*monthly(cogs=0.5), *extra)
    made["memberships"] = memberships()
    made["programme_costs"] = costs or [cost("operations", 24.0, "2023-01-01", "2023-12-31")]
    made["points_ledger"] = [
        {"entry_id": "e", "member_id": "m-p1", "ts": "2023-08-10 12:00:00", "type": "earn", "points": 0, "lot_id": "l",
         "unit_cost": 0.0, "expires_at": None}
    ]  # fmt: skip
    made["redemptions"] = [{"redemption_id": "r", "member_id": "m-p1", "ts": "2020-01-01 12:00:00", "cost": 0.0}]
    return {**made, **tables}
