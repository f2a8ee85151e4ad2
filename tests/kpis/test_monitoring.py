"""What the firm itself watches, worked by hand."""

from __future__ import annotations

import json

import pytest

from kpis.outreach_cases import aimed, parts, result, watched
from tiny_client import receipt, row, shop

HALF = {"period": "2024-01-01/2024-06-30", "data": "2024-01-01/2024-06-30"}
WATCHED = [watched(1, "avg_receipt"), watched(2, "churn_rate"), watched(3, "nps"), watched(4, None)]


def test_targets_set_beforehand() -> None:
    """Four measures are watched. The receipt's target was set on the first day; churn's only on the second, and its
    earlier one was replaced in March; that of the satisfaction belongs to another year; csat is not watched: 1 of 4.
    """
    targets = [
        aimed(1, "avg_receipt", set_at="2024-01-01 17:00:00"),
        aimed(2, "churn_rate", set_at="2024-01-02"),
        aimed(3, "churn_rate", superseded_at="2024-03-01"),
        aimed(4, "nps", period_start="2023-01-01", period_end="2023-12-31", set_at="2022-12-01"),
        aimed(5, "csat"),
    ]
    results = result("a_priori_target_share", {"targets": targets, "audit_inventory": WATCHED}, **HALF)
    assert parts(results, "a_priori_target_share") == (0.25, 1, 4)
    found = row(results, "a_priori_target_share")
    assert (found["low"], found["high"], found["status"]) == (0.25, 0.25, "ok")


def test_a_target_replaced_after_its_time_was_kept() -> None:
    """Replaced on 1 July, the day after its period; on 30 June it would have been replaced within it."""
    for day, met in (("2024-07-01", 1), ("2024-06-30", 0)):
        tables = {"targets": [aimed(1, "nps", superseded_at=day)], "audit_inventory": WATCHED}
        assert parts(result("a_priori_target_share", tables, **HALF), "a_priori_target_share")[1] == met


def test_the_inventory_is_of_today() -> None:
    """It says nothing of the period before."""
    tables = {"targets": [aimed(1, "nps")], "audit_inventory": WATCHED}
    known = {**HALF, "data": "2023-01-01/2024-06-30"}
    results = result("a_priori_target_share", tables, **known, compare="2023-07-01/2023-12-31")
    assert row(results, "a_priori_target_share", period="previous")["status"] == "undefined"


def test_cadence() -> None:
    """The data end with 30 June, so it is 1 July 0:00. Refreshed 20 June: 11 days, in time of 30, not of 10; one
    exactly 30 days ago is in time; never refreshed or without a cadence is not. 2 of 5. Ages 11, 11, 30, 11: median 11.
    """
    items = [
        watched(1, "a"),
        watched(2, "b", cadence_days=10),
        watched(3, "c", last_refreshed_at="2024-06-01 00:00:00"),
        watched(4, "d", last_refreshed_at=None),
        watched(5, "e", cadence_days=None),
    ]
    tables = {**shop(receipt(1, "2024-06-30", 1)), "audit_inventory": items}
    results = result("monitoring_cadence", tables, **HALF)
    assert parts(results, "monitoring_cadence") == (0.4, 2, 5)
    age = row(results, "monitoring_cadence", "age")
    assert (age["value"], age["unit"], age["n"]) == (11, "days", 4)


def test_a_refresh_after_the_data_moves_the_present() -> None:
    """Refreshed on 11 July: then number 1, of 20 June, is 21 days old."""
    items = [watched(1, "a", cadence_days=20), watched(2, "b", last_refreshed_at="2024-07-11 00:00:00")]
    results = result("monitoring_cadence", {"audit_inventory": items}, **HALF)
    assert parts(results, "monitoring_cadence")[1:] == (1, 2)


def test_roi() -> None:
    """ROI is watched every quarter and used: before it are the two used measures watched more often; the unused daily
    one comes after it. Without a comparator the figure's grade is D.
    """
    items = [
        watched(1, "net_sales", cadence_days=1),
        watched(2, "churn_rate", cadence_days=30),
        watched(3, "programme_roi", cadence_days=90, has_comparator=False),
        watched(4, "nps", cadence_days=90),
        watched(5, "csat", cadence_days=1, used_in_decision=False),
    ]
    results = result("roi_monitored", {"audit_inventory": items}, **HALF)
    found = row(results, "roi_monitored")
    assert (found["value"], found["n"], found["grade"], found["status"]) == (1, 5, "D", "ok")
    assert row(results, "roi_monitored", "used_in_decisions")["value"] == 1
    rank = row(results, "roi_monitored", "rank")
    assert (rank["value"], rank["unit"]) == (3, "count")
    campaign = result("roi_monitored", {"audit_inventory": items}, **HALF, settings={"roi": "nps"})
    assert row(campaign, "roi_monitored")["grade"] == "C"


def test_roi_that_nobody_uses_comes_last() -> None:
    items = [watched(1, "programme_roi", cadence_days=1, used_in_decision=False), watched(2, "nps")]
    results = result("roi_monitored", {"audit_inventory": items}, **HALF)
    assert row(results, "roi_monitored")["value"] == 1
    assert row(results, "roi_monitored", "used_in_decisions")["value"] == 0
    assert row(results, "roi_monitored", "rank")["value"] == 2


def test_roi_not_watched() -> None:
    results = result("roi_monitored", {"audit_inventory": WATCHED}, **HALF)
    assert row(results, "roi_monitored")["value"] == 0
    rank = row(results, "roi_monitored", "rank")
    assert (rank["value"], rank["status"], json.loads(rank["reason"])) == (None, "undefined", {"id": "reason.no_rows"})


def test_specificity() -> None:
    """Number 1 passes all three, 2 lacks the programme, 3 the comparator, 4 does not say: 1 of 4, the rest by name."""
    items = [
        watched(1, "a"),
        watched(2, "b", has_programme_segment=False),
        watched(3, "c", has_comparator=False),
        watched(4, "d", is_product_linked=None),
    ]
    results = result("kpi_specificity_share", {"audit_inventory": items}, **HALF)
    assert parts(results, "kpi_specificity_share") == (0.25, 1, 4)
    table = results.tables["kpi_specificity_share"]
    assert table["firm_kpi_name"].tolist() == ["measure 2", "measure 3", "measure 4"]
    assert table["has_comparator"].tolist() == [True, False, True]


def test_decisions_by_data() -> None:
    """Of 40 campaigns of the half-year 30 had a rule, one an empty one; that of July is not counted. 2 of 3 measures
    are used.
    """
    rules = ["spend > 10"] * 30 + [None] * 9 + [" "]
    campaigns = [
        {"campaign_id": f"c{i}", "start_at": "2024-02-01", "target_rule": rule} for i, rule in enumerate(rules)
    ]
    campaigns.append({"campaign_id": "late", "start_at": "2024-07-01", "target_rule": "spend > 10"})
    items = [watched(1, "a"), watched(2, "b"), watched(3, "c", used_in_decision=None)]
    results = result("data_driven_decision_share", {"campaigns": campaigns, "audit_inventory": items}, **HALF)
    assert parts(results, "data_driven_decision_share") == (0.75, 30, 40)
    assert row(results, "data_driven_decision_share")["status"] == "ok"
    assert parts(results, "data_driven_decision_share", "monitored") == (pytest.approx(2 / 3), 2, 3)
