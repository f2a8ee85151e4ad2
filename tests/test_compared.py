"""Two scorecards, and why their figures differ: worked by hand."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from kpibook import results
from kpibook.compared import Difference, compared

H1 = {"period_start": date(2024, 1, 1), "period_end": date(2024, 6, 30)}
H2 = {"period_start": date(2024, 7, 1), "period_end": date(2024, 12, 31)}


def row(value: float | None, period: str = "current", kpi: str = "net_sales", **more: Any) -> dict[str, Any]:
    fixed = {"kpi": kpi, "segment_by": "total", "segment": "total", "unit": "money", "definition_hash": "aa", "n": 10}
    return {**fixed, "period": period, "value": value, **more}


def told(first: list[dict[str, Any]], second: list[dict[str, Any]], segments: bool = False) -> list[Difference]:
    return compared(results.scorecard(first), results.scorecard(second), segments)


def causes(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> tuple[Any, ...]:
    (found,) = told(first, second)
    return found.data, found.movement, found.causes


def test_the_same_days_and_the_same_figure() -> None:
    assert causes([row(100.0, **H1)], [row(100.0, **H1)]) == (0.0, 0.0, ("same",))
    assert causes([row(100.0, **H1)], [row(100.0 + 1e-9, **H1)])[2] == ("same",)


def test_the_same_days_with_more_cases_or_with_other_values() -> None:
    assert causes([row(100.0, **H1)], [row(130.0, **(H1 | {"n": 13}))]) == (30.0, 0.0, ("population",))
    assert causes([row(100.0, **H1)], [row(90.0, **H1)]) == (-10.0, 0.0, ("restated",))
    assert causes([row(5.0, denominator=4.0, **H1)], [row(5.0, denominator=8.0, **H1)])[2] == ("population",)


def test_the_next_period_moves_from_what_its_own_run_says_of_the_first() -> None:
    """100 was told; the later run says 110 of the same days, and 150 of its own: 10 were restated, 40 moved."""
    second = [row(150.0, **H2), row(110.0, "previous", **H1)]
    assert causes([row(100.0, **H1)], second) == (10.0, 40.0, ("restated", "moved"))
    second[1]["n"] = 11
    assert causes([row(100.0, **H1)], second) == (10.0, 40.0, ("population", "moved"))


def test_a_movement_inside_its_interval_is_noise() -> None:
    then = row(100.0, "previous", **H1)
    loud = row(150.0, low=140.0, high=160.0, change_low=0.1, change_high=0.9, **H2)
    quiet = row(105.0, low=90.0, high=120.0, change_low=-0.1, change_high=0.2, **H2)
    blind = row(105.0, low=90.0, high=120.0, **H2)
    exact = row(100.0, **H2)
    for now, cause in ((loud, "moved"), (quiet, "within noise"), (blind, "not separable"), (exact, "within noise")):
        assert causes([row(100.0, **H1)], [now, then])[2] == (cause,)


def test_periods_that_do_not_meet_cannot_be_told_apart() -> None:
    assert causes([row(100.0, **H1)], [row(150.0, **H2)]) == (None, None, ("not separable",))
    other = row(90.0, "previous", period_start=date(2023, 7, 1), period_end=date(2023, 12, 31))
    assert causes([row(100.0, **H1)], [row(150.0, **H2), other]) == (None, None, ("not separable",))


def test_another_definition_is_not_compared() -> None:
    assert causes([row(100.0, **H1)], [row(150.0, **(H1 | {"definition_hash": "bb"}))]) == (None, None, ("definition",))


def test_figures_that_one_run_does_not_have() -> None:
    first, second = [row(1.0, **H1), row(2.0, kpi="gone", **H1)], [row(None, **H1), row(3.0, kpi="new", **H1)]
    assert [(d.kpi, d.first, d.second, d.causes) for d in told(first, second)] == [
        ("net_sales", 1.0, None, ("in one only",)),
        ("new", None, 3.0, ("in one only",)),
        ("gone", 2.0, None, ("in one only",)),
    ]
    assert causes([row(None, **H1)], [row(None, **H1)]) == (None, None, ("same",))


def test_segments_are_compared_when_asked_for() -> None:
    web = {"segment_by": "channel", "segment": "web", **H1}
    first, second = [row(1.0, **H1), row(2.0, **web)], [row(1.0, **H1), row(3.0, **web)]
    assert len(told(first, second)) == 1
    assert [(d.segment, d.causes) for d in told(first, second, segments=True)] == [
        ("total", ("same",)),
        ("web", ("restated",)),
    ]


@given(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), st.randoms())
def test_data_and_movement_add_up_whatever_the_order_of_rows(values: list[float], chance: Any) -> None:
    told_then, then, now = values
    second = [row(now, **H2), row(then, "previous", **H1), row(1.0, kpi="other", **H2)]
    chance.shuffle(second)
    found = next(d for d in told([row(told_then, **H1)], second) if d.kpi == "net_sales")
    assert found.data is not None
    assert found.movement is not None
    assert abs(told_then + found.data + found.movement - now) < 1e-6


def test_empty_scorecards_have_nothing_to_tell() -> None:
    assert told([], []) == []
    assert isinstance(results.scorecard([]), pd.DataFrame)
