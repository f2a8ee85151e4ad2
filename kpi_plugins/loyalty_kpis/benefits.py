"""Benefits: privileges beside discounts, and what long-standing and new customers get."""

import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, ratio, rules, share, variants
from kpibook.stats.rates import ratio_of_rates, standardised_difference

CLASSES = ("low", "medium", "heavy")


@kpi(
    unit="percent",
    better="neutral",
    family="programme",
    question="Is the programme only discounts or also privileges?",
)
def qualitative_reward_share(rewards, reward_members):
    """Qualitative reward share: rewards taken that are privileges, services or experiences, out of all rewards taken in
    the period.

    by_cost weighs by what they cost the firm; members are those who took such a reward in the period, out of the
    members who showed their card at a kept purchase or took any reward in it.
    """
    special, member = rewards.is_qualitative, rewards.member_id
    return variants(
        share(special, cluster=member),
        by_cost=ratio(rewards.cost.sum(where=special), rewards.cost.sum(), cluster=member),
        members=share(reward_members.took_special, cluster=reward_members.member_id),
    )


@kpi(
    unit="percent",
    better="higher",
    family="programme",
    question="Do long-standing customers get more than others of equal spend?",
    columns={
        "tenure_benefits": ["customer_id", "usage_class", "spend_long", "benefit_long", "spend_young", "benefit_young"]
    },
    table_units={"spend": "money", "benefit": "money", "rate": "percent"},
)
def tenure_benefit_gradient(tenure_benefits: pd.DataFrame):
    """Tenure benefit gradient: benefits per gross spend of identified customers for 36 months or more, minus that of
    customers for less than 12 months, both at the spend mix of usage classes of the two together.

    Benefits are loyalty and personal discounts and rewards taken, at face value or, where they have none, at cost.
    Months count from the customer's creation to the purchase. Long-standing customers get more if the interval lies
    above 0. long and young are the two rates.
    """
    rows = tenure_benefits[tenure_benefits["usage_class"].isin(CLASSES)]
    sums = ["spend_long", "benefit_long", "spend_young", "benefit_young"]
    persons = rows.groupby(["customer_id", "usage_class"], sort=True)[sums].sum().reset_index()
    strata = persons["usage_class"].map({name: i for i, name in enumerate(CLASSES)})
    found = standardised_difference(
        (persons["benefit_long"], persons["benefit_young"]), (persons["spend_long"], persons["spend_young"]), strata
    )
    counted = _counted(persons, "spend_long", "spend_young")
    if found is None:
        return modelled(None, **{**counted, "status": "undefined", "reason": NO_SHARED_CLASS})
    rates = {name: modelled(rate, **counted) for name, rate in (("long", found.one), ("young", found.other))}
    return modelled(
        found.value,
        low=found.interval.low,
        high=found.interval.high,
        table=_by_class(persons),
        table_persons="customers",
        parts={"variant": rates},
        **counted,
    )


@kpi(
    unit="ratio",
    better="higher",
    family="programme",
    question="Do existing customers get at least what newcomers get (no loyalty penalty)?",
    columns={
        "newcomer_benefits": ["customer_id", "spend_settled", "benefit_settled", "spend_newcomer", "benefit_newcomer"]
    },
)
def existing_vs_new_benefit_ratio(newcomer_benefits: pd.DataFrame):
    """Existing vs new customer benefit: benefits per gross spend of customers for more than 12 months, per the same of
    newcomers in their first 90 days, gifts for joining and for referrals included; below 1 loyalty is punished.

    Benefits are all discounts and rewards taken, at face value or, where they have none, at cost. The gifts are the
    enrolment and referral incentives in the cost ledger that are not already in the receipts, shared among
    newcomers by spend. existing and newcomers are the two rates.
    """
    sums = ["spend_settled", "benefit_settled", "spend_newcomer", "benefit_newcomer"]
    persons = newcomer_benefits.groupby("customer_id", sort=True)[sums].sum()
    found = ratio_of_rates(
        (persons["benefit_settled"], persons["benefit_newcomer"]), (persons["spend_settled"], persons["spend_newcomer"])
    )
    counted = _counted(persons, "spend_settled", "spend_newcomer")
    if found is None:
        return modelled(None, **{**counted, "status": "undefined", "reason": rules.reason("zero_denominator")})
    rates = {"existing": found.one, "newcomers": found.other}
    parts = {name: modelled(rate, unit="percent", **counted) for name, rate in rates.items()}
    low, high = found.interval
    return modelled(
        found.value, low=low, high=high, numerator=found.one, denominator=found.other, parts={"variant": parts},
        **counted,
    )  # fmt: skip


NO_SHARED_CLASS = because("No usage class has spend of both long-standing and new customers.")


def _counted(persons, *spends):
    """n is the smaller side, and rule R rests on it."""
    n = min(int((persons[name] > 0).sum()) for name in spends)
    status, why = rules.ratio_rule(n)
    return {"n": n, "persons": n, "status": status, "reason": why}


def _by_class(persons):
    """Rates and customers of both sides by usage class."""
    rows = []
    for name in CLASSES:
        own = persons[persons["usage_class"] == name]
        for side in ("long", "young"):
            spend, benefit = own[f"spend_{side}"].sum(), own[f"benefit_{side}"].sum()
            rate = benefit / spend if spend > 0 else np.nan
            customers = int((own[f"spend_{side}"] > 0).sum())
            rows.append((name, side, customers, spend, benefit, rate))
    return pd.DataFrame(rows, columns=["usage_class", "tenure", "customers", "spend", "benefit", "rate"])


DEFINITIONS = (qualitative_reward_share, tenure_benefit_gradient, existing_vs_new_benefit_ratio)
