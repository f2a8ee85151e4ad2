"""CDNOW in plain pandas, from the text files of the package lifetimes."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

END = pd.Timestamp("1998-06-30")
TIMES = (30, 90, 180, 270, 365, 455, 500)


@cache
def file(name: str) -> Path:
    spec = find_spec("lifetimes")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "datasets" / name


@cache
def master() -> pd.DataFrame:
    names = ["customer", "date", "units", "amount"]
    return _log(pd.read_csv(file("CDNOW_master.txt"), sep=r"\s+", skiprows=1, names=names, dtype={"customer": str}))


@cache
def sample() -> pd.DataFrame:
    names = ["customer", "number", "date", "units", "amount"]
    return _log(pd.read_csv(file("CDNOW_sample.txt"), sep=r"\s+", names=names, dtype={"customer": str}))


def _log(orders: pd.DataFrame) -> pd.DataFrame:
    return orders.assign(date=pd.to_datetime(orders["date"].astype(str), format="%Y%m%d"))


def _persons(orders: pd.DataFrame) -> pd.DataFrame:
    by = orders.groupby("customer")
    return pd.DataFrame(
        {
            "first": by["date"].min(),
            "last": by["date"].max(),
            "dates": by["date"].nunique(),
            "orders": by.size(),
            "amount": by["amount"].sum().round(2),
        }
    )


def _totals(orders: pd.DataFrame) -> dict[str, Any]:
    revenue = orders["amount"].sum()
    days = len(orders[["customer", "date"]].drop_duplicates())
    return {
        "rows": len(orders),
        "order_days": days,
        "revenue": revenue,
        "customers": orders["customer"].nunique(),
        "units": orders["units"].sum(),
        "aov_row": revenue / len(orders),
        "aov_day": revenue / days,
        "zero_amount": (orders["amount"] == 0).sum(),
        "max_amount": orders["amount"].max(),
        "median_amount": orders["amount"].median(),
        "first_date": str(orders["date"].min().date()),
        "last_date": str(orders["date"].max().date()),
    }


def _by_month(orders: pd.DataFrame) -> dict[str, Any]:
    month = _month(orders["date"])
    by = orders.groupby(month)
    active = by["customer"].nunique()
    new = _month(_persons(orders)["first"]).value_counts().reindex(active.index, fill_value=0)
    return {
        "revenue": by["amount"].sum().to_dict(),
        "orders": by.size().to_dict(),
        "customers": active.to_dict(),
        "aov": (by["amount"].sum() / by.size()).to_dict(),
        "new_customers": new[new > 0].to_dict(),
        "returning_customers": (active - new)[active > new].to_dict(),
    }


def _cohort_matrix(orders: pd.DataFrame) -> dict[str, Any]:
    first = _persons(orders)["first"].reindex(orders["customer"]).reset_index(drop=True)
    date = orders["date"].reset_index(drop=True)
    offset = (date.dt.year - first.dt.year) * 12 + date.dt.month - first.dt.month
    seen = pd.DataFrame({"customer": orders["customer"].to_numpy(), "cohort": _month(first), "offset": offset})
    counts = seen.drop_duplicates().groupby(["cohort", "offset"]).size()
    sizes = counts.xs(0, level="offset")
    found: dict[str, Any] = {"size": sizes.to_dict()}
    for cohort, size in sizes.items():
        own = counts[cohort]
        found[f"customers {cohort}"] = {str(o): n for o, n in own.items()}
        found[f"rate {cohort}"] = {str(o): n / size for o, n in own.items()}
    return found


def _retention_mom(orders: pd.DataFrame) -> dict[str, Any]:
    """By the FOLLOWING month, in which the customers are seen again or not."""
    months = orders.groupby(orders["date"].dt.to_period("M"))["customer"].agg(set)
    pairs = [(str(m + 1), months[m], months[m + 1]) for m in months.index[:-1]]
    return {
        "active": {name: len(now) for name, now, _ in pairs},
        "retained": {name: len(now & then) for name, now, then in pairs},
        "retention": {name: len(now & then) / len(now) for name, now, then in pairs},
    }


def _repeat(orders: pd.DataFrame) -> dict[str, float]:
    persons = _persons(orders)
    dates = orders[["customer", "date"]].drop_duplicates().sort_values(["customer", "date"])
    gaps = dates.groupby("customer")["date"].diff().dt.days.dropna()
    several = persons[persons["dates"] >= 2]
    return {
        "repeat_customers": len(several),
        "repeat_rate_orders": (persons["orders"] >= 2).mean(),
        "repeat_rate_days": (persons["dates"] >= 2).mean(),
        "freq_orders": persons["orders"].mean(),
        "freq_days": persons["dates"].mean(),
        "gap_mean_of_means": ((several["last"] - several["first"]).dt.days / (several["dates"] - 1)).mean(),
        "gap_pooled": gaps.mean(),
        "gap_median": gaps.median(),
    }


def _churn(orders: pd.DataFrame) -> dict[str, float]:
    recency = (END - _persons(orders)["last"]).dt.days
    return {
        "churned90": (recency >= 90).sum(),
        "gt90": (recency > 90).sum(),
        "churned180": (recency >= 180).sum(),
        "rate90": (recency >= 90).mean(),
        "rate180": (recency >= 180).mean(),
    }


def _hml(orders: pd.DataFrame) -> dict[str, Any]:
    persons = _persons(orders).reset_index().sort_values(["amount", "customer"])
    rank = np.arange(len(persons)) / (len(persons) - 1)
    segment = np.select([persons["amount"] == 0, rank <= 0.5, rank <= 0.8], ["Zero", "Light", "Medium"], "Heavy")
    by = persons.groupby(segment)["amount"]
    counts, revenue = by.size(), by.sum()
    found = {"customers.Light and Zero": counts["Light"] + counts["Zero"]}
    for name in counts.index:
        found[f"customers.{name}"] = counts[name]
        found[f"revenue.{name}"] = revenue[name]
        found[f"share.{name}"] = revenue[name] / revenue.sum()
    return found


def _time_to_repeat(orders: pd.DataFrame) -> dict[str, Any]:
    dates = orders[["customer", "date"]].drop_duplicates().sort_values(["customer", "date"])
    first, second = (dates.groupby("customer")["date"].nth(i) for i in (0, 1))
    first.index, second.index = dates.loc[first.index, "customer"], dates.loc[second.index, "customer"]
    again = second.reindex(first.index)
    return _kaplan_meier((again.fillna(END) - first).dt.days, again.notna())


def _lifetime(orders: pd.DataFrame, days: int, until_last_order: bool = False, least_dates: int = 1) -> dict[str, Any]:
    persons = _persons(orders)
    persons = persons[persons["dates"] >= least_dates]
    churned = (END - persons["last"]).dt.days >= days
    bought = (persons["last"] - persons["first"]).dt.days
    if until_last_order:
        return _kaplan_meier(bought, churned)
    return _kaplan_meier(np.where(churned, bought + days, (END - persons["first"]).dt.days), churned)


def _kaplan_meier(duration: Any, event: Any) -> dict[str, Any]:
    rows = pd.DataFrame({"duration": np.asarray(duration), "event": np.asarray(event, dtype=bool)})
    steps = rows.groupby("duration")["event"].agg(["sum", "size"])
    at_risk = len(rows) - steps["size"].cumsum().shift(fill_value=0)
    survival = (1 - steps["sum"] / at_risk).cumprod()
    below = survival[survival <= 0.5]
    curve = {
        f"S_{t}": float(survival[survival.index <= t].iloc[-1]) if (survival.index <= t).any() else 1.0 for t in TIMES
    }
    return {
        "n": len(rows),
        "events": int(rows["event"].sum()),
        "median_days": None if below.empty else int(below.index[0]),
        **curve,
    }


def _month(date: pd.Series) -> pd.Series:
    return date.dt.strftime("%Y-%m")


def master_btyd_summary() -> dict[str, float]:
    persons = _persons(master())
    frequency = persons["dates"] - 1
    return {
        "customers": len(persons),
        "sum_frequency": frequency.sum(),
        "mean_frequency": frequency.mean(),
        "mean_recency": (persons["last"] - persons["first"]).dt.days.mean(),
        "mean_T": (END - persons["first"]).dt.days.mean(),
    }


def _both(definition: Callable[..., dict[str, Any]], **rule: Any) -> tuple[Callable[[], dict[str, Any]], ...]:
    """A definition of everybody's orders and of the sample's."""
    return lambda: definition(master(), **rule), lambda: definition(sample(), **rule)


master_totals, sample_totals = _both(_totals)
master_by_month, sample_by_month = _both(_by_month)
master_cohort_matrix, sample_cohort_matrix = _both(_cohort_matrix)
master_retention_mom, sample_retention_mom = _both(_retention_mom)
master_repeat, sample_repeat = _both(_repeat)
master_churn_d90, sample_churn_d90 = _both(_churn)
master_hml, sample_hml = _both(_hml)
master_km_time_to_repeat, sample_km_time_to_repeat = _both(_time_to_repeat)
master_km_lifetime_declared_90, sample_km_lifetime_declared_90 = _both(_lifetime, days=90)
master_km_lifetime_declared_180, sample_km_lifetime_declared_180 = _both(_lifetime, days=180)
master_km_lifetime_last_purchase_180, sample_km_lifetime_last_purchase_180 = _both(
    _lifetime, days=180, until_last_order=True
)
master_km_lifetime_repeaters_180, sample_km_lifetime_repeaters_180 = _both(_lifetime, days=180, least_dates=2)
