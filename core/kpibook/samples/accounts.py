"""Marea's books: programme costs and company totals by month, agreeing with the receipts to the cent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import baskets, bonds, campaigns, columns, points, world

if TYPE_CHECKING:
    import pandas as pd

MONTHS = np.arange("2022-01", "2025-01", dtype="datetime64[M]")
_FIXED = {"operations": 62_000, "personnel": 178_000, "technology_opex": 48_000, "technology_amortisation": 25_000}
_LAUNCHED = np.datetime64("2022-07") <= MONTHS
_CAPEX = 25_000 * 36  # written off over 36 months as technology_amortisation
_RESEARCH, _FRAUD = 120_000, 9_500  # a survey wave, a quarter's misuse
_ADVERTISING = np.where(np.datetime64("2023-01") > MONTHS, 12, 14)  # permille of revenue


def monthly(months: object, cents: object) -> world.Ints:
    """Cents summed by month of the three years."""
    index = (np.asarray(months, dtype="datetime64[M]") - MONTHS[0]).astype(int)
    return np.bincount(index, np.asarray(cents), len(MONTHS)).astype(np.int64)


def company(every: pd.DataFrame, lines: pd.DataFrame) -> pa.Table:
    """Net revenue and margin of completed, real orders, staff included, returns in the month they came back."""
    counts = ~(every["cancelled"] | every["test"]).to_numpy()[lines["receipt"]]
    real = lines[counts]
    month = world.month_of(every["second"].to_numpy()[real["receipt"]])
    revenue = monthly(month, real["net"])
    return pa.table(
        {
            "period_start": pa.array(MONTHS.astype("datetime64[D]"), pa.date32()),
            "period_end": pa.array((MONTHS + 1).astype("datetime64[D]") - 1, pa.date32()),
            "net_revenue": columns.money(revenue),
            "gross_margin": columns.money(monthly(month, real["net"] - real["cogs"])),
            "advertising_spend": columns.money(revenue * _ADVERTISING // 1000),
            "marketing_spend": columns.money(revenue * 25 // 1000),
        }
    )


def programme(
    every: pd.DataFrame,
    lines: pd.DataFrame,
    members: pd.DataFrame,
    targets: pd.DataFrame,
    ledger: points.Ledger,
    made: bonds.Bonds,
) -> tuple[pa.Table, dict[str, Any]]:
    """The cost ledger, what receipts already deduct marked ``is_in_transactions``; and its sums by year and type."""
    amounts: dict[str, world.Ints] = {name: np.where(_LAUNCHED, cents, 0) for name, cents in _FIXED.items()}
    month_of_quarter = MONTHS.astype(int) % 3
    amounts["launch_capex"] = np.where(np.datetime64("2022-07") == MONTHS, _CAPEX, 0)
    amounts["research"] = np.where(_LAUNCHED & (month_of_quarter == 1), _RESEARCH, 0)
    amounts["fraud"] = np.where(_LAUNCHED & (month_of_quarter == 2), _FRAUD, 0)
    invited = world.month_of(made.sent["second"].to_numpy())
    amounts["referral_incentive"] = monthly(invited, bonds.reward_cents(made))
    real = lines[baskets.counts(every).to_numpy()[lines["receipt"]]]
    month = world.month_of(every["second"].to_numpy()[real["receipt"]])
    amounts["loyalty_discount"] = monthly(month, real["loyalty"])
    amounts["personal_discount"] = monthly(month, real["personal"])
    taken = np.array([[second, reward.points] for _, second, reward, _ in ledger.rewards], dtype=np.int64)
    amounts["reward"] = monthly(world.month_of(taken[:, 0]), taken[:, 1] * points.UNIT_COST_MICROS // 10_000)
    moved = np.array([[entry[1], entry[3]] for entry in ledger.entries], dtype=np.int64)
    open_points = monthly(world.month_of(moved[:, 0]), moved[:, 1])
    value = np.cumsum(open_points) * int(points.UNIT_COST_MICROS * points.EXPECTED_REDEMPTION) // 10_000
    amounts["points_liability_change"] = np.diff(value, prepend=0)
    joined = members["second"].to_numpy()
    amounts["enrolment_incentive"] = monthly(world.month_of(joined), np.full(len(joined), 80))
    amounts["communication"] = _communication(targets)
    kinds = tuple(amounts)
    kind = np.repeat(np.arange(len(kinds)), len(MONTHS))
    start = np.tile(MONTHS, len(kinds))
    years = MONTHS.astype("datetime64[Y]").astype(int) + 1970
    known = {
        str(year): {name: f"{int(cents[years == year].sum()) / 100:.2f}" for name, cents in sorted(amounts.items())}
        for year in world.YEARS
    }
    funded = monthly(month, real["funding"])
    for year in world.YEARS:
        known[str(year)]["supplier_funding_of_discounts"] = f"{int(funded[years == year].sum()) / 100:.2f}"
    table = pa.table(
        {
            "cost_id": columns.code("C", np.arange(len(kind)) + 1, 4),
            "programme_id": pa.array([world.PROGRAMME] * len(kind)),
            "period_start": pa.array(start.astype("datetime64[D]"), pa.date32()),
            "period_end": pa.array((start + 1).astype("datetime64[D]") - 1, pa.date32()),
            "cost_type": columns.choice(kinds, kind),
            "amount": columns.money(np.concatenate(list(amounts.values()))),
            "is_in_transactions": np.isin(np.array(kinds)[kind], ["loyalty_discount", "personal_discount"]),
            "is_estimate": np.array(kinds)[kind] == "points_liability_change",
        }
    )
    return table.filter(pc.not_equal(table["amount"], pa.scalar(0, table["amount"].type))), known


def _communication(targets: pd.DataFrame) -> world.Ints:
    sent = targets.loc[~targets["control"], "campaign"].value_counts()
    cost = [c.fixed_cents + c.contact_cents * int(sent[i]) for i, c in enumerate(campaigns.CAMPAIGNS)]
    return monthly(np.array([c.start[:7] for c in campaigns.CAMPAIGNS], dtype="datetime64[M]"), cost)
