"""Customers: growth worked by hand; properties that every customer and campaign KPI has."""

from __future__ import annotations

import json
import random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpis.person_shop import KPIS, SHOP, YEARS, catalog_of, compute, figure, people, row
from kpis.sales_cases import copies
from tiny_client import receipt, run, shop


def test_active_customers() -> None:
    """2 January to 31 December 2024 are 365 days: anna, bea, carl. 1 January to 31 December 2023: anna, dora, emil."""
    results = compute("active_customers", SHOP, **YEARS)
    assert figure("active_customers", results) == (3, 3, None, "ok")
    assert figure("active_customers", results, period="previous") == (3, 3, None, "ok")
    assert row(results, "active_customers")["change"] == 0


def test_active_customers_counts_the_first_and_not_the_last_day_of_the_window() -> None:
    """30 days before 1 July begin on 1 June: anna is in; bea bought on 31 May, carl on 1 July."""
    days = people(anna=["2024-06-01"], bea=["2024-05-31"], carl=["2024-07-01"])
    results = compute(
        "active_customers", days, "2024-06-01/2024-06-30", data="2024-01-01/2024-12-31", settings={"window_days": 30}
    )
    assert figure("active_customers", results)[0] == 1


def test_active_customers_without_history() -> None:
    results = compute("active_customers", SHOP, "2024-01-01/2024-12-31", data="2024-03-01/2024-12-31")
    found = row(results, "active_customers")
    assert (found["value"], found["status"]) == (None, "missing_data")
    assert json.loads(found["reason"]) == {
        "id": "reason.history_not_covered",
        "needed": "2024-01-01",
        "first": "2024-03-01",
    }


def test_customer_base_growth() -> None:
    """Active in the 365 days to the end of 2024: anna, bea, carl; in those to 1 January 2024: anna, dora, emil:
    3/3 - 1 = 0. Receipts with a person: 5 of 6 now (anna 2, bea 1, carl 2), 3 of 5 before:
    (3 / (5/6)) / (3 / (3/5)) - 1 = 3.6 / 5 - 1 = -0.28. The ratio rests on the three of the year before.
    """
    results = compute("customer_base_growth", SHOP, **YEARS)
    assert figure("customer_base_growth", results)[0] == pytest.approx(0)
    assert row(results, "customer_base_growth", "same_identification")["value"] == pytest.approx(-0.28)
    found = row(results, "customer_base_growth")
    assert (found["status"], json.loads(found["reason"])) == (
        "low_n",
        {"id": "reason.too_few_customers", "n": 3, "minimum": 100},
    )


def test_anonymous_purchases_of_one_day_vary_each_for_itself() -> None:
    """Anna and bea bought once in 2023 and once in 2024; two anonymous purchases on one day of either year
    (of 2023 people() brings one): growth 0.

    Relative influences: a person 1/2 - 1/2 + 1/2 - 1/4 - 1/2 + 1/4 = 0, an anonymous purchase 1/4 or -1/4. Variance
    4/16 times 6/5 for six units: 0.3, standard error 0.5477, interval +-1.0735; by day it would be +-1.6.
    """
    both = ["2023-06-01", "2024-06-01"]
    shop = people(anna=both, bea=both, nobody=["2023-06-01", "2024-07-01", "2024-07-01"])
    for bought in shop["transactions"]:
        bought["customer_id"] = None if bought["customer_id"] == "nobody" else bought["customer_id"]
    results = compute("customer_base_growth", shop, **YEARS)
    found = row(results, "customer_base_growth", "same_identification")
    assert (found["value"], found["low"], found["high"]) == pytest.approx((0, -1.0735, 1.0735), abs=1e-4)


def test_customer_base_growth_from_nobody() -> None:
    results = compute("customer_base_growth", people(anna=["2024-06-01"]), "2024-01-01/2024-12-31", data=YEARS["data"])
    found = row(results, "customer_base_growth")
    assert (found["value"], found["status"]) == (None, "undefined")
    assert json.loads(found["reason"]) == {"id": "reason.zero_denominator"}


def test_growth_accounting() -> None:
    """2024 against 2023 (anna, dora, emil): anna retained, bea reactivated (2022), carl new, dora and emil lost, for
    emil's purchase was returned: 2/2. 2023 against 2022 (anna, bea): dora and emil new, bea lost: 2/1.
    Net sales of persons in 2024: 35 + 40 + 70 = 145, of carl 70.
    """
    results = compute("growth_accounting", SHOP, **YEARS)
    assert figure("growth_accounting", results) == (1, 2, 2, "low_n")
    assert figure("growth_accounting", results, period="previous") == (2, 2, 1, "low_n")
    names = ("new", "retained", "reactivated", "lost")
    assert [figure("growth_accounting", results, name)[0] for name in names] == [1, 1, 1, 2]
    assert figure("growth_accounting", results, "revenue_from_new")[:3] == (pytest.approx(70 / 145), 70, 145)
    assert figure("growth_accounting", results, "revenue_from_reactivated")[1] == 40


def test_growth_accounting_when_nobody_is_lost() -> None:
    days = people(anna=["2023-05-01", "2024-05-01"], bea=["2024-05-01"])
    results = compute("growth_accounting", days, "2024-01-01/2024-12-31", data="2023-01-01/2024-12-31")
    assert figure("growth_accounting", results) == (None, 1, 0, "undefined")


def test_purchase_frequency() -> None:
    """Purchase days in 2024: anna 1, bea 1, carl 2. Three persons, 366 days each: 4 / (3 * 366 / 365).
    Carl's first purchase on 1 March leaves 306 days: 4 / ((366 + 366 + 306) / 365).
    """
    results = compute("purchase_frequency", SHOP, **YEARS)
    value, purchases, years, status = figure("purchase_frequency", results)
    assert (value, purchases, years, status) == (
        pytest.approx(4 * 365 / 1098),
        4,
        pytest.approx(1098 / 365),
        "low_n",
    )
    corrected = figure("purchase_frequency", results, "exposure_corrected")
    assert corrected[:3] == (pytest.approx(4 * 365 / 1038), 4, pytest.approx(1038 / 365))


def test_purchase_frequency_counts_only_days_that_the_data_cover() -> None:
    """The data end on 30 June 2024, 182 days into the year: 2 / (182 / 365)."""
    days = people(anna=["2024-01-05", "2024-02-05"])
    results = compute("purchase_frequency", days, "2024-01-01/2024-12-31", data="2024-01-01/2024-06-30")
    assert figure("purchase_frequency", results)[0] == pytest.approx(2 * 365 / 182)


def test_purchase_frequency_begins_with_the_data() -> None:
    """The data begin on 1 July 2024, 184 days before the year ends: anna 2, bea 1: 3 / (2 * 184 / 365).
    Bea's first purchase on 1 October leaves her 92 days, anna's on 1 July all 184: 3 / ((184 + 92) / 365).
    """
    days = people(anna=["2024-07-01", "2024-08-01"], bea=["2024-10-01"])
    results = compute("purchase_frequency", days, "2024-01-01/2024-12-31", data="2024-07-01/2024-12-31")
    assert figure("purchase_frequency", results)[:3] == (pytest.approx(3 * 365 / 368), 3, pytest.approx(368 / 365))
    corrected = figure("purchase_frequency", results, "exposure_corrected")
    assert corrected[:3] == (pytest.approx(3 * 365 / 276), 3, pytest.approx(276 / 365))


@pytest.mark.parametrize(
    "kpi", ["retention_rate", "repeat_purchase_rate", "churn_rate", "usage_class_share", "cohort_retention"]
)
def test_changes_of_shares_have_an_interval(kpi: str) -> None:
    """The same persons in both periods vary together: 40 of each of the shop's."""
    chosen = {"churn_rate": {"churn_days": 60}}.get(kpi, {})
    results = compute(kpi, copies(SHOP, 40), **{**YEARS, "data": "2021-01-01/2024-12-31"}, settings=chosen)
    found = row(results, kpi)
    assert None not in (found["change_low"], found["change_high"])
    assert found["change_low"] <= found["change"] <= found["change_high"]


CONTACTED = {
    "campaigns": [{"campaign_id": "c", "start_at": "2024-03-01", "response_window_days": 30}],
    "campaign_targets": [{"campaign_id": "c", "customer_id": n, "sent_at": "2024-03-01"} for n in ("anna", "bea")],
}
PERSONAL = sorted(set(KPIS) - {"target_attainment"})


@pytest.mark.parametrize("kpi", PERSONAL)
def test_without_persons(kpi: str) -> None:
    """Only an anonymous buyer: no figure, and a reason."""
    results = run(
        shop(receipt(1, "2024-02-01", 10)) | CONTACTED,
        "2024-01-01/2024-12-31",
        catalog=catalog_of(kpi),
        data="2020-01-01/2024-12-31",
    )
    found = row(results, kpi)
    if kpi == "campaign_response_rate":
        assert (found["value"], found["denominator"]) == (0, 2)
    else:
        assert (found["value"], found["status"]) in [(None, "undefined"), (None, "missing_data")]
        assert found["reason"]


@pytest.mark.parametrize("kpi", PERSONAL)
def test_without_data(kpi: str) -> None:
    results = run({}, "2024-01-01/2024-12-31", catalog=catalog_of(kpi))
    found = row(results, kpi)
    assert (found["value"], found["status"]) == (None, "missing_data")


DAYS = st.dates(pd.Timestamp("2022-01-01").date(), pd.Timestamp("2024-12-31").date()).map(str)
PURCHASES = st.lists(
    st.tuples(
        st.sampled_from(["anna", "bea", "carl", "dora", None]),
        DAYS,
        st.integers(-5, 30),
        st.sampled_from(["web", "store"]),
    ),
    min_size=3,
    max_size=25,
)
NUMBERS = ["value", "low", "high", "n", "numerator", "denominator"]


@settings(max_examples=3, deadline=None)
@given(PURCHASES, st.randoms(use_true_random=False))
def test_row_order_does_not_matter(purchases: list, shuffler: random.Random) -> None:
    tables = shop(*(receipt(i, day, amount, who, line_id=f"l{i}") for i, (who, day, amount, _) in enumerate(purchases)))
    tables |= CONTACTED
    turned = {name: shuffler.sample(rows, len(rows)) for name, rows in tables.items()}
    first, second = (
        run(
            t,
            **YEARS,
            catalog=catalog_of(*PERSONAL),
            breakdowns=("month",),
            settings={"churn_rate": {"churn_days": 60}},
        )
        for t in (tables, turned)
    )
    keys = ["kpi", "segment_by", "segment", "period"]
    one, other = (r.scorecard.sort_values(keys).reset_index(drop=True) for r in (first, second))
    pd.testing.assert_frame_equal(one[[*keys, "status"]], other[[*keys, "status"]])
    pd.testing.assert_frame_equal(
        one[NUMBERS].astype("float64"), other[NUMBERS].astype("float64"), rtol=1e-9, atol=1e-9
    )


ADDITIVE = [
    "active_customers",
    "growth_accounting",
    "retention_rate",
    "repeat_purchase_rate",
    "usage_class_share",
    "churn_rate",
]


@settings(max_examples=5, deadline=None)
@given(PURCHASES)
def test_segments_of_persons_add_up(purchases: list) -> None:
    """Every person has one band: numerators and denominators of the bands add up to the total.

    Each person is there twelve times, so that no band is withheld for privacy.
    """
    bands = {"anna": "A", "bea": "B", "carl": "A", "dora": "B"}
    tables = shop(
        *(
            receipt(1000 * copy + i, day, amount, who and f"{who}{copy}")
            for copy in range(12)
            for i, (who, day, amount, _) in enumerate(purchases)
        ),
        customers=[
            {"customer_id": f"{who}{copy}", "socio_economic_band": band}
            for who, band in bands.items()
            for copy in range(12)
        ],
    )
    chosen = {"churn_rate": {"churn_days": 60}}
    results = run(tables, **YEARS, catalog=catalog_of(*ADDITIVE), breakdowns=("socio_economic_band",), settings=chosen)
    card = results.scorecard[results.scorecard.period == "current"]
    for kpi in ADDITIVE:
        whole = row(results, kpi)
        parts = card[(card.kpi == kpi) & (card.segment_by == "socio_economic_band")]
        for side in ("numerator", "denominator"):
            assert float(parts[side].fillna(0).sum()) == pytest.approx(whole[side] or 0)


def test_usage_class_and_cohort_are_breakdowns_of_every_person_kpi() -> None:
    """Spends of 2024: thirteen of 25 persons 1 (low, up to P50), seven 5 (medium, up to P80), five 9 (heavy). The lows
    came first in 2023, the others in 2024; segments below ten persons are withheld.
    """
    first = [receipt(i, "2023-05-01", 1, f"low{i}") for i in range(13)]
    now = [receipt(100 + i, "2024-05-01", 1, f"low{i}") for i in range(13)]
    more = [receipt(200 + i, "2024-06-01", 5 if i < 7 else 9, f"new{i}") for i in range(12)]
    chosen = {"breakdowns": ("usage_class", "acquisition_cohort"), "min_persons": 10}
    results = compute("active_customers", shop(*first, *now, *more), YEARS["period"], data=YEARS["data"], **chosen)
    assert figure("active_customers", results, "low")[0] == 13
    assert (
        figure("active_customers", results, "medium")[3] == figure("active_customers", results, "heavy")[3] == "low_n"
    )
    assert figure("active_customers", results, "2023-05")[0] == 13
    assert figure("active_customers", results, "2024-06")[0] == 12
