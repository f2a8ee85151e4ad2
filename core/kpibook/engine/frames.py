"""KPIs written in pandas: exactly the columns they asked for, one call per period and segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ibis
import pandas as pd

from kpibook import rules, windows
from kpibook.engine.curves import KEYS
from kpibook.engine.pipeline import Work
from kpibook.engine.placing import PERIOD, SEGMENT, Placer
from kpibook.estimates import Modelled
from kpibook.tracing import Resolved

ROW_LIMIT = 2_000_000


def figures(kpi: Resolved, breakdown: str, placer: Placer, schemas: Mapping[str, Any], scorecard: pd.DataFrame) -> Work:
    """(period, segment, what the function returned); above ROW_LIMIT rows it is not called but reported."""
    frames: dict[str, pd.DataFrame] = {}
    for name in kpi.definition.inputs:
        if name == "scorecard":
            if breakdown != windows.TOTAL:
                return []
            frames[name] = scorecard.rename(columns={"period": PERIOD}).assign(**{SEGMENT: windows.TOTAL})
            continue
        columns = kpi.definition.columns[name]
        table = ibis.table(schemas[name], name=name)
        placed = placer.placed(table.op(), breakdown, [table[c].op() for c in columns])
        if placed is None:
            return []
        chosen = {c: _plain(placed[c]) for c in columns}
        asked = placed.select(*KEYS, **chosen).order_by([*KEYS, *columns]).limit(ROW_LIMIT + 1)
        frames[name] = (yield asked).to_pandas()
        if len(frames[name]) > ROW_LIMIT:
            rows = (yield placed.agg(n=placed.count()))["n"][0].as_py()
            why = rules.reason("row_limit", rows=rows, limit=ROW_LIMIT)
            return [("current", windows.TOTAL, Modelled(None, status="failed", reason=why))]
    return list(_called(kpi, frames))


def _called(kpi: Resolved, frames: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, str, Modelled]]:
    groups: dict[str, dict[Any, pd.DataFrame]] = {n: dict(iter(frame.groupby(KEYS))) for n, frame in frames.items()}
    for period, segment in sorted({key for parts in groups.values() for key in parts}):
        own = []
        for name, frame in frames.items():
            rows = groups[name].get((period, segment), frame.iloc[:0])
            columns = list(kpi.definition.columns[name])
            own.append(rows.rename(columns={PERIOD: "period"})[columns].reset_index(drop=True))
        yield period, segment, kpi.definition(*own, **kpi.settings)


def _plain(column: Any) -> Any:
    return column.cast("float64") if column.type().is_decimal() else column
