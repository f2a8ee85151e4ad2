"""Rewards: what members get back, what it takes, and whether they find the one worth the other."""

import numpy as np
import pandas as pd

from kpibook import because, curve, kpi, modelled, ratio, share, variants
from kpibook.rules import reason
from kpibook.stats.intervals import wilson
from kpibook.stats.reweighting import redrawn
from kpibook.stats.survey_weights import weighted_share

CLASSES = ("low", "medium", "heavy")
#: Respondents, after weighting, that the opinion of a class rests on at least.
MINIMUM = 50
BALANCED = 0.5
UNKNOWN = "Nothing is known of the {usage_class} users."


@kpi(
    unit="percent",
    better="higher",
    family="programme",
    question="How many members have ever taken a reward?",
)
def redeemer_rate(reward_waits, rewards_within_reach, *, at_days: int = 365):
    """Redeeming members: members who took a first reward within at_days of their enrolment, out of all members enrolled
    since the data begin, cases still open at the period's end censored (Kaplan-Meier); the variant with_enough_points
    counts from the first day with enough points for a reward, out of the members who got so far.
    """
    far = rewards_within_reach
    return variants(
        curve(reward_waits.duration, reward_waits.rewarded, at=at_days, complement=True),
        with_enough_points=curve(far.duration, far.rewarded, at=at_days, complement=True),
    )


@kpi(
    unit="percent",
    better="neutral",
    family="programme",
    question="How much does a member get back per euro spent?",
)
def reward_rate(reward_flows, promised_flows):
    """Reward rate (return on spend): member and personal discounts and rewards taken at face value, out of what members
    spent with their card at shelf value; the variant nominal takes the points issued at face value in place of the
    rewards taken, effective these times the ultimate redemption rate.
    """
    promised = promised_flows
    return variants(
        ratio(reward_flows.back.sum(), reward_flows.spent.sum(), cluster=reward_flows.member_id),
        nominal=ratio(promised.back.sum(), promised.spent.sum(), cluster=promised.member_id),
        effective=ratio(promised.expected.sum(), promised.spent.sum(), cluster=promised.member_id),
    )


@kpi(
    unit="days",
    better="lower",
    family="programme",
    question="How much must a member buy, and wait, for the first reward?",
)
def effort_to_first_reward(member_efforts):
    """Effort to first reward: median days from enrolment to enough points for a first reward, members enrolled since
    the data begin, those not yet there censored (Kaplan-Meier); the variant spend is what the rules ask for, purchases
    how many of the members' average purchases this is, reachable the share of open members, enrolled for 90 days or
    more, who at the pace of their last 365 days get there before their points expire.
    """
    rows, member = member_efforts, member_efforts.member_id
    known = rows.observed.ifelse(rows.duration, None)
    asked = rows.asked_spend
    bought = rows.purchases > 0
    return variants(
        curve(known, rows.enough),
        spend=ratio(asked.sum(), asked.count(), cluster=member).in_unit("money"),
        purchases=ratio(
            (asked * rows.purchases).sum(where=bought), rows.net_amount.sum(where=bought), cluster=member
        ).in_unit("purchases"),
        reachable=share(rows.reachable, where=rows.paced).in_unit("percent"),
    )


@kpi(
    unit="percent",
    better="higher",
    family="programme",
    question="Do members find the reward worth the effort, in every profile?",
    columns={
        "reward_opinions": ["customer_id", "reward", "effort", "weight", "usage_class"],
        "reach_by_usage": ["usage_class", "members", "reachable"],
    },
)
def effort_reward_balance(reward_opinions: pd.DataFrame, reach_by_usage: pd.DataFrame):
    """Effort/reward balance: weighted share of respondents who rate the reward at least as high as the effort, in the
    usage class where it is lowest; balanced when it and the variant lowest_reachable (members for whom a first reward
    is within reach, in the class where they are fewest) are both 50 % or more.

    The variant everybody is the share among all respondents, difference the mean of reward minus effort on the scale
    of 1 to 7. Classes are low, medium and heavy users; one without respondents leaves the answer open.
    """
    everybody = _perceived(reward_opinions)
    classes = {name: _perceived(reward_opinions[reward_opinions["usage_class"] == name]) for name in CLASSES}
    reach = {name: _reachable(reach_by_usage[reach_by_usage["usage_class"] == name]) for name in CLASSES}
    lowest, reachable = _lowest(classes), _lowest(reach)
    parts = {
        "variant": {
            "everybody": everybody,
            "difference": _difference(reward_opinions),
            "lowest_reachable": reachable,
            "balanced": _balanced(lowest, reachable),
        },
        "usage_class": classes,
    }
    table = pd.DataFrame({"usage_class": CLASSES, "perceived": _values(classes), "reachable": _values(reach)})
    return modelled(
        lowest.value,
        low=lowest.low,
        high=lowest.high,
        n=lowest.n,
        numerator=lowest.numerator,
        denominator=lowest.denominator,
        status=lowest.status,
        reason=lowest.reason,
        persons=len(set(reward_opinions["customer_id"])),
        table=table,
        table_persons=[classes[name].n or 0 for name in CLASSES],
        parts=parts,
    )


def _perceived(rows):
    persons = pd.factorize(rows["customer_id"])[0]
    weights = rows["weight"].fillna(1.0)
    found = weighted_share(rows["reward"] >= rows["effort"], weights, persons)
    if found is None:
        return modelled(None, status="undefined", reason=reason("no_rows"))
    facts = {"n": int(found.effective_n), "numerator": found.numerator, "denominator": found.denominator}
    facts |= {"low": found.interval.low, "high": found.interval.high, "persons": len(set(persons))}
    if found.effective_n < MINIMUM:
        why = reason("too_few_persons", n=int(found.effective_n), minimum=MINIMUM)
        facts |= {"status": "low_n", "reason": why}
    return modelled(found.value, **facts)


def _reachable(rows):
    members, there = int(rows["members"].sum()), int(rows["reachable"].sum())
    if members == 0:
        return modelled(None, status="undefined", reason=reason("no_rows"))
    low, high = wilson(there, members)
    facts = {"low": low, "high": high, "n": members, "numerator": there, "denominator": members, "persons": members}
    if members < MINIMUM:
        facts |= {"status": "low_n", "reason": reason("too_few_persons", n=members, minimum=MINIMUM)}
    return modelled(there / members, **facts)


def _lowest(classes):
    """The class with the lowest share, or the first that leaves the answer open."""
    for name, found in classes.items():
        if found.value is None:
            why = because(UNKNOWN, usage_class=name)
            return modelled(None, status="undefined", reason=why)
    return min(classes.values(), key=lambda found: (found.status != "low_n", found.value))


def _balanced(lowest, reachable):
    """1 when both shares reach 50 % in every class, 0 when one does not."""
    for found in (lowest, reachable):
        if found.value is None or found.status != "ok":
            return modelled(None, status=found.status, reason=found.reason, unit="ratio")
    return modelled(float(min(lowest.value, reachable.value) >= BALANCED), unit="ratio")


def _difference(rows):
    if rows.empty or not rows["weight"].fillna(1.0).sum() > 0:
        return modelled(None, status="undefined", reason=reason("no_rows"), unit="ratio")
    weights = rows["weight"].fillna(1.0)
    sums = pd.DataFrame({"top": weights * (rows["reward"] - rows["effort"]), "bottom": weights})
    persons = sums.groupby(rows["customer_id"].to_numpy()).sum().to_numpy()
    value = float(persons[:, 0].sum() / persons[:, 1].sum())
    facts = {"n": len(persons), "persons": len(persons), "unit": "ratio"}
    if len(persons) < MINIMUM:
        facts |= {"status": "low_n", "reason": reason("too_few_persons", n=len(persons), minimum=MINIMUM)}
    ends = redrawn(persons, lambda drawn: drawn[:, 0] / drawn[:, 1])
    low, high = (None, None) if ends is None else ends
    return modelled(value, low=low, high=high, **facts)


def _values(classes):
    return [np.nan if found.value is None else found.value for found in classes.values()]


DEFINITIONS = (redeemer_rate, reward_rate, effort_to_first_reward, effort_reward_balance)
