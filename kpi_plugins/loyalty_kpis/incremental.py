"""Increments: what exists only because of the programme, and for which members that can be told."""

import ibis
import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, ratio, share, variants, view
from kpibook.rules import reason
from kpibook.stats.enrolment_effects import POST, TIMES
from kpibook.stats.fieller import fieller
from kpibook.stats.intervals import Interval, normal
from loyalty_kpis import enrolment_effect as effect
from loyalty_kpis.customer_months import span_months
from loyalty_kpis.enrolment_effect import MEMBERS, STUDY

#: The growth that vendors advertise, and the months in which "at once" would have to show.
CLAIM = 0.30
AT_ONCE = 3
REFUTED = because("The advertised growth of 30 % lies above the whole interval.")


@kpi(
    unit="money",
    better="higher",
    family="return",
    question="How much contribution margin exists only because of the programme?",
    columns={"enrolment_study": [*STUDY, "margin"], "enrolment_members": MEMBERS},
)
def incremental_margin(enrolment_study: pd.DataFrame, enrolment_members: pd.DataFrame):
    """Incremental contribution margin: what members bought in the 12 months after the month of enrolment above what
    they would have bought without it, in contribution margin before loyalty benefits, in the months of the period.

    Difference-in-differences against the six months before, with controls who could have enrolled in the same month
    and had a purchase in it, whatever they did later, of the same tenure and basket; months without a purchase are 0.
    Only members with such a control and six months of history count. Grade B has a value; grade C only bounds, from
    the lowest to the highest of bracket and interval; D nothing. The interval allows for a drift after enrolment as
    large as the one before. Variants: the bracket (later_enrollers, never_enrolled), controls censored when they
    enrol, the placebo of the months 12 to 7 before, the drift that it could have shown, and how many times the drift
    before the effect survives (breakdown). all_members assumes the same effect in every member-month.
    """
    own = effect.study(enrolment_study)
    found = effect.judged(own, enrolment_study["margin"], enrolment_members) if own else None
    if found is None or found.grade == "D":
        return effect.not_identified()
    parts = effect.readings(found)
    every = float(enrolment_members["months"].sum()) / found.study.person_months
    ends = (effect.scaled(found.interval, every), effect.scaled(found.bounds, every))
    parts["all_members"] = effect.stated(found, found.study.total * every, *ends)
    table = effect.event_table(found.study)
    beside = {"table": table, "table_persons": "members"}
    return effect.stated(found, found.study.total, found.interval, found.bounds, parts={"variant": parts}, **beside)


@kpi(
    unit="money",
    better="higher",
    family="return",
    question="How much turnover exists only because of the programme?",
    columns={"enrolment_study": [*STUDY, "net_amount", "purchases"], "enrolment_members": MEMBERS},
)
def incremental_revenue(enrolment_study: pd.DataFrame, enrolment_members: pd.DataFrame):
    """Incremental revenue: as the incremental contribution margin, in net sales; it never enters the ROI.

    survival, frequency and basket add up to it: the part that comes from months with a purchase at all, from
    purchases in such a month, and from net sales per purchase (logarithmic mean weights).
    """
    own = effect.study(enrolment_study)
    found = effect.judged(own, enrolment_study["net_amount"], enrolment_members) if own else None
    if found is None or found.grade == "D":
        return effect.not_identified()
    parts = effect.readings(found)
    components = _components(own, enrolment_study)
    facts = {"n": found.study.treated, "persons": found.study.treated, "grade": found.grade}
    parts |= {name: modelled(amount, **facts) for name, amount in components.items()}
    table = effect.event_table(found.study)
    beside = {"table": table, "table_persons": "members"}
    return effect.stated(found, found.study.total, found.interval, found.bounds, parts={"variant": parts}, **beside)


def _components(own, frame) -> dict:
    """Effects on months with a purchase, purchases in them and spend per purchase, as money that adds up."""
    columns = [np.ones(len(frame)), frame["purchases"], frame["net_amount"]]
    made = [own.effects(values) for values in columns]
    observed = np.array([found.observed[:, POST].sum() for found in made])
    without = observed - np.array([found.total for found in made])
    if (observed <= 0).any() or (without <= 0).any():
        return {}
    growth = np.diff(np.log(observed / without), prepend=0.0)
    change = observed[2] - without[2]
    weight = change / np.log(observed[2] / without[2]) if change else without[2]
    return dict(zip(("survival", "frequency", "basket"), map(float, weight * growth), strict=True))


@view(key="period_id")
def period_sales(receipts, periods):
    """Period sales: net sales of all receipts of a whole period, anonymous ones included, returns netted."""
    whole = periods.filter(periods.segment_by == "total")
    inside = receipts.join(whole, (receipts.business_date >= whole.start) & (receipts.business_date < whole.end))
    return inside.group_by("period_id").agg(net_sales=inside.net_amount.sum().cast("float64"))


@kpi(
    unit="percent",
    better="higher",
    family="return",
    question="By what % did the programme lift total sales, and is the advertised +30% credible here?",
    columns={
        "enrolment_study": [*STUDY, "net_amount"],
        "enrolment_members": MEMBERS,
        "period_sales": ["net_sales"],
    },
)
def incremental_revenue_share(
    enrolment_study: pd.DataFrame, enrolment_members: pd.DataFrame, period_sales: pd.DataFrame
):
    """Incremental revenue share: incremental revenue, out of total net sales less incremental revenue.

    of_members_own sets the increment against what the same members would have bought without it, first_three_months
    does so for the three months after enrolment only. An advertised 30 % is refuted when it lies above the interval.
    """
    own = effect.study(enrolment_study)
    found = effect.judged(own, enrolment_study["net_amount"], enrolment_members) if own else None
    if found is None or found.grade == "D":
        return effect.not_identified()
    total = float(period_sales["net_sales"].sum())
    if total <= found.study.total or total <= found.bounds.high:
        return modelled(None, status="undefined", reason=reason("zero_denominator"))
    ends = [Interval(*(end / (total - end) for end in both)) for both in (found.interval, found.bounds)]
    value = found.study.total / (total - found.study.total)
    parts = {
        "of_members_own": _own_growth(found, TIMES > 0),
        "first_three_months": _own_growth(found, (TIMES > 0) & (TIMES <= AT_ONCE)),
    }
    refuted = {"reason": REFUTED} if found.grade == "B" and ends[0].high < CLAIM else {}
    return effect.stated(found, value, *ends, parts={"variant": parts}, **refuted)


def _own_growth(found, times):
    """Effect on the members' own sales in the event months ``times``, relative to those without it."""
    own = found.study
    sums, observed = float(own.sums[:, times].sum()), float(own.observed[:, times].sum())
    error = float(np.sqrt(np.sum(own.influence[:, times].sum(axis=1) ** 2)))
    ends = normal(sums, error)
    if observed - ends.high <= 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), grade=found.grade)
    low, high = (end / (observed - end) for end in ends)
    facts = {"n": own.treated, "persons": own.treated, "grade": found.grade}
    return modelled(sums / (observed - sums), low=low, high=high, **facts)


@kpi(
    unit="percent",
    better="higher",
    family="return",
    question="For which part of the members can the effect be estimated at all?",
)
def identified_member_share(enrolment_members):
    """Identified member share: members with six months of purchase history before enrolment and a control of the same
    month, tenure and basket, out of all members of the period.

    Who joined at the first purchase, or before the data begin, has no such history. by_margin weights members by
    their contribution margin before loyalty benefits in the period.
    """
    rows, person = enrolment_members, enrolment_members.customer_id
    return variants(
        share(rows.identified, cluster=person),
        by_margin=ratio(rows.margin.sum(where=rows.identified), rows.margin.sum(), cluster=person),
    )


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


DEFINITIONS = (
    period_sales,
    member_contrast,
    incremental_margin,
    incremental_revenue,
    incremental_revenue_share,
    identified_member_share,
    selection_gap,
)
