"""Satisfaction by channel: whether the experience is equally good in all of them."""

from __future__ import annotations

import pandas as pd

from kpibook import because, kpi, modelled
from kpibook.rules import reason
from kpibook.stats.heterogeneity import dersimonian_laird, tau_interval
from kpibook.stats.intervals import wilson
from kpibook.stats.survey_weights import weighted_share
from loyalty_kpis.survey_figures import ANSWERS, SHOWN, asked, boxed, counting, note, nothing, persons, with_parts


@kpi(
    unit="percent",
    better="lower",
    family="satisfaction",
    question="Is the experience equally good in every channel?",
    by_columns=False,
    columns={
        "survey_answers": [*ANSWERS, "channel", "touchpoint_type"],
        "channel_price_days": ["business_date", "product_days", "mismatched"],
    },
    table_units={"value": "percent", "low": "percent", "high": "percent"},
)
def channel_consistency(survey_answers: pd.DataFrame, channel_price_days: pd.DataFrame):
    """Consistency across channels: standard deviation of CSAT between channels once the noise of their samples is taken
    out (DerSimonian-Laird), over channels with at least 30 effective answers.

    At least 3 such channels. The variant range is the best minus the worst channel; price_mismatch_share the products
    sold in several channels on one day whose shelf price is not the same in all, out of such product days.
    """
    rows = boxed(asked(survey_answers, "CSAT"))
    valid = counting(rows)
    sold, apart = (float(channel_price_days[c].sum()) for c in ("product_days", "mismatched"))
    further = {"price_mismatch_share": _price_share(apart, sold)}
    groups = _channels(valid)
    facts = {"parts": {"variant": further}} | ({"table": groups, "table_persons": "answers"} if len(groups) else {})
    large = groups[groups["effective_n"] >= SHOWN] if len(groups) else groups
    if len(large) >= 2:
        spread = float(large["value"].max() - large["value"].min())
        further["range"] = modelled(spread, n=int(large["answers"].sum()))
    if valid.empty:
        return with_parts(nothing(rows), **facts)
    if len(large) < 3:
        few = because(
            "Only {n} channels have at least {minimum} effective answers; 3 are needed.", n=len(large), minimum=SHOWN
        )
        return modelled(None, status="undefined", reason=few, n=len(valid), **facts)
    touchpoints = {str(name): _tau(_channels(part)) for name, part in valid.groupby("touchpoint_type")}
    facts["parts"]["touchpoint_type"] = {name: found for name, found in touchpoints.items() if found is not None}
    return with_parts(_tau(groups), reason=note(rows), n=len(valid), **facts)


def _price_share(apart: float, sold: float):
    if sold == 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"))
    low, high = wilson(apart, sold)
    return modelled(apart / sold, low=low, high=high, n=int(sold), numerator=apart, denominator=sold)


def _channels(valid: pd.DataFrame) -> pd.DataFrame:
    """CSAT by channel with its effective answers and sampling variance (after two answers of either kind)."""
    rows = []
    for channel, part in valid.groupby("channel", sort=True):
        found = weighted_share(part["satisfied"], part["weight"], persons(part))
        if found is None:
            continue
        n = found.effective_n
        steady = (found.value * n + 2) / (n + 4)
        rows.append(
            {
                "channel": channel,
                "value": found.value,
                "low": found.interval.low,
                "high": found.interval.high,
                "answers": len(part),
                "effective_n": n,
                "variance": steady * (1 - steady) / (n + 4),
            }
        )
    return pd.DataFrame(rows)


def _tau(groups: pd.DataFrame):
    """The spread beyond noise of channels with enough answers; None with fewer than three."""
    large = groups[groups["effective_n"] >= SHOWN] if len(groups) else groups
    if len(large) < 3:
        return None
    tau = dersimonian_laird(large["value"], large["variance"]).tau
    low, high = tau_interval(large["value"], large["variance"])
    return modelled(tau, low=low, high=high, n=int(large["answers"].sum()))


DEFINITIONS = (channel_consistency,)
