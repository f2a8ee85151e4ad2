"""Where the firm stands against others, worked by hand."""

from __future__ import annotations

import json
from math import sqrt
from typing import Any

import pandas as pd
import pytest

from kpibook.stats.intervals import Z, wilson
from kpis.outreach_cases import asked
from tiny_client import only, row, run

MARCH = {"period": "2024-03-01/2024-03-31", "data": "2024-03-01/2024-03-31"}
#: 100 contacts: 70 answered, of them 40 by chat, where all were; 30 minutes each.
TICKETS = [
    asked(i, "2024-03-04 10:00:00", "2024-03-04 10:30:00" if i < 70 else None, customer_id=f"c{i}",
          channel="chat" if i < 40 else "email")
    for i in range(100)
]  # fmt: skip


def _benchmark(number: int, kpi: str, value: float, **more: Any) -> dict[str, Any]:
    source = {"year": 2023, "source": "panel", "same_definition": True, "evidence_grade": "A", "segment": "total"}
    return {"benchmark_id": f"b{number}", "kpi_id": kpi, "low": None, "value": value, "high": None, "n": None,
            **source, **more}  # fmt: skip


def _gap(*benchmarks: dict[str, Any], **more: Any) -> Any:
    tables = {"tickets": TICKETS, "benchmarks": list(benchmarks), **more.pop("tables", {})}
    catalog = only("benchmark_gap", "accessibility_rate", "first_response_time")
    return run(tables, **MARCH, catalog=catalog, **more)


def _gaps(results: Any, by: str) -> dict[str, Any]:
    card = results.scorecard
    return card[(card.kpi == "benchmark_gap") & (card.segment_by == by)].set_index("segment")


def test_gap_with_the_errors_of_both_sides() -> None:
    """70 % against 60 % of 400 cases: gap 10 points. Own standard error: a quarter of the Wilson interval's width over
    1.96/2; the benchmark's sqrt(0.6 * 0.4 / 400). In standard errors the gap over the root of the sum of squares.
    """
    results = _gap(_benchmark(1, "accessibility_rate", 0.6, n=400))
    own = wilson(70, 100).width / (2 * Z)
    error = sqrt(own**2 + 0.6 * 0.4 / 400)
    found = row(results, "benchmark_gap")
    assert (found["value"], found["n"], found["status"]) == (pytest.approx(0.1 / error), 1, "ok")
    gap = _gaps(results, "kpi").loc["accessibility_rate"]
    assert (gap["value"], gap["unit"]) == (pytest.approx(0.1), "percent")
    assert (gap["low"], gap["high"]) == (pytest.approx(0.1 - Z * error), pytest.approx(0.1 + Z * error))
    assert _gaps(results, "standardised").loc["accessibility_rate", "value"] == pytest.approx(0.1 / error)
    assert row(results, "benchmark_gap", "reached")["value"] == 1


def test_without_its_number_of_cases_only_the_own_error_counts() -> None:
    gap = _gaps(_gap(_benchmark(1, "accessibility_rate", 0.6)), "kpi").loc["accessibility_rate"]
    assert gap["high"] - gap["low"] == pytest.approx(wilson(70, 100).width)


def test_less_is_better_for_waiting() -> None:
    """Nobody of the hundred waited less than 30 minutes, 70 got an answer then: median 30, and the curve's band is at
    30 as well: no standard error, so nothing is standardised, and the gap of 10 minutes stands alone.
    """
    results = _gap(_benchmark(1, "first_response_time", 20.0))
    gap = _gaps(results, "kpi").loc["first_response_time"]
    assert (gap["value"], gap["unit"], pd.isna(gap["low"])) == (10, "minutes", True)
    found = row(results, "benchmark_gap")
    assert (found["value"], found["status"]) == (None, "undefined")


def test_another_definition_or_weak_evidence_is_context() -> None:
    """Neither is compared; with nothing else there is no headline. The table shows both beside the own value."""
    results = _gap(
        _benchmark(1, "accessibility_rate", 0.6, same_definition=False),
        _benchmark(2, "accessibility_rate", 0.9, evidence_grade="C"),
    )
    found = row(results, "benchmark_gap")
    assert (found["value"], found["status"], json.loads(found["reason"])) == (
        None,
        "undefined",
        {"text": "No benchmark with the same definition and documented evidence meets a figure of its own."},
    )
    gaps = _gaps(results, "kpi")
    assert list(gaps.index) == ["accessibility_rate b1", "accessibility_rate b2"]
    assert set(gaps["status"]) == {"not_identified"}
    assert {json.loads(r)["text"] for r in gaps["reason"]} == {
        "Context, not comparable: another definition, or evidence below grade B."
    }
    table = results.tables["benchmark_gap"]
    assert table["benchmark"].tolist() == [0.6, 0.9]
    assert table["own_value"].astype(float).tolist() == pytest.approx([0.7, 0.7])
    assert table["comparable"].tolist() == [False, False]


def test_median_of_several() -> None:
    """Against 0.6, 0.7 and 0.8 of the same own error: the median gap is 0, two of three are reached."""
    results = _gap(*(_benchmark(i, "accessibility_rate", value) for i, value in enumerate((0.6, 0.7, 0.8))))
    assert row(results, "benchmark_gap")["value"] == pytest.approx(0)
    reached = row(results, "benchmark_gap", "reached")
    assert (reached["numerator"], reached["denominator"]) == (2, 3)


def test_a_benchmark_of_a_segment() -> None:
    """By chat all 40 were answered: 20 points above 0.8."""
    results = _gap(_benchmark(1, "accessibility_rate", 0.8, segment="channel=chat"), breakdowns=("channel",))
    assert _gaps(results, "kpi").loc["accessibility_rate channel=chat", "value"] == pytest.approx(0.2)


def test_a_benchmark_without_a_figure_says_why() -> None:
    """Nobody computed a turnover; too few contacts are not compared."""
    gap = _gaps(_gap(_benchmark(1, "employee_turnover", 0.2)), "kpi").loc["employee_turnover"]
    assert (gap["status"], json.loads(gap["reason"])) == ("undefined", {"id": "reason.no_rows"})
    few = _gap(_benchmark(1, "accessibility_rate", 0.2), tables={"tickets": TICKETS[:20]})
    gap = _gaps(few, "kpi").loc["accessibility_rate"]
    assert (gap["status"], json.loads(gap["reason"])["id"]) == ("low_n", "reason.too_few_cases")


def test_the_same_respondents_on_us_and_on_rivals() -> None:
    """36 respondents: 18 give us 4 and two rivals 3 and 5, 18 give us 5 and the rivals 3 and 5: differences 0 and 1,
    mean 0.5, standard deviation sqrt(36 * 0.25 / 35). One who knows no rival is left out.
    """
    panel = [
        {"respondent_id": f"q{i}", "brand": brand, "is_own": brand == "own",
         "satisfaction": {"own": 4 + i % 2, "x": 3, "y": 5}[brand]}
        for i in range(36)
        for brand in ("own", "x", "y")
    ]  # fmt: skip
    panel.append({"respondent_id": "alone", "brand": "own", "is_own": True, "satisfaction": 1})
    asked_them = {"settings": {"rival_satisfaction": {"asked": True}}, "tables": {"competitor_panel": panel}}
    found = row(
        _gap(_benchmark(1, "accessibility_rate", 0.6), **asked_them), "benchmark_gap", "satisfaction_against_rivals"
    )
    assert (found["value"], found["n"], found["status"]) == (0.5, 36, "ok")
    error = sqrt(36 * 0.25 / 35) / 6
    assert found["high"] - found["value"] == pytest.approx(2.030108 * error, rel=1e-5)


def test_few_respondents() -> None:
    panel = [
        {"respondent_id": "q", "brand": brand, "is_own": brand == "own", "satisfaction": 4} for brand in ("own", "x")
    ]
    asked_them = {"settings": {"rival_satisfaction": {"asked": True}}, "tables": {"competitor_panel": panel}}
    found = row(
        _gap(_benchmark(1, "accessibility_rate", 0.6), **asked_them), "benchmark_gap", "satisfaction_against_rivals"
    )
    assert (found["value"], found["status"]) == (None, "low_n")
