"""Complete Journey's reference answers on campaigns and discounts, in plain pandas (see complete_journey)."""

from __future__ import annotations

from functools import cache

import pandas as pd
from scipy import stats

from .complete_journey import DISCOUNTS, baskets, households, raw

CAMPAIGN = 13


@cache
def pairs() -> pd.DataFrame:
    """One row per campaign and household targeted: the campaign's type and days, and whether a coupon came back."""
    redeemed = raw("coupon_redemptions")[["campaign_id", "household_id"]].drop_duplicates().assign(responded=True)
    sent = raw("campaigns").merge(raw("campaign_descriptions"), on="campaign_id")
    found = sent.merge(redeemed, on=["campaign_id", "household_id"], how="left")
    return found.assign(responded=found["responded"].notna())


def response() -> pd.DataFrame:
    t = pairs().groupby("campaign_id").agg(targeted=("household_id", "nunique"), responders=("responded", "sum"))
    return t.assign(response_rate=t["responders"] / t["targeted"])


def response_by_type() -> pd.DataFrame:
    p = pairs()
    rows = p.groupby("campaign_type").agg(
        campaigns=("campaign_id", "nunique"),
        targeted_pairs=("household_id", "size"),
        responder_pairs=("responded", "sum"),
        targeted_households=("household_id", "nunique"),
    )
    persons = p[p["responded"]].groupby("campaign_type")["household_id"].nunique()
    return rows.assign(
        responding_households=persons,
        household_rate=persons / rows["targeted_households"],
        pooled_rate=rows["responder_pairs"] / rows["targeted_pairs"],
    )


def response_overall() -> dict[str, float]:
    p = pairs()
    targeted, responding = p["household_id"].nunique(), p.loc[p["responded"], "household_id"].nunique()
    return {
        "targeted_pairs": len(p),
        "responder_pairs": p["responded"].sum(),
        "pooled_rate": p["responded"].mean(),
        "targeted_households": targeted,
        "responding_households": responding,
        "household_rate": responding / targeted,
        "redemptions": len(raw("coupon_redemptions")),
    }


def redemptions_by_month() -> pd.DataFrame:
    r = raw("coupon_redemptions")
    return r.groupby(r["redemption_date"].dt.strftime("%Y-%m")).agg(
        redemptions=("household_id", "size"), households=("household_id", "nunique")
    )


@cache
def discount_cost() -> pd.DataFrame:
    """Per campaign: what its households, and all of them, bought and saved from its first to its last day."""
    rows = {}
    for c in raw("campaign_descriptions").itertuples():
        b = baskets()
        own = b[b["day"].between(c.start_date, c.end_date)]
        sent = pairs().loc[pairs()["campaign_id"] == c.campaign_id, "household_id"]
        sums = {}
        for name, part in (("all", own), ("tg", own[own["household"].isin(sent)])):
            sums |= {f"{name}_{d}": part[d].sum() for d in DISCOUNTS} | {f"{name}_revenue": part["v"].sum()}
        rows[c.campaign_id] = sums
    found = pd.DataFrame(rows).T
    return found.assign(tg_loyalty_cost=found["tg_retail_disc"] + found["tg_coupon_match_disc"])


def discount_cost_of_13() -> dict[str, float]:
    return discount_cost().loc[CAMPAIGN].to_dict()


def discount_by_month() -> pd.DataFrame:
    t = baskets().groupby("month")[["v", *DISCOUNTS]].sum()
    given = t["retail_disc"] + t["coupon_match_disc"]
    return t.assign(loyalty_discount_rate=given / (t["v"] + given))


def did_not_this() -> pd.DataFrame:
    return _did("not_this")


def did_never() -> pd.DataFrame:
    return _did("never")


def did_no_overlap() -> pd.DataFrame:
    return _did("no_overlap")


def did_placebo() -> pd.DataFrame:
    """As far as the data reach back to the 56 days before the start."""
    return _did("not_this", placebo=True)


@cache
def _did(control: str, placebo: bool = False) -> pd.DataFrame:
    """Change of weekly revenue per household: targeted minus control, with Welch's error and 95% interval."""
    b, every = baskets(), households().index
    described, month = raw("campaign_descriptions"), pd.Timedelta(days=28)
    sent = {c: set(rows["household_id"]) for c, rows in pairs().groupby("campaign_id")}

    def weekly(first: pd.Timestamp, until: pd.Timestamp) -> pd.Series:
        own = b[(b["day"] >= first) & (b["day"] < until)]
        return own.groupby("household")["v"].sum().reindex(every, fill_value=0.0) / ((until - first).days / 7)

    rows = {}
    for c in described.itertuples():
        start, until = c.start_date, c.end_date + pd.Timedelta(days=1)
        if placebo:
            start, until = start - month, start
        if start - month < pd.Timestamp("2017-01-01") or until > pd.Timestamp("2018-01-01"):
            continue
        near = described[(described["start_date"] < until) & (described["end_date"] >= start - month)]
        others = {"not_this": [c.campaign_id], "never": list(sent), "no_overlap": list(near["campaign_id"])}[control]
        treated = every.isin(sent[c.campaign_id])
        held = ~every.isin(set().union(*(sent[other] for other in others)))
        pre, during = weekly(start - month, start), weekly(start, until)
        t, h = (during - pre)[treated], (during - pre)[held]
        parts = t.var() / len(t), h.var() / len(h)
        se, did = sum(parts) ** 0.5, t.mean() - h.mean()
        df = sum(parts) ** 2 / (parts[0] ** 2 / (len(t) - 1) + parts[1] ** 2 / (len(h) - 1))
        reach = stats.t.ppf(0.975, df) * se
        days = (until - start).days
        rows[c.campaign_id] = {
            "days": days,
            "n_treated": len(t),
            "n_control": len(h),
            "pre_treated": pre[treated].mean(),
            "pre_control": pre[held].mean(),
            "during_treated": during[treated].mean(),
            "during_control": during[held].mean(),
            "did": did,
            "se": se,
            "welch_df": df,
            "ci_low": did - reach,
            "ci_high": did + reach,
            "incremental_revenue": did * len(t) * days / 7,
        }
    return pd.DataFrame(rows).T
