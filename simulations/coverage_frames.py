"""KPIs written in pandas, and curves, on samples of the rows that they are computed from.

The rows of the whole population are fetched once by the engine's own query, with the ids that say whose they are. A
sample has a unit's rows as often as it was drawn, under new ids from the second time on; the KPI's own function, or
the engine's Kaplan-Meier, is called on it. Tables without ids (costs, rules, targets) are the same in every sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import ibis
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from kpibook import windows
from kpibook.engine import curves, frames
from kpibook.engine.backend import Database
from kpibook.engine.curves import KEYS
from kpibook.engine.execute import _figure
from kpibook.engine.frames import Frame
from kpibook.engine.jobs import Job
from kpibook.engine.placing import Placer
from kpibook.figures import Figure
from kpibook.tracing import Resolved, roots
from simulations.coverage_sums import WHOSE, units_of, whose_column
from simulations.population import OWNED

Times = npt.NDArray[np.int64]
#: Columns of views that name a person by a number, or a respondent by customer, wave and survey.
NAMES = (*sorted(OWNED), "person")
#: Columns that name whose a row is where none of WHOSE does.
BESIDE = ("ticket_id", "response_id", "invitation_id", "event_id", "person")


@dataclass(frozen=True)
class Rows:
    """Rows of the population and the unit of each, and its customer's ``own`` number; 0 is nobody's: it is in every
    sample once.
    """

    frame: pd.DataFrame
    units: Times
    own: Times

    def drawn(self, times: Times, linked: bool = False) -> pd.DataFrame:
        """The rows of a sample: ``times`` is how often each customer (``linked``: unit) comes, by number, at 0: 1."""
        repeats = times[self.units if linked else self.own]
        place = np.repeat(np.arange(len(self.frame)), repeats)
        copy = np.arange(len(place)) - np.repeat(np.cumsum(repeats) - repeats, repeats)
        found = self.frame.iloc[place].reset_index(drop=True)
        again = copy > 0
        for name in found.columns:
            if name in NAMES and again.any():
                found[name] = _renamed(found[name], copy, again)
        return found


def _renamed(column: pd.Series, copy: Times, again: npt.NDArray[np.bool_]) -> pd.Series:
    if pd.api.types.is_integer_dtype(column):
        return column + copy * (int(column.max()) + 1)
    values = column.to_numpy(dtype=object, copy=True)
    named = again & column.notna().to_numpy()
    values[named] = [f"{value}~{number + 1}" for value, number in zip(values[named], copy[named], strict=True)]
    return pd.Series(values, index=column.index, dtype=column.dtype)


@dataclass(frozen=True)
class Written:
    """A KPI in pandas with the rows it is called on, by table."""

    kpi: Resolved
    rows: Mapping[str, Rows]

    def of(self, times: Times, linked: bool = False) -> Iterator[tuple[str, Figure]]:
        """(reading, figure) of the current period."""
        drawn = {name: _frame(rows.drawn(times, linked)) for name, rows in self.rows.items()}
        for _, _, result in frames._called(self.kpi, drawn):
            yield "", _figure(result)
            for name, part in result.parts.get("variant", {}).items():
                yield name, _figure(part)


def _frame(rows: pd.DataFrame) -> Frame:
    spans = {("current", windows.TOTAL): slice(0, len(rows))} if len(rows) else {}
    return Frame(rows, spans, len(rows))


@dataclass(frozen=True)
class Curved:
    """A curve, read by each of the jobs, with its durations."""

    jobs: Sequence[Job]
    rows: Rows

    @property
    def kpi(self) -> Resolved:
        return self.jobs[0].kpi

    def of(self, times: Times, linked: bool = False) -> Iterator[tuple[str, Figure]]:
        counted = self.rows.drawn(times, linked).rename(columns={"person": "cluster"})
        read = [job.estimate for job in self.jobs]
        for _, _, found, _ in curves._figures(read, pa.Table.from_pandas(counted, preserve_index=False)):
            yield from zip((job.variant for job in self.jobs), found, strict=True)


def written(
    kpi: Resolved, placer: Placer, schemas: Mapping[str, Any], database: Database, ids: pd.DataFrame
) -> Written:
    """The frames of a KPI, as :func:`kpibook.engine.frames.figures` fetches them, with ids beside them."""
    asked = kpi.definition.columns
    return Written(kpi, {n: _fetched(n, asked[n], placer, schemas, database, ids) for n in kpi.definition.inputs})


def _fetched(
    name: str, columns: Sequence[str], placer: Placer, schemas: Mapping[str, Any], database: Database, ids: pd.DataFrame
) -> Rows:
    table = ibis.table(schemas[name], name=name)
    whose = [c for c in (*WHOSE, *BESIDE) if c in table.columns]
    placed = placer.placed(table.op(), windows.TOTAL, [table[c].op() for c in dict.fromkeys([*columns, *whose])])
    if placed is None:
        raise ValueError(f"{name}: no rows by period")
    chosen = {c: frames._plain(placed[c]) for c in columns}
    beside = {f"whose_{c}": placed[c] for c in whose}
    asked = placed.select(*KEYS, **chosen, **beside).order_by([*KEYS, *columns])
    found = database.fetch(asked).to_pandas()
    found = found[found["_period"] == "current"].reset_index(drop=True)
    return Rows(found[[*KEYS, *columns]], *_whose([found[c] for c in beside], ids, len(found)))


def _whose(columns: Sequence[pd.Series], ids: pd.DataFrame, size: int) -> tuple[Times, Times]:
    """Unit and own number of each row by the first column that knows it; 0 where none does."""
    found = np.zeros((size, 2), dtype=np.int64)
    for column in columns:
        known = np.maximum(units_of(column.astype("string"), ids).to_numpy(), 0)
        found = np.where(found > 0, found, known)
    return found[:, 0], found[:, 1]


def curved(jobs: Sequence[Job], placer: Placer, database: Database, ids: pd.DataFrame) -> Curved | None:
    """The durations of a curve; None where no column says whose they are."""
    estimate = jobs[0].estimate
    whose = whose_column(estimate.base, placer)
    if whose is None:
        return None
    named = replace(estimate, cluster=estimate.base.to_expr()[whose])
    placed = placer.placed(estimate.base, windows.TOTAL, roots(named))
    rows = database.fetch(curves.counts(named, placed)).to_pandas()
    rows = rows[rows["_period"] == "current"].reset_index(drop=True)
    whose_rows = _whose([rows["cluster"]], ids, len(rows))
    persons = pd.Series(pd.factorize(rows["cluster"])[0], dtype="Int64").where(rows["cluster"].notna())
    return Curved(jobs, Rows(rows.drop(columns="cluster").assign(person=persons), *whose_rows))
