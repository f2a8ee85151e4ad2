"""One campaign of eight persons, four of them controls, worked out by hand; and campaigns of many persons as frames.

The campaign begins on 1 March 2024 (assigned two days before) and lasts ten days, products p, two units.

| who | arm | bought | counts |
|---|---|---|---|
| tom | treatment | 1 March, 2 of p: gross 24, discounts 1 general, 1 loyalty, 2 personal; cost 8 + 1 | on target |
| tina | treatment | 10 March, 1 of q: 10, cost 4 | the tenth day |
| theo | treatment | 11 March, 2 of p: 10, cost 4 | after the window |
| tess | treatment | 5 March, 2 of p: 20, all returned on 20 March | nothing kept |
| cora | control | 3 March, 1 of p: gross 12, loyalty 1; cost 5 | too little |
| carl | control | 29 February, 2 of p | before the first day |
| cleo, cyd | control | nothing | |
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from loyalty_kpis.campaign_contrasts import FIGURES
from tiny_client import only, receipt, run, shop

MONEY = {"general_discount": 0, "loyalty_discount": 0, "personal_discount": 0, "cogs": 0, "variable_cost": 0}
CAMPAIGN = {
    "campaign_id": "k",
    "start_at": "2024-03-01 09:00:00",
    "end_at": "2024-03-11",
    "channel": "email",
    "objective": "sell p",
    "target_rule": "bought p",
    "is_personalised": True,
    "target_product_ids": ["p"],
    "target_min_quantity": 2,
    "response_window_days": 10,
    "fixed_cost": 10,
    "contact_cost": 0.5,
}
TREATED, CONTROLS = ("tom", "tina", "theo", "tess"), ("cora", "carl", "cleo", "cyd")


def sale(number: int, day: str, customer: str | None, product: str, quantity: int, net: float, **more: Any):
    """A receipt of one product with every amount."""
    gross = net + sum(more.get(n, 0) for n in ("general_discount", "loyalty_discount", "personal_discount"))
    amounts = {**MONEY, "gross_amount": gross, "product_id": product, "quantity": quantity, **more}
    return receipt(number, day, net, customer, channel="store", **amounts)


def target(customer: str, arm: str, **more: Any) -> dict[str, Any]:
    chance = {"is_random": True, "assignment_prob": 0.5, "offer_value": 4, "predicted_uplift": 0.1}
    sent = "2024-03-01 09:00:00" if arm == "treatment" else None
    facts = {"delivered": True, "unsubscribed_at": None, "replied_at": None}
    return {
        "campaign_id": "k", "customer_id": customer, "assigned_at": "2024-02-28", "arm": arm, "sent_at": sent,
        **chance, **facts, **more,
    }  # fmt: skip


RECEIPTS = [
    sale(1, "2024-03-01", "tom", "p", 2, 20, general_discount=1, loyalty_discount=1, personal_discount=2, cogs=8,
         variable_cost=1),
    sale(2, "2024-03-10", "tina", "q", 1, 10, cogs=4),
    sale(3, "2024-03-11", "theo", "p", 2, 10, cogs=4),
    sale(4, "2024-03-05", "tess", "p", 2, 20, cogs=8, line_id="sold"),
    sale(5, "2024-03-20", "tess", "p", -2, -20, cogs=-8, return_of_line_id="sold"),
    sale(6, "2024-03-03", "cora", "p", 1, 11, loyalty_discount=1, cogs=5),
    sale(7, "2024-02-29", "carl", "p", 2, 20, cogs=8),
    sale(8, "2024-03-04", None, "p", 2, 20, cogs=8),
]  # fmt: skip
TARGETS = [target(name, "treatment") for name in TREATED] + [target(name, "control") for name in CONTROLS]
TABLES = {**shop(*RECEIPTS), "campaigns": [CAMPAIGN], "campaign_targets": TARGETS}
MARCH = {"period": "2024-03-01/2024-03-31", "data": "2023-03-01/2024-06-30"}


def cases(n: int, seed: int = 1, campaign: str = "k", **columns: Any) -> pd.DataFrame:
    """``n`` persons of one campaign as case_purchases holds them; the treated buy half a purchase more."""
    rng = np.random.default_rng(seed)
    treated = rng.random(n) < 0.5
    facts = {
        "campaign_id": campaign,
        "customer_id": [f"{campaign}{i:05d}" for i in range(n)],
        "is_treated": treated,
        "is_random": True,
        "assignment_prob": 0.5,
        "over": True,
        "after_over": True,
        "is_specific": True,
        "purchases": rng.poisson(0.5 + 0.5 * treated),
        "purchases_after": rng.poisson(0.8, n),
        **dict.fromkeys([*FIGURES, "contrast_discounts"], np.nan),
    }
    return pd.DataFrame({**facts, **columns})


def goods(frame: pd.DataFrame, **columns: Any) -> pd.DataFrame:
    """The same with the columns of case_goods: whatever was bought was the campaign's."""
    facts = {"on_target": frame["purchases"] > 0, "other_goods": False, "target_purchases": frame["purchases"]}
    return frame.assign(**{**facts, **columns})


@cache
def hand_case() -> Any:
    """Every KPI of the effects on the hand case, computed once."""
    names = ("campaign_uplift", "campaign_roi", "subsidised_baseline_share", "personalised_discount_effect")
    return run(TABLES, **MARCH, catalog=only(*names))
