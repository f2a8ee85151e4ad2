"""What every KPI of members, tiers, benefits, margins and channels does: order, currency, empty tables, gaps."""

from __future__ import annotations

import random
from functools import cache
from typing import Any

import pandas as pd
import pytest

from kpibook import model
from kpibook.engine.compute import Results
from kpis.sales_cases import reason
from kpis.varied_shop import COMPARE, DATA, PERIOD, tables
from tiny_client import only, row, run

#: What a client may leave out of each: a column, and what is said then.
MISSING = {
    "avg_receipt_index_total": "transactions.member_id",
    "gross_margin_rate": "order_lines.cogs",
    "margin_gap_members": "memberships.enrolled_at",
    "own_channel_share": "transactions.channel",
    "qualified_purchase_rate": "products.category_id",
    "member_revenue_share_change": "transactions.member_id",
    "enrolment_rate": "memberships.enrolled_at",
    "active_member_rate": "points_ledger.type",
    "onboarding_completion_rate": "memberships.onboarding_done_at",
    "digital_adoption_rate": "memberships.digital_card",
    "value_added_action_rate": "referrals.referrer_customer_id",
    "tier_migration": "tier_history.tier_rank",
    "qualitative_reward_share": "redemptions.is_qualitative",
    "tenure_benefit_gradient": "customers.created_at",
    "existing_vs_new_benefit_ratio": "programme_costs.cost_type",
}
KPIS = tuple(MISSING)
NUMBERS = ("value", "low", "high", "n", "change", "change_low", "change_high")


def _computed(shop: dict[str, Any], **more: Any) -> Results:
    return run(shop, PERIOD, COMPARE, data=DATA, catalog=only(*KPIS), **more)


@cache
def _plain() -> Results:
    return _computed(tables())


@cache
def _tenfold() -> Results:
    """The same shop, its rows in another order, in a currency of a tenth of the value."""
    money = {(t.name, c.name) for t in model.TABLES.values() for c in t.columns.values() if c.kind == "money"}
    shop = {
        name: [{k: v * 10 if (name, k) in money and v is not None else v for k, v in r.items()} for r in rows]
        for name, rows in tables().items()
    }
    for rows in shop.values():
        random.Random(3).shuffle(rows)
    return _computed(shop)


@cache
def _empty() -> Results:
    return run({}, PERIOD, COMPARE, data=DATA, catalog=only(*KPIS))


@cache
def _nobody() -> Results:
    """Every table has rows, but none of the period."""
    return run(
        tables(), "2030-01-01/2030-12-31", "2029-01-01/2029-12-31", data="2022-01-01/2030-12-31", catalog=only(*KPIS)
    )


@cache
def _without() -> Results:
    return _computed(tables(), without=tuple(MISSING.values()))


def _figures(results: Results, kpi: str) -> dict[tuple, dict[str, Any]]:
    card = results.scorecard[results.scorecard.kpi == kpi]
    keys = zip(card.segment_by, card.segment, card.period, strict=True)
    return dict(zip(keys, card.to_dict("records"), strict=True))


@pytest.mark.parametrize("kpi", KPIS)
def test_the_shop_has_something_to_say(kpi: str) -> None:
    found = row(_plain(), kpi)
    assert found["value"] is not None
    assert found["status"] in ("ok", "low_n")


@pytest.mark.parametrize("kpi", KPIS)
def test_the_order_of_rows_does_not_matter_and_the_currency_changes_money_only(kpi: str) -> None:
    """Counts and their statuses are the same; money grows by ten, and with it the sums that a share is made of."""
    one, other = _figures(_plain(), kpi), _figures(_tenfold(), kpi)
    assert one.keys() == other.keys()
    for key, found in one.items():
        same = other[key]
        assert [same[name] for name in ("status", "reason")] == [found[name] for name in ("status", "reason")], key
        factor = 10 if found["unit"] == "money" else 1
        known = [name for name in NUMBERS if not pd.isna(found[name])]
        wanted = [(factor if name != "n" else 1) * float(found[name]) for name in known]
        assert [float(same[name]) for name in known] == pytest.approx(wanted, rel=1e-9, abs=1e-9), key


@pytest.mark.parametrize("kpi", KPIS)
def test_without_any_table(kpi: str) -> None:
    found = row(_empty(), kpi)
    assert (found["value"], found["status"]) == (None, "missing_data")
    assert reason(found)["id"] == "reason.missing_table"


@pytest.mark.parametrize("kpi", KPIS)
def test_nothing_in_the_period(kpi: str) -> None:
    """Members and tiers do not end with the purchases: sleepers stay in the denominator, and nobody of them moves."""
    found = row(_nobody(), kpi)
    if kpi in ("active_member_rate", "tier_migration"):
        assert (found["value"], found["status"]) == (0, "low_n")
    else:
        assert (found["value"], found["status"]) in ((None, "undefined"), (None, "missing_data"))
    assert found["reason"]


@pytest.mark.parametrize("kpi", KPIS)
def test_a_missing_column_is_named(kpi: str) -> None:
    found = row(_without(), kpi)
    assert (found["value"], found["status"]) == (None, "missing_data")
    assert MISSING[kpi] in reason(found)["columns"].split(", ")
