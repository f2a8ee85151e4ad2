"""Met, missed or open, from the interval."""

import pytest

from kpibook.engine.targets import Target, attach, state
from tiny_client import receipt, run, shop
from tiny_client import row as tiny_row


@pytest.mark.parametrize(
    ("comparator", "target", "low", "high", "found"),
    [
        (">=", 10, 10, 12, "met"),
        (">=", 10, 9, 12, "open"),
        (">=", 10, 8, 9.9, "missed"),
        (">=", 10, 8, 10, "open"),
        ("<=", 10, 8, 10, "met"),
        ("<=", 10, 9, 11, "open"),
        ("<=", 10, 10.1, 11, "missed"),
    ],
)
def test_states(comparator, target, low, high, found):
    assert state(comparator, target, (low + high) / 2, low, high) == found


def test_without_a_value_a_target_is_open():
    assert state(">=", 10, None, None, None) == "open"


def test_an_exact_figure_is_its_own_interval():
    assert state(">=", 10, 10, None, None) == "met"


def row(**facts):
    base = {"kpi": "x", "segment": "total", "segment_by": "total", "period": "current", "status": "ok"}
    return {**base, "value": 5.0, "low": 4.0, "high": 6.0, **facts}


AIM = Target("x", "total", 4.0, ">=")


@pytest.mark.parametrize(
    ("segment", "by", "name", "met"),
    [
        ("total", "total", "total", True),
        ("store", "channel", "store", True),
        ("channel=store", "channel", "store", True),
        ("channel=store", "store_id", "store", False),
    ],
)
def test_a_target_may_name_the_breakdown_of_its_segment(segment, by, name, met):
    assert Target("x", segment, 4.0, ">=").meets(row(segment_by=by, segment=name)) is met


def test_targets_come_from_the_table_and_the_latest_stands():
    """Of two for 2024 the later one (12) holds; a superseded one and one of 2023 do not count. Sales are 15."""
    base = {"kpi_id": "net_sales", "comparator": ">=", "period_start": "2024-01-01", "period_end": "2024-12-31"}
    rows = [
        {**base, "target_id": "1", "target_value": 11.0, "set_at": "2023-11-01 00:00:00"},
        {**base, "target_id": "2", "target_value": 12.0, "set_at": "2023-12-01 00:00:00"},
        {**base, "target_id": "3", "target_value": 13.0, "set_at": "2023-12-05 00:00:00"}
        | {"superseded_at": "2023-12-06 00:00:00"},
        {**base, "target_id": "4", "target_value": 14.0, "set_at": "2023-12-09 00:00:00"}
        | {"period_start": "2023-01-01", "period_end": "2023-12-31"},
    ]
    tables = shop(receipt(1, "2024-02-01", 15, "A"), targets=rows)
    found = tiny_row(run(tables, "2024-01-01/2024-12-31", data="2024-01-01/2024-12-31"), "net_sales")

    assert (found["target"], found["target_state"]) == (12, "met")


def test_targets_stand_in_current_rows_only_and_hidden_figures_stay_open():
    rows = [row(), row(period="previous"), row(kpi="y"), row(status="low_n")]
    attach(rows, [AIM], {})

    assert [(r.get("target"), r["target_state"]) for r in rows] == [
        (4.0, "met"),
        (None, "none"),
        (None, "none"),
        (4.0, "open"),
    ]


@pytest.mark.parametrize(("same", "grade", "comparable"), [(True, "B", True), (True, "D", False), (False, "A", False)])
def test_benchmarks_compare_only_like_with_like(same, grade, comparable):
    rows = [row()]
    attach(rows, [], {"x": {"value": 7.0, "same_definition": same, "evidence_grade": grade}})

    assert (rows[0]["benchmark"], rows[0]["benchmark_comparable"]) == (7.0, comparable)


@pytest.mark.parametrize(("own", "comparable"), [("h1", True), ("h2", False)])
def test_a_benchmark_of_the_pool_is_compared_under_its_own_definition_only(own, comparable):
    rows = [row(definition_hash=own)]
    known = {"value": 7.0, "same_definition": True, "evidence_grade": "B", "source_url": "kpibook:definition/h1"}
    attach(rows, [], {"x": known})

    assert (rows[0]["benchmark"], rows[0]["benchmark_comparable"]) == (7.0, comparable)
