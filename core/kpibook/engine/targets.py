"""Targets and benchmarks beside the figures: met, missed or open from the interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


def state(comparator: str, target: float, value: float | None, low: float | None, high: float | None) -> str:
    """met: the whole interval is on the good side; missed: on the other; open: it covers the target."""
    if value is None:
        return "open"
    least, most = (value if low is None else low), (value if high is None else high)
    if comparator == "<=":
        least, most, target = -most, -least, -target
    return "met" if least >= target else "missed" if most < target else "open"


def attach(rows: list[dict[str, Any]], targets: Iterable[Any], benchmarks: Mapping[str, dict[str, Any]]) -> None:
    """Write target, target_state and benchmark into current rows; ``targets`` have kpi, segment, value, comparator."""
    wanted = {(t.kpi, t.segment): t for t in targets}
    for row in rows:
        row.setdefault("target_state", "none")
        if row["period"] != "current":
            continue
        target = wanted.get((row["kpi"], row["segment"]))
        if target is not None:
            shown = row["status"] == "ok"
            numbers = (row["value"], row["low"], row["high"]) if shown else (None, None, None)
            row["target"] = float(target.value)
            row["target_state"] = state(target.comparator, float(target.value), *numbers)
        known = benchmarks.get(row["kpi"])
        if known is not None and row["segment_by"] == "total":
            row["benchmark"] = known["value"]
            row["benchmark_comparable"] = bool(known["same_definition"]) and known["evidence_grade"] in ("A", "B")
