"""Online Retail's reference answers in plain pandas, written from the words of the definitions, without kpibook.

The sample has the columns and the oddities of the data set of D. Chen (UCI, 541,909 lines) and none of its lines:
``python -m tests.definitions.reference.online_retail`` writes it. Every function reads ``FILE``, so that the full
file gives its own answers.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

FILE = Path(__file__).parents[1] / "data" / "online_retail.parquet"
LAST = pd.Timestamp("2011-12-09")
SILENT = pd.Timestamp("2011-09-11")
#: Fewer persons than this are withheld.
LEAST = 10


def sample(invoices: int = 130, seed: int = 20111209) -> pd.DataFrame:
    """Lines of wholesalers: cancelled, anonymous, unpriced and duplicate ones among them."""
    rng = np.random.default_rng(seed)
    days = np.sort(rng.integers(0, 373, invoices))
    days[-1] = 373
    rows: list[dict[str, Any]] = []
    for number, day in enumerate(days):
        customer = int(rng.integers(0, 34))
        at = pd.Timestamp("2010-12-01 08:00") + pd.Timedelta(days=int(day), minutes=int(rng.integers(0, 600)))
        head = {
            "InvoiceDate": at,
            "CustomerID": None if rng.random() < 0.12 and number < invoices - 1 else 12346 + customer,
            "Country": "United Kingdom" if customer < 16 else "Germany" if customer < 30 else "France",
        }
        cancelled = rng.random() < 0.1 and number < invoices - 1
        for _ in range(int(rng.integers(1, 3))):
            quantity = int(rng.integers(1, 25)) * (-1 if cancelled else 1)
            product = int(rng.integers(0, 30))
            item = {"StockCode": str(22000 + product), "Description": f"ITEM {product}", "Quantity": quantity}
            price = round(float(rng.gamma(2.0, 2.0)) + 0.1, 2)
            rows.append(
                {"InvoiceNo": ("C" if cancelled else "") + str(536365 + number), **item, "UnitPrice": price} | head
            )
    odd = [
        {"StockCode": "POST", "Description": "POSTAGE", "Quantity": 1, "UnitPrice": 18.0},
        {"StockCode": "22010", "Description": None, "Quantity": -7, "UnitPrice": 0.0, "CustomerID": None},
        {"StockCode": "B", "Description": "Adjust bad debt", "Quantity": 1, "UnitPrice": -110.6, "CustomerID": None},
        {"StockCode": "22011", "Description": "ITEM 11", "Quantity": 3, "UnitPrice": 0.0},
    ]
    rows += [rows[60 + 10 * i] | {"InvoiceNo": f"{'A' if i == 2 else ''}{560000 + i}"} | o for i, o in enumerate(odd)]
    rows += [rows[5], rows[50]]
    order = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
    return pd.DataFrame(rows)[order].astype({"CustomerID": "Int64"})


@cache
def raw() -> pd.DataFrame:
    """All lines with their value ``v``."""
    every = pd.read_parquet(FILE)
    return every.assign(v=(every["Quantity"] * every["UnitPrice"]).round(2))


@cache
def clean() -> pd.DataFrame:
    """Lines of known customers, not cancelled, with a positive quantity and price; by day and month."""
    every = raw()
    kept = every["CustomerID"].notna() & ~every["InvoiceNo"].str.startswith("C")
    lines = every[kept & (every["Quantity"] > 0) & (every["UnitPrice"] > 0)]
    day = lines["InvoiceDate"].dt.normalize()
    return lines.assign(day=day, month=day.dt.strftime("%Y-%m"))


def quality() -> dict[str, int]:
    every = raw()
    return {
        "lines": len(every),
        "invoices": every["InvoiceNo"].nunique(),
        "customers": every["CustomerID"].nunique(),
        "null_customer": every["CustomerID"].isna().sum(),
    }


def revenue() -> dict[str, float]:
    every = raw()
    distinct = clean().drop_duplicates()
    return {
        "net_all": every["v"].sum(),
        "gross_sales": every.loc[every["v"] > 0, "v"].sum(),
        "negative": every.loc[every["v"] < 0, "v"].sum(),
        "net_identified": every.loc[every["CustomerID"].notna(), "v"].sum(),
        "identified_share": every.loc[every["CustomerID"].notna(), "v"].sum() / every["v"].sum(),
        "clean": clean()["v"].sum(),
        "clean_dedup": distinct["v"].sum(),
    }


def _sums(lines: pd.DataFrame, by: str) -> pd.DataFrame:
    t = lines.groupby(by).agg(
        revenue=("v", "sum"), invoices=("InvoiceNo", "nunique"), customers=("CustomerID", "nunique")
    )
    return t.assign(avg_receipt=t["revenue"] / t["invoices"])


def totals() -> dict[str, float]:
    c = clean()
    invoices, customers = c["InvoiceNo"].nunique(), c["CustomerID"].nunique()
    return {
        "lines": len(c),
        "revenue": c["v"].sum(),
        "invoices": invoices,
        "customers": customers,
        "avg_receipt": c["v"].sum() / invoices,
        "frequency": invoices / customers,
        "repeat_rate": (c.groupby("CustomerID")["InvoiceNo"].nunique() >= 2).mean(),
    }


def by_month() -> pd.DataFrame:
    return _sums(clean(), "month")


def new_customers() -> pd.Series:
    return clean().groupby("CustomerID")["month"].min().value_counts()


def _active() -> pd.DataFrame:
    c = clean()
    months = pd.period_range("2010-12", "2011-12", freq="M").astype(str)
    return c.groupby(["CustomerID", "month"]).size().unstack(fill_value=0).reindex(columns=months, fill_value=0) > 0


def retention() -> pd.DataFrame:
    """By the later of the two months, as retention_rate counts."""
    active = _active()
    rows = {
        after: {"active": active[month].sum(), "retained": (active[month] & active[after]).sum()}
        for month, after in zip(active.columns[:-1], active.columns[1:], strict=True)
    }
    t = pd.DataFrame(rows).T
    return t.assign(retention=t["retained"] / t["active"])


def cohort_december() -> dict[str, dict[str, float]]:
    """The cohort of December 2010 in the months that are over."""
    active = _active()
    cohort = active[active["2010-12"]]
    counts = {str(offset): int(cohort[month].sum()) for offset, month in enumerate(active.columns[:-1])}
    return {
        "customers": counts,
        "size": dict.fromkeys(counts, len(cohort)),
        "rate": {offset: n / len(cohort) for offset, n in counts.items()},
    }


def churn() -> dict[str, float]:
    days = clean().groupby("CustomerID")["day"].agg(["min", "max"])
    churned, eligible = days["max"] < SILENT, days["min"] < SILENT
    return {
        "churned": churned.sum(),
        "gt90": ((LAST - days["max"]).dt.days > 90).sum(),
        "customers": len(days),
        "eligible": eligible.sum(),
        "rate_all": churned.mean(),
        "rate_eligible": churned.sum() / eligible.sum(),
    }


def hml() -> dict[str, float]:
    spend = clean().groupby("CustomerID")["v"].sum()
    rank = (spend.rank(method="first") - 1) / (len(spend) - 1)
    t = spend.groupby(pd.cut(rank, [-1, 0.5, 0.8, 1], labels=["low", "medium", "heavy"]).astype(str)).agg(
        ["size", "sum"]
    )
    t["share"] = t["sum"] / t["sum"].sum()
    columns = {"customers": "size", "revenue": "sum", "share": "share"}
    return {f"{name}.{field}": t.loc[name, c] for name in t.index for field, c in columns.items()}


def country() -> pd.DataFrame:
    """The largest five, as far as they have enough customers to be shown."""
    t = _sums(clean(), "Country").nlargest(5, "revenue")
    return t[t["customers"] >= LEAST]


if __name__ == "__main__":
    sample().to_parquet(FILE, index=False)
