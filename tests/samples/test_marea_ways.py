"""Visitors, invitations to friends, scores and the audit's own lists against the truth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from kpibook.samples import journeys

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def events(read: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
    return read("funnel_events")


@pytest.mark.parametrize("year", [2023, 2024])
def test_events_of_a_year_are_counted(year: int, events: pd.DataFrame, truth: dict) -> None:
    own = events[events["ts"].dt.year == year]
    people = own[~own["is_bot"]]
    said = truth["events"]["years"][str(year)]
    assert (len(people), own["is_bot"].sum()) == (said["events"], said["events_of_bots"])
    assert people["visitor_id"].nunique() == said["visitors"]
    assert people["session_id"].nunique() == said["sessions"]
    assert people.loc[people["customer_id"].notna(), "session_id"].nunique() == said["identified_sessions"]
    assert people["transaction_id"].notna().sum() == said["orders"]


def test_orders_on_the_way_are_real_orders(events: pd.DataFrame, headers: pd.DataFrame) -> None:
    ordered = events.dropna(subset="transaction_id")
    bought = headers.loc[ordered["transaction_id"]]
    assert (bought["customer_id"].to_numpy() == ordered["customer_id"].to_numpy()).all()
    assert (bought["ts"].to_numpy() == ordered["ts"].to_numpy()).all()
    assert bought["channel"].isin(["web", "app"]).all()
    assert (ordered["stage"] == "conversion").all()
    assert (ordered["event_name"] == "order").all()
    assert ordered.groupby("visitor_id")["transaction_id"].nunique().max() > 5


def test_sessions_have_no_pause_of_half_an_hour(events: pd.DataFrame) -> None:
    ordered = events.sort_values(["session_id", "ts"])
    same = ordered["session_id"].eq(ordered["session_id"].shift())
    pause = ordered["ts"].diff()[same]
    assert (pause <= pd.Timedelta(minutes=30)).all()
    assert (ordered.groupby("session_id")["visitor_id"].nunique() == 1).all()
    starts = ordered[~same].sort_values(["visitor_id", "ts"])
    gap = starts["ts"].diff()[starts["visitor_id"].eq(starts["visitor_id"].shift())]
    assert (gap > pd.Timedelta(minutes=30)).mean() > 0.999


def test_a_visitor_never_falls_back_to_an_earlier_stage(events: pd.DataFrame) -> None:
    order = ["acquisition", "activation", "opportunity", "conversion", "post_sale", "advocacy"]
    stage = events["stage"].map({name: i for i, name in enumerate(order)})
    assert set(events["stage"]) == set(order)
    new = events["visitor_id"].str.startswith("v")
    back = stage[new].groupby(events["visitor_id"][new]).diff() < 0
    assert back.sum() == 0


def test_the_harmful_touchpoint_lowers_the_chance_to_buy(events: pd.DataFrame, truth: dict) -> None:
    """Step by step, among visitors who came so far: the odds of buying there after a video, against those without."""
    said = truth["events"]["journeys"]
    steps = events[(events["event_name"] == "visit") & events["visitor_id"].str.startswith("v")].copy()
    steps["step"] = steps["session_id"].str.rsplit("-", n=1).str[1].astype(int)
    steps = steps.sort_values(["visitor_id", "step"])
    buyers = set(events.loc[events["event_name"] == "order", "session_id"])
    steps["buys"] = steps["session_id"].isin(buyers)
    for name, size in journeys.INFLUENCE.items():
        met = steps["touchpoint_type"].eq(name).groupby(steps["visitor_id"]).cummax()
        table = steps.assign(met=met)[steps["step"] > 0].groupby(["step", "met"])["buys"].agg(["sum", "size"])
        table = table.unstack("met").fillna(0)
        a, b = table["sum"][True], table["size"][True] - table["sum"][True]
        c, d = table["sum"][False], table["size"][False] - table["sum"][False]
        total = a + b + c + d
        odds = np.log((a * d / total).sum() / (b * c / total).sum())  # Mantel-Haenszel over the steps
        error = np.sqrt(1 / a.sum() + 1 / b.sum() + 1 / c.sum() + 1 / d.sum())
        assert abs(odds - size) < 4 * error + 0.1, name
        assert np.sign(said["touchpoints"][name]["conversion_change_of_all_by_it"]) == np.sign(size)
    assert said["touchpoints"]["video"]["log_odds"] == -1.1
    assert said["bought"] / said["journeys"] == pytest.approx(said["expected_conversion"], abs=0.007)


def test_feelings_and_suggestions_are_counted(
    events: pd.DataFrame, truth: dict, headers: pd.DataFrame, lines: pd.DataFrame
) -> None:
    rated = events.dropna(subset="sentiment")
    assert rated["sentiment"].astype(float).between(-1, 1).all()
    feeling = rated["sentiment"].astype(float).groupby(rated["touchpoint_type"])
    for name, said in truth["events"]["sentiment"].items():
        own = feeling.get_group(name)
        assert (len(own), (own > 0.2).sum(), (own < -0.2).sum()) == tuple(said.values())
    shown = events[events["event_name"] == "suggestion_shown"]
    kept = lines["quantity"].astype(float).groupby([lines["original"], lines["product_id"]]).sum()
    bought = kept[kept > 0].reset_index()
    head = headers.loc[bought["original"]]
    bought = bought.assign(customer_id=head["customer_id"].to_numpy(), bought=head["ts"].to_numpy()).dropna()
    pair = shown[["event_id", "customer_id", "product_id", "ts"]].merge(bought, on=["customer_id", "product_id"])
    days = (pair["bought"] - pair["ts"]) / pd.Timedelta(days=1)
    accepted = set(pair.loc[(days >= 0) & (days <= 14), "event_id"])
    for year, said in truth["events"]["suggestions"].items():
        own = shown[shown["ts"].dt.year == int(year)]
        assert len(own) == said["shown"]
        found = own["event_id"].isin(accepted).sum()
        assert abs(found - said["bought_within_14_days_and_kept"]) <= 0.02 * found  # cancelled and staff orders differ


def test_hidden_bots_are_three(events: pd.DataFrame, truth: dict) -> None:
    people = events[~events["is_bot"]]
    daily = people.groupby(["visitor_id", people["ts"].dt.date]).size()
    assert (daily > 300).sum() == truth["planted"]["undeclared_bots"] == 3
    assert events.loc[events["is_bot"], "transaction_id"].isna().all()


def test_invitations_bring_friends_and_some_bring_oneself(
    read: Callable[[str], pd.DataFrame], truth: dict, headers: pd.DataFrame
) -> None:
    sent = read("referrals")
    for year, said in truth["referrals"].items():
        own = sent[sent["sent_at"].dt.year == int(year)]
        came = own["referred_customer_id"].notna()
        assert (len(own), own["invitee_hash"].nunique(), came.sum()) == (
            said["sent"], said["invitees"], said["converted"],
        )  # fmt: skip
        assert (came & (own["mode"] == "organic")).sum() == said["converted_organic"]
    came = sent.dropna(subset="referred_customer_id")
    customers = read("customers").set_index("customer_id")
    assert (came["first_purchase_at"] > came["sent_at"]).all()
    created = customers["created_at"].loc[came["referred_customer_id"]].to_numpy()
    assert (created == came["first_purchase_at"].to_numpy()).all()
    assert ((came["reward_cost"] > 0) == (came["mode"] == "incentivised")).all()
    assert (sent.loc[sent["referred_customer_id"].isna(), "reward_cost"] == 0).all()
    home = customers["household_id"]
    one_home = home.loc[came["referrer_customer_id"]].to_numpy() == home.loc[came["referred_customer_id"]].to_numpy()
    paid = headers.dropna(subset=["customer_id", "payment_token_hash"]).groupby("customer_id")["payment_token_hash"]
    token = paid.first()
    both = (
        token.reindex(came["referrer_customer_id"]).to_numpy() == token.reindex(came["referred_customer_id"]).to_numpy()
    )
    assert (one_home | both).sum() >= truth["planted"]["self_referrals"]
    assert sum(said["self_referrals"] for said in truth["referrals"].values()) == truth["planted"]["self_referrals"]


def test_new_customers_say_why_they_came(read: Callable[[str], pd.DataFrame], truth: dict) -> None:
    customers = read("customers")
    reason = customers["acquisition_reason"]
    for year, said in truth["customers"].items():
        own = customers["created_at"].dt.year == int(year)
        assert own.sum() == said["new"]
        assert (own & (reason == "programme")).sum() == said["declared_programme"]
        assert (own & (reason == "recommendation")).sum() == said["declared_recommendation"]
        assert (own & (reason.isna() | (reason == "unknown"))).sum() == said["reason_unknown"]
    assert truth["customers"]["2024"]["won_by_the_programme"] > 80
    together = customers.dropna(subset="household_id").groupby("household_id").size()
    assert (together == 2).sum() > 700


@pytest.mark.parametrize("date", ["2022-12-31", "2023-12-31"])
def test_one_score_model_knows_something_and_one_nothing(
    date: str, read: Callable[[str], pd.DataFrame], truth: dict, purchases: pd.DataFrame
) -> None:
    scored = read("customer_scores")
    at = pd.Timestamp(f"{date} 23:00")
    inside = purchases[(purchases["ts"] >= at) & (purchases["ts"] < at + pd.Timedelta(days=365))]
    came = inside["customer_id"].value_counts()
    error = {}
    for model, said in truth["scores"].items():
        own = scored[(scored["model_id"] == model) & (scored["scored_at"] == at)]
        actual = came.reindex(own["customer_id"], fill_value=0).to_numpy()
        assert (len(own), actual.sum()) == (said[date]["scored"], said[date]["purchases"])
        error[model] = float(np.abs(actual - own["expected_purchases"].to_numpy()).mean())
        assert error[model] == pytest.approx(said[date]["mean_absolute_error"], abs=1e-5)
    good, useless = (truth["scores"][name][date] for name in truth["scores"])
    assert good["mean_absolute_error"] < 0.75 * good["mean_absolute_error_of_the_mean"]
    assert useless["mean_absolute_error"] > useless["mean_absolute_error_of_the_mean"]
    assert truth["planted"]["useless_score_model"] == "points-band-1"


def test_the_audits_own_lists_are_counted(read: Callable[[str], pd.DataFrame], truth: dict) -> None:
    targets, items = read("targets"), read("audit_inventory")
    said = truth["audit"]
    own = targets[pd.to_datetime(targets["period_start"]).dt.year == 2024]
    before = own["set_at"] <= pd.to_datetime(own["period_start"])
    assert len(own) == said["targets_2024"]
    assert (before & own["superseded_at"].isna()).sum() == said["targets_2024_set_before_and_not_superseded"]
    assert own["superseded_at"].notna().sum() == 1
    assert (~before).sum() == 2  # one set in May instead of another, one in October after the fact
    assert len(items) == said["items"]
    every = items[["has_programme_segment", "has_comparator", "is_product_linked"]].all(axis=1)
    assert every.sum() == said["items_passing_all_three"]
    assert items["used_in_decision"].sum() == said["items_used_in_decisions"]
    assert items["kpi_id"].notna().sum() == said["items_with_a_kpi"]
    compared = read("benchmarks")
    assert set(compared["evidence_grade"]) == {"A", "B", "C", "D"}
    assert compared["same_definition"].sum() == 4
    assert (compared["low"] <= compared["value"]).all()
    assert (compared["value"] <= compared["high"]).all()
