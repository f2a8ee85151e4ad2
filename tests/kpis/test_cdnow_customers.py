"""CDNOW's customers against plain pandas and lifelines, read from the package's own text file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from lifelines import KaplanMeierFitter

from kpibook import intake, params
from kpibook.engine import compute as engine
from kpibook.samples import cdnow as package
from kpis.person_shop import catalog_of, figure
from tiny_client import row

if TYPE_CHECKING:
    from kpibook.catalog import Catalog
    from kpibook.engine.compute import Results
    from kpibook.params import Params

PARAMS = Path(__file__).parents[2] / "params"
END, LAST = pd.Timestamp("1998-07-01"), pd.Timestamp("1998-06-30")
SPANS = {"current": ("1998-01-01", "1998-07-01"), "previous": ("1997-07-01", "1998-01-01")}


@pytest.fixture(scope="module")
def days() -> pd.DataFrame:
    """Purchase days: customer, day, net; orders of 0 are no purchase."""
    names = ["customer", "day", "quantity", "net"]
    orders = pd.read_csv(
        package.master(), sep=r"\s+", header=None, skiprows=1, names=names, dtype={"customer": str, "day": str}
    )
    orders["day"] = pd.to_datetime(orders["day"], format="%Y%m%d")
    orders["cents"] = (orders["net"] * 100).round().astype("int64")
    kept = orders[orders["cents"] > 0]
    return kept.groupby(["customer", "day"], as_index=False)["cents"].sum().sort_values(["customer", "day"])


def computed(client: Params, catalog: Catalog) -> Results:
    found = intake.load(client)
    supplied = {name: facts.supplied | frozenset(facts.assumed) for name, facts in found.facts.items()}
    sizes = {name: facts.rows for name, facts in found.facts.items()}
    assert found.data_start is not None
    assert found.data_end is not None
    return engine.compute(catalog, client, engine.Loaded(found.con, supplied, sizes, found.data_start, found.data_end))


def _between(days: pd.DataFrame, start: object, end: object) -> pd.DataFrame:
    return days[(days["day"] >= pd.Timestamp(start)) & (days["day"] < pd.Timestamp(end))]


def _gaps(days: pd.DataFrame, start: str, end: str) -> pd.DataFrame:
    gaps = days.assign(following=days.groupby("customer")["day"].shift(-1))
    gaps = _between(gaps, start, end)
    until = pd.Timestamp(end)
    closed = gaps["following"] < until
    last = gaps["following"].where(closed, until - pd.Timedelta(days=1))
    return pd.DataFrame({"duration": (last - gaps["day"]).dt.days, "closed": closed})


@pytest.mark.parametrize("period", SPANS)
def test_interpurchase_curve_agrees_with_lifelines(cdnow: Results, days: pd.DataFrame, period: str) -> None:
    gaps = _gaps(days, *SPANS[period])
    fitted = KaplanMeierFitter().fit(gaps["duration"], gaps["closed"])
    table = cdnow.tables["interpurchase_time"]
    own = table[table["period"] == period]
    expected = fitted.survival_function_at_times(own["time"]).to_numpy()
    np.testing.assert_allclose(own["survival"], expected, rtol=0, atol=1e-9)
    assert own["time"].nunique() == gaps["duration"].nunique()
    median = fitted.median_survival_time_
    found = row(cdnow, "interpurchase_time", period=period)
    assert found["value"] == (None if np.isinf(median) else median)
    assert found["n"] == len(gaps)


def test_second_purchases_of_the_whole_file_agree_with_lifelines(
    samples: Path, days: pd.DataFrame, tmp_path: Path
) -> None:
    """Period January 1997 to June 1998: every person is new."""
    text = (PARAMS / "cdnow.yaml").read_text(encoding="utf-8")
    text = text.replace("period: 1998-01-01/1998-06-30", "period: 1997-01-01/1998-06-30").replace(
        "compare: previous", "compare: none"
    )
    own = tmp_path / "cdnow.yaml"
    own.write_text(text.replace("../data/cdnow", str(samples / "cdnow")), encoding="utf-8")
    results = computed(params.load(own), catalog_of("second_purchase_rate", "cohort_retention"))
    first = days.groupby("customer").nth([0, 1]).groupby("customer")["day"].agg(["min", "max", "size"])
    closed = first["size"] == 2
    length = (first["max"].where(closed, LAST) - first["min"]).dt.days
    fitted = KaplanMeierFitter().fit(length, closed)
    table = results.tables["second_purchase_rate"]
    expected = fitted.survival_function_at_times(table["time"]).to_numpy()
    np.testing.assert_allclose(table["survival"], expected, rtol=0, atol=1e-9)
    found = row(results, "second_purchase_rate")
    assert (found["value"], found["n"], found["status"]) == (
        pytest.approx(1 - fitted.survival_function_at_times(90).iloc[0], abs=1e-9),
        23_502,
        "ok",
    )
    median = fitted.median_survival_time_
    assert figure("second_purchase_rate", results, "median_days")[0] == (None if np.isinf(median) else median)


@pytest.mark.parametrize("period", SPANS)
def test_second_purchases_agree_with_lifelines(cdnow: Results, days: pd.DataFrame, period: str) -> None:
    """The persons of early 1997 whose first orders cost nothing make a few late first purchases."""
    first = days.groupby("customer").head(1)
    gaps = _gaps(days, *SPANS[period])
    gaps = gaps[gaps.index.isin(first.index)]
    if gaps.empty:
        assert figure("second_purchase_rate", cdnow, period=period)[0] is None
        return
    fitted = KaplanMeierFitter().fit(gaps["duration"], gaps["closed"])
    value = 1 - fitted.survival_function_at_times(90).iloc[0]
    assert figure("second_purchase_rate", cdnow, period=period)[0] == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("period", SPANS)
def test_counts(cdnow: Results, days: pd.DataFrame, period: str) -> None:
    start, end = map(pd.Timestamp, SPANS[period])
    year = _between(days, end - pd.Timedelta(days=365), end)
    assert figure("active_customers", cdnow, period=period)[0] == year["customer"].nunique()
    now = set(_between(days, start, end)["customer"])
    before_start = pd.Timestamp("1997-07-01") if period == "current" else pd.Timestamp("1997-01-01")
    before = set(_between(days, before_start, start)["customer"])
    assert figure("retention_rate", cdnow, period=period)[1:3] == (len(now & before), len(before))
    first = days.groupby("customer")["day"].min()
    new = {c for c in now - before if first[c] >= start}
    assert figure("growth_accounting", cdnow, period=period)[1:3] == (len(now - before), len(before - now))
    assert figure("growth_accounting", cdnow, "new", period)[0] == len(new)
    inside = _between(days, start, end)
    length = (end - start).days
    assert figure("purchase_frequency", cdnow, period=period)[0] == pytest.approx(
        len(inside) / (len(now) * length / 365), rel=1e-9
    )


def _classes(spend: pd.Series, cuts: list[float]) -> pd.Series:
    return pd.cut(spend, [-np.inf, *cuts, np.inf], labels=["low", "medium", "heavy"]).astype(str)


def _cuts(spend: pd.Series) -> list[float]:
    ordered = np.sort(spend.to_numpy())
    return [float(ordered[int(np.ceil(len(ordered) * percent / 100)) - 1]) for percent in (50, 80)]


@pytest.mark.parametrize("period", SPANS)
def test_usage_classes_and_pareto(cdnow: Results, days: pd.DataFrame, period: str) -> None:
    """Cut points of the year to the end of 1997, which the data cover from its first day."""
    end = pd.Timestamp(SPANS[period][1])
    frozen = _between(days, "1997-01-01", "1998-01-01").groupby("customer")["cents"].sum()
    spend = _between(days, end - pd.Timedelta(days=365), end).groupby("customer")["cents"].sum()
    classes = _classes(spend, _cuts(frozen))
    assert figure("usage_class_share", cdnow, period=period)[1:3] == ((classes == "heavy").sum(), len(spend))
    assert figure("usage_class_share", cdnow, "low", period)[1] == pytest.approx((classes == "low").sum(), abs=1e-6)
    heavy = spend[classes == "heavy"].sum() / spend.sum()
    assert figure("usage_class_share", cdnow, "revenue_of_heavy", period)[0] == pytest.approx(heavy, rel=1e-9)
    top = spend.sort_values(ascending=False).head(int(np.ceil(len(spend) / 5)))
    value, numerator, denominator, status = figure("pareto_share", cdnow, period=period)
    assert numerator == pytest.approx(top.sum() / 100, abs=0.01)
    assert denominator == pytest.approx(spend.sum() / 100, abs=0.01)
    assert (value, status) == (pytest.approx(top.sum() / spend.sum(), rel=1e-9), "ok")


def test_cohort_table(cdnow: Results, days: pd.DataFrame) -> None:
    """Every cell of the triangle to June 1998, and the pooled third month."""
    first = days.groupby("customer")["day"].transform("min").dt.to_period("M")
    ages = (days["day"].dt.to_period("M").astype("int64") - first.astype("int64")).rename("age")
    expected = days.groupby([first.astype(str).rename("cohort"), ages])["customer"].nunique()
    sizes = expected.xs(0, level="age")
    table = cdnow.tables["cohort_retention"]
    now = table[table["period"] == "current"].set_index(["row", "column"])
    assert len(now) == sum((pd.Period("1998-06", "M") - pd.Period(c, "M")).n + 1 for c in sizes.index)
    for (cohort, age), cell in now.iterrows():
        assert cell["numerator"] == expected.get((cohort, age), 0)
        assert cell["denominator"] == sizes[cohort]
    old = [c for c in sizes.index if pd.Period(c, "M") + 3 <= pd.Period("1998-06", "M")]
    pooled = sum(expected.get((c, 3), 0) for c in old), sum(sizes[c] for c in old)
    assert figure("cohort_retention", cdnow)[1:3] == pooled


@pytest.mark.parametrize("period", SPANS)
def test_churn_by_usage_class(cdnow: Results, days: pd.DataFrame, period: str) -> None:
    """Limits from lifelines by the classes of the year to June 1998; purchases are judged that end a limit before July.

    The limit of the heavy users is 237 days, so nobody of 1998 can be judged yet.
    """
    cuts = _cuts(_between(days, "1997-01-01", "1998-01-01").groupby("customer")["cents"].sum())
    following = days.assign(following=days.groupby("customer")["day"].shift(-1))

    def with_classes(year_end: str) -> pd.DataFrame:
        year = _between(following, pd.Timestamp(year_end) - pd.Timedelta(days=365), year_end)
        return year.assign(group=year["customer"].map(_classes(year.groupby("customer")["cents"].sum(), cuts)))

    gaps = with_classes("1998-07-01")
    gaps["duration"] = (gaps["following"].fillna(LAST) - gaps["day"]).dt.days
    limits = {}
    for name, own in gaps.groupby("group"):
        curve = KaplanMeierFitter().fit(own["duration"], own["following"].notna()).survival_function_.iloc[:, 0]
        below = curve[curve <= 0.05 + 1e-12]
        if len(below):
            limits[name] = int(below.index[0])
    assert limits == {"heavy": 237}
    inside = _between(with_classes(SPANS[period][1]), *SPANS[period])
    judged = inside[(inside["group"] == "heavy") & (inside["day"] < END - pd.Timedelta(days=237))]
    last = judged.groupby("customer").tail(1)
    silent = last["following"].isna() | ((last["following"] - last["day"]).dt.days > 237)
    value, defected, persons, status = figure("churn_rate", cdnow, period=period)
    assert (defected, persons) == (silent.sum(), len(last))
    assert (persons > 0, status) == ((True, "ok") if period == "previous" else (False, "undefined"))
    assert value == (pytest.approx(silent.mean(), rel=1e-9) if persons else None)


def test_rfm(cdnow: Results, days: pd.DataFrame) -> None:
    """Scores by the cut points of the second half of 1997; all 125 cells."""

    def values(period: str) -> pd.DataFrame:
        start, end = map(pd.Timestamp, SPANS[period])
        own = _between(days, start, end).groupby("customer")
        nearness = -(end - own["day"].max()).dt.days
        return pd.DataFrame({"r": nearness, "f": own.size(), "m": own["cents"].sum()})

    frozen, now = values("previous"), values("current")
    scores = pd.DataFrame(index=now.index)
    for name in "rfm":
        ordered = np.sort(frozen[name].to_numpy())
        cuts = [ordered[int(np.ceil(len(ordered) * k / 5)) - 1] for k in range(1, 5)]
        scores[name] = 1 + sum((now[name] > cut).astype(int) for cut in cuts)
    assert figure("rfm_segments", cdnow)[0] == (scores >= 4).all(axis=1).sum()
    counts = scores.value_counts()
    table = cdnow.tables["rfm_segments"]
    shown = {(r.row, r.column): r.numerator for r in table[table["period"] == "current"].itertuples()}
    assert shown == {(f"R{r}F{f}", f"M{m}"): n for (r, f, m), n in counts.items()}
