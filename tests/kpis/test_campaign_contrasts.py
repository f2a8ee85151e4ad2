"""Before and during a campaign, those targeted and all others: by hand, against scipy, and what is left out."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pandas as pd
import pytest
from scipy import stats

from kpis.campaign_case import CAMPAIGN, MARCH, TABLES, TARGETS, cases, hand_case, sale, target
from loyalty_kpis.campaign_contrasts import contrasts
from tiny_client import only, run, shop

MONEY = only("campaign_roi")
#: Change of the ten days from 1 March on against the ten before, by person.
TARGETED, OTHERS = [20, 10, 0, 0], [11, -20, 0, 0]


def _table(results: Any) -> pd.DataFrame:
    return results.tables["campaign_roi"].set_index("campaign")


def test_contrast_by_hand() -> None:
    """Ten days from 1 March against ten before. Targeted: tom 20, tina 10, tess 0 (returned), theo 0 (too late): 7.5 on
    average. Others: cora 11, carl -20, cleo and cyd 0: -2.25. Difference 9.75, per week 6.825; 39 for the four. Tom
    took 3 of discounts: (39 - 3) / 3. Who is not known does not count.
    """
    found = _table(hand_case()).loc["k"]
    assert (found["targeted"], found["others"], found["days"]) == (4, 4, 10)
    assert found["difference"] == pytest.approx(6.825)
    assert found["before_others"] == pytest.approx(20 / 4 * 0.7)
    assert (found["before_targeted"], found["during_targeted"]) == (0, pytest.approx(30 / 4 * 0.7))
    assert (found["sales_difference"], found["discounts"]) == (pytest.approx(39), pytest.approx(3))
    assert found["sales_per_discount"] == pytest.approx(12)


def test_error_degrees_and_interval_are_those_of_welch() -> None:
    found = _table(hand_case()).loc["k"]
    welch = stats.ttest_ind(TARGETED, OTHERS, equal_var=False)
    interval = welch.confidence_interval(0.95)
    assert found["standard_error"] == pytest.approx(sqrt(275 / 3 / 4 + 500.75 / 3 / 4) * 0.7)
    assert found["degrees_of_freedom"] == pytest.approx(welch.df)
    assert (found["difference_low"], found["difference_high"]) == (
        pytest.approx(interval.low * 0.7),
        pytest.approx(interval.high * 0.7),
    )


def test_it_is_shown_where_nothing_can_be_identified() -> None:
    """Without controls campaign_roi has no value; the table stands, and is no effect. Cora and carl are the others."""
    tables = {**TABLES, "campaign_targets": [t for t in TARGETS if t["arm"] == "treatment"]}
    results = run(tables, **MARCH, catalog=MONEY)
    card = results.scorecard
    assert set(card[(card["kpi"] == "campaign_roi") & (card["segment"] == "total")]["status"]) == {"not_identified"}
    found = _table(results).loc["k"]
    assert (found["others"], found["difference"]) == (2, pytest.approx((7.5 + 4.5) * 0.7))


def test_a_longer_time_before_counts_by_the_week() -> None:
    """20 days before: carl's 20 are 7 a week, of four others 1.75; the ten days bring 11: 1.925 a week."""
    settings = {"campaign_contrasts": {"before_days": 20}}
    found = _table(run(TABLES, **MARCH, catalog=MONEY, settings=settings)).loc["k"]
    assert found["before_others"] == pytest.approx(1.75)
    assert found["difference"] == pytest.approx(5.25 - (1.925 - 1.75))


def test_what_the_data_do_not_cover_is_left_out() -> None:
    """The data begin on 20 February, ten days before: known; with a day more before, not."""
    known = run(TABLES, MARCH["period"], data="2024-02-20/2024-06-30", catalog=MONEY)
    assert list(_table(known).index) == ["k"]
    short = {"campaign_contrasts": {"before_days": 11}}
    none = run(TABLES, MARCH["period"], data="2024-02-20/2024-06-30", catalog=MONEY, settings=short)
    assert "campaign_roi" not in none.tables


@pytest.mark.parametrize(
    ("others", "left"), [("not_targeted", {"k": 7}), ("never_targeted", {"k": 5}), ("no_overlap", {"k": 6})]
)
def test_who_the_others_are(others: str, left: dict[str, int]) -> None:
    """Of seven others one was targeted by a campaign at the same time and one by a campaign in May."""
    receipts = [sale(i, "2024-03-03", name, "p", 1, 10) for i, name in enumerate("abcdefgh")]
    campaigns = [
        CAMPAIGN,
        {**CAMPAIGN, "campaign_id": "same", "start_at": "2024-03-08"},
        {**CAMPAIGN, "campaign_id": "may", "start_at": "2024-05-01"},
    ]
    targets = [
        target("a", "treatment"),
        target("b", "treatment", campaign_id="same"),
        target("c", "treatment", campaign_id="may", assigned_at="2024-05-01"),
    ]
    tables = {**shop(*receipts), "campaigns": campaigns, "campaign_targets": targets}
    settings = {"campaign_contrasts": {"compared_with": others}}
    found = _table(run(tables, **MARCH, catalog=MONEY, settings=settings))
    assert found["others"].loc[["k"]].to_dict() == left


def test_placebo_looks_at_the_time_before() -> None:
    """The ten days before against the ten before those: carl's 20 of 29 February are its during."""
    found = _table(run(TABLES, **MARCH, catalog=MONEY, settings={"campaign_contrasts": {"placebo": True}})).loc["k"]
    assert found["difference"] == pytest.approx(-20 / 4 * 0.7)
    assert (found["before_others"], found["during_others"]) == (0, pytest.approx(20 / 4 * 0.7))


def test_one_person_a_side_has_no_interval() -> None:
    frame = cases(4).assign(targeted=1, others=1, difference=2.0, contrast_discounts=0.0)
    found = contrasts(frame)
    assert found is not None
    assert len(found) == 1
    assert found[["difference_low", "sales_per_discount"]].isna().all(axis=None)


def test_money_in_another_currency_scales() -> None:
    tenfold = [{**line, **{k: v * 10 for k, v in line.items() if k in SCALED}} for line in TABLES["order_lines"]]
    one, ten = (
        _table(hand_case()).loc["k"],
        _table(run({**TABLES, "order_lines": tenfold}, **MARCH, catalog=MONEY)).loc["k"],
    )
    for name in ("difference", "standard_error", "sales_difference", "discounts"):
        assert ten[name] == pytest.approx(10 * one[name])
    assert ten["degrees_of_freedom"] == pytest.approx(one["degrees_of_freedom"])


SCALED = {"gross_amount", "general_discount", "loyalty_discount", "personal_discount", "net_amount", "cogs"}
