"""Return on investment: the margin that exists only because of the programme, against all of its cost, once each."""

import ibis
import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, view
from kpibook.rules import mean_rule, reason
from kpibook.stats.intervals import Z
from loyalty_kpis import programme_return
from loyalty_kpis.costs_views import BENEFITS
from loyalty_kpis.enrolment_segments import NOT_BY
from loyalty_kpis.programme_return import COLUMNS, OPTIONAL

NEVER_EVEN = because("The members' margin does not reach the cost: no increment would pay for the programme.")


@view(key=("period_id", "component"))
def period_costs(programme_cost, periods):
    """Period costs: the programme's cost by component, of whole periods only."""
    whole = periods.filter(periods.segment_by == "total").select("period_id")
    return programme_cost.semi_join(whole, "period_id").select("period_id", "component", "amount")


@view(key=("period_id", "customer_id"))
def member_costs(enrolment_members, period_costs):
    """Member costs: the enrolment members with ``other_cost``, each one's part of the programme's cost besides
    benefits, shared out by member-months.
    """
    others = period_costs.filter(period_costs.component.notin(list(BENEFITS)))
    sums = others.group_by("period_id").agg(other=others.amount.sum().cast("float64"))
    own = ibis.window(group_by="period_id")
    rows = enrolment_members.left_join(sums, "period_id").select(*enrolment_members.columns, "other")
    rate = rows.other / rows.months.sum().over(own).nullif(0)
    return rows.select(*enrolment_members.columns, other_cost=(rate * rows.months).fill_null(0.0))


@kpi(
    unit="ratio",
    better="higher",
    family="return",
    question="Does the programme earn back more than it costs, compared with not having it?",
    columns=COLUMNS,
    optional=OPTIONAL,
    not_by=NOT_BY,
    table_units={"identified_members": "money", "all_members_same_effect": "money"},
)
def programme_roi(
    enrolment_study: pd.DataFrame,
    study_benefits: pd.DataFrame,
    member_costs: pd.DataFrame,
    period_costs: pd.DataFrame,
    programme_cases: pd.DataFrame,
    store_months: pd.DataFrame,
    study_stores: pd.DataFrame,
    held_tiers: pd.DataFrame,
):
    """Programme ROI (incremental): incremental contribution margin before loyalty benefits less programme cost, out of
    that cost, over the same members and months.

    Margin and cost are those of the months after enrolment of the members whose effect is identified: the discounts
    are their own, net of supplier funding, and every other cost is shared out by member-months. Grade B has a value
    and an interval (Fieller, widened by what the design leaves open), grade C only bounds, grade D nothing: read the
    break-even uplift. later_enrollers and never_enrolled are the bracket; all_members assumes the same effect in
    every member-month and takes all costs. Vendors' figures of revenue over cost are not comparable.

    Designs: a random trial of the programme (grade A), stores that it reached one after another, or the enrolment
    study (at best B); the best grade stands, the others are shown by design. By cohort, tenure, usage class and store
    the enrolment study's members are told apart by what was known when they enrolled, and compared with others of the
    same part. By tier it cannot be known: a tier comes of enrolling, and whoever did not enrol has none.
    """
    return programme_return.figure(
        "ratio", enrolment_study, study_benefits, member_costs, period_costs, programme_cases, store_months,
        study_stores, held_tiers,
    )  # fmt: skip


@kpi(
    unit="money",
    better="higher",
    family="return",
    question="How much money does the programme leave, in euro?",
    columns=COLUMNS,
    optional=OPTIONAL,
    not_by=NOT_BY,
    table_units={"identified_members": "money", "all_members_same_effect": "money"},
)
def net_programme_value(
    enrolment_study: pd.DataFrame,
    study_benefits: pd.DataFrame,
    member_costs: pd.DataFrame,
    period_costs: pd.DataFrame,
    programme_cases: pd.DataFrame,
    store_months: pd.DataFrame,
    study_stores: pd.DataFrame,
    held_tiers: pd.DataFrame,
):
    """Net programme value: incremental contribution margin before loyalty benefits less programme cost, over the same
    members and months.

    Unlike the ratio it does not depend on whether discounts are taken off the margin or counted as cost.
    """
    return programme_return.figure(
        "value", enrolment_study, study_benefits, member_costs, period_costs, programme_cases, store_months,
        study_stores, held_tiers,
    )  # fmt: skip


@kpi(
    unit="percent",
    better="lower",
    family="return",
    question="What increment per member would the programme need just to pay for itself?",
    columns={"enrolment_members": ["margin", "years"], "period_costs": ["component", "amount"]},
)
def break_even_uplift(enrolment_members: pd.DataFrame, period_costs: pd.DataFrame):
    """Break-even uplift: programme cost, out of what the members' contribution margin before loyalty benefits would be
    without the programme if it just paid for itself (their observed margin less the cost).

    It needs no estimate of an effect. per_member_year is the cost per year of membership. The interval is that of the
    members' margin, whose spread over members rule M judges.
    """
    cost, members = float(period_costs["amount"].sum()), len(enrolment_members)
    margin, years = float(enrolment_members["margin"].sum()), float(enrolment_members["years"].sum())
    facts = {"n": members, "persons": members}
    parts = {"per_member_year": modelled(cost / years, unit="money", numerator=cost, denominator=years, **facts)}
    parts = {"variant": parts if years > 0 else {}}
    if not members or not cost:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts, parts=parts)
    sides = {"numerator": cost, "denominator": margin - cost}
    if margin <= cost:
        return modelled(None, status="undefined", reason=NEVER_EVEN, **facts, **sides, parts=parts)
    error = (
        float(np.std(enrolment_members["margin"].to_numpy(), ddof=1)) * members**0.5 if members > 1 else float("inf")
    )
    status, why = mean_rule(margin, error, members)
    least = margin - Z * error - cost
    high = cost / least if least > 0 else None
    low = cost / (margin + Z * error - cost) if np.isfinite(error) else None
    return modelled(
        cost / (margin - cost), low=low, high=high, status=status, reason=why, **facts, **sides, parts=parts
    )


DEFINITIONS = (period_costs, member_costs, programme_roi, net_programme_value, break_even_uplift)
