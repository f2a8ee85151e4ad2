"""Return on campaigns and discounts on purchases that came anyway: the hand case, intervals, what is not known."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from kpis.campaign_case import CAMPAIGN, MARCH, TABLES, TARGETS, cases, goods, hand_case
from loyalty_kpis import trials
from loyalty_kpis.campaign_money import COST_UNKNOWN, campaign_roi, subsidised_baseline_share
from tiny_client import only, row, run

MONEY = only("campaign_roi", "subsidised_baseline_share")


def _money(**more) -> dict:
    return {
        "margin_before": 0.0, "margin_within": 0.0, "discounts": 0.0, "discounts_within": 0.0, "fixed_cost": 100.0,
        "contact_cost": 1.0, **more,
    }  # fmt: skip


def _paying(n: int = 400, **more) -> pd.DataFrame:
    """Cases whose margin is about 10 a purchase and whose discounts are about 1 a purchase of the treated."""
    frame = cases(n, seed=5)
    rng = np.random.default_rng(6)
    margin = frame["purchases"] * (10 + rng.normal(0, 2, n))
    discounts = frame["purchases"] * frame["is_treated"] * (1 + 0.1 * rng.random(n))
    return frame.assign(**_money(margin_before=margin, margin_within=margin, discounts=discounts,
                                 discounts_within=discounts, **more))  # fmt: skip


def test_roi_by_hand() -> None:
    """Margin before the offer until 60 days after the window: tom 24 - 1 - 8 - 1 = 14, tina 6, theo 6, tess 0: 6.5 on
    average; cora 12 - 5 = 7, the others 0: 1.75. Caused: 4.75 * 4 = 19. Discounts: tom 3, cora 1: 0.5 * 4 = 2.
    Cost: 10 + 4 * 0.5 + 2 = 14. ROI: 5/14.
    """
    found = row(hand_case(), "campaign_roi")
    assert found["value"] == pytest.approx(5 / 14)
    assert (found["numerator"], found["denominator"], found["status"]) == (pytest.approx(5), pytest.approx(14), "low_n")
    values = {name: row(hand_case(), "campaign_roi", name) for name in ("incremental_margin", "cost", "net_value")}
    assert {name: v["value"] for name, v in values.items()} == pytest.approx(
        {"incremental_margin": 19, "cost": 14, "net_value": 5}
    )
    assert {v["unit"] for v in values.values()} == {"money"}


def test_break_even_response_by_hand() -> None:
    """Cost with all discounts of the treated in the window: 12 + 3. The two responders, tom and tina, brought 14 and 6
    there, 10 each: 15 / 10 responders of 4 treated.
    """
    found = row(hand_case(), "campaign_roi", "break_even_response")
    assert (found["value"], found["unit"], found["n"]) == (pytest.approx(0.375), "percent", 4)


def test_break_even_response_needs_no_control() -> None:
    tables = {**TABLES, "campaign_targets": [t for t in TARGETS if t["arm"] == "treatment"]}
    results = run(tables, **MARCH, catalog=MONEY)
    found = row(results, "campaign_roi")
    assert (found["value"], found["status"], found["reason"]) == (None, "not_identified", trials.NO_CONTROL)
    assert row(results, "campaign_roi", "break_even_response")["value"] == pytest.approx(0.375)
    assert row(results, "subsidised_baseline_share")["status"] == "not_identified"


def test_sixty_days_after_the_window_must_be_over() -> None:
    """1 March + 10 + 60 days: known with the data of 9 May 2024 (70 days), not a day earlier."""
    known, early = (
        run(TABLES, "2024-03-01/2024-03-31", data=f"2023-03-01/2024-05-{day}", catalog=MONEY) for day in ("09", "08")
    )
    assert row(known, "campaign_roi")["value"] == pytest.approx(5 / 14)
    found = row(early, "campaign_roi")
    assert (found["status"], found["reason"]) == ("undefined", trials.OPEN)
    assert row(early, "campaign_roi", "break_even_response")["status"] == "undefined"
    assert row(early, "subsidised_baseline_share")["value"] == pytest.approx(1)


def test_subsidised_baseline_by_hand() -> None:
    """Purchases with something kept of p in the ten days: tom's (tess returned hers), and cora's: 1/4 over 1/4. The
    treated took (0.75 - 0.25) * 4 = 2 more in discounts: all of it on purchases that come anyway.
    """
    found = row(hand_case(), "subsidised_baseline_share")
    assert (found["value"], found["numerator"], found["denominator"]) == (1, 0.25, 0.25)
    deadweight = row(hand_case(), "subsidised_baseline_share", "deadweight")
    assert (deadweight["value"], deadweight["unit"]) == (pytest.approx(2), "money")


def test_a_campaign_without_products_is_on_offer_for_everything() -> None:
    """Any purchase in the window: tom and tina against cora: 1/4 over 2/4."""
    tables = {**TABLES, "campaigns": [{**CAMPAIGN, "target_product_ids": []}]}
    found = row(run(tables, **MARCH, catalog=only("subsidised_baseline_share")), "subsidised_baseline_share")
    assert found["value"] == pytest.approx(0.5)


def test_nobody_bought_on_offer() -> None:
    frame = cases(40, purchases=0).assign(**_money())
    found = subsidised_baseline_share(goods(frame))
    assert (found.value, found.status) == (None, "undefined")
    assert json.loads(found.reason) == {"id": "reason.zero_denominator"}
    assert campaign_roi(frame).parts["variant"]["break_even_response"].status == "undefined"


def test_a_campaign_that_cost_nothing_has_no_return_on_cost() -> None:
    frame = cases(40).assign(**_money(fixed_cost=0.0, contact_cost=0.0))
    found = campaign_roi(frame)
    assert (found.value, found.status, json.loads(found.reason)["id"]) == (None, "undefined", "reason.zero_denominator")
    assert found.parts["variant"]["net_value"].value == 0


def test_unknown_costs_are_not_zero() -> None:
    one, two = _paying(), _paying().assign(campaign_id="l", fixed_cost=np.nan)
    found = campaign_roi(pd.concat([one, two], ignore_index=True))
    assert found.value == pytest.approx(campaign_roi(one).value)
    assert (found.parts["campaign"]["l"].status, found.parts["campaign"]["l"].reason) == (
        "not_identified",
        COST_UNKNOWN,
    )
    alone = campaign_roi(two)
    assert (alone.value, alone.reason) == (None, COST_UNKNOWN)


@pytest.mark.parametrize("kpi", [campaign_roi, subsidised_baseline_share])
def test_intervals_against_a_bootstrap_of_persons(kpi) -> None:
    """Two campaigns of the same 400 persons; 120 resamples of persons within arms: widths agree within a quarter."""
    frame = pd.concat([_paying(), _paying().assign(campaign_id="l")], ignore_index=True)
    frame = goods(frame)
    found = kpi(frame)
    rng = np.random.default_rng(8)
    people = frame.drop_duplicates("customer_id").set_index("customer_id")["is_treated"]
    arms = [people.index[people].to_numpy(), people.index[~people].to_numpy()]
    by_person = frame.set_index("customer_id")
    values = []
    for _ in range(120):
        drawn = np.concatenate([rng.choice(arm, len(arm)) for arm in arms])
        again = by_person.loc[drawn].reset_index()
        again["customer_id"] = np.repeat([f"n{i}" for i in range(len(drawn))], 2)
        values.append(kpi(again).value)
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(np.std(values), rel=0.25)


def test_enough_cases_are_grade_a() -> None:
    found = campaign_roi(_paying(2600))
    assert (found.status, found.grade, found.n) == ("ok", "A", 2600)
    assert found.low < found.value < found.high
