"""What the programme caused can be found in the data: the truth is identified, not only asserted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

MONTHS = 36
BEFORE = 6


@pytest.fixture(scope="module")
def panel(purchases: pd.DataFrame) -> pd.DataFrame:
    known = purchases[purchases["customer_id"].notna()]
    return known.assign(month=_month(known["ts"]))


def _month(moment: pd.Series) -> pd.Series:
    return (moment.dt.year - 2022) * 12 + moment.dt.month - 1


def _wide(panel: pd.DataFrame, column: str) -> pd.DataFrame:
    made = panel.pivot_table(index="customer_id", columns="month", values=column, aggfunc="sum", fill_value=0)
    return made.reindex(columns=range(MONTHS), fill_value=0)


@pytest.mark.parametrize(("column", "said"), [("margin", "caused_margin"), ("kept", "revenue_effect")])
def test_difference_in_differences_finds_what_the_programme_caused(
    column: str, said: str, panel: pd.DataFrame, truth: dict, read: Callable[[str], pd.DataFrame]
) -> None:
    """Joined in g with six months before, against buyers of g who had not joined by its end.

    Change from the six months before g to month g + k, summed over the joined; standard error by
    customer. The truth counts the purchases that the generator added.
    """
    values = _wide(panel, column).to_numpy() / 100
    bought = _wide(panel.assign(one=1), "one")
    first = np.argmax(bought.to_numpy() > 0, axis=1)
    members = read("memberships").set_index("customer_id")["enrolled_at"]
    joined = _month(members).reindex(bought.index).fillna(99).to_numpy()
    effect, influence = 0.0, np.zeros(len(bought))
    for g in range(BEFORE, MONTHS - 1):
        at_risk = (bought[g].to_numpy() > 0) & (g - first >= BEFORE)
        treated, control = at_risk & (joined == g), at_risk & (joined > g)
        base = values[:, g - BEFORE : g].mean(axis=1)
        for k in range(1, min(12, MONTHS - 1 - g) + 1):
            change = values[:, g + k] - base
            gap = change[treated].mean() - change[control].mean() if treated.any() else 0.0
            effect += gap * treated.sum()
            influence[treated] += change[treated] - change[treated].mean() if treated.any() else 0.0
            influence[control] -= (change[control] - change[control].mean()) * treated.sum() / control.sum()
    error = float(np.sqrt((influence**2).sum()))
    caused = sum(float(k[said]) for k in truth["programme"]["months_since_enrolment"]["with_6_months_before"])
    assert abs(effect - caused) < 2.5 * error
    assert effect > 3 * error


def test_months_add_up_to_cohorts_and_years(truth: dict) -> None:
    said = truth["programme"]
    for history, months in said["months_since_enrolment"].items():
        cohorts = said["cohorts"][history].values()
        for k, month in enumerate(months):
            caused = sum(float(c["caused_margin"][k]) for c in cohorts if len(c["caused_margin"]) > k)
            assert caused == pytest.approx(float(month["caused_margin"]), abs=0.005)
        assert sum(c["members"] for c in cohorts) == said["members"][history]
    for year in said["years"].values():
        parts = year["caused_by_joining_purchases"] + year["caused_by_campaigns_purchases"]
        assert year["caused_purchases"] == parts
        effect = float(year["caused_revenue"]) - float(year["benefits_on_purchases_not_caused"])
        assert effect == pytest.approx(float(year["revenue_effect"]), abs=0.005)


def test_histories_and_margins_of_members_are_those_of_the_receipts(
    panel: pd.DataFrame, truth: dict, read: Callable[[str], pd.DataFrame]
) -> None:
    members = read("memberships").set_index("customer_id")
    first = panel.groupby("customer_id")["month"].min().reindex(members.index)
    past = _month(members["enrolled_at"]) - first.fillna(_month(members["enrolled_at"]))
    past = past.clip(lower=0)
    said = truth["programme"]["members"]
    assert (len(past), (past >= 6).sum(), (past >= 12).sum()) == (
        said["all"], said["with_6_months_before"], said["with_12_months_before"],
    )  # fmt: skip
    assert said["with_6_months_before"] / said["all"] > 0.5
    since = panel["month"] - _month(members["enrolled_at"]).reindex(panel["customer_id"]).to_numpy()
    own = panel.assign(since=since)
    own = own[own["customer_id"].isin(past[past >= 12].index)]
    for month in truth["programme"]["months_since_enrolment"]["with_12_months_before"]:
        margin = own.loc[own["since"] == month["k"], "margin"].sum() / 100
        assert margin == pytest.approx(float(month["margin"]), abs=0.005)
    start = pd.Timestamp("2024-01-01")
    there = members[(members["enrolled_at"] < start) & ~(members["closed_at"] < start)].index
    theirs = panel[(panel["year"] == 2024) & panel["customer_id"].isin(there)]["margin"].sum() / 100
    assert theirs == pytest.approx(float(truth["programme"]["years"]["2024"]["margin_of_members_at_start"]), abs=0.005)


def test_those_who_join_are_better_customers_anyway(truth: dict) -> None:
    """Self-selection: without the programme the members of 2024 would still have spent more than the others."""
    year = truth["programme"]["years"]["2024"]
    member = float(year["margin_of_members_at_start"]) / year["members_at_start"]
    caused = float(year["caused_margin_of_members_at_start"]) / year["members_at_start"]
    others = float(year["margin_of_customers_known_and_no_members_at_start"])
    gap = member - others / year["customers_known_and_no_members_at_start"]
    assert 0 < caused < 0.5 * gap


def test_tiers_follow_each_other_and_move_as_the_truth_says(truth: dict, read: Callable[[str], pd.DataFrame]) -> None:
    spells = read("tier_history").sort_values(["member_id", "valid_from"])
    assert set(spells["tier_id"]) == {"base", "silver", "gold"}
    same = spells["member_id"].eq(spells["member_id"].shift(-1))
    assert spells.loc[same, "valid_to"].equals(spells["valid_from"].shift(-1)[same])
    assert (spells["tier_rank"].diff()[same.shift(1, fill_value=False)] != 0).all()
    members = read("memberships").set_index("member_id")
    last, first = spells[~same].set_index("member_id"), spells.groupby("member_id").first()
    assert last["valid_to"].equals(members["closed_at"].loc[last.index].rename("valid_to"))
    assert (first["valid_from"] == members["enrolled_at"].loc[first.index]).all()
    for date, said in truth["tiers"].items():
        review = pd.Timestamp(date)
        valid = spells["valid_to"].isna() | (spells["valid_to"] > review)
        after = spells[(spells["valid_from"] <= review) & valid].set_index("member_id")["tier_id"]
        ended = spells["valid_to"].isna() | (spells["valid_to"] >= review)
        before = spells[(spells["valid_from"] < review) & ended].set_index("member_id")["tier_id"]
        moves = (before + ">" + after.reindex(before.index)).dropna().value_counts()
        assert moves.to_dict() == {way: count for way, count in said.items() if count}
    assert any(said["gold>silver"] + said["silver>base"] > 30 for said in truth["tiers"].values())


def test_costs_are_booked_once_and_add_up(truth: dict, read: Callable[[str], pd.DataFrame]) -> None:
    costs = read("programme_costs")
    year = pd.to_datetime(costs["period_start"]).dt.year
    for one, said in truth["costs"].items():
        own = costs[year == int(one)].groupby("cost_type")["amount"].sum()
        assert {kind: f"{amount:.2f}" for kind, amount in own.items()} == {
            kind: amount for kind, amount in said.items() if kind != "supplier_funding_of_discounts" and float(amount)
        }
    written_off = costs.loc[costs["cost_type"] == "technology_amortisation", "amount"]
    assert (written_off * 36).eq(float(costs.loc[costs["cost_type"] == "launch_capex", "amount"].sum())).all()
    assert (year[costs["cost_type"] == "launch_capex"] == 2022).all()
