"""Figures become rows of the results table, with the reasons that stand above any figure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from kpibook import rules, windows
from kpibook.engine import history
from kpibook.engine.computable import Computability
from kpibook.engine.jobs import VARIANT, Cell
from kpibook.estimates import Linear
from kpibook.figures import Figure
from kpibook.tracing import Resolution, Resolved
from kpibook.windows import Window

#: A part such as a month may end on closed days.
CLOSED_DAYS = timedelta(days=3)


@dataclass(frozen=True)
class Rows:
    """What is known of periods and KPIs; ``failures`` says which KPIs rest on a view that failed."""

    windows: Sequence[Window]
    judged: Mapping[str, Computability]
    resolution: Resolution
    failures: Mapping[str, str]

    def found(self, cells: Sequence[Cell]) -> list[dict[str, Any]]:
        """Rows of figures; a change is stated only between two periods that the data cover."""
        shown = [(cell, self._window(cell)) for cell in cells]
        values = {_place(cell): self._figure(cell, window) for cell, window in shown}
        rows = []
        for cell, window in shown:
            figure = values[_place(cell)]
            row = _row(cell.job.kpi, cell.job.variant, cell.segment_by, cell.segment, window, figure)
            row["unit"] = cell.job.estimate.unit or row["unit"]
            before = values.get((*_place(cell)[:-1], "previous")) if cell.period == "current" else None
            if before is not None and self._comparable(figure, before):
                row["change"] = (figure.value or 0) - (before.value or 0)
                if cell.change is not None:
                    row["change_low"], row["change_high"] = cell.change
            rows.append(row)
        return rows

    def absent(self, present: set[tuple[str, str]]) -> list[dict[str, Any]]:
        """Rows for KPIs and periods without a figure: why not."""
        rows = []
        for kpi in self.resolution.kpis.values():
            missing = [w for w in self._totals() if (kpi.id, w.period) not in present]
            if isinstance(kpi.estimate, Linear) and kpi.estimate.formula.compares:
                missing = [w for w in missing if w.period == "current"]
            for window in missing:
                figure = self._why(kpi, window)
                rows.append(_row(kpi, "", windows.TOTAL, windows.TOTAL, window, figure))
        return rows

    def _why(self, kpi: Resolved, window: Window) -> Figure:
        verdict = self.judged[kpi.id]
        failure = kpi.failure or self.failures.get(kpi.id, "")
        if failure:
            return Figure(status="failed", reason=rules.reason("kpi_failed", error=failure))
        gap = _gap(kpi, window)
        if verdict.state == "not" and gap is None:
            return Figure(status="missing_data", reason=verdict.reason)
        return gap or Figure(status="undefined", reason=rules.reason("no_rows"))

    def _totals(self) -> list[Window]:
        return [w for w in self.windows if w.segment_by == windows.TOTAL]

    def _window(self, cell: Cell) -> Window:
        grain = cell.segment_by if cell.segment_by in windows.GRAINS else windows.TOTAL
        if cell.figure.status == "failed":
            grain = windows.TOTAL
        label = cell.segment if grain != windows.TOTAL else windows.TOTAL
        return next(w for w in self.windows if (w.period, w.segment_by, w.segment) == (cell.period, grain, label))

    def _figure(self, cell: Cell, window: Window) -> Figure:
        figure = cell.figure
        if figure.status == "failed":
            return figure
        gap = _gap(cell.job.kpi, window)
        if gap is not None:
            return gap
        whole = (cell.segment_by, cell.job.variant) == (windows.TOTAL, "")
        if cell.segment_by in windows.GRAINS and window.end - window.data_end > CLOSED_DAYS:
            return Figure(**{**vars(figure), "status": "low_n", "reason": rules.reason("part_not_over")})
        if figure.status == "ok" and not figure.reason and not history.complete(window) and whole:
            last = min(window.end, window.data_end) - timedelta(days=1)
            covered = {"first": str(max(window.start, window.data_start)), "last": str(last)}
            return Figure(**{**vars(figure), "reason": rules.reason("period_partly_covered", **covered)})
        return figure

    def _comparable(self, now: Figure, before: Figure) -> bool:
        known = all(f.status == "ok" and f.value is not None for f in (now, before))
        return known and all(history.complete(window) for window in self._totals())


def ordered(rows: list[dict[str, Any]], resolution: Resolution) -> list[dict[str, Any]]:
    """In the order of the catalogue: headline, variants, breakdowns."""
    order = {name: i for i, name in enumerate(resolution.kpis)}
    rank = {windows.TOTAL: 0, VARIANT: 1}
    return sorted(rows, key=lambda r: (*_position(r, order, rank), r["segment"], r["period"]))


def _gap(kpi: Resolved, window: Window) -> Figure | None:
    why = history.gap(kpi.definition, kpi.settings, window)
    if not why:
        return None
    return Figure(status="failed" if history.FAILED in why else "missing_data", reason=why)


def _place(cell: Cell) -> tuple[str, str, str, str, str]:
    return (cell.job.kpi.id, cell.job.variant, cell.segment_by, cell.segment, cell.period)


def _row(kpi: Resolved, variant: str, segment_by: str, segment: str, window: Window, figure: Figure) -> dict[str, Any]:
    definition = kpi.definition
    return {
        "kpi": kpi.id,
        "family": definition.family,
        "title": definition.title,
        "segment_by": VARIANT if variant else segment_by,
        "segment": variant or segment,
        "period": window.period,
        "period_start": window.start,
        "period_end": window.end - timedelta(days=1),
        **asdict(figure),
        "unit": definition.unit,
        "better": definition.better,
        "definition_hash": kpi.hash,
        "origin": kpi.origin,
    }


def _position(row: Mapping[str, Any], order: Mapping[str, int], rank: Mapping[str, int]) -> Iterator[Any]:
    yield order[row["kpi"]]
    yield rank.get(row["segment_by"], 2)
    yield row["segment_by"]
