"""Met, missed or open, from the interval."""

import pytest

from kpibook.engine.targets import attach, state


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


class Target:
    kpi, segment, value, comparator = "x", "total", 4, ">="


def test_targets_stand_in_current_rows_only_and_hidden_figures_stay_open():
    rows = [row(), row(period="previous"), row(kpi="y"), row(status="low_n")]
    attach(rows, [Target()], {})

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
