"""What holds for every table of Marea: references, dates, and that nothing happens to the wrong people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from kpibook.model import TABLES, references

if TYPE_CHECKING:
    from collections.abc import Callable

END = pd.Timestamp("2025-01-01")
#: Dates that may lie ahead.
AHEAD = {("points_ledger", "expires_at")}


@pytest.mark.parametrize("name", sorted(TABLES))
def test_references_lead_somewhere_and_needed_values_are_there(name: str, read: Callable[[str], pd.DataFrame]) -> None:
    frame = read(name)
    for column, other in references(name).items():
        key = read(other)[TABLES[other].key[0]]
        assert frame[column].dropna().isin(key).all(), column
    for column in TABLES[name].columns.values():
        if not column.nullable:
            assert frame[column.name].notna().all(), column.name


@pytest.mark.parametrize("name", sorted(TABLES))
def test_nothing_happens_after_the_last_day(name: str, read: Callable[[str], pd.DataFrame]) -> None:
    frame = read(name)
    for column in TABLES[name].columns.values():
        if column.kind in {"date", "datetime"} and (name, column.name) not in AHEAD:
            assert (pd.to_datetime(frame[column.name]).dropna() < END).all(), column.name


def test_the_deleted_have_no_purchases_invitations_or_data_afterwards(
    headers: pd.DataFrame, read: Callable[[str], pd.DataFrame], truth: dict
) -> None:
    customers = read("customers").set_index("customer_id")
    gone = customers.loc[customers["deleted_at"].notna(), "deleted_at"]
    assert gone.dt.year.value_counts().to_dict() == {
        int(year): said["deleted"] for year, said in truth["customers"].items() if said["deleted"]
    }
    own = customers.loc[gone.index]
    assert own[["birth_year", "postal_area", "socio_economic_band", "interests"]].isna().all(axis=None)
    assert not own[["consent_email", "consent_push", "consent_profiling"]].any(axis=None)
    dated = {"survey_invitations": "sent_at", "customer_scores": "scored_at", "funnel_events": "ts"}
    for name, column in dated.items():
        frame = read(name)
        frame = frame[frame["customer_id"].isin(gone.index)]
        assert (frame[column] < gone.loc[frame["customer_id"]].to_numpy()).all(), name
    bought = headers[headers["customer_id"].isin(gone.index)]
    assert (bought["ts"] < gone.loc[bought["customer_id"]].to_numpy()).all()
    members = read("memberships").set_index("customer_id").reindex(gone.index).dropna(subset="member_id")
    assert (members["closed_at"] < gone.loc[members.index]).all()


def test_campaigns_go_to_members_who_agreed(read: Callable[[str], pd.DataFrame]) -> None:
    targets, customers = read("campaign_targets"), read("customers").set_index("customer_id")
    channel = read("campaigns").set_index("campaign_id")["channel"].loc[targets["campaign_id"]].to_numpy()
    asked = customers.loc[targets["customer_id"]]
    later = asked["deleted_at"].notna().to_numpy() | targets.groupby("customer_id")["unsubscribed_at"].transform(
        "count"
    ).gt(0)
    for way, consent in (("email", "consent_email"), ("app", "consent_push")):
        assert asked.loc[((channel == way) & ~later).to_numpy(), consent].all()
    first = targets.dropna(subset="unsubscribed_at").groupby("customer_id")["unsubscribed_at"].min()
    assert len(first) > 20
    joined = read("memberships").set_index("customer_id")["enrolled_at"]
    assert (joined.loc[targets["customer_id"]].to_numpy() < targets["assigned_at"].to_numpy()).all()


def test_shops_are_shut_on_closed_days(headers: pd.DataFrame, read: Callable[[str], pd.DataFrame]) -> None:
    calendar = read("calendar")
    assert len(calendar) == 10 * (365 + 365 + 366)
    days = calendar.pivot(index="date", columns="calendar_id", values="is_open")
    assert days["online"].all()
    assert (~days["S01"]).sum() == 3 * 5 + 3  # five fixed days and Easter, each year
    assert days["S01"].equals(days["S08"].rename("S01"))
    weekday = pd.to_datetime(days.index).day_of_week
    assert not days["service"][weekday == 6].any()
    store = headers[(headers["channel"] == "store") & headers["store_id"].notna()]
    assert days["S01"].loc[store["business_date"]].all()
    opened = calendar[calendar["is_open"]]
    assert (opened["open_from"] < opened["open_to"]).all()
    assert calendar.loc[~calendar["is_open"], ["open_from", "open_to"]].isna().all(axis=None)
    assert calendar["fiscal_week"].between(1, 53).all()


def test_the_programme_reaches_the_shops_in_two_waves(
    headers: pd.DataFrame, read: Callable[[str], pd.DataFrame], truth: dict
) -> None:
    members = read("memberships")
    place = headers.loc[members["enrol_transaction_id"]]
    outlet = place["store_id"].fillna("online").to_numpy()
    first = members.groupby(outlet)["enrolled_at"].min()
    started = {name: pd.Timestamp(date) for name, date in truth["programme"]["rollout"].items()}
    assert set(first.index) == set(started)
    for name, date in started.items():
        assert date <= first[name] < date + pd.Timedelta(days=14), name
    launched = read("programme_rules")["launched_at"].iloc[0]
    assert pd.Timestamp(launched) == min(started.values())
