"""Costs: what the programme costs all in, and for each active member."""

import pandas as pd

from kpibook import because, kpi, modelled
from kpibook.rules import reason
from loyalty_kpis.costs_views import DISCOUNTS

COST = ["component", "amount", "estimated"]
FIGURES = ["kpi", "segment", "value", "low", "high", "status", "reason", "change", "change_low", "change_high"]
TOLERANCE = 0.01
NO_LEDGER = "The cost ledger has no rows in this period."
TWICE = "Discounts of {amount} in the cost ledger are in the receipts too and were not counted twice."
PART = "The cost ledger covers {first} to {last} only."
GAP = "It differs from the cost ledger by {gap} %."


@kpi(
    unit="money",
    better="neutral",
    family="return",
    question="What does the programme really cost, all in?",
    columns={
        "programme_cost": COST,
        "booked_cost": ["component", "booked", "in_receipts", "rows", "first", "last", "start", "end"],
        "scorecard": FIGURES,
    },
    table_units={"amount": "money", "booked": "money", "in_receipts": "money"},
)
def total_programme_cost(programme_cost: pd.DataFrame, booked_cost: pd.DataFrame, scorecard: pd.DataFrame):
    """Total programme cost: member and personal discounts on all purchases net of supplier funding, rewards taken plus
    the change in points liability, and every row of the cost ledger that is not already in the receipts, spread over
    its days; the variant gap_to_ledger compares it, cost type by cost type, with what the ledger books.

    Its interval is that of the points liability's change. Cost types by name are segments of this KPI.
    """
    if unbooked(booked_cost):
        return unbooked(booked_cost)
    cost, low, high = _cost(programme_cost, scorecard)
    table = programme_cost[["component", "amount"]].merge(
        booked_cost[["component", "booked", "in_receipts"]], on="component", how="outer"
    )
    table = table.fillna({"amount": 0.0, "booked": 0.0, "in_receipts": 0.0}).sort_values("component")
    both = table[table["booked"] != 0]
    booked = float(both["booked"].sum())
    gap = float(both["amount"].sum()) / booked - 1 if booked else None
    parts = {
        "variant": {
            "ledger": modelled(booked),
            "gap_to_ledger": modelled(gap, unit="percent") if gap is not None else no_base("percent"),
        },
        "component": {name: modelled(float(amount)) for name, amount in _named(programme_cost)},
    }
    shown = table[["component", "amount", "booked", "in_receipts"]]
    why = _remark(table, booked_cost, gap)
    return modelled(cost, low=low, high=high, reason=why, table=shown, table_persons=None, parts=parts)


@kpi(
    unit="money",
    better="lower",
    family="return",
    question="What does one active member cost per year?",
    columns={
        "programme_cost": COST,
        "booked_cost": ["rows"],
        "active_member_months": ["member_months", "months", "members"],
        "scorecard": FIGURES,
    },
)
def programme_cost_per_active_member(
    programme_cost: pd.DataFrame,
    booked_cost: pd.DataFrame,
    active_member_months: pd.DataFrame,
    scorecard: pd.DataFrame,
):
    """Cost per active member: total programme cost of a year, out of the mean monthly number of members who showed
    their card at a purchase of that month.
    """
    if unbooked(booked_cost):
        return unbooked(booked_cost)
    if active_member_months.empty:
        return modelled(None, status="undefined", reason=reason("zero_denominator"))
    months, active = (float(active_member_months[name].iloc[0]) for name in ("months", "member_months"))
    yearly = [None if c is None else c * 12 / active for c in _cost(programme_cost, scorecard)]
    mean = active / months
    facts = {"n": int(mean), "numerator": yearly[0] * mean, "denominator": mean}
    facts["persons"] = int(active_member_months["members"].iloc[0])
    if mean < 30:
        facts |= {"status": "low_n", "reason": reason("too_few_persons", n=int(mean), minimum=30)}
    return modelled(yearly[0], low=yearly[1], high=yearly[2], **facts)


def unbooked(ledger, rows="rows"):
    """What is said of a period of which the cost ledger tells nothing."""
    return None if ledger[rows].sum() > 0 else modelled(None, status="missing_data", reason=because(NO_LEDGER))


def _cost(components, scorecard):
    """C with its interval: that of the points liability's change, where this was estimated from points."""
    cost = float(components["amount"].sum())
    if not components["estimated"].any():
        return cost, cost, cost
    change = figure_of(scorecard, "points_liability", "change")
    if change is None or pd.isna(change["low"]) or pd.isna(change["high"]):
        return cost, None, None
    return cost, cost + float(change["low"] - change["value"]), cost + float(change["high"] - change["value"])


def figure_of(scorecard, kpi_id, segment="total"):
    found = scorecard[(scorecard["kpi"] == kpi_id) & (scorecard["segment"] == segment)]
    return None if found.empty else found.iloc[0]


def _named(components):
    shown = components[components["amount"] != 0].sort_values("component")
    return shown[["component", "amount"]].itertuples(index=False, name=None)


def _remark(table, ledger, gap):
    """What an auditor should know of a cost that was computed: the most serious first."""
    twice = table[table["component"].isin(DISCOUNTS) & (table["amount"] != 0)]
    refused = float((twice["booked"] - twice["in_receipts"]).sum())
    if refused:
        return because(TWICE, amount=round(refused, 2))
    first, last = ledger["first"].min(), ledger["last"].max()
    if first > ledger["start"].max() or last < ledger["end"].max():
        return because(PART, first=_day(first), last=_day(last, -1))
    if gap is not None and abs(gap) > TOLERANCE:
        return because(GAP, gap=round(100 * gap, 1))
    return ""


def _day(moment, shift=0):
    return str((pd.Timestamp(moment) + pd.Timedelta(days=shift)).date())


def no_base(unit):
    return modelled(None, status="undefined", reason=reason("zero_denominator"), unit=unit)


DEFINITIONS = (
    total_programme_cost,
    programme_cost_per_active_member,
)
