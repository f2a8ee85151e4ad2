"""Targets met, worked by hand."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from kpis.person_shop import SHOP, YEARS, catalog_of, figure, row
from tiny_client import run

KPIS = ("active_customers", "rfm_segments", "retention_rate", "target_attainment")


def _given(**targets: tuple) -> dict:
    """Targets as the engine and the table ``targets`` see them; each is (comparator, target, baseline)."""
    return {
        "targets": [SimpleNamespace(kpi=k, segment="total", value=t[1], comparator=t[0]) for k, t in targets.items()],
        "rows": [
            {
                "target_id": k,
                "kpi_id": k,
                "segment": "total",
                "comparator": t[0],
                "target_value": t[1],
                "baseline_value": t[2],
                "period_start": "2024-01-01",
                "period_end": "2024-12-31",
                "set_at": "2023-12-01",
            }
            for k, t in targets.items()
        ],
    }


def _computed(given: dict) -> object:
    return run({**SHOP, "targets": given["rows"]}, **YEARS, catalog=catalog_of(*KPIS), targets=given["targets"])


def test_target_attainment() -> None:
    """Active customers are 3, wanted >= 2: met, and (3 - 1)/(2 - 1) = twice the way. Best RFM cells hold nobody, wanted
    >= 1: missed, without a baseline 0. Retention of three persons is not shown: open. 1 of 2 judged, of 3 targets.
    """
    results = _computed(
        _given(active_customers=(">=", 2, 1), rfm_segments=(">=", 90, None), retention_rate=(">=", 0.9, 0.5))
    )
    assert figure("target_attainment", results) == (0.5, 1, 2, "ok")
    assert row(results, "target_attainment")["n"] == 3
    assert figure("target_attainment", results, "active_customers")[0] == pytest.approx(2)
    kept = results.scorecard[results.scorecard.kpi == "target_attainment"].set_index("segment")
    assert kept.loc["retention_rate", "status"] == "low_n"
    assert kept.loc["active_customers", "segment_by"] == "kpi"


def test_progress_towards_fewer() -> None:
    """Wanted at most 1 from 5; with 3 half of the way is covered, and the target missed."""
    results = _computed(_given(active_customers=("<=", 1, 5)))
    assert figure("target_attainment", results)[:3] == (0, 0, 1)
    assert figure("target_attainment", results, "active_customers")[0] == pytest.approx(0.5)


def test_a_target_below_what_was_reached_before() -> None:
    """From 1.5, wanted >= 1, 3 is met; (3 - 1.5)/(1 - 1.5) = -3 would be a way back. Wanted >= 4 from 5, 3 is missed,
    and twice the way from 5 to 4 would read as more than met.
    """
    reached = _computed(_given(active_customers=(">=", 1, 1.5)))
    assert figure("target_attainment", reached)[:3] == (1, 1, 1)
    assert figure("target_attainment", reached, "active_customers")[0] == 1
    missed = _computed(_given(active_customers=(">=", 4, 5)))
    assert figure("target_attainment", missed)[:3] == (0, 0, 1)
    assert figure("target_attainment", missed, "active_customers")[0] == 0


def test_target_equal_to_its_baseline() -> None:
    results = _computed(_given(active_customers=(">=", 3, 3)))
    assert figure("target_attainment", results)[0] == 1
    assert figure("target_attainment", results, "active_customers")[0] == 1


def test_nothing_can_be_judged() -> None:
    found = row(_computed(_given(retention_rate=(">=", 0.9, 0.5))), "target_attainment")
    assert (found["value"], found["status"], json.loads(found["reason"])) == (
        None,
        "undefined",
        {"id": "reason.zero_denominator"},
    )


def test_superseded_targets_are_left_out() -> None:
    given = _given(active_customers=(">=", 2, 1))
    old = {**given["rows"][0], "target_id": "old", "superseded_at": "2024-02-01"}
    results = _computed({**given, "rows": [*given["rows"], old]})
    assert figure("target_attainment", results)[:3] == (1, 1, 1)


def test_targets_of_other_years_are_left_out() -> None:
    """That of 2023 and that of 2025 do not meet 2024; that of the last quarter does, and was set later: it counts."""
    given = _given(active_customers=(">=", 2, 1))
    only = given["rows"][0]
    others = [
        {**only, "target_id": "past", "period_start": "2023-01-01", "period_end": "2023-12-31", "target_value": 99},
        {**only, "target_id": "next", "period_start": "2025-01-01", "period_end": "2025-12-31", "target_value": 99},
    ]
    results = _computed({**given, "rows": [*given["rows"], *others]})
    assert figure("target_attainment", results)[:3] == (1, 1, 1)
    assert row(results, "target_attainment")["n"] == 1
    assert figure("target_attainment", results, "active_customers")[0] == pytest.approx(2)


def test_the_latest_of_two_targets_counts() -> None:
    """Two targets of 2024 stand; the one set in March asks for 5: missed, (3 - 1)/(5 - 1) of the way."""
    given = _given(active_customers=(">=", 2, 1))
    later = {**given["rows"][0], "target_id": "later", "set_at": "2024-03-01", "target_value": 5}
    for rows in ([*given["rows"], later], [later, *given["rows"]]):
        results = _computed({**given, "rows": rows})
        assert figure("target_attainment", results)[:3] == (0, 0, 1)
        assert figure("target_attainment", results, "active_customers")[0] == pytest.approx(0.5)


def test_a_target_of_a_segment() -> None:
    """In the year to 31 March 2024 four were active (anna, carl, dora, emil): 4 of the way from 0 to 1."""
    given = _given(active_customers=(">=", 1, 0))
    aim = {**given["rows"][0], "segment": "month=2024-03"}
    results = run(
        {**SHOP, "targets": [aim]},
        **YEARS,
        catalog=catalog_of("active_customers", "target_attainment"),
        breakdowns=("month",),
    )
    assert row(results, "target_attainment")["n"] == 1
    assert figure("target_attainment", results, "active_customers month=2024-03")[0] == pytest.approx(4)


def test_without_targets() -> None:
    found = row(run(SHOP, **YEARS, catalog=catalog_of(*KPIS)), "target_attainment")
    assert (found["status"], json.loads(found["reason"])) == (
        "missing_data",
        {"id": "reason.missing_table", "tables": "targets"},
    )
