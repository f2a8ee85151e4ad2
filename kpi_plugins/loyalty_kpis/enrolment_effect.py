"""The effect of enrolling, from the enrolment study: estimated, judged and worded in one way for all figures."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from kpibook import because, modelled
from kpibook.rules import reason
from kpibook.stats import risk_sets as risk
from kpibook.stats.enrolment_checks import Pretended, adjusted, shifted
from kpibook.stats.enrolment_effects import POST, TIMES, Effects, effects, studies
from kpibook.stats.evidence import RULE_D, Evidence, evidence
from kpibook.stats.intervals import Interval, normal

STUDY = ["person", "month", "stratum", "basket", "first", "enrolled", "from_month", "to_month"]
MEMBERS = ["identified", "months"]
BY_STUDY = "Design: members against customers who could have enrolled in the same month. {limits}"
NOT_IDENTIFIED = because("The increment cannot be identified with these data.")
NO_PLACEBO = because("Nobody is known 12 months before enrolment: the comparison cannot be tested.")
FAILED = {
    "balance": because("Members and controls differ in tenure or index basket."),
    "placebo": because("Members and controls already differed 7 to 12 months before enrolment."),
    "pretended": because("Members and controls already differed when enrolment is taken to be six months earlier."),
    "power": because("A drift too small to be seen in these data could explain half of the effect."),
    "bracket": because("Later enrollers and never enrolled as controls lead to different verdicts."),
    "breakdown": because("A drift after enrolment as large as the one before it could explain the effect."),
    "identified": because("The effect can be seen for fewer than half of the members."),
}


@dataclass(frozen=True)
class Study:
    """One period's enrolment study in arrays; months count from ``origin``, effects in [counted[0], counted[1]).

    ``numbers`` of its persons in the frame, in order; ``rows`` of the frame that are theirs.
    """

    purchases: risk.Purchases
    sets: risk.RiskSets
    counted: tuple[int, int]
    origin: int
    numbers: np.ndarray
    rows: np.ndarray

    def matrix(self, values: pd.Series | np.ndarray) -> np.ndarray:
        """Persons by months of a column of the study; months without a purchase are 0."""
        width = self.counted[1]
        place = self.purchases.person * width + self.purchases.month
        total = len(self.purchases.enrolled) * width
        return np.bincount(place, np.asarray(values, dtype=np.float64)[self.rows], total).reshape(-1, width)

    def effects(self, values: pd.Series | np.ndarray) -> Effects:
        """The effect on one column."""
        return effects(self.sets, self.matrix(values), self.purchases.enrolled, counted=self.counted)

    def other(self, rows: pd.DataFrame, name: str) -> np.ndarray:
        """Persons by months of a column of another frame, its persons numbered alike."""
        table = np.zeros((len(self.numbers), self.counted[1]))
        own = rows[rows["person"].isin(self.numbers)]
        place = np.searchsorted(self.numbers, own["person"].to_numpy())
        np.add.at(table, (place, own["month"].to_numpy(dtype=np.int64) - self.origin), own[name].to_numpy())
        return table

    def part(self, sets: risk.RiskSets) -> Study:
        """The study of these risk sets and of their persons alone."""
        persons, number = np.unique(sets.person, return_inverse=True)
        theirs = np.isin(self.purchases.person, persons)
        bought = self.purchases
        kept = risk.Purchases(
            np.searchsorted(persons, bought.person[theirs]),
            bought.month[theirs],
            bought.basket[theirs],
            bought.stratum[theirs],
            bought.first[persons],
            bought.enrolled[persons],
        )
        own = replace(sets, person=number.astype(np.int64))
        return Study(kept, own, self.counted, self.origin, self.numbers[persons], self.rows[theirs])

    def taken(self, table: np.ndarray, found: Effects) -> np.ndarray:
        """Sum of a table over each person's own counted months after enrolment, for the treated of ``found``."""
        sums = np.zeros(len(table))
        for month, members in zip(found.events, found.members, strict=True):
            months = [m for m in month + TIMES[POST] if self.counted[0] <= m < self.counted[1]]
            sums[members] += table[np.ix_(members, months)].sum(axis=1)
        return sums


def study(frame: pd.DataFrame) -> Study | None:
    """The study of the rows of one period; None when nobody was at risk."""
    if frame.empty:
        return None
    origin = int(min(frame["month"].min(), frame["from_month"].min()))
    first, end = (int(frame[name].iloc[0]) - origin for name in ("from_month", "to_month"))
    numbers, rows, person = np.unique(frame["person"].to_numpy(), return_index=True, return_inverse=True)
    enrolled = frame["enrolled"].to_numpy(dtype=np.int64)[rows]
    stratum = frame["stratum"].to_numpy(dtype=np.int64)
    purchases = risk.Purchases(
        person=person.astype(np.int64),
        month=frame["month"].to_numpy(dtype=np.int64) - origin,
        basket=frame["basket"].to_numpy(dtype=np.float64),
        stratum=stratum,
        first=frame["first"].to_numpy(dtype=np.int64)[rows] - origin,
        enrolled=np.where(enrolled >= risk.NEVER, risk.NEVER, enrolled - origin),
    )
    sets = risk.risk_sets(purchases, stratum >= 0)
    return Study(purchases, sets, (first, end), origin, numbers, np.arange(len(frame)))


def judged(
    own: Study,
    values: pd.Series,
    members: pd.DataFrame,
    calendar: bool = False,
    pretended: Pretended | None = None,
) -> Evidence:
    """The study's effect on a column, with its bracket, its checks and its grade.

    pretended: that of the whole study, when this is a part of it.
    """
    outcome = own.matrix(values)
    found = studies(own.sets, outcome, own.purchases.enrolled, counted=own.counted, calendar=calendar)
    identified = float(members["identified"].mean()) if len(members) else 0.0
    earlier = pretended or shifted(own.purchases, own.purchases.stratum >= 0, outcome, own.counted)
    return evidence(found, identified=identified, pretended=earlier)


def further(own: Study, values: pd.Series, found: Evidence) -> dict:
    """The effect adjusted for what was known before the base, over the same person-months."""
    made = adjusted(own.sets, own.matrix(values), own.purchases.enrolled, own.counted)
    if made is None or not made.person_months:
        return {"adjusted": modelled(None, status="undefined", reason=NO_PLACEBO)}
    scale = found.study.person_months / made.person_months
    ends = normal(made.total * scale, made.standard_error * scale)
    facts = {"n": made.treated, "persons": made.treated, "grade": found.grade}
    return {"adjusted": enough(found, modelled(made.total * scale, low=ends.low, high=ends.high, **facts))}


def not_identified(**more):
    """Grade D: nobody to compare with."""
    return modelled(None, status="not_identified", reason=NOT_IDENTIFIED, grade="D", **more)


def why(found: Evidence) -> str:
    """The first check of grade B that fails, in words."""
    failed = next((name for name, holds in found.checks.items() if not holds), "")
    if failed in ("placebo", "pretended", "power", "breakdown") and not np.isfinite(found.placebo.value):
        return NO_PLACEBO
    return FAILED.get(failed, "")


def enough(found: Evidence, figure):
    """The figure, or low_n with rule D's reason where there are not 200 treated and 200 controls behind it."""
    treated, controls = found.study.treated, found.study.controls
    if min(treated, controls) >= RULE_D or figure.status not in ("ok", "bounded"):
        return figure
    why = reason("too_few_for_effect", treated=treated, controls=controls, minimum=RULE_D)
    return replace(figure, status="low_n", reason=why)


def stated(found: Evidence, value: float, interval: Interval, bounds: Interval, **more):
    """A figure as its grade allows: with an interval (B), or as bounds without a single value (C); see enough."""
    facts = {"n": found.study.treated, "persons": found.study.treated, "grade": found.grade}
    facts["reason"] = because(BY_STUDY, limits=why(found))
    if found.grade == "B":
        return modelled(value, **{**facts, "low": interval.low, "high": interval.high, **more})
    bounded = modelled(None, **{**facts, "low": bounds.low, "high": bounds.high, "status": "bounded", **more})
    return enough(found, bounded)


def scaled(interval: Interval, factor: float, shift: float = 0.0) -> Interval:
    """The interval of factor times the quantity plus shift, for a positive factor."""
    return Interval(interval.low * factor + shift, interval.high * factor + shift)


def readings(found: Evidence) -> dict:
    """The estimators and checks behind a figure, each under its name."""
    own = found.study
    facts = {"n": own.treated, "persons": own.treated, "grade": found.grade}
    plain = normal(own.total, own.standard_error)
    monthly = [scaled(ends, 1 / own.person_months) for ends in (found.interval, found.bounds)]
    shown = {
        "risk_set": modelled(own.total, low=plain.low, high=plain.high, **facts),
        "later_enrollers": modelled(_known(found.later), **facts),
        "never_enrolled": modelled(_known(found.never), **facts),
        "censored": modelled(_middle(found.censored), low=_known(found.censored.low), high=_known(found.censored.high)),
        "per_member_month": stated(found, own.average, *monthly),
        **_tests(found),
    }
    return {name: enough(found, figure) for name, figure in shown.items()}


def _tests(found: Evidence) -> dict:
    """The placebo, what it could have shown, and the breakdown."""
    placebo, pretended = found.placebo, found.pretended
    earlier = modelled(None, status="undefined", reason=NO_PLACEBO)
    if pretended is not None:
        ends = {"low": pretended.interval.low, "high": pretended.interval.high}
        earlier = modelled(pretended.value, n=pretended.members, persons=pretended.members, **ends)
    if not np.isfinite(placebo.value) or found.drift is None:
        names = ("placebo_per_month", "placebo_p", "detectable_drift_per_month", "breakdown")
        unknown = {name: modelled(None, status="undefined", reason=NO_PLACEBO) for name in names}
        return {**unknown, "six_months_earlier": earlier}
    return {
        "six_months_earlier": earlier,
        "placebo_per_month": modelled(placebo.value, low=placebo.interval.low, high=placebo.interval.high),
        "placebo_p": modelled(placebo.p_value, unit="ratio"),
        "detectable_drift_per_month": modelled(_known(placebo.detectable)),
        "breakdown": modelled(found.drift.breakdown(), unit="ratio"),
    }


def event_table(own: Effects) -> pd.DataFrame:
    """The event study: mean effect per member by month before and after enrolment, with its interval."""
    errors = np.sqrt(np.diag(own.covariance))
    ends = [normal(float(value), float(error)) for value, error in zip(own.by_time, errors, strict=True)]
    seen = own.months.sum(axis=0) > 0
    table = pd.DataFrame(
        {
            "event_month": TIMES,
            "members": own.months.sum(axis=0).astype(int),
            "effect": own.by_time,
            "low": [end.low for end in ends],
            "high": [end.high for end in ends],
        }
    )
    return table[seen & (table["members"].to_numpy() >= 10)]


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _middle(interval: Interval) -> float | None:
    return _known((interval.low + interval.high) / 2)
