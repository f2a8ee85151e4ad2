"""KPIs written in pandas: exactly the columns they asked for, one call per period and segment.

A table is fetched once for all KPIs that ask for it by the same breakdown, in the order of
its key, so that a KPI sees its rows in one order whoever else asks; it is kept until the
last of them is done. Where a breakdown says nothing of a table's rows, a KPI that can do without
the table gets it empty, and one that cannot has no figure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir
import numpy as np
import pandas as pd
import pyarrow as pa

from kpibook import rules, windows
from kpibook.engine.curves import KEYS, codes
from kpibook.engine.linear import PERSONS
from kpibook.engine.pipeline import Work
from kpibook.engine.placing import UNKNOWN, Placer
from kpibook.estimates import Modelled, Unstated
from kpibook.privacy.tables import BEHIND
from kpibook.tracing import FRAMES, Resolved

ROW_LIMIT = 2_000_000


@dataclass(frozen=True)
class Frame:
    """``rows``, those of a (period, segment) at ``spans``. Of more than ROW_LIMIT, their ``count``, none is held."""

    rows: pd.DataFrame
    spans: Mapping[tuple[str, str], slice]
    count: int

    def parts(self, columns: Sequence[str]) -> Callable[[tuple[str, str]], pd.DataFrame]:
        """Gives a copy of these columns in the rows of one period and segment, none if it has none."""
        chosen = self.rows[list(columns)]

        def part(key: tuple[str, str]) -> pd.DataFrame:
            own = chosen.iloc[self.spans.get(key, slice(0))].copy()
            own.index = pd.RangeIndex(len(own))
            return own

        return part


@dataclass
class Frames:
    """The frames that the KPIs ``kpis`` ask for by one breakdown; those of the scorecard are at hand."""

    kpis: Sequence[Resolved]
    breakdown: str
    scorecard: pd.DataFrame
    held: dict[str, Frame | None] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)
    _users: Counter[str] = field(default_factory=Counter)
    _schemas: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._users.update(name for kpi in self.kpis for name in self.of(kpi))

    @staticmethod
    def of(kpi: Resolved) -> list[str]:
        """The tables to be fetched for a KPI."""
        return [name for name in kpi.definition.inputs if name not in FRAMES]

    def columns(self, name: str) -> list[str]:
        """What any of the KPIs asks of a table."""
        return list(dict.fromkeys(c for kpi in self.kpis if name in self.of(kpi) for c in kpi.definition.columns[name]))

    def fetched(self, name: str, placer: Placer, schemas: Mapping[str, Any]) -> Work:
        """Fills in one frame: None where the breakdown does not apply. What goes wrong is each asker's error."""
        self._schemas[name] = schemas[name]
        try:
            self.held[name] = yield from _fetched(name, self.columns(name), self.breakdown, placer, schemas)
        except Exception as error:  # noqa: BLE001  raised again by every KPI that asks for it
            self.failed[name] = error

    def figures(self, kpi: Resolved) -> list[tuple[str, str, Modelled]]:
        """(period, segment, what the function returned); above ROW_LIMIT rows it is not called but reported."""
        names = self.of(kpi)
        for name in names:
            if name in self.failed:
                raise self.failed[name]
        known = {name: frame for name in names if (frame := self._given(kpi, name)) is not None}
        if len(known) < len(names):
            return []
        largest = max((frame.count for frame in known.values()), default=0)
        if largest > ROW_LIMIT:
            why = rules.reason("row_limit", rows=largest, limit=ROW_LIMIT)
            return [("current", windows.TOTAL, Modelled(None, status="failed", reason=why))]
        if len(names) < len(kpi.definition.inputs):
            known["scorecard"] = _scorecard(self.scorecard)
        if self.breakdown in kpi.definition.not_by:
            return list(_unknowable(kpi.definition.not_by[self.breakdown], known))
        return list(_called(kpi, known))

    def _given(self, kpi: Resolved, name: str) -> Frame | None:
        """The frame, empty where the KPI can do without it and the breakdown says nothing of its rows."""
        frame, optional = self.held[name], name in kpi.definition.optional
        return _nothing(self._schemas[name], self.columns(name)) if frame is None and optional else frame

    def over(self, kpi: Resolved) -> None:
        """Frames that nobody is waiting for any more are let go."""
        for name in self.of(kpi):
            self._users[name] -= 1
            if not self._users[name]:
                self.held.pop(name, None)


def rows(
    name: str, columns: Sequence[str], breakdown: str, placer: Placer, schemas: Mapping[str, Any]
) -> ir.Table | None:
    """A table's rows with _period, _segment, its key and ``columns``; None where the breakdown does not apply.

    Ordered by all of its columns, it is what the KPIs see.
    """
    table = ibis.table(schemas[name], name=name)
    every = list(dict.fromkeys([*placer.key(table.op()), *columns]))
    placed = placer.placed(table.op(), breakdown, [table[c].op() for c in every])
    return None if placed is None else placed.select(*KEYS, **{c: _plain(placed[c]) for c in every})


def _fetched(name: str, columns: Sequence[str], breakdown: str, placer: Placer, schemas: Mapping[str, Any]) -> Work:
    wanted = rows(name, columns, breakdown, placer, schemas)
    if wanted is None:
        return None
    found = yield wanted.order_by(wanted.columns).limit(ROW_LIMIT + 1)
    if found.num_rows > ROW_LIMIT:
        count = (yield wanted.agg(n=wanted.count()))["n"][0].as_py()
        return Frame(found.slice(0, 0).to_pandas(), {}, count)
    return _frame(found)


def _frame(found: pa.Table) -> Frame:
    if not found.num_rows:
        return Frame(found.drop_columns(KEYS).to_pandas(), {}, 0)
    (period, periods), (segment, segments) = (codes(found[key]) for key in KEYS)
    turns = np.flatnonzero(np.diff(period) | np.diff(segment)) + 1
    spans = {
        (periods[period[first]], segments[segment[first]]): slice(int(first), int(last))
        for first, last in pairwise((0, *turns, found.num_rows))
    }
    return Frame(found.drop_columns(KEYS).to_pandas(), spans, found.num_rows)


def _scorecard(card: pd.DataFrame) -> Frame:
    """The scorecard as the rows of each period's whole."""
    rows = card.sort_values("period", kind="stable").reset_index(drop=True)
    spans = {}
    for period, own in rows.groupby("period").groups.items():
        spans[(str(period), windows.TOTAL)] = slice(int(own.min()), int(own.max()) + 1)
    return Frame(rows, spans, len(rows))


def _called(kpi: Resolved, frames: Mapping[str, Frame]) -> Iterator[tuple[str, str, Modelled]]:
    parts = [frames[name].parts(kpi.definition.columns[name]) for name in kpi.definition.inputs]
    for period, segment in sorted({key for frame in frames.values() for key in frame.spans}):
        own = [part((period, segment)) for part in parts]
        yield period, segment, _with_count(kpi.definition(*own, **kpi.settings), own)


def _unknowable(why: str, frames: Mapping[str, Frame]) -> Iterator[tuple[str, str, Modelled]]:
    """The segments of a breakdown by which a KPI cannot be known, with the reason; none when its own parts have it."""
    for period, segment in sorted({key for frame in frames.values() for key in frame.spans}) if why else ():
        if segment != UNKNOWN:
            yield period, segment, Modelled(None, status="not_identified", reason=why)


def _nothing(schema: Any, columns: Sequence[str]) -> Frame:
    types = ibis.schema({column: _plain_type(schema[column]) for column in columns})
    return Frame(types.to_pyarrow().empty_table().to_pandas(), {}, 0)


def with_persons(result: Modelled) -> pd.DataFrame:
    """The table beside a figure, with how many persons stand behind each row."""
    assert result.table is not None  # noqa: S101  the caller has seen it
    table, told = result.table.reset_index(drop=True), result.table_persons
    single = [str(c) for c in table if c in rules.SINGLE]
    if single:
        what = f"its table has a row for each {', '.join(single)}: single persons are not shown"
        raise TypeError(f"{what} · count them by what they have in common")
    if isinstance(told, Unstated):
        what = "it gives a table and does not say how many persons are behind its rows"
        raise TypeError(f"{what} · name the column that counts them: table_persons=")
    if told is None:
        told = 0
    return table.assign(**{BEHIND: table[told] if isinstance(told, str) else told})


def _with_count(result: Modelled, given: Sequence[pd.DataFrame]) -> Modelled:
    """A figure whose author does not say on how many persons it rests: on all that were given."""
    if not isinstance(result, Modelled) or result.persons is not None:
        return result
    counts = [frame[column].nunique() for frame in given for column in frame.columns if column in PERSONS]
    return replace(result, persons=max(counts)) if counts else result


def _plain(column: Any) -> Any:
    return column.cast(_plain_type(column.type()))


def _plain_type(kind: Any) -> Any:
    given = dt.dtype(kind)
    return dt.float64 if given.is_decimal() else given
