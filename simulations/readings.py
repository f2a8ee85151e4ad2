"""What the estimators say of one simulated programme, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kpibook.stats import risk_sets as risk
from kpibook.stats.enrolment_checks import adjusted, shifted
from kpibook.stats.enrolment_effects import HORIZON, LEADS, effects, studies
from kpibook.stats.evidence import Evidence, evidence
from kpibook.stats.intervals import Interval
from simulations.programmes import MONTHS, Programme


@dataclass(frozen=True)
class Reading:
    """One programme judged; amounts are totals over the treated's months, ``without`` their margin without it."""

    evidence: Evidence
    truth: float
    without: float
    naive: float
    adjusted: float = float("nan")

    def percent(self, amount: float) -> float:
        """In percent of the members' true margin without the programme."""
        return 100 * amount / self.without

    @property
    def bias(self) -> float:
        return self.percent(self.evidence.study.total - self.truth)

    @property
    def moved(self) -> float:
        """What the adjustment for spending before the base changes, in percent as the bias."""
        return self.percent(self.adjusted)

    def holds(self, interval: Interval) -> bool:
        return interval.low <= self.truth <= interval.high

    def grade(self, cost: float) -> str:
        """Against a programme cost given as a share of the margin without it."""
        return self.judged(cost).grade

    def judged(self, cost: float) -> Evidence:
        """The evidence against such a cost."""
        return Evidence(**{**vars(self.evidence), "cost": cost * self.without})


def read(made: Programme, classes: int = risk.BASKETS) -> Reading:
    """The recommended estimator, its bracket and its grade, from what a firm would see."""
    bought = purchases(made, classes)
    own = risk.at_risk(bought)
    sets = risk.risk_sets(bought, own)
    found = studies(sets, made.margin, made.enrolled)
    study = found["risk_set"]
    truth = without = 0.0
    for month, members in zip(study.events, study.members, strict=True):
        after = slice(month + 1, min(month + HORIZON + 1, MONTHS))
        without += float(made.without[members, after].sum())
        truth += float((made.margin[members, after] - made.without[members, after]).sum())
    joined = made.enrolled < risk.NEVER
    seen = sum(len(members) for members in study.members) / max(1, int(joined.sum()))
    judged = evidence(found, identified=seen, pretended=shifted(bought, own, made.margin))
    return Reading(judged, truth, without, _naive(made) * study.person_months, _moved(made, sets, study.person_months))


def _moved(made: Programme, sets: risk.RiskSets, months: float) -> float:
    """The adjusted less the plain estimate of those known for a year, over ``months``."""
    better = adjusted(sets, made.margin, made.enrolled)
    plain = effects(sets.part(sets.long & (sets.cell_month >= LEADS)), made.margin, made.enrolled)
    return float("nan") if better is None else (better.average - plain.average) * months


def purchases(made: Programme, classes: int = risk.BASKETS) -> risk.Purchases:
    """What the firm sees of a programme, with its strata."""
    person, month = np.nonzero(made.purchases)
    basket, tenure = made.basket[person, month], month - made.first[person]
    everyone = np.zeros(len(person), dtype=np.int64)
    bought = risk.Purchases(person, month, basket, everyone, made.first, made.enrolled)
    own = risk.at_risk(bought)
    everyone[own] = risk.strata(tenure[own], risk.basket_classes(month[own], basket[own], person[own], classes))
    return bought


def _naive(made: Programme) -> float:
    """Members minus identified non-members, margin a month in the last twelve months: what dashboards show."""
    seen = made.first < MONTHS - HORIZON
    member = made.enrolled < MONTHS - HORIZON
    monthly = made.margin[:, -HORIZON:].mean(axis=1)
    return float(monthly[seen & member].mean() - monthly[seen & ~member].mean())
