"""What campaigns bring in and give away: return on their cost, and discounts on purchases that came anyway."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, rules
from kpibook.stats import experiments
from kpibook.stats.intervals import normal
from loyalty_kpis import trials
from loyalty_kpis.campaign_contrasts import FIGURES, contrasts
from loyalty_kpis.trial_figures import CASE, bare, column, flags, judged, not_identified, refused
from loyalty_kpis.trials import Trial

COST_UNKNOWN = because("The fixed cost or the cost of a contact of this campaign is not known.")


@kpi(
    unit="ratio",
    better="higher",
    question="Did the campaign pay for itself?",
    family="campaigns",
    columns={
        "case_purchases": [
            *CASE, "after_over", "purchases", "margin_before", "margin_within", "discounts", "discounts_within",
            "fixed_cost", "contact_cost", *FIGURES, "contrast_discounts",
        ]
    },
    table_units={
        "before_targeted": "money", "before_others": "money", "during_targeted": "money", "during_others": "money",
        "difference": "money", "standard_error": "money", "sales_difference": "money", "discounts": "money",
        "difference_low": "money", "difference_high": "money",
    },
)  # fmt: skip
def campaign_roi(case_purchases: pd.DataFrame):
    """Campaign ROI: margin caused minus cost, per cost; caused is the mean margin before the offer of the treated minus
    that of the random controls, times the number of treated, over the response window and the 60 days after it.

    Margin before the offer: gross sales minus general discount, cost of goods and variable cost. Cost: the campaign's
    fixed cost, the contact cost of all treated, and the loyalty and personal discounts that the treated took beyond
    those of the controls, so that the discounts of purchases that would have come anyway are in it, and the
    discounts that everybody gets are not; points are in it as far as fixed_cost holds them. Variants:
    incremental_margin, cost, net_value, and break_even_response, the part of the treated who must buy because of
    the campaign for it to pay (cost with all discounts they took in the window, per treated and per margin of a
    responder): it needs no control and is the only figure without one.

    The table has what is often shown instead, the change of those targeted minus that of all others, in net sales per
    person and week, and its sales per discount: groups that nobody drew at random, so no effect, see
    campaign_contrasts.
    """
    unpaid = case_purchases[["fixed_cost", "contact_cost"]].isna().any(axis=1)
    unknown = sorted(case_purchases.loc[unpaid, "campaign_id"].unique())
    cases = case_purchases[~case_purchases["campaign_id"].isin(unknown)]
    left_out = {name: refused(COST_UNKNOWN) for name in unknown}
    found = trials.trial(cases, "after_over") if len(cases) else COST_UNKNOWN
    needed = {"variant": {"break_even_response": _break_even(cases)}}
    table = contrasts(case_purchases)
    beside = {"table": table, "table_persons": None if table is None else table[["targeted", "others"]].min(axis=1)}
    if isinstance(found, str):
        return replace(not_identified(found, cases, {**needed, "campaign": left_out}), **beside)
    weights = found.arm_sizes
    margin = trials.means(found, column(found, "margin_before"))
    discounts = trials.means(found, column(found, "discounts"))
    paid = found.cases.groupby("campaign_id", sort=True)[["fixed_cost", "contact_cost"]].first().to_numpy(float)
    fixed = paid[:, 0] + paid[:, 1] * weights
    codes = np.arange(len(found.names))
    parts = {
        name: modelled(**bare(_roi(found, margin, discounts, fixed, codes == i))) for i, name in enumerate(found.names)
    }
    parts |= left_out | {name: refused(why) for name, why in found.refused.items()}
    whole = _roi(found, margin, discounts, fixed, codes >= 0)
    readings = {**whole["parts"]["variant"], **needed["variant"]}
    return modelled(**{**whole, "parts": {"variant": readings, "campaign": parts}, **beside})


@kpi(
    unit="percent",
    better="lower",
    question="How much discount went to purchases that would have happened anyway?",
    family="campaigns",
    columns={
        "case_goods": [*CASE, "over", "is_specific", "purchases", "target_purchases", "discounts_within"],
    },
)
def subsidised_baseline_share(case_goods: pd.DataFrame):
    """Subsidised baseline: purchases on offer per person of the random control group, out of purchases on offer per
    treated person, in the response window; one minus the part of these purchases that the campaign caused.

    On offer is a purchase with something kept of the campaign's products, any purchase when the campaign names none.
    The variant deadweight is that part of the loyalty and personal discounts that the treated took beyond those of the
    controls.
    """
    found = trials.trial(case_goods, "over")
    if isinstance(found, str):
        return not_identified(found, case_goods)
    on_offer = np.where(flags(found, "is_specific"), column(found, "target_purchases"), column(found, "purchases"))
    bought = trials.means(found, on_offer)
    given = trials.means(found, column(found, "discounts_within"))
    codes = np.arange(len(found.names))
    parts = {name: _subsidised(found, bought, given, codes == code) for code, name in enumerate(found.names)}
    shown = {name: modelled(**bare(figures)) for name, figures in parts.items()}
    shown |= {name: refused(why) for name, why in found.refused.items()}
    whole = _subsidised(found, bought, given, codes >= 0)
    return modelled(**{**whole, "parts": {**whole["parts"], "campaign": shown}})


def _roi(found: Trial, margin: trials.Difference, discounts: trials.Difference, fixed: np.ndarray, own: np.ndarray):
    """ROI of the campaigns ``own``, as arguments of ``modelled``."""
    rows = own[found.stratum]
    treated = found.arm_sizes * own
    caused, given = float(treated @ margin.values), float(treated @ discounts.values)
    cost = given + float(fixed @ own)
    total = found.arm_sizes.sum()
    up, down = (total * np.where(rows, made.influence, 0.0) for made in (margin, discounts))
    facts = judged(found, rows)

    def money(value, influence):
        low, high = normal(value, experiments.clustered_error(influence, found.cluster))
        return modelled(value, low=low, high=high, unit="money", **facts)

    readings = {
        "incremental_margin": money(caused, up),
        "cost": money(cost, down),
        "net_value": money(caused - cost, up - down),
    }
    if cost <= 0:
        facts |= {"status": "undefined", "reason": rules.reason("zero_denominator")}
        return {"value": None, "parts": {"variant": readings}, **facts}
    ratio = caused / cost
    low, high = normal(ratio - 1, experiments.clustered_error((up - ratio * down) / cost, found.cluster))
    return {
        "value": ratio - 1, "low": low, "high": high, "numerator": caused - cost, "denominator": cost,
        "parts": {"variant": readings}, **facts,
    }  # fmt: skip


def _break_even(cases: pd.DataFrame):
    """Part of the treated who must buy because of the campaign for it to pay, campaigns together."""
    own = cases[cases["is_treated"].astype(bool) & cases["after_over"].astype(bool)]
    if not len(own):
        return modelled(None, status="undefined", reason=trials.OPEN, unit="percent")
    fixed = float(own.drop_duplicates("campaign_id")["fixed_cost"].sum())
    cost = fixed + float(own["contact_cost"].sum()) + float(own["discounts_within"].sum())
    responders = own[own["purchases"] > 0]
    margin = float(responders["margin_within"].sum())
    if margin <= 0:
        return modelled(None, status="undefined", reason=rules.reason("zero_denominator"), unit="percent")
    value = cost / len(own) / (margin / len(responders))
    persons = own["customer_id"].nunique()
    return modelled(value, n=len(own), persons=persons, numerator=cost, unit="percent")


def _subsidised(found: Trial, bought: trials.Difference, given: trials.Difference, own: np.ndarray):
    """The share of the campaigns ``own``, as arguments of ``modelled``."""
    rows, part = own[found.stratum], found.arm_sizes * own / float((found.arm_sizes * own).sum())
    treated, control = float(part @ bought.treated), float(part @ bought.control)
    facts = {**judged(found, rows), "numerator": control, "denominator": treated}
    if treated <= 0:
        facts |= {"status": "undefined", "reason": rules.reason("zero_denominator")}
        return {"value": None, "parts": {}, **facts}
    value = control / treated
    scale = float(found.arm_sizes.sum() / (found.arm_sizes * own).sum())
    pull = scale * np.where(rows, bought.influence, 0.0)
    # the influence of a control is that of minus its arm's mean
    moved = np.where(found.treated, -value * pull, -pull) / treated
    low, high = normal(value, experiments.clustered_error(moved, found.cluster))
    discount = float((found.arm_sizes * own) @ given.values)
    paid = found.arm_sizes.sum() * np.where(rows, given.influence, 0.0)
    ends = normal(value * discount, experiments.clustered_error(discount * moved + value * paid, found.cluster))
    money = {k: v for k, v in facts.items() if k not in ("numerator", "denominator")}
    deadweight = modelled(value * discount, low=ends.low, high=ends.high, unit="money", **money)
    return {
        "value": value,
        "low": max(0.0, low),
        "high": high,
        "parts": {"variant": {"deadweight": deadweight}},
        **facts,
    }


DEFINITIONS = (campaign_roi, subsidised_baseline_share)
