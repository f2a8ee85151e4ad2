"""Marea's files, read with plain pandas and compared with the truth its generator kept."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from kpibook.model import TABLES
from kpibook.samples import marea, people

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

YEARS = (2022, 2023, 2024)
DISCOUNTED = ["gross_amount", "general_discount", "loyalty_discount", "personal_discount"]


def test_the_same_seed_gives_the_same_tables_and_another_seed_others(samples: Path) -> None:
    again = marea.make()
    for name, table in again.tables.items():
        assert table.equals(pq.read_table(samples / "marea" / f"{name}.parquet").cast(table.schema)), name
    assert json.loads(json.dumps(again.truth)) == json.loads((samples / "marea" / "truth.json").read_text())
    other = marea.make(seed=1).truth
    assert other["years"]["2024"]["net_sales_sale"] != again.truth["years"]["2024"]["net_sales_sale"]


def test_files_hold_the_model_and_nothing_else(read: Callable[[str], pd.DataFrame], samples: Path) -> None:
    names = sorted(path.stem for path in (samples / "marea").glob("*.parquet"))
    assert names == sorted(TABLES)
    for name in names:
        frame, model = read(name), TABLES[name].columns
        assert set(frame.columns) == set(model), name
        key = list(TABLES[name].key) or ["wave_id", "respondent_id", "category_id", "brand"]
        assert not frame.duplicated(key).any()
        for column in frame.columns:
            if model[column].values:
                assert set(frame[column].dropna()) <= set(model[column].values), (name, column)


def test_net_is_gross_less_discounts_to_the_cent(lines: pd.DataFrame) -> None:
    discounts = lines[["general_discount", "loyalty_discount", "personal_discount"]].sum(axis=1)
    assert (lines["net_amount"] == lines["gross_amount"] - discounts).all()
    assert (lines["net_amount"] != 0).all()
    assert not lines.duplicated(["transaction_id", "product_id"]).any()
    assert len(lines) < 400_000


def test_returns_are_negative_lines_of_what_was_bought(lines: pd.DataFrame, headers: pd.DataFrame) -> None:
    back = lines[lines["return_of_line_id"].notna()]
    bought = lines.loc[back["return_of_line_id"]]
    assert (lines["quantity"] < 0).equals(lines["return_of_line_id"].notna())
    assert (-back["quantity"].to_numpy() <= bought["quantity"].to_numpy()).all()
    for name in DISCOUNTED:
        unit = bought[name].to_numpy() // bought["quantity"].to_numpy()
        assert (back[name].to_numpy() == unit * back["quantity"].to_numpy()).all()
    when, then = (headers["ts"].loc[frame["transaction_id"]].to_numpy() for frame in (back, bought))
    days = (when - then) / np.timedelta64(1, "D")
    assert days.min() >= 1
    assert 0.1 < (days > 30).mean() < 0.35
    assert 0.025 < len(back) / (len(lines) - len(back)) < 0.045
    kept = lines.groupby("original")["net_amount"].sum()
    assert (kept == 0).sum() > 100


@pytest.mark.parametrize("year", YEARS)
def test_a_year_is_what_the_generator_says(
    year: int, truth: dict, purchases: pd.DataFrame, headers: pd.DataFrame, lines: pd.DataFrame
) -> None:
    own = purchases[purchases["year"] == year]
    said = truth["years"][str(year)]
    assert len(own) == said["purchases"]
    assert own["customer_id"].isna().sum() == said["anonymous_purchases"]
    assert own["member_id"].notna().sum() == said["card_purchases"]
    assert own["customer_id"].nunique() == said["active_customers"]
    assert Decimal(int(own["kept"].sum())) / 100 == Decimal(said["net_sales_sale"])
    head = headers.loc[lines["transaction_id"]]
    real = (head["status"] == "completed") & ~head["is_staff"] & ~head["is_test"]
    came = real.to_numpy() & (pd.to_datetime(head["business_date"]).dt.year == year).to_numpy()
    assert Decimal(int(lines.loc[came, "net_amount"].sum())) / 100 == Decimal(said["net_sales_return"])
    assert (came & lines["return_of_line_id"].notna().to_numpy()).sum() == said["returned_lines"]


def test_anonymous_staff_test_and_cancelled_orders_are_there(headers: pd.DataFrame, purchases: pd.DataFrame) -> None:
    assert 0.3 < purchases["customer_id"].isna().mean() < 0.4
    assert (headers["status"] == "cancelled").sum() > 300
    assert headers["is_staff"].sum() > 300
    assert headers["is_test"].sum() > 100
    assert headers["store_id"].nunique() == 8
    assert (headers["store_id"].notna() == (headers["channel"] == "store")).all()
    assert headers["ts"].dt.hour.between(8, 20).all()


@pytest.mark.parametrize("year", YEARS)
def test_members_are_what_the_generator_says(year: int, truth: dict, read: Callable[[str], pd.DataFrame]) -> None:
    members = read("memberships")
    start = pd.Timestamp(f"{year}-01-01")
    open_ = members["closed_at"].isna() | (members["closed_at"] >= start)
    assert ((members["enrolled_at"] < start) & open_).sum() == truth["years"][str(year)]["members_at_start"]
    assert (members["enrolled_at"].dt.year == year).sum() == truth["years"][str(year)]["enrolments"]


def test_cards_are_shown_by_members_only_and_sometimes_forgotten(
    headers: pd.DataFrame, read: Callable[[str], pd.DataFrame]
) -> None:
    members = read("memberships").set_index("member_id")
    shown = headers[headers["member_id"].notna()]
    card = members.loc[shown["member_id"]]
    assert (card["customer_id"].to_numpy() == shown["customer_id"].to_numpy()).all()
    assert (card["enrolled_at"].to_numpy() <= shown["ts"].to_numpy()).all()
    closed = card["closed_at"].to_numpy()
    assert not (closed < shown["ts"].to_numpy()).any()
    joined = members.dropna(subset="enrol_transaction_id")
    assert (headers["ts"].loc[joined["enrol_transaction_id"]].to_numpy() == joined["enrolled_at"].to_numpy()).all()
    since = members.set_index("customer_id")["enrolled_at"]
    known = headers[headers["customer_id"].isin(since.index)]
    after = known[known["ts"].to_numpy() > since.loc[known["customer_id"]].to_numpy()]
    assert 0.07 < after["member_id"].isna().mean() < 0.09


def test_some_join_at_the_first_purchase_and_some_later(
    headers: pd.DataFrame, read: Callable[[str], pd.DataFrame]
) -> None:
    customers = read("customers").set_index("customer_id")
    members = read("memberships")
    at_first = customers["created_at"].loc[members["customer_id"]].to_numpy() == members["enrolled_at"].to_numpy()
    assert len(customers) == people.PEOPLE
    assert 0.15 < at_first.mean() < 0.4
    assert len(members) < len(customers)
    assert set(headers["customer_id"].dropna()) <= set(customers.index)


def test_controls_are_random_and_the_known_uplift_is_found(
    truth: dict, headers: pd.DataFrame, purchases: pd.DataFrame, read: Callable[[str], pd.DataFrame]
) -> None:
    targets = read("campaign_targets")
    for campaign in read("campaigns").itertuples(index=False):
        own = targets[targets["campaign_id"] == campaign.campaign_id]
        said = truth["campaigns"][campaign.campaign_id]
        treated = (own["arm"] == "treatment").to_numpy()
        assert (treated.sum(), (~treated).sum()) == (said["treated"], said["controls"])
        assert own["delivered"].eq(True).sum() == said["delivered"]
        assert own.loc[~treated, ["sent_at", "opened_at", "clicked_at"]].isna().all(axis=None)
        assert own["is_random"].eq(said["controls"] > 0).all()
        if not said["controls"]:
            continue
        before = _buys(purchases, own, campaign.start_at - pd.Timedelta(days=180), campaign.start_at)
        during = _buys(purchases, own, campaign.start_at.normalize(), campaign.end_at.normalize())
        assert abs(_gap(before, treated)[0]) < 3 * _gap(before, treated)[1], campaign.campaign_id
        gap, error = _gap(during, treated)
        assert abs(gap - said["caused_purchases_per_treated"]) < 3 * error, campaign.campaign_id


def _buys(purchases: pd.DataFrame, people: pd.DataFrame, start: pd.Timestamp, end: pd.Timestamp) -> np.ndarray:
    inside = purchases[(purchases["ts"] >= start) & (purchases["ts"] < end)]
    return inside["customer_id"].value_counts().reindex(people["customer_id"], fill_value=0).to_numpy()


def _gap(values: np.ndarray, treated: np.ndarray) -> tuple[float, float]:
    arms = values[treated], values[~treated]
    return arms[0].mean() - arms[1].mean(), float(np.sqrt(sum(arm.var(ddof=1) / len(arm) for arm in arms)))


def test_points_never_run_out_of_their_lot_or_below_zero(
    truth: dict, headers: pd.DataFrame, read: Callable[[str], pd.DataFrame]
) -> None:
    ledger = read("points_ledger")
    by_type = ledger.groupby("type")["points"].sum().to_dict()
    said = dict(truth["points"])
    lots = said.pop("lots_by_year_of_issue")
    assert {**by_type, "open": ledger["points"].sum()} == said
    assert sum(lot["open"] for lot in lots.values()) == said["open"]
    born = ledger[ledger["points"] > 0].set_index("lot_id")["ts"].dt.year
    year = born.loc[ledger["lot_id"]].to_numpy()
    for one in YEARS:
        own = ledger[year == one]
        assert own.loc[own["type"] == "expire", "points"].sum() == -lots[str(one)].get("expire", 0)
        assert own.loc[own["points"] > 0, "points"].sum() == lots[str(one)]["issued"]
    for key in ("lot_id", "member_id"):
        assert (ledger.groupby(key)["points"].cumsum() >= 0).all(), key
    assert (ledger["ts"] <= ledger["expires_at"]).all()
    earned = ledger[ledger["type"] == "earn"]
    assert headers["member_id"].loc[earned["transaction_id"]].to_numpy().tolist() == earned["member_id"].tolist()


def test_rewards_agree_with_points_tender_and_ledger(lines: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> None:
    rewards = read("redemptions")
    ledger = read("points_ledger")
    vouchers = rewards[rewards["reward_type"] == "voucher"]
    paid = lines[lines["points_tender"] > 0].groupby("transaction_id")["points_tender"].sum()
    assert paid.to_dict() == dict.fromkeys(vouchers["transaction_id"], 500)
    assert rewards["points_used"].sum() == -ledger.loc[ledger["type"] == "redeem", "points"].sum()
    assert (rewards["cost"] == rewards["face_value"] * Decimal("0.7")).all()


def test_books_agree_with_the_receipts(
    headers: pd.DataFrame, lines: pd.DataFrame, read: Callable[[str], pd.DataFrame]
) -> None:
    head = headers.loc[lines["transaction_id"]]
    real = ((head["status"] == "completed") & ~head["is_test"]).to_numpy()
    month = head["ts"].dt.to_period("M").dt.start_time.dt.date.to_numpy()
    books = read("company_financials").set_index("period_start")
    net = lines.loc[real, "net_amount"].groupby(month[real]).sum()
    assert len(books) == 36
    assert net.to_dict() == (books["net_revenue"] * 100).astype(np.int64).to_dict()
    margin = (lines["net_amount"] - lines["cogs"])[real].groupby(month[real]).sum()
    assert margin.to_dict() == (books["gross_margin"] * 100).astype(np.int64).to_dict()
    costs = read("programme_costs")
    for kind in ("loyalty_discount", "personal_discount"):
        booked = costs[costs["cost_type"] == kind]
        assert booked["is_in_transactions"].all()
        assert booked["amount"].sum() * 100 == int(lines.loc[real, kind].sum())
    rewards = read("redemptions")["cost"].sum()
    assert costs.loc[costs["cost_type"] == "reward", "amount"].sum() == rewards
