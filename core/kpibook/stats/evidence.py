"""Grades of evidence for an effect of enrolling, from A (experiment) to D (not identified).

B needs every check; one that fails makes C: an interval from the lowest to the highest of
bracket and confidence interval, and no single figure. D: there is nobody to compare with.
A randomised holdout is judged where it is analysed, not here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from kpibook.stats.enrolment_checks import Pretended
from kpibook.stats.enrolment_effects import EVERY, HORIZON, Controls, Effects
from kpibook.stats.event_study import Drift, Placebo, drift, placebo
from kpibook.stats.intervals import Interval, normal

#: Rule D: treated and controls needed for a causal statement.
RULE_D = 200
BALANCED = 0.1
IDENTIFIED = 0.5
#: Drifts after enrolment that B must survive, in units of the drift before it.
MAGNITUDE = 1.0

Grade = Literal["B", "C", "D"]


@dataclass(frozen=True)
class Evidence:
    """One outcome's study with its other readings; all amounts are totals over the same person-months."""

    study: Effects
    later: float
    never: float
    censored: Interval
    placebo: Placebo
    drift: Drift | None
    identified: float
    cost: float = 0.0
    pretended: Pretended | None = None

    @property
    def bracket(self) -> Interval:
        """From the lower to the higher of the totals with later and with never enrolled as controls."""
        return Interval(*sorted((self.later, self.never)))

    @property
    def interval(self) -> Interval:
        """Of the total effect, with what the design leaves open.

        It spans sampling, a drift after enrolment as large as the one before it, and both ways to treat controls who
        enrol later: kept in they dilute the effect, censored at their enrolment they tend to overstate it.
        """
        own = normal(self.study.total, self.study.standard_error)
        months = self.study.person_months
        robust = self.drift.interval(MAGNITUDE) if self.drift else Interval(float("nan"), float("nan"))
        ends = [own, Interval(robust.low * months, robust.high * months), self.censored]
        known = [end for end in ends if isfinite(end.low) and isfinite(end.high)]
        return Interval(min(end.low for end in known), max(end.high for end in known))

    @property
    def bounds(self) -> Interval:
        """Lowest and highest of bracket and interval: what grade C states."""
        ends = [x for x in (*self.interval, self.later, self.never) if isfinite(x)]
        return Interval(min(ends), max(ends))

    @property
    def checks(self) -> Mapping[str, bool]:
        """What grade B requires, in order, and whether it holds."""
        if not self.study.treated or not self.study.controls:
            return {}
        effect = abs(self.study.average)
        one_side = self.bracket.low > self.cost or self.bracket.high < self.cost
        return {
            "size": min(self.study.treated, self.study.controls) >= RULE_D,
            "balance": all(abs(gap) < BALANCED for gap in self.study.balance.values()),
            "placebo": self.placebo.holds_zero,
            "pretended": self.pretended is not None and self.pretended.holds_zero,
            "power": self.placebo.detectable * HORIZON < effect / 2,
            "bracket": isfinite(self.later) and isfinite(self.never) and one_side,
            "breakdown": self.drift is not None and self.drift.breakdown() >= MAGNITUDE,
            "identified": self.identified >= IDENTIFIED,
        }

    @property
    def grade(self) -> Grade:
        checks = self.checks
        if not checks:
            return "D"
        return "B" if all(checks.values()) else "C"


def evidence(
    studies: Mapping[Controls, Effects], *, identified: float, cost: float = 0.0, pretended: Pretended | None = None
) -> Evidence:
    """Judge a study by its own placebos and by the same study with other controls.

    identified: share of the members whose effect the study can see; cost: what the total effect is held against;
    pretended: the study with enrolments six months earlier.
    The other readings are scaled to the person-months of the study.
    """
    study, later, never, censored = (studies[name] for name in EVERY)
    months = study.person_months
    scale = months / censored.person_months if censored.person_months else float("nan")
    unbiased = normal(censored.total * scale, censored.standard_error * scale)
    bracket = (later.average * months, never.average * months)
    return Evidence(study, *bracket, unbiased, placebo(study), drift(study), identified, cost, pretended)
