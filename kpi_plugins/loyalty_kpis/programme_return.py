"""Margin and cost of the same members and months: what the ROI and the net value are made of."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

import numpy as np
import pandas as pd

from kpibook import because, modelled
from kpibook.once import once
from kpibook.stats.enrolment_checks import Pretended
from kpibook.stats.enrolment_effects import clustered_error
from kpibook.stats.evidence import Evidence
from kpibook.stats.fieller import fieller
from kpibook.stats.intervals import Interval, Z
from loyalty_kpis import enrolment_effect as effect
from loyalty_kpis import return_designs
from loyalty_kpis.costs_views import BENEFITS
from loyalty_kpis.enrolment_effect import MEMBERS, STUDY, Study
from loyalty_kpis.enrolment_segments import SEGMENT_COLUMNS, segments, unknowable
from loyalty_kpis.return_designs import DESIGN_COLUMNS

COLUMNS = {
    "enrolment_study": [*STUDY, "margin"],
    "study_benefits": ["person", "month", "benefits"],
    "member_costs": [*MEMBERS, "years", "other_cost"],
    "period_costs": ["component", "amount"],
    **DESIGN_COLUMNS,
    **SEGMENT_COLUMNS,
}
#: What a part of the members may lack: the costs of the whole programme stand in nobody's rows.
OPTIONAL = ("period_costs", *DESIGN_COLUMNS, *SEGMENT_COLUMNS)
NO_COST = because("The programme has no cost in this period.")
DESIGN = (
    "The increment cannot be identified with these data. What would identify it: {persons} customers from whom the "
    "programme is withheld at random for a year, and as many others."
)
#: Standard normal quantile of 80 % power.
POWERED = 0.8416


def figure(
    which: str,
    rows: pd.DataFrame,
    benefits: pd.DataFrame,
    members: pd.DataFrame,
    costs: pd.DataFrame,
    cases: pd.DataFrame,
    stores: pd.DataFrame,
    bought_in: pd.DataFrame,
    tiers: pd.DataFrame,
):
    """The ROI (``ratio``) or the net value (``value``) of one period, by the best design and as its evidence allows."""
    made, by_segment = _returns(rows, benefits, members, bought_in)
    if made is None:
        shown = _unidentified(rows, members, costs)
    elif made.cost <= 0 and which == "ratio":
        shown = modelled(None, status="undefined", reason=NO_COST)
    else:
        shown = _stated(made, which, costs)
        parts = {**shown.parts, **{by: _stated_parts(parts, which) for by, parts in by_segment.items()}}
        shown = replace(shown, parts=parts)
    shown = replace(shown, parts={**shown.parts, **unknowable(tiers)})
    found = None if made is None else made.found
    return return_designs.shown(shown, which, found, cases, stores, members, float(members["other_cost"].sum()))


@dataclass(frozen=True)
class Return:
    """Margin and cost of the same member-months: those after enrolment of the members whose effect is identified."""

    found: Evidence
    cost: float
    discounts: float
    cost_variance: float
    covariance: float
    every: float

    @property
    def margin(self) -> float:
        return self.found.study.total

    def ratio(self) -> tuple[float, Interval, Interval]:
        """ROI with interval and bounds: Fieller over margin and cost, and what the design leaves open."""
        study, cost = self.found.study, self.cost
        ends = [effect.scaled(self.found.interval, 1 / cost, -1.0)]
        joint = fieller(study.total, cost, study.standard_error**2, self.cost_variance, self.covariance)
        if joint is not None:
            ends.append(effect.scaled(joint, 1.0, -1.0))
        bounds = effect.scaled(self.found.bounds, 1 / cost, -1.0)
        whole = _hull(ends)
        return self.margin / cost - 1, whole, _hull([whole, bounds])

    def value(self) -> tuple[float, Interval, Interval]:
        """Net value in the same way."""
        variance = self.found.study.standard_error**2 + self.cost_variance - 2 * self.covariance
        half = Z * float(np.sqrt(max(0.0, variance)))
        net = self.margin - self.cost
        shifted = effect.scaled(self.found.interval, 1.0, -self.cost)
        whole = _hull([Interval(net - half, net + half), shifted])
        return net, whole, _hull([whole, effect.scaled(self.found.bounds, 1.0, -self.cost)])

    def table(self, costs: pd.DataFrame) -> pd.DataFrame:
        """Both sides: the members whose effect is identified, and the whole programme."""
        whole = float(costs["amount"].sum())
        rows = [
            ("margin", self.margin, self.margin * self.every),
            ("discounts", self.discounts, float(costs.loc[costs["component"].isin(BENEFITS), "amount"].sum())),
            ("other_cost", self.cost - self.discounts, _other(costs)),
            ("cost", self.cost, whole),
            ("net_value", self.margin - self.cost, self.margin * self.every - whole),
        ]
        return pd.DataFrame(rows, columns=["line", "identified_members", "all_members_same_effect"])


def _other(costs: pd.DataFrame) -> float:
    return float(costs.loc[~costs["component"].isin(BENEFITS), "amount"].sum())


def _hull(ends: list[Interval]) -> Interval:
    return Interval(min(end.low for end in ends), max(end.high for end in ends))


def _return(
    own: Study,
    rows: pd.DataFrame,
    benefits: pd.DataFrame,
    members: pd.DataFrame,
    pretended: Pretended | None = None,
) -> Return | None:
    """None when the effect is not identified."""
    found = effect.judged(own, rows["margin"], members, pretended=pretended)
    if found.grade == "D":
        return None
    all_months = max(float(members["months"].sum()), found.study.person_months)
    taken = own.taken(own.other(benefits, "benefits"), found.study)
    treated = np.zeros(len(taken), dtype=bool)
    treated[np.concatenate(found.study.members)] = True
    spread = np.where(treated, taken - taken[treated].mean(), 0.0)
    discounts = float(taken.sum())
    cost = discounts + float(members["other_cost"].sum()) * found.study.person_months / all_months
    judged = replace(found, cost=cost)
    return Return(
        judged,
        cost,
        discounts,
        clustered_error(spread) ** 2,
        float(found.study.total_influence @ spread),
        all_months / found.study.person_months,
    )


@once
def _returns(
    rows: pd.DataFrame, benefits: pd.DataFrame, members: pd.DataFrame, bought_in: pd.DataFrame
) -> tuple[Return | None, dict[str, dict[str, Return]]]:
    """Of all whose effect is identified, and of parts of them by what was known at enrolment."""
    own = effect.study(rows)
    made = None if own is None else _return(own, rows, benefits, members)
    if own is None or made is None:
        return None, {}
    found: dict[str, dict[str, Return]] = {}
    for dimension, studies in segments(own, own.matrix(rows["margin"]), bought_in).items():
        found[dimension] = {}
        for name, part in studies.items():
            own_return = _return(part, rows, benefits, members, made.found.pretended)
            if own_return is not None and own_return.cost > 0:
                found[dimension][name] = own_return
    return made, found


def _stated_parts(returns: dict[str, Return], which: str) -> dict:
    ends = {name: own.ratio() if which == "ratio" else own.value() for name, own in returns.items()}
    return {name: effect.stated(own.found, *ends[name]) for name, own in returns.items()}


def _stated(made: Return, which: str, costs: pd.DataFrame):
    """The figure by its grade, with the same for every member and for the ends of the bracket beside it."""
    value, interval, bounds = made.ratio() if which == "ratio" else made.value()
    whole = float(costs["amount"].sum())
    parts = {}
    for name, margin in (("later_enrollers", made.found.later), ("never_enrolled", made.found.never)):
        if np.isfinite(margin):
            shown = margin / made.cost - 1 if which == "ratio" else margin - made.cost
            bare = modelled(float(shown), n=made.found.study.treated, grade=made.found.grade)
            parts[name] = effect.enough(made.found, bare)
    if which == "ratio" and whole > 0:
        scale = made.every * made.cost / whole
        ends = [effect.scaled(i, scale, scale - 1) for i in (interval, bounds)]
        parts["all_members"] = effect.stated(made.found, made.margin * made.every / whole - 1, *ends)
    if which == "value":
        net = made.margin * made.every - whole
        shift = made.every * made.cost - whole
        ends = [effect.scaled(i, made.every, shift) for i in (interval, bounds)]
        parts["all_members"] = effect.stated(made.found, net, *ends)
    facts = {"numerator": value * made.cost if which == "ratio" else None, "denominator": made.cost}
    facts |= {"table": made.table(costs), "table_persons": made.found.study.treated}
    return effect.stated(made.found, value, interval, bounds, parts={"variant": parts}, **facts)


def _unidentified(rows: pd.DataFrame, members: pd.DataFrame, costs: pd.DataFrame):
    """Grade D, with the size of the experiment that would tell."""
    years = float(members["years"].sum())
    per_year = float(costs["amount"].sum()) / years if years else 0.0
    if rows["person"].nunique() < 2 or per_year <= 0:
        return effect.not_identified()
    inside = (rows["month"] >= rows["from_month"]) & (rows["month"] < rows["to_month"])
    yearly = (
        (rows["margin"] * inside).groupby(rows["person"]).sum() * 12 / (rows["to_month"] - rows["from_month"]).iloc[0]
    )
    persons = ceil(2 * (Z + POWERED) ** 2 * float(yearly.var()) / per_year**2)
    return modelled(None, status="not_identified", reason=because(DESIGN, persons=persons), grade="D")
