"""Targets and benchmarks beside the figures: met, missed or open from the interval."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import ibis

from kpibook import model, results
from kpibook.engine.backend import Database
from kpibook.params import Params


def state(comparator: str, target: float, value: float | None, low: float | None, high: float | None) -> str:
    """met: the whole interval is on the good side; missed: on the other; open: it covers the target."""
    if value is None:
        return "open"
    least, most = (value if low is None else low), (value if high is None else high)
    if comparator == "<=":
        least, most, target = -most, -least, -target
    return "met" if least >= target else "missed" if most < target else "open"


@dataclass(frozen=True)
class Target:
    """A target of the period; ``segment`` is ``total``, a segment's name, or ``breakdown=segment``."""

    kpi: str
    segment: str
    value: float
    comparator: str

    def meets(self, row: Mapping[str, Any]) -> bool:
        """Whether the row is the one aimed at."""
        by, named, name = self.segment.rpartition("=")
        return bool(row["kpi"] == self.kpi and row["segment"] == name and (not named or row["segment_by"] == by))


def wanted(database: Database, params: Params, sizes: Mapping[str, int]) -> list[Target]:
    """The targets of the params file or the client's table for this period, the latest of each that still stands."""
    if not sizes.get("targets"):
        return []
    table = ibis.table(model.schema("targets"), name="targets")
    rows = database.fetch(table.order_by(["set_at", "target_id"])).to_pylist()
    period = params.period
    current = [
        row
        for row in rows
        if row["superseded_at"] is None and row["period_start"] < period.end and row["period_end"] >= period.start
    ]
    found = {
        (row["kpi_id"], row["segment"]): Target(
            row["kpi_id"], row["segment"], float(row["target_value"]), row["comparator"]
        )
        for row in current
    }
    return list(found.values())


def attach(rows: list[dict[str, Any]], targets: Iterable[Target], benchmarks: Mapping[str, dict[str, Any]]) -> None:
    """Write target, target_state and benchmark into current rows."""
    aims = list(targets)
    for row in rows:
        row.setdefault("target_state", "none")
        if row["period"] != "current":
            continue
        target = next((aim for aim in aims if aim.meets(row)), None)
        if target is not None:
            shown = row["status"] == "ok"
            numbers = (row["value"], row["low"], row["high"]) if shown else (None, None, None)
            row["target"] = target.value
            row["target_state"] = state(target.comparator, target.value, *numbers)
        known = benchmarks.get(row["kpi"])
        if known is not None and row["segment_by"] == "total":
            row["benchmark"] = known["value"]
            same = bool(known["same_definition"]) and _definition(known) in ("", row.get("definition_hash"))
            row["benchmark_comparable"] = same and known["evidence_grade"] in ("A", "B")


def _definition(benchmark: Mapping[str, Any]) -> str:
    """The definition hash that a benchmark of kpibook's own names; empty for others."""
    url = benchmark.get("source_url") or ""
    return url.removeprefix(results.POOLED) if url.startswith(results.POOLED) else ""
