"""What campaigns change: treatment minus random control, by intention to treat."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled
from kpibook.stats.multiplicity import together
from loyalty_kpis import trials
from loyalty_kpis.trial_figures import CASE, column, flags, judged, not_identified, refused
from loyalty_kpis.trials import Trial


@kpi(
    unit="percent",
    better="higher",
    question="How many responses would not have come anyway?",
    family="campaigns",
    columns={
        "case_goods": [
            *CASE,
            "over",
            "after_over",
            "is_specific",
            "purchases",
            "purchases_after",
            "on_target",
            "other_goods",
        ]
    },
    table_units={
        "answered_treated": "percent",
        "answered_control": "percent",
        "uplift": "pp",
        "uplift_low": "pp",
        "uplift_high": "pp",
    },
)
def campaign_uplift(case_goods: pd.DataFrame, *, break_even: float = 0.0):
    """Campaign uplift vs control: share of those assigned to the treatment who bought in the response window, minus the
    share of those assigned to a control group drawn at random, campaigns weighted by their treated.

    Everybody counts as assigned, reached or not, from the same first day; cases are weighted by the inverse
    probability of their arm. A campaign whose arms' sizes contradict the probabilities (p below 0.001) is left out.
    Variants: on_target (enough of the campaign's products kept), other_goods (products that are not the campaign's),
    after (a purchase in the 60 days after the window; below 0 purchases were only pulled forward), purchases
    and purchases_after (number per person). In the table the p values also after a correction over the campaigns:
    Holm's for up to ten, Benjamini and Hochberg's for more.
    Minimum: 1,000 persons an arm, or 80 % power for the difference at which the campaign pays, given as break_even.
    """
    found = trials.trial(case_goods, "over")
    if isinstance(found, str):
        return not_identified(found, case_goods)
    answered = trials.shares(found, column(found, "purchases") > 0)
    counted = trials.means(found, column(found, "purchases"))
    readings = {"purchases": _whole(counted, found, unit="purchases")}
    for name, rows, outcome in (
        ("on_target", flags(found, "is_specific"), "on_target"),
        ("other_goods", flags(found, "is_specific"), "other_goods"),
        ("after", flags(found, "after_over"), "purchases_after"),
    ):
        part = found.part(rows)
        if part is not None:
            made = trials.shares(part, column(part, outcome) > 0)
            readings[name] = _whole(made, part)
    later = found.part(flags(found, "after_over"))
    if later is not None:
        made = trials.means(later, column(later, "purchases_after"))
        readings["purchases_after"] = _whole(made, later, unit="purchases")
    method, corrected = together(answered.p_values)
    by_campaign = _by_campaign(found, answered, break_even, CORRECTED[method], corrected)
    table = _table(found, answered, counted, corrected).rename(columns={"p_corrected": f"p_{method}"})
    parts = {"variant": readings, "campaign": by_campaign}
    smaller = table[["treated", "controls"]].min(axis=1)
    return _whole(answered, found, break_even, parts=parts, table=table, table_persons=smaller)


def _whole(made: trials.Difference, found: Trial, break_even: float = 0.0, **more):
    facts = judged(found, found.everything, made.error, break_even)
    return modelled(made.value, low=made.interval.low, high=made.interval.high, **facts, **more)


def _by_campaign(found: Trial, made: trials.Difference, break_even: float, told: str, corrected: np.ndarray):
    parts, strata = {}, len(found.names)
    for code, name in enumerate(found.names):
        own = found.stratum == code
        error = float(np.sqrt(np.sum(made.influence[own] ** 2))) / float(found.share[code])
        facts = judged(found, own, error, break_even)
        if facts["status"] == "ok":
            p = round(float(corrected[code]), 4)
            facts["reason"] = because(told, p=p, campaigns=strata)
        low, high = made.intervals[code]
        parts[name] = modelled(float(made.values[code]), low=low, high=high, **facts)
    return parts | {name: refused(why) for name, why in found.refused.items()}


def _table(found: Trial, answered: trials.Difference, counted: trials.Difference, corrected: np.ndarray):
    held = np.bincount(found.stratum, ~found.treated, len(found.names))
    return pd.DataFrame(
        {
            "campaign": found.names,
            "treated": found.arm_sizes.astype(int),
            "controls": held.astype(int),
            "answered_treated": answered.treated,
            "answered_control": answered.control,
            "uplift": answered.values,
            "uplift_low": [i.low for i in answered.intervals],
            "uplift_high": [i.high for i in answered.intervals],
            "p": answered.p_values,
            "p_corrected": corrected,
            "purchases": counted.values,
            "purchases_low": [i.low for i in counted.intervals],
            "purchases_high": [i.high for i in counted.intervals],
            "p_arm_sizes": [found.sizes_p[name] for name in found.names],
        }
    )


CORRECTED = {
    "holm": "p = {p} after Holm's correction over {campaigns} campaigns.",
    "fdr": "p = {p} after Benjamini and Hochberg's correction over {campaigns} campaigns.",
}

DEFINITIONS = (campaign_uplift,)
