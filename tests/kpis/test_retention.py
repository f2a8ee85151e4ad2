"""Retention, worked by hand."""

from __future__ import annotations

import json

import pytest

from kpibook.errors import PluginError
from kpis.person_shop import SHOP, YEARS, bought, catalog_of, compute, figure, people, row
from tiny_client import shop


def test_retention_rate() -> None:
    """Of anna, dora and emil (2023) only anna bought in 2024; of anna and bea (2022) only anna bought in 2023."""
    results = compute("retention_rate", SHOP, **YEARS)
    assert figure("retention_rate", results) == (pytest.approx(1 / 3), 1, 3, "low_n")
    assert figure("retention_rate", results, period="previous") == (0.5, 1, 2, "low_n")
    assert json.loads(row(results, "retention_rate")["reason"]) == {"id": "reason.too_few_cases", "n": 3, "minimum": 30}


def test_retention_rate_needs_the_window_before() -> None:
    results = compute("retention_rate", SHOP, "2024-01-01/2024-12-31", data="2023-02-01/2024-12-31")
    assert figure("retention_rate", results) == (None, None, None, "missing_data")


def test_annual_repurchase() -> None:
    """End of 2024: of anna, dora, emil (2 January 2023 to 1 January 2024) anna bought in the 365 days after: 1/3.
    End of 2023: of anna and bea (2022) anna. Within 2024 carl alone has two purchase days, of three persons.
    """
    results = compute("repeat_purchase_rate", SHOP, **YEARS)
    assert figure("repeat_purchase_rate", results)[:3] == (pytest.approx(1 / 3), 1, 3)
    assert figure("repeat_purchase_rate", results, period="previous")[:3] == (0.5, 1, 2)
    assert figure("repeat_purchase_rate", results, "period")[:3] == (pytest.approx(1 / 3), 1, 3)


def test_repurchase_in_the_period_needs_no_history() -> None:
    """Anna's two receipts of one day are one purchase; carl came twice."""
    results = compute(
        "repeat_purchase_rate",
        SHOP,
        "2024-01-01/2024-12-31",
        data="2024-01-01/2024-12-31",
        settings={"basis": "period"},
    )
    assert figure("repeat_purchase_rate", results)[:3] == (pytest.approx(1 / 3), 1, 3)
    assert figure("repeat_purchase_rate", results, "annual")[0] is None


def test_annual_repurchase_is_not_read_off_half_a_history() -> None:
    results = compute("repeat_purchase_rate", SHOP, "2024-01-01/2024-12-31", data="2023-06-01/2024-12-31")
    assert figure("repeat_purchase_rate", results)[3] == "missing_data"


def test_unknown_basis_is_refused() -> None:
    with pytest.raises(PluginError) as caught:
        catalog_of("repeat_purchase_rate").resolve({"repeat_purchase_rate": {"basis": "anual"}})
    assert str(caught.value) == (
        "settings.repeat_purchase_rate.basis: 'anual' is none of its choices · did you mean 'annual'?"
    )


NEW = {
    "anna": ["2024-01-01", "2024-01-21"],
    "bea": ["2024-01-01", "2024-03-01"],
    "carl": ["2024-04-01"],
    "dora": ["2024-06-20", "2024-07-05"],
    "emil": ["2023-12-01", "2024-01-05"],
    "fay": ["2024-01-01", "2024-01-01"],
}
HALF = {"period": "2024-01-01/2024-06-30", "data": "2023-01-01/2024-12-31"}


def test_second_purchase_rate() -> None:
    """First purchases in the half-year, days to the second: anna 20, bea 60; open at 30 June: carl 90, dora 10
    (she came on 5 July), fay 181 (her two receipts are one day); emil was first in 2023.
    S = 3/4 at 20 (four at risk), 3/4 * 2/3 = 1/2 at 60.
    """
    results = compute("second_purchase_rate", people(**NEW), **HALF)
    assert figure("second_purchase_rate", results)[0] == pytest.approx(0.5)
    found = row(results, "second_purchase_rate")
    assert json.loads(found["reason"]) == {"id": "reason.too_few_at_risk", "n": 2, "minimum": 30}
    assert (found["n"], found["status"]) == (5, "low_n")
    for variant, value in {"at_30_days": 0.25, "at_180_days": 0.5, "median_days": 60}.items():
        assert figure("second_purchase_rate", results, variant)[0] == pytest.approx(value)


def test_second_purchase_rate_at_another_day() -> None:
    results = compute("second_purchase_rate", people(**NEW), **HALF, settings={"at_days": 19})
    assert figure("second_purchase_rate", results)[0] == 0


def test_first_purchases_in_the_run_in_are_no_new_customers() -> None:
    """Data from 3 October 2023: 90 days later is 1 January 2024, the first day that wins customers; emil's first
    purchase of December is one of the run-in. With 91 days anna, bea and fay fall out: carl and dora are left.
    """
    rows = {**HALF, "data": "2023-10-03/2024-12-31"}
    results = compute("second_purchase_rate", people(**NEW), **rows)
    assert row(results, "second_purchase_rate")["n"] == 5
    results = compute("second_purchase_rate", people(**NEW), **rows, settings={"run_in_days": 91})
    assert row(results, "second_purchase_rate")["n"] == 2


def test_a_period_within_the_run_in_wins_nobody_that_could_be_told() -> None:
    """The 90 days from 1 January 2024 end with 30 March: January to March needs 3 October 2023, and 0 days nothing."""
    span = {"period": "2024-01-01/2024-03-30", "data": "2024-01-01/2024-12-31"}
    found = row(compute("second_purchase_rate", people(**NEW), **span), "second_purchase_rate")
    assert (found["value"], found["status"]) == (None, "missing_data")
    assert json.loads(found["reason"]) == {
        "id": "reason.history_not_covered",
        "needed": "2023-10-03",
        "first": "2024-01-01",
    }
    known = compute("second_purchase_rate", people(**NEW), **span, settings={"run_in_days": 0})
    assert row(known, "second_purchase_rate")["n"] == 3


def test_open_cases_end_with_the_data() -> None:
    """The data end on 10 January, long before the period: anna, bea and fay are open after 9 days."""
    days = people(anna=["2024-01-01"], bea=["2024-01-01"], fay=["2024-01-01", "2024-01-01"])
    results = compute("second_purchase_rate", days, "2024-01-01/2024-06-30", data="2023-01-01/2024-01-10")
    table = results.tables["second_purchase_rate"]
    assert table[["time", "at_risk", "events"]].to_numpy().tolist() == [[9, 3, 0]]


def test_interpurchase_time() -> None:
    """Gaps begun in January: 10 and 10 days, and the last open for 10 days until the 31st: S(10) = 1 - 2/3."""
    days = people(anna=["2024-01-01", "2024-01-11", "2024-01-21", "2024-02-15"])
    results = compute("interpurchase_time", days, "2024-01-01/2024-01-31", data="2024-01-01/2024-03-31")
    assert figure("interpurchase_time", results)[0] == 10
    assert row(results, "interpurchase_time")["n"] == 3
    assert json.loads(row(results, "interpurchase_time")["reason"])["id"] == "reason.too_few_at_risk"
    assert results.tables["interpurchase_time"]["survival"].tolist() == [pytest.approx(1 / 3)]


def test_interpurchase_time_of_a_curve_that_stays_high() -> None:
    """Closed: 20 of 7 at risk, 60 of 6; open: 10, 90, 121, 161, 177, 181. S(60) = 6/7 * 5/6 = 5/7, no median."""
    results = compute("interpurchase_time", people(**NEW), **HALF)
    found = row(results, "interpurchase_time")
    assert (found["value"], found["status"], found["n"]) == (None, "undefined", 8)
    assert json.loads(found["reason"]) == {"id": "reason.curve_does_not_cross"}
    assert results.tables["interpurchase_time"]["survival"].iloc[-1] == pytest.approx(5 / 7)


COHORTS = {
    "anna": ["2024-01-10", "2024-02-20"],
    "bea": ["2024-01-15", "2024-03-05"],
    "carl": ["2024-02-01", "2024-03-30"],
    "dora": ["2024-05-02", "2024-06-30", "2024-06-30"],
    "emil": ["2024-06-01", "2024-07-01"],
}


def test_cohort_retention() -> None:
    """One month on: January 1 of 2 (anna), February 1 of 1, May 1 of 1; June's next month lies after the period: 3/4.
    January's row reaches from age 0 to 5, with 0 of 2 from April on; June's has age 0 only.
    """
    results = compute("cohort_retention", people(**COHORTS), **HALF, settings={"at_month": 1})
    assert figure("cohort_retention", results) == (0.75, 3, 4, "low_n")
    table = results.tables["cohort_retention"]
    cells = {(r.row, r.column): (r.numerator, r.denominator) for r in table.itertuples()}
    assert [cells["2024-01", age] for age in range(6)] == [(2, 2), (1, 2), (1, 2), (0, 2), (0, 2), (0, 2)]
    assert ("2024-01", 6) not in cells
    assert {key for key in cells if key[0] == "2024-06"} == {("2024-06", 0)}
    assert set(table["status"]) == {"low_n"}


def test_cohort_retention_stops_before_an_unfinished_month() -> None:
    """The data end on 15 June: May's next month is not over: 2/3, and June has no row."""
    results = compute(
        "cohort_retention",
        people(**COHORTS),
        "2024-01-01/2024-06-30",
        data="2023-01-01/2024-06-15",
        settings={"at_month": 1},
    )
    assert figure("cohort_retention", results)[:3] == (pytest.approx(2 / 3), 2, 3)
    assert "2024-06" not in set(results.tables["cohort_retention"]["row"])


def test_cohorts_of_the_run_in_are_left_out() -> None:
    """Data from 1 January: cohorts of January and February lie within 90 days, until 30 March. Left is May: 1 of 1."""
    days = {"period": "2024-01-01/2024-06-30", "data": "2024-01-01/2024-12-31"}
    results = compute("cohort_retention", people(**COHORTS), **days, settings={"at_month": 1})
    assert figure("cohort_retention", results)[:3] == (1, 1, 1)
    assert set(results.tables["cohort_retention"]["row"]) == {"2024-05", "2024-06"}
    all_of_them = {"at_month": 1, "run_in_days": 0}
    results = compute("cohort_retention", people(**COHORTS), **days, settings=all_of_them)
    assert figure("cohort_retention", results)[:3] == (0.75, 3, 4)


def test_cohort_retention_of_cohorts_too_young() -> None:
    results = compute("cohort_retention", people(**COHORTS), **HALF, settings={"at_month": 7})
    assert figure("cohort_retention", results)[0] is None


SILENT = {
    "anna": ["2024-01-05", "2024-01-25"],
    "bea": ["2024-05-01", "2024-05-31", "2024-06-20"],
    "carl": ["2024-01-05", "2024-03-01", "2024-06-01"],
    "dora": ["2024-06-05"],
    "emil": ["2024-03-01", "2024-03-31"],
    "fay": ["2024-05-02", "2024-06-01"],
}


def test_churn_rate_after_a_fixed_silence() -> None:
    """Judged until 31 May, 30 days before the data end. Last purchases: anna 25 January, then silence; bea 31 May, back
    after 20 days; carl 1 March, back after 92; emil 31 March, then silence; fay 2 May, back after exactly 30.
    Dora first bought in June. Defected: anna, carl, emil of five.
    """
    results = compute(
        "churn_rate",
        people(**SILENT),
        "2024-01-01/2024-06-30",
        data="2024-01-01/2024-06-30",
        settings={"churn_days": 30},
    )
    assert figure("churn_rate", results) == (pytest.approx(0.6), 3, 5, "low_n")


def test_churn_rate_looks_past_the_period_when_the_data_do() -> None:
    """With data to September all of June is judged. Bea: 20 June, then silence. Carl: 1 June, silence. Dora, fay:
    silence. Defected: all six.
    """
    results = compute(
        "churn_rate",
        people(**SILENT),
        "2024-01-01/2024-06-30",
        data="2024-01-01/2024-09-30",
        settings={"churn_days": 30},
    )
    assert figure("churn_rate", results)[:3] == (1, 6, 6)


def test_churn_rate_when_nobody_can_be_judged() -> None:
    results = compute(
        "churn_rate",
        people(**SILENT),
        "2024-06-01/2024-06-30",
        data="2024-01-01/2024-06-30",
        settings={"churn_days": 30},
    )
    found = row(results, "churn_rate")
    assert (found["value"], found["status"], json.loads(found["reason"])) == (
        None,
        "undefined",
        {"id": "reason.zero_denominator"},
    )


def _every(days: int, times: int) -> list[str]:
    import datetime as dt

    return [str(dt.date(2024, 1, 1) + dt.timedelta(days=days * i)) for i in range(times)]


def test_churn_rate_by_usage_class() -> None:
    """Heavy hans: 21 purchases at gaps of 10, the last on 19 July; 20 closed gaps, one open: S(10) = 1/21 < 0.05, limit
    10. Medium mia: every 15 days until 26 December, 24 closed, the last open for 5: S(15) = 0, limit 15. Three low
    users with one purchase: no limit, not judged. Hans fell silent; mia's last judged purchase, 11 December, was
    followed after 15 days: 1 of 2.
    """
    tables = shop(
        *bought(*_every(10, 21), customer="hans", amount=10, first=1),
        *bought(*_every(15, 25), customer="mia", amount=5, first=2),
        *(r for i in range(3) for r in bought("2024-03-01", customer=f"low{i}", amount=i + 1, first=3 + i)),
    )
    results = compute("churn_rate", tables, "2024-01-01/2024-12-31", data="2024-01-01/2024-12-31")
    assert figure("churn_rate", results) == (0.5, 1, 2, "low_n")
    cells = {(r.row, r.column): (r.numerator, r.denominator) for r in results.tables["churn_rate"].itertuples()}
    assert cells == {("heavy", 10): (1, 1), ("medium", 15): (0, 1)}


def test_churn_rate_when_no_class_has_a_limit() -> None:
    days = people(anna=["2024-01-05"], bea=["2024-02-05"])
    results = compute("churn_rate", days, "2024-01-01/2024-12-31", data="2024-01-01/2024-12-31")
    assert figure("churn_rate", results) == (None, 0, 0, "undefined")
