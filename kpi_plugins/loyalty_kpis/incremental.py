"""Increments: what exists only because of the programme, and for which members that can be told."""

from dataclasses import replace

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, ratio, share, variants, view
from kpibook.rules import reason
from kpibook.stats.enrolment_effects import POST, TIMES, effects
from kpibook.stats.intervals import Interval, normal
from loyalty_kpis import enrolment_effect as effect
from loyalty_kpis import return_designs
from loyalty_kpis.enrolment_effect import MEMBERS, STUDY
from loyalty_kpis.enrolment_segments import NOT_BY, SEGMENT_COLUMNS, UNKNOWABLE, segments, unknowable
from loyalty_kpis.return_designs import DESIGN_COLUMNS

#: The growth that vendors advertise, and the months in which "at once" would have to show.
CLAIM = 0.30
AT_ONCE = 3
ALL_ELIGIBLE = because("Every product earns points, or it is not known which do.")
REFUTED = because("The advertised growth of 30 % lies above the whole interval.")


@kpi(
    unit="money",
    better="higher",
    family="return",
    question="How much contribution margin exists only because of the programme?",
    columns={
        "enrolment_study": [*STUDY, "margin"],
        "enrolment_members": MEMBERS,
        "study_ineligible": ["person", "month", "ineligible"],
        **DESIGN_COLUMNS,
        **SEGMENT_COLUMNS,
    },
    optional=("study_ineligible", *DESIGN_COLUMNS, *SEGMENT_COLUMNS),
    not_by=NOT_BY,
    table_units={"effect": "money", "low": "money", "high": "money"},
)
def incremental_margin(
    enrolment_study: pd.DataFrame,
    enrolment_members: pd.DataFrame,
    study_ineligible: pd.DataFrame,
    programme_cases: pd.DataFrame,
    store_months: pd.DataFrame,
    study_stores: pd.DataFrame,
    held_tiers: pd.DataFrame,
):
    """Incremental contribution margin: what members bought in the 12 months after the month of enrolment above what
    they would have bought without it, in contribution margin before loyalty benefits, in the months of the period.

    Difference-in-differences against the six months before, with controls who could have enrolled in the same month
    and had a purchase in it, whatever they did later, of the same tenure and basket; months without a purchase are 0.
    Only members with such a control and six months of history count. Grade B has a value; grade C only bounds, from
    the lowest to the highest of bracket and interval; D nothing. The interval allows for a drift after enrolment as
    large as the one before. Variants: the bracket (later_enrollers, never_enrolled), controls censored when they
    enrol, controls adjusted for spending before the base, the placebos (the months 12 to 7 before; enrolment six months
    earlier; products that earn no points, which more visits can move as well), the drift that could have shown, and how
    many times the drift before the effect survives (breakdown). all_members assumes the same effect in every
    member-month. A random trial of the programme or stores reached one after another stand instead where their grade
    is better; per_enrolment is the trial's margin per person whom it made enrol. By store, both sides bought in it
    in the month of enrolment; by tier it cannot be known, as a tier comes of enrolling.
    """
    own = effect.study(enrolment_study)
    found = effect.judged(own, enrolment_study["margin"], enrolment_members) if own else None
    shown = effect.not_identified()
    if own is not None and found is not None and found.grade != "D":
        shown = _by_study(own, found, enrolment_study, enrolment_members, study_ineligible, study_stores)
    shown = replace(shown, parts={**shown.parts, **unknowable(held_tiers)})
    trial = return_designs.per_enrolment(programme_cases)
    if trial is not None:
        readings = {**shown.parts.get("variant", {}), "per_enrolment": trial}
        shown = replace(shown, parts={**shown.parts, "variant": readings})
    return return_designs.shown(shown, "margin", found, programme_cases, store_months, enrolment_members, 0.0)


def _by_study(own, found, rows: pd.DataFrame, members: pd.DataFrame, ineligible: pd.DataFrame, stores: pd.DataFrame):
    """The increment by the enrolment study, with all its readings and by what was known at enrolment."""
    parts = {**effect.readings(found), **effect.further(own, rows["margin"], found)}
    parts["products_without_points"] = _ineligible(own, ineligible, found)
    every = float(members["months"].sum()) / found.study.person_months
    ends = (effect.scaled(found.interval, every), effect.scaled(found.bounds, every))
    parts["all_members"] = effect.stated(found, found.study.total * every, *ends)
    by_segment = {}
    for dimension, studies in segments(own, own.matrix(rows["margin"]), stores).items():
        judged = {n: effect.judged(s, rows["margin"], members, pretended=found.pretended) for n, s in studies.items()}
        by_segment[dimension] = {
            n: effect.stated(f, f.study.total, f.interval, f.bounds) for n, f in judged.items() if f.grade != "D"
        }
    table = effect.event_table(found.study)
    beside = {"parts": {"variant": parts, **by_segment}, "table": table, "table_persons": "members"}
    return effect.stated(found, found.study.total, found.interval, found.bounds, **beside)


def _ineligible(own, rows: pd.DataFrame, found):
    """Placebo: the effect per member-month on products that earn no points."""
    if rows.empty:
        return modelled(None, status="undefined", reason=ALL_ELIGIBLE)
    outcome = own.other(rows, "ineligible")
    made = effects(own.sets, outcome, own.purchases.enrolled, counted=own.counted)
    ends = effect.scaled(normal(made.total, made.standard_error), 1 / made.person_months)
    facts = {"n": made.treated, "persons": made.treated, "grade": found.grade}
    return effect.enough(found, modelled(made.average, low=ends.low, high=ends.high, **facts))


@kpi(
    unit="money",
    better="higher",
    family="return",
    question="How much turnover exists only because of the programme?",
    columns={"enrolment_study": [*STUDY, "net_amount", "purchases"], "enrolment_members": MEMBERS},
    not_by=UNKNOWABLE,
    table_units={"effect": "money", "low": "money", "high": "money"},
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
    parts |= {name: effect.enough(found, modelled(amount, **facts)) for name, amount in components.items()}
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
    return effect.enough(found, modelled(sums / (observed - sums), low=low, high=high, **facts))


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


DEFINITIONS = (
    period_sales,
    incremental_margin,
    incremental_revenue,
    incremental_revenue_share,
    identified_member_share,
)
