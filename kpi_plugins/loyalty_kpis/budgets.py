"""Budgets: what the programme and advertising cost, against turnover and the year before."""

from datetime import date

import pandas as pd

from kpibook import because, kpi, modelled
from kpibook.rules import reason
from loyalty_kpis.costs import COST, FIGURES, figure_of, no_base, unbooked
from loyalty_kpis.costs_views import DISCOUNTS

#: Company totals may miss a day of a long period without changing a figure.
COVERED = 0.99
NOT_PAID = (*DISCOUNTS, "supplier_funding", "points_liability_change")
NO_TOTALS = "The company's totals have no rows in this period."
OVERLAP = "The company's totals cover {covered} days of a period of {days}: rows overlap."
SHORT = "The company's totals cover {covered} of {days} days."
NO_ROI = "The programme's ROI is not known."
NO_LAUNCH = "The setting launched_on does not say when the programme began."
BEFORE = "The company's totals do not reach back before {launched_on}."


def a_year_ago(window, settings):
    """The first day of the same days a year earlier."""
    del settings
    leap = (window.start.month, window.start.day) == (2, 29)
    return window.start.replace(year=window.start.year - 1, day=28 if leap else window.start.day)


@kpi(
    unit="percent",
    better="neutral",
    family="return",
    question="How much of turnover goes to loyalty, against the 1.5% figure?",
    columns={
        "programme_cost": COST,
        "booked_cost": ["rows"],
        "company_periods": ["net_revenue", "covered", "days"],
    },
)
def loyalty_budget_share(
    programme_cost: pd.DataFrame,
    booked_cost: pd.DataFrame,
    company_periods: pd.DataFrame,
    *,
    reference_share: float = 0.015,
):
    """Loyalty budget share of revenue: total programme cost, out of the company's net revenue of the same days; the
    variant gap is its distance from reference_share, cash_only leaves out discounts and the change in points liability.
    """
    why = _uncovered(company_periods)
    if why:
        return modelled(None, status="missing_data", reason=why)
    if unbooked(booked_cost):
        return unbooked(booked_cost)
    revenue = float(company_periods["net_revenue"].iloc[0])
    cost = float(programme_cost["amount"].sum())
    paid = float(programme_cost.loc[~programme_cost["component"].isin(NOT_PAID), "amount"].sum())
    share = _exact(cost, revenue)
    gap = share if share.value is None else modelled(share.value - reference_share)
    return _exact(cost, revenue, parts={"variant": {"gap": gap, "cash_only": _exact(paid, revenue)}})


@kpi(
    unit="percent",
    better="neutral",
    family="return",
    question="Is the loyalty budget rising, and did ROI hold when it rose?",
    looks_back=a_year_ago,
    columns={
        "programme_cost": ["component", "amount", "amount_year_before"],
        "booked_cost": ["rows", "rows_year_before"],
        "year_comparisons": ["with_year_before"],
        "scorecard": FIGURES,
    },
)
def loyalty_budget_growth(
    programme_cost: pd.DataFrame,
    booked_cost: pd.DataFrame,
    year_comparisons: pd.DataFrame,
    scorecard: pd.DataFrame,
):
    """Loyalty budget growth: total programme cost over that of the same days twelve months earlier, minus one; shown
    with the variant roi, and with marginal_roi, the change in net programme value over the change in cost.
    """
    for rows in ("rows", "rows_year_before"):
        if unbooked(booked_cost, rows):
            return unbooked(booked_cost, rows)
    now, before = (float(programme_cost[name].sum()) for name in ("amount", "amount_year_before"))
    roi = figure_of(scorecard, "programme_roi")
    unknown = modelled(None, status="not_identified", reason=because(NO_ROI), unit="ratio")
    parts = {
        "variant": {
            "roi": unknown if roi is None else _copied(roi),
            "marginal_roi": _marginal(scorecard, now - before, not year_comparisons.empty) or unknown,
        },
        "component": {name: _growth(*pair) for name, *pair in programme_cost.itertuples(index=False) if any(pair)},
    }
    return _growth(now, before, parts=parts)


@kpi(
    unit="percent",
    better="neutral",
    family="return",
    question="Was growth achieved without advertising, or did ads rise at the same time (confounder)?",
    columns={
        "company_periods": ["net_revenue", "advertising_spend", "covered", "days"],
        "company_history": ["first_day", "last_day", "net_revenue", "advertising_spend"],
    },
)
def ad_spend_share(company_periods: pd.DataFrame, company_history: pd.DataFrame, *, launched_on: str = ""):
    """Advertising spend share: the company's advertising spend, out of its net revenue of the same days; the variant
    change_since_launch compares it with all days before launched_on: above zero, growth may not be credited to the
    programme.
    """
    why = _uncovered(company_periods)
    if why:
        return modelled(None, status="missing_data", reason=why)
    spend, revenue = (float(company_periods[name].iloc[0]) for name in ("advertising_spend", "net_revenue"))
    share = _exact(spend, revenue)
    since = _since_launch(share.value, company_history, launched_on)
    return _exact(spend, revenue, parts={"variant": {"change_since_launch": since}})


def _uncovered(company):
    """Why the company's totals cannot stand for the period, or nothing."""
    if company.empty:
        return because(NO_TOTALS)
    covered, days = int(company["covered"].iloc[0]), int(company["days"].iloc[0])
    if covered > days:
        return because(
            "The company's totals cover {covered} days of a period of {days}: rows overlap.", covered=covered, days=days
        )
    if covered < COVERED * days:
        return because(SHORT, covered=covered, days=days)
    return ""


def _exact(top, bottom, **more):
    if bottom == 0 or pd.isna(bottom) or pd.isna(top):
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **more)
    share = top / bottom
    return modelled(share, low=share, high=share, numerator=top, denominator=bottom, **more)


def _growth(now, before, **more):
    if before == 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **more)
    return modelled(now / before - 1, numerator=now, denominator=before, **more)


def _copied(row):
    value, low, high = (None if pd.isna(row[name]) else float(row[name]) for name in ("value", "low", "high"))
    return modelled(value, low=low, high=high, status=row["status"], reason=row["reason"], unit="ratio")


def _marginal(scorecard, more_cost, compared):
    """Change in net value per euro of additional cost: the change in margin per euro, minus one."""
    net = figure_of(scorecard, "net_programme_value")
    if net is None or not compared or pd.isna(net["change"]):
        return None
    if more_cost == 0:
        return no_base("ratio")
    low, high = (None if pd.isna(net[name]) else float(net[name]) / more_cost for name in ("change_low", "change_high"))
    ends = (None, None) if low is None or high is None else sorted((low, high))
    return modelled(float(net["change"]) / more_cost, low=ends[0], high=ends[1], unit="ratio")


def _since_launch(share, history, launched_on):
    if not launched_on:
        return modelled(None, status="undefined", reason=because(NO_LAUNCH))
    launch = pd.Timestamp(date.fromisoformat(launched_on))
    before = history[pd.to_datetime(history["last_day"]) < launch]
    spend, revenue = float(before["advertising_spend"].sum()), float(before["net_revenue"].sum())
    if revenue == 0:
        return modelled(None, status="undefined", reason=because(BEFORE, launched_on=launched_on))
    return modelled(None if share is None else share - spend / revenue)


DEFINITIONS = (loyalty_budget_share, loyalty_budget_growth, ad_spend_share)
