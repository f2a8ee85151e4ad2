"""Wallet: what part of their budget customers leave with us, and whether we are their first choice."""

import ibis
import numpy as np
import pandas as pd

from kpibook import because, kpi, modelled, view
from kpibook.rules import reason, too_few
from kpibook.stats.reweighting import percentiles, redrawn_sums
from kpibook.stats.survey_weights import weighted_share
from loyalty_kpis.reach import inside

ENOUGH, SHOWN = 100, 30
BRANDS = ["wave_id", "respondent_id", "category_id", "brand", "is_own", "is_marketplace", "spend", "preference_rank"]


@view()
def panel_brands(competitor_panel, survey_responses, periods, *, weighted: bool = True):
    """Panel brands: one row per whole period, wave, respondent, category and brand used, with the respondent's weight.

    A wave belongs to the period in which its first answer in survey_responses was given, one without such answers to
    the current period. The weight is the mean of the person's answers of the wave, else 1. With weighted false neither
    date nor weight is looked for.
    """
    ours = competitor_panel.is_own.fill_null(False)
    used = competitor_panel.filter((competitor_panel.spend.fill_null(1) > 0).fill_null(True)).mutate(
        is_own=ours, is_marketplace=competitor_panel.is_marketplace.fill_null(False)
    )
    totals = periods.filter(periods.segment_by == "total")
    if not weighted:
        return used.cross_join(totals.filter(totals.period == "current").select("period_id")).select(
            "period_id", "customer_id", *BRANDS, weight=ibis.literal(1.0)
        )
    answered = survey_responses.filter(survey_responses.wave_id.notnull())
    dates = answered.group_by("wave_id").agg(day=answered.ts.min().date())
    weights = answered.filter(answered.customer_id.notnull()).group_by("wave_id", "customer_id")
    weights = weights.agg(weight=answered.weight.mean()).rename(wave="wave_id", person="customer_id")
    dated = used.left_join(dates, "wave_id").drop("wave_id_right")
    known = dated.left_join(weights, [dated.wave_id == weights.wave, dated.customer_id == weights.person])
    within = inside(known.day, totals.start, totals.end)
    placed = known.join(totals, within | (known.day.isnull() & (totals.period == "current")))
    return placed.select("period_id", "customer_id", *BRANDS, weight=placed.weight.fill_null(1.0))


@view(key=("response_id", "period_id"))
def first_choice_answers(survey_responses, periods):
    """First-choice answers: one row per whole period and answer to the question FIRST_CHOICE, with whether it is the
    best of its scale; scores outside the scale are left out.
    """
    asked = survey_responses.filter(
        (survey_responses.question_code == "FIRST_CHOICE")
        & survey_responses.score.between(survey_responses.scale_min, survey_responses.scale_max)
    )
    totals = periods.filter(periods.segment_by == "total")
    placed = asked.join(totals, inside(asked.ts.date(), totals.start, totals.end))
    best = ibis.ifelse(placed.higher_is_better.fill_null(True), placed.scale_max, placed.scale_min)
    return placed.select(
        "response_id", "period_id", "customer_id", is_best=placed.score == best, weight=placed.weight.fill_null(1.0)
    )


@kpi(
    unit="percent",
    better="higher",
    question="What part of the customer's category spend do we get?",
    family="customers",
    columns={"panel_brands": ["customer_id", *BRANDS, "weight"]},
)
def share_of_wallet(panel_brands: pd.DataFrame):
    """Share of wallet: mean over customers in the panel of their spend with the own brand out of their spend with all
    brands of the categories asked, weighted; without any spend asked, modelled from the preference ranks (Wallet
    Allocation Rule).

    A customer is who is identified or uses the own brand. The variant by_volume is spend over spend,
    marketplace_users the share among those who use a marketplace, allocation_rule the modelled one. Own transactions
    alone tell nothing of it.
    """
    asked = _customers(panel_brands)
    spending = asked[asked["spend"].notna()]
    ruled = _allocation(asked[asked["preference_rank"].notna()])
    if spending.empty:
        why = because("Modelled from preference ranks: no spend was asked.")
        return _weighted(ruled, "share", said=why)
    wallets = _wallets(spending)
    parts = {
        "by_volume": _volume(wallets),
        "marketplace_users": _weighted(wallets[wallets["marketplace"] > 0], "share"),
    }
    if not ruled.empty:
        parts["allocation_rule"] = _weighted(ruled, "share", said=because("Modelled from preference ranks."))
    return _weighted(wallets, "share", parts={"variant": parts})


@kpi(
    unit="percent",
    better="higher",
    question="Are we the customer's first option?",
    family="customers",
    columns={
        "panel_brands": ["customer_id", *BRANDS, "weight"],
        "first_choice_answers": ["customer_id", "is_best", "weight"],
    },
)
def first_choice_rate(panel_brands: pd.DataFrame, first_choice_answers: pd.DataFrame):
    """First-choice rate: respondents who rank the own brand first among the brands they use, out of the respondents who
    use at least one brand of the category and rank them, weighted; who ranks it first beside others counts by half.

    Who answers for several categories counts with the mean of these. The variant asked is the share of the best
    answers to the question FIRST_CHOICE.
    """
    asked = _share(first_choice_answers["is_best"].astype(float), first_choice_answers)
    ranked = panel_brands[panel_brands["preference_rank"].notna()]
    if ranked.empty:
        return modelled(
            None, status="undefined", reason=reason("zero_denominator"), parts={"variant": {"asked": asked}}
        )
    keys = ["wave_id", "respondent_id"]
    best = ranked.groupby([*keys, "category_id"])["preference_rank"].transform("min")
    first = ranked[ranked["preference_rank"] == best]
    each = first.groupby([*keys, "category_id"]).agg(
        own=("is_own", "any"),
        others=("is_own", lambda own: not own.all()),
        weight=("weight", "first"),
        customer_id=("customer_id", "first"),
    )
    each["first"] = np.where(each["own"], np.where(each["others"], 0.5, 1.0), 0.0)
    people = each.groupby(keys).agg(
        first=("first", "mean"), weight=("weight", "first"), customer_id=("customer_id", "first")
    )
    return _share(people["first"], people, parts={"variant": {"asked": asked}})


def _customers(brands):
    """The rows of respondents who are customers: identified, or users of the own brand."""
    ours = brands.groupby(["wave_id", "respondent_id"])["is_own"].transform("any")
    return brands[brands["customer_id"].notna() | ours.astype(bool)]


def _wallets(brands):
    """One row a respondent: spend ``own``, ``marketplace`` and ``whole``, share and weight."""
    rows = brands.assign(
        own=brands["spend"].where(brands["is_own"].astype(bool), 0.0),
        marketplace=brands["spend"].where(brands["is_marketplace"].astype(bool), 0.0),
    )
    people = rows.groupby(["wave_id", "respondent_id"]).agg(
        own=("own", "sum"), marketplace=("marketplace", "sum"), whole=("spend", "sum"), weight=("weight", "first")
    )
    return people.assign(share=people["own"] / people["whole"])


def _allocation(brands):
    """One row a respondent: the share that the rank of the own brand among n brands stands for, mean of categories."""
    keys = ["wave_id", "respondent_id"]
    used = brands.groupby([*keys, "category_id"])["preference_rank"]
    rank, n = used.rank(method="average"), used.transform("size").astype(float)
    rule = np.where(n == 1, 1.0, (1 - rank / (n + 1)) * 2 / n)
    rows = brands.assign(share=np.where(brands["is_own"].astype(bool), rule, 0.0))
    by_category = rows.groupby([*keys, "category_id"]).agg(share=("share", "sum"), weight=("weight", "first"))
    return by_category.groupby(keys).agg(share=("share", "mean"), weight=("weight", "first"))


def _weighted(people, column, said="", **more):
    weight = people["weight"].to_numpy(dtype=float)
    return _mean(people[column].to_numpy(dtype=float) * weight, weight, said, **more)


def _volume(people):
    weight = people["weight"].to_numpy(dtype=float)
    return _mean(people["own"].to_numpy(dtype=float) * weight, people["whole"].to_numpy(dtype=float) * weight, "")


def _mean(top, bottom, said, **more):
    n, whole = len(top), float(bottom.sum())
    facts = {"n": n, "persons": n, "numerator": float(top.sum()), "denominator": whole, **more}
    if whole <= 0:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts)
    if n < SHOWN:
        return modelled(None, status="low_n", reason=reason("too_few_persons", n=n, minimum=SHOWN), **facts)
    sums = redrawn_sums(np.column_stack([top, bottom]))
    interval = percentiles(sums[:, 0] / np.where(sums[:, 1] > 0, sums[:, 1], np.nan))
    low, high = (None, None) if interval is None else interval
    status, why = ("ok", said) if n >= ENOUGH else ("low_n", reason("too_few_persons", n=n, minimum=ENOUGH))
    return modelled(float(top.sum()) / whole, low=low, high=high, status=status, reason=why, **facts)


def _share(met, answers, **more):
    """A weighted share, the answers of one customer together; who is unknown answers once."""
    x, w = met.to_numpy(dtype=float), answers["weight"].to_numpy(dtype=float)
    known = answers["customer_id"].notna().to_numpy()
    codes = np.where(known, pd.factorize(answers["customer_id"])[0], len(x) + np.arange(len(x)))
    found = weighted_share(x, w, np.unique(codes, return_inverse=True)[1])
    facts = {"n": len(x), "persons": len(np.unique(codes)), **more}
    if found is None:
        return modelled(None, status="undefined", reason=reason("zero_denominator"), **facts)
    facts |= {"numerator": found.numerator, "denominator": found.denominator}
    effective = found.effective_n
    status, why = ("ok", "") if effective >= ENOUGH else ("low_n", too_few(effective, ENOUGH, len(x)))
    if effective < SHOWN:
        return modelled(None, status=status, reason=too_few(effective, SHOWN, len(x)), **facts)
    low, high = found.interval
    return modelled(found.value, low=low, high=high, status=status, reason=why, **facts)


DEFINITIONS = (panel_brands, first_choice_answers, share_of_wallet, first_choice_rate)
