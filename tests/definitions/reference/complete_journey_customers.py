"""Complete Journey's reference answers on customers and their classes, in plain pandas (see complete_journey)."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd

from .complete_journey import baskets, households, totals

FROM, TO = pd.Timestamp("2017-10-03"), pd.Timestamp("2018-01-01")
BEFORE = pd.Timestamp("2017-07-05")
H2 = pd.Timestamp("2017-07-01")


def repeat() -> dict[str, float]:
    b, h = baskets(), households()
    days = b.groupby("household")["day"].nunique()
    return {
        "repeat_customers": (h["baskets"] >= 2).sum(),
        "repeat_rate": (h["baskets"] >= 2).mean(),
        "repeat_rate_days": (days >= 2).mean(),
    }


def frequency() -> dict[str, float]:
    days = baskets()[["household", "day"]].drop_duplicates().sort_values(["household", "day"])
    gaps = days.groupby("household")["day"].diff().dt.days.dropna()
    means = gaps.groupby(days["household"]).mean()
    return {
        "mean_baskets": households()["baskets"].mean(),
        "gap_pooled": gaps.mean(),
        "gap_median": gaps.median(),
        "gap_mean_of_means": means.mean(),
    }


@cache
def _active() -> pd.DataFrame:
    """Households by months: active or not."""
    b = baskets()
    return b.groupby(["household", "month"]).size().unstack(fill_value=0) > 0


def month_over_month() -> pd.DataFrame:
    """By the later of the two months, as retention_rate counts."""
    active = _active()
    rows = {
        after: {"active": active[month].sum(), "retained": (active[month] & active[after]).sum()}
        for month, after in zip(active.columns[:-1], active.columns[1:], strict=True)
    }
    t = pd.DataFrame(rows).T
    return t.assign(retention=t["retained"] / t["active"])


def _cohort(month: str) -> dict[str, dict[str, float]]:
    active = _active()
    cohort = active[active.idxmax(axis=1) == month]
    later = [m for m in active.columns if m >= month]
    counts = {str(offset): int(cohort[m].sum()) for offset, m in enumerate(later)}
    return {
        "customers": counts,
        "size": dict.fromkeys(counts, len(cohort)),
        "rate": {offset: n / len(cohort) for offset, n in counts.items()},
    }


def cohort_january() -> dict[str, dict[str, float]]:
    return _cohort("2017-01")


def cohort_march() -> dict[str, dict[str, float]]:
    return _cohort("2017-03")


def new_vs_returning() -> pd.DataFrame:
    b = baskets().join(households()["first"], on="household")
    new = b["first"].dt.strftime("%Y-%m") == b["month"]
    return pd.DataFrame(
        {
            "new_customers": b[new].groupby("month")["household"].nunique(),
            "returning_customers": b[~new].groupby("month")["household"].nunique(),
            "new_revenue": b[new].groupby("month")["v"].sum(),
            "returning_revenue": b[~new].groupby("month")["v"].sum(),
        }
    ).fillna(0.0)


def new_vs_returning_by_number() -> pd.DataFrame:
    """From February, 2, on: nobody returns in January."""
    t = new_vs_returning().iloc[1:]
    return t.set_axis([int(month[-2:]) for month in t.index])


def churn() -> dict[str, float]:
    h, b = households(), baskets()
    churned, eligible = h["last"] < FROM, h["first"] < FROM
    before = set(b.loc[b["day"].between(BEFORE, FROM, inclusive="left"), "household"])
    after = set(b.loc[b["day"] >= FROM, "household"])
    return {
        "churned": churned.sum(),
        "churned_gt90": (h["last"] < FROM - pd.Timedelta(days=1)).sum(),
        "customers": len(h),
        "eligible": eligible.sum(),
        "rate_all": churned.mean(),
        "rate_eligible": churned.sum() / eligible.sum(),
        "windowed_base": len(before),
        "windowed_churned": len(before - after),
        "windowed_stayed": len(before & after) / len(before),
    }


def _classes(revenue: pd.Series) -> pd.Series:
    rank = (revenue.rank(method="first") - 1) / (len(revenue) - 1)
    return pd.cut(rank, [-1, 0.5, 0.8, 1], labels=["low", "medium", "heavy"]).astype(str)


def hml() -> dict[str, float]:
    h = households()
    t = h.groupby(_classes(h["revenue"]))["revenue"].agg(["size", "sum"])
    t["share"] = t["sum"] / t["sum"].sum()
    columns = {"customers": "size", "revenue": "sum", "share": "share"}
    return {f"{name}.{field}": t.loc[name, c] for name in t.index for field, c in columns.items()}


@cache
def _halves() -> pd.DataFrame:
    b = baskets()
    late = b["day"] >= H2
    return pd.DataFrame({"h1": b[~late].groupby("household")["v"].sum(), "h2": b[late].groupby("household")["v"].sum()})


def new_lapsed_repeating() -> dict[str, float]:
    """With the spending of both halves; a half without revenue is one without activity."""
    t = _halves().fillna(0.0)
    kinds = {
        "new": (t["h1"] <= 0) & (t["h2"] > 0),
        "lapsed": (t["h1"] > 0) & (t["h2"] <= 0),
        "repeating": (t["h1"] > 0) & (t["h2"] > 0),
    }
    sums = {kind: {"customers": rows.sum(), **t.loc[rows, ["h1", "h2"]].sum()} for kind, rows in kinds.items()}
    return {f"{kind}.{name}": value for kind, found in sums.items() for name, value in found.items()}


def revenue_tree() -> dict[str, float]:
    b = baskets()
    t = totals(b, np.where(b["day"] >= H2, "h2", "h1"))
    names = {"revenue_per_customer": "spend_per_customer"}
    return {f"{names.get(c, c)}_{half}": t.loc[half, c] for half in ("h1", "h2") for c in t.columns}


def _tiles(values: pd.Series) -> pd.Series:
    """SQL's NTILE(5) in the order given: parts of one size, the first ones larger by one."""
    place = np.arange(len(values))
    size, larger = divmod(len(values), 5)
    ends = np.cumsum([size + (i < larger) for i in range(5)])
    return pd.Series(np.searchsorted(ends, place, side="right") + 1, index=values.index)


@cache
def _scores() -> pd.DataFrame:
    h = households().reset_index()
    h["days"] = (TO - h["last"]).dt.days
    best_last = {"r": h["days"], "f": -h["baskets"], "m": -h["revenue"].round(2)}
    for name, value in best_last.items():
        order = h.assign(value=value).sort_values(["value", "household"], ascending=[False, True])
        h[name] = _tiles(order["household"])
    return h


def rfm() -> dict[str, float]:
    s = _scores()
    return {
        "n555": ((s["r"] == 5) & (s["f"] == 5) & (s["m"] == 5)).sum(),
        "n111": ((s["r"] == 1) & (s["f"] == 1) & (s["m"] == 1)).sum(),
        "cells": len(s.drop_duplicates(["r", "f", "m"])),
    }


def rf_seldom() -> dict[str, float]:
    return _rf(1, 2)


def rf_often() -> dict[str, float]:
    return _rf(3, 5)


def _rf(least: int, most: int) -> dict[str, float]:
    counts = _scores().groupby(["r", "f"]).size()
    return {f"R{r}F{f}": n for (r, f), n in counts.items() if least <= f <= most}


def pareto() -> dict[str, float]:
    x = np.sort(households()["revenue"].to_numpy())
    n = len(x)
    place = np.arange(1, n + 1)
    return {
        "gini": float(2 * (place * x).sum() / (n * x.sum()) - (n + 1) / n),
        "top10pct_share": float(x[-int(np.ceil(n * 0.1)) :].sum() / x.sum()),
        "top20pct_share": float(x[-int(np.ceil(n * 0.2)) :].sum() / x.sum()),
    }
