"""Selection: how much of what members spend more is who they are."""

import ibis
import numpy as np
import pandas as pd

from kpibook import kpi, modelled, view
from kpibook.rules import reason
from kpibook.stats.fieller import fieller
from kpibook.stats.intervals import Interval, normal
from loyalty_kpis import enrolment_effect as effect
from loyalty_kpis.customer_months import span_months
from loyalty_kpis.enrolment_effect import MEMBERS, STUDY
from loyalty_kpis.enrolment_segments import UNKNOWABLE


@view(key=("period_id", "customer_id"))
def member_contrast(purchase_months, first_months, enrolled_persons, periods):
    """Member contrast: net sales and months of a period by person, from the first purchase on and months without one
    kept: members since before the period, and persons never enrolled by its end.
    """
    spans = periods.filter(periods.segment_by == "total").mutate(**span_months(periods))
    spans = spans.select("period_id", "from_month", "to_month", "start", "end")
    persons = first_months.join(spans, first_months.first < spans.to_month)
    inside = purchase_months.join(
        spans, (purchase_months.month >= spans.from_month) & (purchase_months.month < spans.to_month)
    )
    bought = inside.group_by("period_id", "customer_id").agg(net_amount=inside.net_amount.sum())
    rows = persons.left_join(bought, ["period_id", "customer_id"]).select(*persons.columns, "net_amount")
    known = enrolled_persons.select("customer_id", "enrolled_on", "closed_on")
    rows = rows.left_join(known, "customer_id").select(*rows.columns, "enrolled_on", "closed_on")
    open_at_start = rows.closed_on.isnull() | (rows.closed_on >= rows.start)
    member = (rows.enrolled_on < rows.start) & open_at_start
    never = rows.enrolled_on.isnull() | (rows.enrolled_on >= rows.end)
    return rows.filter(member.fill_null(False) | never).select(
        "period_id",
        "customer_id",
        months=rows.to_month - ibis.greatest(rows.from_month, rows.first),
        net_amount=rows.net_amount.fill_null(0.0),
        is_member=member.fill_null(False),
    )


@kpi(
    unit="percent",
    better="neutral",
    family="return",
    question="How much of the member-vs-non-member gap is who they are, not what the programme did?",
    columns={
        "enrolment_study": [*STUDY, "net_amount"],
        "enrolment_members": MEMBERS,
        "member_contrast": ["months", "net_amount", "is_member"],
    },
    not_by=UNKNOWABLE,
)
def selection_gap(enrolment_study: pd.DataFrame, enrolment_members: pd.DataFrame, member_contrast: pd.DataFrame):
    """Selection-bias gap: 1 less the effect of enrolling per member-year, out of the gap in net sales per person and
    year between members and identified persons who never enrolled, months without a purchase kept.

    naive_gap is that gap, and not an effect: it says who joins. A gap of zero or less leaves the share undefined.
    """
    naive, error = _naive(member_contrast)
    gap = modelled(
        naive,
        low=None if naive is None else normal(naive, error).low,
        high=None if naive is None else normal(naive, error).high,
        unit="money",
        n=len(member_contrast),
        persons=len(member_contrast),
    )
    own = effect.study(enrolment_study)
    found = effect.judged(own, enrolment_study["net_amount"], enrolment_members) if own else None
    if found is None or found.grade == "D":
        return effect.not_identified(parts={"variant": {"naive_gap": gap}})
    yearly = 12 / found.study.person_months
    ends = [effect.scaled(i, yearly) for i in (found.interval, found.bounds)]
    per_year = effect.stated(found, found.study.average * 12, *ends, unit="money")
    parts = {"naive_gap": gap, "effect_per_member_year": per_year}
    if naive is None or naive <= 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), parts={"variant": parts})
    shares = [_one_minus(end, naive, error) for end in ends]
    value = 1 - found.study.average * 12 / naive
    return effect.stated(found, value, *shares, parts={"variant": parts})


def _one_minus(ends: Interval, naive: float, error: float) -> Interval:
    """1 - effect / gap over the effect's interval, each end widened by the gap's own error (Fieller)."""
    low = fieller(ends.high, naive, 0.0, error**2)
    high = fieller(ends.low, naive, 0.0, error**2)
    if low is None or high is None:
        return Interval(1 - ends.high / naive, 1 - ends.low / naive)
    return Interval(1 - low.high, 1 - high.low)


def _naive(rows: pd.DataFrame) -> tuple[float | None, float]:
    """Gap per person and year, and its standard error by the delta method; None without both groups."""
    means, variance = [], 0.0
    for member in (True, False):
        own = rows[rows["is_member"].astype(bool) == member]
        months = float(own["months"].sum())
        if not months:
            return None, 0.0
        level = float(own["net_amount"].sum()) / months
        rest = (own["net_amount"] - level * own["months"]).to_numpy(dtype=np.float64)
        means.append(level * 12)
        variance += float(rest @ rest) * (12 / months) ** 2
    return means[0] - means[1], float(np.sqrt(variance))


DEFINITIONS = (member_contrast, selection_gap)
