"""The designs that may stand behind the return: a random trial, stores reached one after another, the enrolment study.

Each gives margin, cost and grade of its own members and months. The best grade is shown; of equal grades B that of the
stores, which does not depend on who joins, and of grades C the enrolment study, which covers most members.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite

import numpy as np
import pandas as pd

from kpibook import because, modelled
from kpibook.rules import reason
from kpibook.stats.encouragement import STRONG, Contrasted, per_unit
from kpibook.stats.evidence import IDENTIFIED, RULE_D, Evidence
from kpibook.stats.intervals import Interval
from kpibook.stats.risk_sets import NEVER
from kpibook.stats.store_rollout import RolloutEffect, rollout, shifted
from loyalty_kpis import enrolment_effect as effect
from loyalty_kpis import trials
from loyalty_kpis.design_views import REMOTE
from loyalty_kpis.trial_figures import CASE, column

DESIGN_COLUMNS = {
    "programme_cases": [*CASE, "over", "joined", "member_months", "margin", "benefits"],
    "store_months": [
        "store_id", "month", "margin", "benefits", "carded", "launch", "from_month", "to_month", "full_from", "full_to",
    ],
}  # fmt: skip
TRIAL, ROLLOUT, STUDY = "random trial", "stores one after another", "enrolment study"
#: Standard errors that an effect must have to be seen with 80 % power.
POWERED = 2.8

BY_TRIAL = (
    "Design: a random trial of the programme, {treated} persons invited or given it against {controls} who were not, "
    "all assigned persons counted. {limits}"
)
BY_ROLLOUT = (
    "Design: {treated} stores that had the programme against stores that did not have it yet, all receipts with card "
    "and without. {limits}"
)
WEAK = because("The trial hardly moved enrolment.")
UNSEEN = because("Purchases without a card are not attributed to persons: those without the programme cannot be seen.")
UNPOWERED = because("The trial is too small to show a margin that would just pay for the programme.")
FEW_STORES = because("Too few stores: no effect can be refuted by dealing out the launches in another way.")
NO_STORE_PLACEBO = because("The year before the launches is not known: the comparison of stores cannot be tested.")
STORE_PLACEBO = because("The stores already differed in the half year before the launches.")
STORE_POWER = because("A drift between stores too small to be seen in these data could explain half of the effect.")
PART = because("The comparison covers fewer than half of the months in which stores had the programme.")


@dataclass(frozen=True)
class Design:
    """``limits``: the reason for no better grade; amounts are sums over the design's own members or stores and months.

    interval: of the margin. cost: of the same months; ratio: of the return on it, when that is uncertain as well. n:
    persons, or stores. few: fewer than rule D's 200 treated and 200 controls, which ``limits`` says.
    """

    name: str
    grade: str
    sentence: str
    margin: float
    interval: Interval
    cost: float
    n: int
    months: float
    ratio: Interval | None = None
    limits: str = ""
    sizes: tuple[tuple[str, int], ...] = ()
    few: bool = False

    def reason(self) -> str:
        return because(self.sentence, limits=self.limits, **dict(self.sizes))

    def figure(self, which: str):
        """The margin, the ROI (``ratio``) or the net value (``value``), as the grade allows."""
        if which == "ratio":
            value = self.margin / self.cost - 1 if self.cost > 0 else None
            ends = self.ratio or effect.scaled(self.interval, 1 / self.cost, -1.0) if self.cost > 0 else None
        else:
            shift = self.cost if which == "value" else 0.0
            value, ends = self.margin - shift, effect.scaled(self.interval, 1.0, -shift)
        persons = None if self.name == ROLLOUT else self.n
        facts = {"n": self.n, "persons": persons, "grade": self.grade, "reason": self.reason()}
        if self.grade == "D" or value is None or ends is None:
            return modelled(None, status="not_identified", **{**facts, "grade": "D"})
        if self.grade == "C":
            status = "low_n" if self.few else "bounded"
            facts |= {"reason": self.limits} if self.few else {}
            return modelled(None, low=ends.low, high=ends.high, status=status, **facts)
        sides = {"numerator": value * self.cost, "denominator": self.cost} if which == "ratio" else {}
        return modelled(value, low=ends.low, high=ends.high, **facts, **sides)


def best(found: list[Design], study: Evidence | None) -> Design | None:
    """The design to show instead of the enrolment study; None when that stays."""
    grade = study.grade if study is not None else "D"
    for wanted in "AB":
        for design in found:
            if design.grade == wanted:
                return design
        if grade == wanted:
            return None
    known = [design for design in found if design.grade == "C"]
    return known[-1] if grade == "D" and known else None


def shown(
    study,
    which: str,
    evidence: Evidence | None,
    cases: pd.DataFrame,
    stores: pd.DataFrame,
    members: pd.DataFrame,
    other_cost: float,
):
    """The figure of the best design, all of them beside it; ``study`` is that of the enrolment study."""
    found = designs(cases, stores, members, other_cost)
    if not found:
        return study
    chosen = best(found, evidence)
    beside = {"table": study.table, "table_persons": study.table_persons}
    headline = study if chosen is None else replace(chosen.figure(which), **beside)
    alone = replace(study, parts={}, table=None)
    by_design = {STUDY: alone, **{design.name: design.figure(which) for design in found}}
    return replace(headline, parts={**study.parts, "design": by_design})


def designs(cases: pd.DataFrame, stores: pd.DataFrame, members: pd.DataFrame, other_cost: float) -> list[Design]:
    """The random trial and the stores, in this order, where the data have them; other_cost is that besides benefits."""
    months = float(members["months"].sum())
    found = (by_trial(cases, other_cost / months if months else 0.0), by_stores(stores, other_cost))
    return [design for design in found if design is not None]


def by_trial(cases: pd.DataFrame, monthly_cost: float) -> Design | None:
    """The trial of the programme; None without one, grade D when it cannot be compared."""
    if cases.empty:
        return None
    found = trials.trial(cases, "over")
    if isinstance(found, str):
        nothing = Interval(float("nan"), float("nan"))
        return Design(
            TRIAL, "D", BY_TRIAL, float("nan"), nothing, 0.0, len(cases), 0.0, limits=found, sizes=_sizes(0, 0)
        )
    joined, margins = column(found, "joined"), column(found, "margin")
    costs = column(found, "benefits") + monthly_cost * column(found, "member_months")
    margin, cost, stage, months = (
        trials.means(found, values) for values in (margins, costs, joined, column(found, "member_months"))
    )
    treated = int(found.arm_sizes.sum())
    return_on = per_unit(_side(margin), _side(cost), found.cluster)
    moved = per_unit(_side(margin), _side(stage), found.cluster)
    limits = ""
    if moved is None or moved.strength <= STRONG or cost.value < 0:
        limits = WEAK
    elif not margins[joined == 0].any():
        limits = UNSEEN
    grade = "D" if limits else "A"
    smallest = found.smallest_arm(found.everything)
    few = grade == "A" and smallest < RULE_D
    if few:
        grade, limits = "C", reason("too_few_for_effect", **_persons(found), minimum=RULE_D)
    elif grade == "A" and cost.value < POWERED * margin.error:
        grade, limits = "C", UNPOWERED
    ratio = return_on.interval if return_on is not None else None
    return Design(
        TRIAL, grade, BY_TRIAL, margin.value * treated, effect.scaled(margin.interval, treated), cost.value * treated,
        len(found.cases), months.value * treated,
        ratio=None if ratio is None else effect.scaled(ratio, 1.0, -1.0),
        limits=limits, sizes=_sizes(treated, len(found.cases) - treated), few=few,
    )  # fmt: skip


def per_enrolment(cases: pd.DataFrame):
    """Margin per person whom the trial made enrol; None without a trial that can be compared."""
    found = trials.trial(cases, "over") if len(cases) else NOTHING
    if isinstance(found, str):
        return None
    sides = [_side(trials.means(found, column(found, name))) for name in ("margin", "joined")]
    made = per_unit(*sides, found.cluster)
    if made is None or made.interval is None or made.strength <= STRONG:
        return None
    facts = {"n": len(found.cases), "persons": len(np.unique(found.cluster))}
    return modelled(made.value, low=made.interval.low, high=made.interval.high, **facts)


NOTHING = ""


def by_stores(rows: pd.DataFrame, other_cost: float) -> Design | None:
    """Stores reached one after another; None when they were not, or not in months of the period."""
    own = rows[rows["store_id"] != REMOTE]
    if own.empty:
        return None
    first, end = (int(rows[name].iloc[0]) for name in ("full_from", "full_to"))
    span = tuple(int(rows[name].iloc[0]) - first for name in ("from_month", "to_month"))
    own = own[(own["month"] >= first) & (own["month"] < end)]
    if own.empty:
        return None
    store, names = pd.factorize(own["store_id"], sort=True)
    margin, benefits, carded = (_matrix(store, own, name, len(names), end - first) for name in SUMS)
    begun = own.groupby("store_id", sort=True)["launch"].first().to_numpy(dtype=np.int64)
    launch = np.where(begun >= NEVER, NEVER, begun - first)
    found = rollout(margin, launch, counted=span)
    if found is None:
        return None
    grade, limits = _judged(found, shifted(margin, launch), launch, span)
    inside = rows[(rows["month"] >= rows["from_month"]) & (rows["month"] < rows["to_month"])]
    share = float(carded[found.cells].sum()) / max(1.0, float(inside["carded"].sum()))
    cost = float(benefits[found.cells].sum()) + other_cost * share
    return Design(
        ROLLOUT, grade, BY_ROLLOUT, found.total, found.total_interval, cost, found.treated, float(found.cells.sum()),
        limits=limits, sizes=_sizes(found.treated, int(found.kept.sum()) - found.treated),
    )  # fmt: skip


SUMS = ("margin", "benefits", "carded")


def _judged(
    found: RolloutEffect, before: RolloutEffect | None, launch: np.ndarray, span: tuple[int, ...]
) -> tuple[str, str]:
    """Grade and the first reason against a better one."""
    if not all(map(isfinite, found.interval)):
        return "D", FEW_STORES
    if before is None:
        return "C", NO_STORE_PLACEBO
    if not before.interval.low <= 0 <= before.interval.high:
        return "C", STORE_PLACEBO
    if before.interval.width / 2 >= abs(found.share) / 2:
        return "C", STORE_POWER
    after = np.arange(found.cells.shape[1]) > launch[:, None]
    running = int(after[:, max(0, span[0]) : span[1]].sum())
    return ("B", "") if found.cells.sum() >= IDENTIFIED * running else ("C", PART)


def _matrix(store: np.ndarray, rows: pd.DataFrame, name: str, stores: int, months: int) -> np.ndarray:
    place = store * months + rows["month"].to_numpy(dtype=np.int64) - int(rows["full_from"].iloc[0])
    return np.bincount(place, rows[name].to_numpy(dtype=np.float64), stores * months).reshape(stores, months)


def _side(difference: trials.Difference) -> Contrasted:
    return Contrasted(difference.value, difference.influence)


def _persons(found: trials.Trial) -> dict[str, int]:
    arms = {"treated": found.treated, "controls": ~found.treated}
    return {name: len(np.unique(found.cluster[arm])) for name, arm in arms.items()}


def _sizes(treated: int, controls: int) -> tuple[tuple[str, int], ...]:
    return ("treated", treated), ("controls", controls)
