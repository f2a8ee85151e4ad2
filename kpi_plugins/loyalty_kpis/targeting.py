"""Targeting: do individual discounts earn more than they give away, and does the score find the right persons?"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, rules
from kpibook.stats import experiments, qini
from kpibook.stats.intervals import Interval, student
from loyalty_kpis import trials
from loyalty_kpis.trial_figures import CASE, column, judged, not_identified, refused
from loyalty_kpis.trials import Trial

CASES_FOR_QINI = 5000
NO_OFFER = because("No campaign with an individual discount (offer_value) and a control group drawn at random.")
ONE_OFFER = because("All treated persons were given the same discount: there is no other policy to compare with.")
OFFER_NOT_RANDOM = because(
    "The probabilities do not cover who was given which discount: the same discount for all cannot be identified."
)


@kpi(
    unit="money",
    better="higher",
    question="Does the individual discount earn more than it gives away?",
    family="campaigns",
    columns={"case_purchases": [*CASE, "offer_value", "after_over", "margin_after"]},
)
def personalised_discount_effect(case_purchases: pd.DataFrame):
    """Margin effect of personalised discounts: margin after discounts per person assigned to an individual discount,
    minus that per person of the random control group, over the response window and the 60 days after it.

    Margin: net sales minus cost of goods and variable cost. Campaigns with an offer_value, weighted by their treated;
    intervals clustered by person. Variants by inverse assignment probability, in money per person: policy_individual,
    policy_none, and policy_same_for_all (everybody the most frequent discount), identified only where the
    probabilities cover the discount given and not the arm alone: then those of its receivers add up to all cases.
    """
    offers = case_purchases.groupby("campaign_id")["offer_value"].transform("max")
    cases = case_purchases[offers > 0]
    if not len(cases):
        return not_identified(NO_OFFER, case_purchases)
    found = trials.trial(cases, "after_over", joint=True)
    if isinstance(found, str):
        return not_identified(found, cases)
    made = trials.means(found, column(found, "margin_after"))
    parts = {name: refused(why) for name, why in found.refused.items()}
    for code, name in enumerate(found.names):
        low, high = made.intervals[code]
        parts[name] = modelled(float(made.values[code]), low=low, high=high, **judged(found, found.stratum == code))
    readings = {
        "policy_individual": _policy(found, found.treated),
        "policy_none": _policy(found, ~found.treated),
        "policy_same_for_all": _same_for_all(found),
    }
    low, high = made.interval
    facts = judged(found, found.everything)
    return modelled(made.value, low=low, high=high, **facts, parts={"variant": readings, "campaign": parts})


@kpi(
    unit="ratio",
    better="higher",
    question="Does the targeting pick those who change because of the offer?",
    family="campaigns",
    by_columns=False,
    columns={"case_purchases": [*CASE, "predicted_uplift", "over", "purchases"]},
    table_units={"part": "percent"},
)
def uplift_qini(case_purchases: pd.DataFrame):
    """Qini coefficient of targeting: area between the Qini curve of the predicted uplift and the random line, out of
    that of the perfect order, on cases assigned at random; 0 or less is no better than chance.

    The response is a purchase in the response window. Each campaign has its own curve, all of them count by their
    cases; interval by resampling persons. The table has the curve of each campaign in tenths of its cases.
    """
    cases = case_purchases[case_purchases["predicted_uplift"].notna()]
    if not len(cases):
        return modelled(None, status="undefined", reason=rules.reason("no_rows"))
    found = trials.trial(cases, "over")
    if isinstance(found, str):
        return not_identified(found, cases)
    whole, campaigns = _qini(found)
    parts = {name: modelled(**facts) for name, facts in campaigns.items()}
    parts |= {name: refused(why) for name, why in found.refused.items()}
    return modelled(**whole, parts={"campaign": parts}, **_curves(found))


def _policy(found: Trial, rows: np.ndarray):
    """Mean margin if everybody were treated like ``rows``: weighted means of the campaigns, clustered by person."""
    chance = found.cases["assignment_prob"].to_numpy(dtype=np.float64)
    weight = np.where(np.isnan(chance), found.weight, 1 / chance)[rows]
    values, stratum, cluster = column(found, "margin_after")[rows], found.stratum[rows], found.cluster[rows]
    mass = np.bincount(stratum, weight, len(found.names))
    part = np.where(mass > 0, found.share, 0.0)
    part = part / part.sum()
    mean = np.bincount(stratum, weight * values, len(found.names)) / np.where(mass > 0, mass, 1.0)
    value = float(part @ mean)
    error = experiments.clustered_error(part[stratum] * weight * (values - mean[stratum]) / mass[stratum], cluster)
    persons = len(np.unique(cluster))
    low, high = student(value, error, max(1, persons - 1))
    status, why = trials.enough(persons, 0.0, 0.0)
    return modelled(value, low=low, high=high, n=int(rows.sum()), persons=persons, status=status, reason=why)


def _same_for_all(found: Trial):
    """Everybody gets the campaign's most frequent discount (the smallest of equally frequent ones)."""
    offer = found.cases["offer_value"].where(found.treated & (found.cases["offer_value"] > 0))
    rows, several = np.zeros(len(offer), dtype=bool), False
    chance = found.cases["assignment_prob"].to_numpy(dtype=np.float64)
    for code in range(len(found.names)):
        own = found.stratum == code
        given = offer[own].dropna()
        if given.nunique() < 2:
            continue
        several = True
        taken = own & (offer == given.mode().min()).to_numpy()
        if experiments.calibration_p(chance[taken], int(own.sum())) >= trials.MISMATCH:
            rows |= taken
    if rows.any():
        return _policy(found, rows)
    return modelled(None, status="not_identified", reason=OFFER_NOT_RANDOM if several else ONE_OFFER, grade="D")


def _qini(found: Trial) -> tuple[dict, dict[str, dict]]:
    """Coefficient of all campaigns and of each, as arguments of ``modelled``."""
    score, answered = column(found, "predicted_uplift"), (column(found, "purchases") > 0).astype(float)
    strata = [found.stratum == code for code in range(len(found.names))]
    values = np.array(
        [qini.coefficient(score[own], answered[own], found.treated[own], found.weight[own]) for own in strata]
    )
    sizes, known = np.bincount(found.stratum).astype(float), ~np.isnan(values)
    arrays = (score, answered, found.treated, found.weight, found.stratum, found.cluster)
    interval, intervals = qini.intervals(*arrays)
    mean = float(values[known] @ sizes[known] / sizes[known].sum()) if known.any() else float("nan")
    parts = zip(found.names, values, intervals, strata, strict=True)
    by_campaign = {name: _judged_qini(found, float(value), ends, own) for name, value, ends, own in parts}
    return _judged_qini(found, mean, interval, found.everything), by_campaign


def _judged_qini(found: Trial, value: float, interval: Interval, rows: np.ndarray) -> dict:
    facts = judged(found, rows)
    if np.isnan(value):
        return {**facts, "value": None, "status": "undefined", "reason": rules.reason("zero_denominator")}
    few = rows.sum() < CASES_FOR_QINI
    why = rules.reason("too_few_cases", n=int(rows.sum()), minimum=CASES_FOR_QINI) if few else ""
    facts |= {"status": "low_n" if few else "ok", "reason": why, "grade": "C" if few else "A"}
    return {**facts, "value": value, "low": interval.low, "high": interval.high}


def _curves(found: Trial) -> dict[str, Any]:
    """By campaign and tenth of the cases: extra responses per case when only the highest scores are treated."""
    tenths, tables, tenth = np.arange(11) / 10, [], []
    answered = (column(found, "purchases") > 0).astype(float)
    for code, name in enumerate(found.names):
        own = found.stratum == code
        points = qini.curve(
            column(found, "predicted_uplift")[own], answered[own], found.treated[own], found.weight[own]
        )
        gain = np.interp(tenths, points.part, points.gain)
        tables.append(pd.DataFrame({"campaign": name, "part": tenths, "gain": gain, "random": tenths * gain[-1]}))
        tenth += [own.sum() // 10] * len(tenths)
    return {"table": pd.concat(tables, ignore_index=True), "table_persons": tenth}


DEFINITIONS = (personalised_discount_effect, uplift_qini)
