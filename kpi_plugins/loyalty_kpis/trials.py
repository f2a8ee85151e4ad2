"""Campaigns as randomised trials: which of them can be compared, and treatment minus control in numbers."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from kpibook import because, rules
from kpibook.stats import experiments
from kpibook.stats.intervals import Interval, student

#: Fabijan et al. 2019: below it the arms' sizes contradict the assignment that is claimed.
MISMATCH = 0.001
PER_ARM = 1000
NO_CONTROL = because(
    "No campaign has a control group drawn at random: what would have happened anyway cannot be identified."
)
NO_CONTROL_HERE = because("This campaign has no control group drawn at random.")
UNEQUAL = because("The arms have other sizes than the assignment probabilities allow: they were not drawn as stated.")
PROBABILITY = because("An assignment probability is not above 0 and at most 1.")
OPEN = because("The days after the campaign that this figure needs are not over in the data.")


@dataclass(frozen=True)
class Trial:
    """Cases of comparable campaigns in arrays of one length; ``stratum`` numbers ``names``, ``cluster`` the persons.

    ``refused`` says why other campaigns are left out, ``sizes_p`` holds the test of the arms' sizes.
    """

    cases: pd.DataFrame
    names: list[str]
    refused: dict[str, str]
    sizes_p: dict[str, float]
    treated: np.ndarray = field(repr=False)
    weight: np.ndarray = field(repr=False)
    stratum: np.ndarray = field(repr=False)
    cluster: np.ndarray = field(repr=False)

    @property
    def arm_sizes(self) -> np.ndarray:
        """Treated cases by campaign."""
        return np.bincount(self.stratum, self.treated, len(self.names))

    @property
    def share(self) -> np.ndarray:
        """The weight of each campaign in a figure of all of them: its part of the treated."""
        return self.arm_sizes / self.arm_sizes.sum()

    @property
    def everything(self) -> np.ndarray:
        return np.ones(len(self.cases), dtype=bool)

    def smallest_arm(self, rows: np.ndarray) -> int:
        """Persons in the smaller arm of the cases ``rows``."""
        return min(len(np.unique(self.cluster[rows & arm])) for arm in (self.treated, ~self.treated))

    def part(self, rows: np.ndarray) -> Trial | None:
        """The same with only these cases, as far as campaigns still have both arms."""
        return _arranged(self.cases[rows], self.weight[rows], self.refused, self.sizes_p)


@dataclass(frozen=True)
class Difference:
    """Treatment minus control over all campaigns, and by campaign."""

    value: float
    interval: Interval
    error: float
    values: np.ndarray
    intervals: list[Interval]
    p_values: list[float]
    treated: np.ndarray
    control: np.ndarray
    influence: np.ndarray


def trial(cases: pd.DataFrame, over: str, joint: bool = False) -> Trial | str:
    """The comparable campaigns of ``cases`` whose days are over (column ``over``); a reason when there is none.

    A campaign is refused without cases of both arms drawn at random, with impossible probabilities or when the arms'
    sizes contradict these. ``joint``: assignment_prob may be that of the arm and the offer, so that only controls
    show the arm's.
    """
    refused, sizes_p, kept, weights = {}, {}, [], []
    for name, own in cases.groupby("campaign_id", sort=True):
        drawn = own[own["is_random"].fillna(False).astype(bool)]
        treated = drawn["is_treated"].to_numpy(dtype=bool)
        if not treated.any() or treated.all():
            refused[name] = NO_CONTROL_HERE
            continue
        chance = _chances(drawn, treated)
        if not np.all((chance > 0) & (chance <= 1)):
            refused[name] = PROBABILITY
            continue
        sizes_p[name] = _sizes_p(drawn, treated, chance, joint)
        if sizes_p[name] < MISMATCH:
            refused[name] = UNEQUAL
            continue
        weight = np.ones(len(drawn)) if np.ptp(chance[~treated]) < 1e-12 else 1 / chance
        ended = drawn[over].to_numpy(dtype=bool)
        if not (ended & treated).any() or not (ended & ~treated).any():
            refused[name] = OPEN
            continue
        kept.append(drawn[ended])
        weights.append(weight[ended])
    if not kept:
        return _why_none(refused)
    arranged = _arranged(pd.concat(kept), np.concatenate(weights), refused, sizes_p)
    return arranged if arranged is not None else OPEN


def shares(found: Trial, values: np.ndarray) -> Difference:
    """Difference of shares: Newcombe by campaign, combined over all with persons of several campaigns clustered."""
    made = experiments.contrast(values, found.treated, found.weight, found.stratum)
    parts = [
        experiments.share_difference(values[own], found.treated[own], found.weight[own])
        for own in (found.stratum == code for code in range(len(found.names)))
    ]
    differences = np.array([value for value, _, _ in parts])
    influence = found.share[found.stratum] * made.influence
    error = experiments.clustered_error(influence, found.cluster)
    alone = float(np.sqrt(np.sum(influence**2)))
    intervals = [interval for _, interval, _ in parts]
    interval = experiments.combined(found.share, differences, intervals, error / alone if alone > 0 else 1.0)
    value = float(found.share @ differences)
    p_values = [p for _, _, p in parts]
    return Difference(value, interval, error, differences, intervals, p_values, made.treated, made.control, influence)


def means(found: Trial, values: np.ndarray) -> Difference:
    """Difference of means: Welch by campaign, clustered by person over all."""
    made = experiments.contrast(values, found.treated, found.weight, found.stratum)
    differences, intervals, p_values = made.treated - made.control, [], []
    for code, value in enumerate(differences):
        own = found.stratum == code
        error = float(np.sqrt(np.sum(made.influence[own] ** 2)))
        degrees = experiments.freedom(made.influence[own], found.treated[own], np.zeros(own.sum(), dtype=np.int64))
        intervals.append(student(float(value), error, degrees))
        p_values.append(experiments.two_sided(float(value) / error) if error > 0 else 1.0)
    influence = found.share[found.stratum] * made.influence
    error = experiments.clustered_error(influence, found.cluster)
    degrees = experiments.freedom(influence, found.treated, found.stratum)
    value = float(found.share @ differences)
    interval = student(value, error, degrees)
    return Difference(value, interval, error, differences, intervals, p_values, made.treated, made.control, influence)


def enough(smallest: int, error: float, break_even: float) -> tuple[str, str]:
    """Status and reason: 1,000 persons in each arm, or 80 % power for the break-even difference if that is known."""
    if smallest >= PER_ARM or (break_even > 0 and break_even >= 2.8 * error > 0):
        return rules.OK
    return "low_n", rules.reason("too_few_in_group", n=smallest, minimum=PER_ARM)


def _arranged(
    cases: pd.DataFrame, weight: np.ndarray, refused: dict[str, str], sizes_p: dict[str, float]
) -> Trial | None:
    treated = cases["is_treated"].to_numpy(dtype=bool)
    both = cases.assign(_arm=treated).groupby("campaign_id")["_arm"].nunique()
    rows = cases["campaign_id"].isin(both.index[both == 2]).to_numpy()
    if not rows.any():
        return None
    cases = cases[rows].reset_index(drop=True)
    stratum, names = pd.factorize(cases["campaign_id"], sort=True)
    cluster, _ = pd.factorize(cases["customer_id"], sort=True)
    return Trial(cases, list(names), refused, sizes_p, treated[rows], weight[rows], stratum, cluster)


def _chances(drawn: pd.DataFrame, treated: np.ndarray) -> np.ndarray:
    """Probability of the arm each case was given; where it is not known, the arm's part of the cases."""
    part = np.where(treated, treated.mean(), 1 - treated.mean())
    given = drawn["assignment_prob"].to_numpy(dtype=np.float64)
    return np.where(np.isnan(given), part, given)


def _sizes_p(drawn: pd.DataFrame, treated: np.ndarray, chance: np.ndarray, joint: bool) -> float:
    if drawn["assignment_prob"].isna().any():
        return float("nan")
    if joint:
        return experiments.calibration_p(chance[~treated], len(drawn))
    return experiments.sample_ratio_p(treated, chance)


def _why_none(refused: dict[str, str]) -> str:
    reasons = [r for r in refused.values() if r != NO_CONTROL_HERE]
    return reasons[0] if reasons else NO_CONTROL
