"""Experiments: what a group withheld at random shows of the programme or of what it says to its members."""

import ibis
import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, view
from kpibook.stats.intervals import normal
from loyalty_kpis import trials
from loyalty_kpis.trial_figures import CASE, column, flags, judged, not_identified, refused
from loyalty_kpis.views import purchases

#: First-stage F above which an assignment moves enrolment enough (Staiger & Stock 1997).
STRONG = 10.0
WEAK = because("The assignment hardly moved enrolment: an effect per enrolment is not identified.")


@view(key=("campaign_id", "customer_id"), date="business_date")
def holdout_cases(campaign_cases, receipts, enrolled_persons, periods, *, window_days: int = 0):
    """Holdout cases: one row per campaign and person assigned, with the contribution margin before loyalty benefits in
    the window from the first day on (``margin``) and in as many days before (``margin_before``, ``known_before`` when
    the data reach so far); ``over`` when the window has ended in the data, ``joined`` who enrolled in it.

    The window is the campaign's own response window, or window_days when that is not 0.
    """
    ends = periods.agg(data_start=periods.data_start.min(), data_end=periods.data_end.max())
    lasts = ibis.literal(window_days) if window_days > 0 else campaign_cases.lasts
    cases = campaign_cases.mutate(lasts=lasts).cross_join(ends)
    since = cases.business_date.delta(cases.data_start, unit="day")
    cases = cases.mutate(
        over=(cases.data_end.delta(cases.business_date, unit="day") >= cases.lasts).fill_null(False),
        known_before=(since >= cases.lasts).fill_null(False),
    )
    keys = ["campaign_id", "customer_id"]
    bought = purchases(receipts)
    bought = bought.select(
        _person="customer_id",
        _day="business_date",
        _margin=bought.gross_amount - bought.general_discount - bought.cogs - bought.variable_cost,
    )
    near = cases.join(bought, cases.customer_id == bought._person)
    lag = near._day.delta(near.business_date, unit="day")
    inside = (lag >= 0) & (lag < near.lasts)
    earlier = (lag < 0) & (lag >= -near.lasts)
    sums = near.group_by(keys).agg(
        margin=near._margin.sum(where=inside).cast("float64"),
        margin_before=near._margin.sum(where=earlier).cast("float64"),
    )
    rows = cases.left_join(sums, keys).select(*cases.columns, "margin", "margin_before")
    enrolled = enrolled_persons.select(_person="customer_id", _day="enrolled_on")
    rows = rows.left_join(enrolled, rows.customer_id == enrolled._person)
    joined = (rows._day >= rows.business_date) & (rows._day.delta(rows.business_date, unit="day") < rows.lasts)
    return rows.select(
        *keys, "business_date", "is_treated", "is_random", "assignment_prob", "over", "known_before",
        margin=rows.margin.fill_null(0.0),
        margin_before=rows.margin_before.fill_null(0.0),
        joined=joined.fill_null(False),
    )  # fmt: skip


@kpi(
    unit="money",
    better="higher",
    family="return",
    question="What does a randomly withheld group show about the programme or its communication?",
    columns={"holdout_cases": [*CASE, "over", "known_before", "margin", "margin_before", "joined"]},
)
def holdout_lift(holdout_cases: pd.DataFrame, *, break_even: float = 0.0):
    """Holdout lift: mean contribution margin before loyalty benefits of those assigned to the treatment less that of
    those withheld at random, in the response window, over all assigned (intention to treat).

    Assignments whose arms' sizes contradict the probabilities (p below 0.001) are invalid and left out; several are
    weighted by their treated, persons of several vary together. cuped takes the margin of as many days before into
    account, relative sets the lift against the withheld group's mean, per_enrolment divides it by the enrolments that
    the assignment caused. Minimum: 1,000 persons an arm, or 80 % power for the lift at which the programme pays, given
    as break_even. Of a campaign to members it shows what the campaign did, not the programme.
    """
    found = trials.trial(holdout_cases, "over")
    if isinstance(found, str):
        return not_identified(found, holdout_cases)
    made = trials.means(found, column(found, "margin"))
    facts = judged(found, found.everything, made.error, break_even)
    readings = {"relative": _relative(found, made, facts), "per_enrolment": _per_enrolment(found, made, facts)}
    earlier = found.part(flags(found, "known_before"))
    if earlier is not None:
        adjusted = trials.means(earlier, _cuped(earlier))
        ends = {"low": adjusted.interval.low, "high": adjusted.interval.high}
        own = judged(earlier, earlier.everything, adjusted.error, break_even)
        readings["cuped"] = modelled(adjusted.value, **ends, **own)
    by_campaign = {name: refused(why) for name, why in found.refused.items()}
    for code, name in enumerate(found.names):
        low, high = made.intervals[code]
        own = judged(found, found.stratum == code)
        by_campaign[name] = modelled(float(made.values[code]), low=low, high=high, **own)
    parts = {"variant": readings, "campaign": by_campaign}
    return modelled(made.value, low=made.interval.low, high=made.interval.high, **facts, parts=parts)


def _cuped(found: trials.Trial) -> np.ndarray:
    """Margin less what the margin before predicts of it: one slope within arms and campaigns (Deng et al. 2013)."""
    outcome, before = column(found, "margin"), column(found, "margin_before")
    cell = 2 * found.stratum + found.treated
    size = np.bincount(cell)
    size[size == 0] = 1
    rest = [values - (np.bincount(cell, values) / size)[cell] for values in (outcome, before)]
    spread = float(rest[1] @ rest[1])
    slope = float(rest[0] @ rest[1]) / spread if spread > 0 else 0.0
    level = np.bincount(found.stratum, before) / np.bincount(found.stratum)
    return outcome - slope * (before - level[found.stratum])


def _relative(found: trials.Trial, made: trials.Difference, facts: dict):
    """Lift over the withheld group's mean, with the delta method on the log of treatment over control."""
    control = float(found.share @ made.control)
    treated = float(found.share @ made.treated)
    if control <= 0 or treated <= 0:
        return modelled(None, status="undefined", grade=facts["grade"], unit="percent")
    weight = np.where(found.treated, 1 / treated, 1 / control)
    pieces = np.bincount(found.cluster, made.influence * weight)
    error = float(np.sqrt(np.sum(pieces**2)))
    ends = normal(float(np.log(treated / control)), error)
    low, high = (float(np.exp(end)) - 1 for end in ends)
    return modelled(treated / control - 1, low=low, high=high, unit="percent", **facts)


def _per_enrolment(found: trials.Trial, made: trials.Difference, facts: dict):
    """Effect per enrolment that the assignment caused (LATE), when it moved enrolment enough."""
    stage = trials.means(found, column(found, "joined"))
    if stage.value == 0 or stage.value**2 <= STRONG * stage.error**2:
        return modelled(None, status="not_identified", reason=WEAK, grade="D")
    late = made.value / stage.value
    # Difference.influence already carries the campaigns' shares.
    pieces = np.bincount(found.cluster, made.influence - late * stage.influence)
    ends = normal(late, float(np.sqrt(np.sum(pieces**2))) / abs(stage.value))
    return modelled(late, low=ends.low, high=ends.high, **facts)


DEFINITIONS = (holdout_cases, holdout_lift)
