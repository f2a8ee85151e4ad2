"""KPIs written in pandas: exactly the columns they asked for, one call per period and segment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import ibis
import pandas as pd

from kpibook import rules, windows
from kpibook.engine.curves import KEYS, Fetch
from kpibook.engine.placing import PERIOD, SEGMENT, Placer
from kpibook.estimates import Modelled
from kpibook.tracing import Resolved

ROW_LIMIT = 2_000_000


def figures(
    kpi: Resolved, breakdown: str, placer: Placer, schemas: Mapping[str, Any], fetch: Fetch, scorecard: pd.DataFrame
) -> Iterator[tuple[str, str, Modelled]]:
    """(period, segment, what the function returned); above ROW_LIMIT rows it is not called but reported."""
    frames: dict[str, pd.DataFrame] = {}
    for name in kpi.definition.inputs:
        if name == "scorecard":
            if breakdown != windows.TOTAL:
                return
            frames[name] = scorecard.rename(columns={"period": PERIOD}).assign(**{SEGMENT: windows.TOTAL})
            continue
        table = ibis.table(schemas[name], name=name)
        placed = placer.placed(table.op(), breakdown, [table[c].op() for c in kpi.definition.columns[name]])
        if placed is None:
            return
        columns = kpi.definition.columns[name]
        rows = int(fetch(placed.agg(n=placed.count()))["n"].iloc[0])
        if rows > ROW_LIMIT:
            why = rules.reason("row_limit", rows=rows, limit=ROW_LIMIT)
            yield "current", windows.TOTAL, Modelled(None, status="failed", reason=why)
            return
        chosen = {c: _plain(placed[c]) for c in columns}
        frames[name] = fetch(placed.select(*KEYS, **chosen).order_by([*KEYS, *columns]))
    groups = sorted({key for frame in frames.values() for key in zip(frame[PERIOD], frame[SEGMENT], strict=True)})
    for period, segment in groups:
        own = [
            frame[(frame[PERIOD] == period) & (frame[SEGMENT] == segment)]
            .rename(columns={PERIOD: "period"})[list(kpi.definition.columns[name])]
            .reset_index(drop=True)
            for name, frame in frames.items()
        ]
        yield period, segment, kpi.definition(*own, **kpi.settings)


def _plain(column: Any) -> Any:
    return column.cast("float64") if column.type().is_decimal() else column
