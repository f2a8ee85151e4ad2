"""Budgets against turnover and the year before, worked by hand."""

from __future__ import annotations

import json
from typing import Any

import ibis
import pandas as pd
import pytest

from kpibook import windows
from kpibook.periods import Period
from kpis.points_cases import computed, cost, value
from loyalty_kpis import budgets, costs_views
from tiny_client import receipt, row, shop

JANUARY = {"period": "2024-01-01/2024-01-31", "data": "2023-01-01/2024-12-31"}
BOOKS = {"programme_cost": {"points": "books"}}
OPERATIONS = [cost("operations", 310, "2024-01-01", "2024-01-31")]
TOTALS = [
    {"period_start": "2023-01-01", "period_end": "2023-12-31", "net_revenue": 36500, "advertising_spend": 365},
    {"period_start": "2024-01-01", "period_end": "2024-12-31", "net_revenue": 36600, "advertising_spend": 732},
]
PLAIN = shop(receipt(1, "2024-01-03", 10, "ann", loyalty_discount=20, personal_discount=0, supplier_funding=4))


def test_loyalty_budget_share() -> None:
    """January is 31 of 366 days: 3,100 of net revenue. Cost 20 - 4 + 31 + 4 + 9.5 = 60.5; paid 31 + 4 = 35 of it."""
    ledger = [
        cost("operations", 31, "2024-01-01", "2024-01-31"),
        cost("reward", 4, "2024-01-20", "2024-01-20"),
        cost("points_liability_change", 9.5, "2024-01-01", "2024-01-31"),
    ]
    tables = {**PLAIN, "programme_costs": ledger, "company_financials": TOTALS}
    results = computed(("loyalty_budget_share",), tables, **JANUARY, settings=BOOKS)
    found = row(results, "loyalty_budget_share")
    share = 60.5 / 3100
    assert (found["value"], found["low"], found["high"]) == pytest.approx((share, share, share))
    assert (found["numerator"], found["denominator"]) == pytest.approx((60.5, 3100))
    assert value(results, "loyalty_budget_share", "gap") == pytest.approx(share - 0.015)
    assert value(results, "loyalty_budget_share", "cash_only") == pytest.approx(35 / 3100)


@pytest.mark.parametrize(
    ("totals", "reason"),
    [
        ([{**TOTALS[1], "period_end": "2024-01-30"}], {"text": budgets.SHORT, "covered": 30, "days": 31}),
        ([TOTALS[1], {**TOTALS[1], "period_end": "2024-01-31"}], {"text": budgets.OVERLAP, "covered": 62, "days": 31}),
        ([TOTALS[0]], {"text": "The company's totals have no rows in this period."}),
    ],
    ids=["a day short", "year and month", "another year"],
)
def test_totals_that_do_not_cover_the_period(totals: list[Any], reason: Any) -> None:
    tables = {**PLAIN, "programme_costs": OPERATIONS, "company_financials": totals}
    results = computed(("loyalty_budget_share", "ad_spend_share"), tables, **JANUARY, settings=BOOKS)
    for kpi in ("loyalty_budget_share", "ad_spend_share"):
        found = row(results, kpi)
        assert (found["value"], found["status"], json.loads(found["reason"])) == (None, "missing_data", reason)


def test_advertising_share() -> None:
    """732 of 36,600 is 2 %; before the launch of 2024 it was 1 %. Not known without the launch, or before the data."""
    tables = {**PLAIN, "company_financials": TOTALS}
    for launch, change in (("2024-01-01", 0.01), ("", None), ("2023-06-01", None)):
        settings = {"ad_spend_share": {"launched_on": launch}}
        results = computed(("ad_spend_share",), tables, **JANUARY, settings=settings)
        assert value(results, "ad_spend_share") == pytest.approx(0.02)
        found = row(results, "ad_spend_share", "change_since_launch")
        assert found["value"] == (None if change is None else pytest.approx(change))
        if change is None:
            wanted = {"text": budgets.BEFORE, "launched_on": launch} if launch else {"text": budgets.NO_LAUNCH}
            assert (found["status"], json.loads(found["reason"])) == ("undefined", wanted)


def test_nothing_sold() -> None:
    tables = {**PLAIN, "company_financials": [{**TOTALS[1], "net_revenue": 0}]}
    found = row(computed(("ad_spend_share",), tables, **JANUARY), "ad_spend_share")
    assert (found["value"], found["status"]) == (None, "undefined")


def test_loyalty_budget_growth() -> None:
    """31 of operations in January 2023, 62 of it and 20 - 4 of discounts in January 2024: 78/31 - 1. Operations
    doubled, discounts began. The ROI is not known.
    """
    ledger = [cost("operations", 31, "2023-01-01", "2023-01-31"), cost("operations", 62, "2024-01-01", "2024-01-31")]
    results = computed(("loyalty_budget_growth",), {**PLAIN, "programme_costs": ledger}, **JANUARY, settings=BOOKS)
    found = row(results, "loyalty_budget_growth")
    assert found["value"] == pytest.approx(78 / 31 - 1)
    assert (found["numerator"], found["denominator"]) == (78, 31)
    assert value(results, "loyalty_budget_growth", "operations") == 1
    assert row(results, "loyalty_budget_growth", "loyalty_discount")["status"] == "undefined"
    for name in ("roi", "marginal_roi"):
        unknown = row(results, "loyalty_budget_growth", name)
        assert (unknown["status"], json.loads(unknown["reason"])) == ("not_identified", {"text": budgets.NO_ROI})


def test_growth_needs_a_year() -> None:
    tables = {**PLAIN, "programme_costs": OPERATIONS}
    late = {**JANUARY, "data": "2023-02-01/2024-12-31"}
    found = row(computed(("loyalty_budget_growth",), tables, **late, settings=BOOKS), "loyalty_budget_growth")
    assert found["status"] == "missing_data"
    assert json.loads(found["reason"]) == {
        "id": "reason.history_not_covered",
        "needed": "2023-01-01",
        "first": "2023-02-01",
    }


def test_the_year_before_the_29th_of_february() -> None:
    for start, day in (("2024-02-29", "2023-02-28"), ("2024-01-31", "2023-01-31")):
        window = Period.parse(f"{start}/2024-03-31")
        assert str(budgets.a_year_ago(window, {})) == day


def _growth(now: float, before: float, *, compared: bool) -> Any:
    cells = pd.DataFrame([("operations", now, before)], columns=["component", "amount", "amount_year_before"])
    year = pd.DataFrame({"with_year_before": [True] if compared else []})
    roi = {
        "kpi": "programme_roi",
        "segment": "total",
        "value": 0.3,
        "low": 0.1,
        "high": 0.5,
        "status": "ok",
        "reason": "",
    }
    net = {**roi, "kpi": "net_programme_value", "value": 40.0, "change": 5.0, "change_low": -5.0, "change_high": 15.0}
    ledger = pd.DataFrame({"rows": [1], "rows_year_before": [1]})
    return budgets.loyalty_budget_growth(cells, ledger, year, pd.DataFrame([roi, net])).parts["variant"]


def test_marginal_roi() -> None:
    """10 more of cost brought 5 more of net value, so 15 more of margin: 15/10 - 1 = 0.5, between -0.5 and 1.5. Less
    cost turns the interval round. Against another period than the year before it is not stated.
    """
    shown = _growth(110, 100, compared=True)
    assert (shown["roi"].value, shown["roi"].low, shown["roi"].high) == (0.3, 0.1, 0.5)
    more, less = shown["marginal_roi"], _growth(90, 100, compared=True)["marginal_roi"]
    assert (more.value, more.low, more.high) == (0.5, -0.5, 1.5)
    assert (less.value, less.low, less.high) == (-0.5, -1.5, 0.5)
    assert _growth(100, 100, compared=True)["marginal_roi"].status == "undefined"
    assert _growth(110, 100, compared=False)["marginal_roi"].status == "not_identified"


def test_comparison_with_the_year_before_is_recognised() -> None:

    span = Period.parse(JANUARY["period"])
    for other, found in (("2023-01-01/2023-01-31", 1), ("2023-12-01/2023-12-31", 0)):
        spans = {"current": span, "previous": Period.parse(other)}
        rows = [vars(w) for w in windows.windows(spans, ("month",), span.start, span.end)]
        periods = ibis.memtable(rows, schema=windows.SCHEMA)
        assert costs_views.year_comparisons(periods).count().to_pyarrow().as_py() == found
