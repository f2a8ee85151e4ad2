"""Figures of earlier runs, taken from a client's store where nothing that decides them has changed.

A piece of work is kept as its figures, before anything is withheld or judged, and the tables beside them. Of all that
a run plans, what is found in the store is left out, and so are views and frames that nobody else waits for.
"""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from kpibook import windows
from kpibook.cache.store import Store
from kpibook.engine.jobs import Cell, Job, Piece, table_name
from kpibook.engine.keys import Keys
from kpibook.engine.pipeline import Task
from kpibook.estimates import Modelled
from kpibook.figures import Figure
from kpibook.stats.intervals import Interval

KIND = "figures"
CELLS = "figures.parquet"
NUMBERS = ("value", "low", "high", "numerator", "denominator")
COUNTS = ("n", "persons")
WORDS = ("status", "reason", "grade")
SCHEMA = pa.schema(
    [
        ("job", pa.int64()),
        *((name, pa.string()) for name in ("variant", "unit", "segment_by", "segment", "period")),
        *((name, pa.float64()) for name in NUMBERS),
        *((name, pa.int64()) for name in COUNTS),
        *((name, pa.string()) for name in WORDS),
        ("change_low", pa.float64()),
        ("change_high", pa.float64()),
    ]
)


@dataclass
class Kept:
    """The store of one run. ``planned`` are all of its tasks in order; those in ``taken`` were found in the store."""

    store: Store
    keys: Keys
    tables: dict[str, pd.DataFrame]
    planned: list[Task] = field(default_factory=list)
    taken: list[Task] = field(default_factory=list)

    def lacking(self, tasks: Iterable[Task], always: frozenset[Hashable]) -> Iterator[Task]:
        """Those that must be done, and the others left out with their results; what is named ``always`` is made.

        While there is nothing in the store, tasks go on as they come.
        """
        if not self.store.holds(KIND):
            for task in tasks:
                self.planned.append(task)
                yield task
            return
        self.planned = list(tasks)
        self.taken = [task for task in self.planned if self._find(task)]
        wanted = set(always)
        lacking = []
        for task in reversed(self.planned):  # what a task waits for was planned before it
            if not task.done and (task.piece is not None or task.name in wanted):
                lacking.append(task)
                wanted |= task.after
        yield from reversed(lacking)

    def keep(self, broken: Mapping[str, str]) -> None:
        """Put what was computed into the store, but nothing that failed or rests on a view that did."""
        found = {id(task) for task in self.taken}
        for task in self.planned:
            piece = task.piece
            if piece is None or id(task) in found or any(job.kpi.id in broken for job in piece.jobs):
                continue
            if any(cell.figure.status == "failed" for cell in task.result):
                continue
            key, files = self.keys.key(piece), _files(piece, task.result, self.tables)
            if key is not None and files is not None:
                self.store.put(KIND, key, partial(_written, files))

    def _find(self, task: Task) -> bool:
        key = None if task.piece is None else self.keys.key(task.piece)
        files = None if key is None else self.store.read(KIND, key)
        if files is None:
            return False
        task.result, task.done = _cells(task.piece, pq.read_table(io.BytesIO(files.pop(CELLS)))), True
        for number, job in enumerate(task.piece.jobs):
            if (content := files.get(_table_file(number))) is not None:
                self.tables[table_name(job)] = pq.read_table(io.BytesIO(content)).to_pandas()
        if task.piece.frames is not None:
            task.piece.frames.over(task.piece.jobs[0].kpi)
        return True


def _files(piece: Piece, cells: Iterable[Cell], tables: Mapping[str, pd.DataFrame]) -> dict[str, pa.Table] | None:
    """The entry of a piece; None when Parquet would not give back what it holds."""
    order = {job.name: number for number, job in enumerate(piece.jobs)}
    try:
        files = {CELLS: pa.Table.from_pylist([_row(cell, order) for cell in cells], schema=SCHEMA)}
        for name, frame in _drawn(piece, tables):
            files[name] = pa.Table.from_pandas(frame)
            back = files[name].to_pandas()
            if not back.equals(frame) or list(back.dtypes) != list(frame.dtypes):
                return None
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        return None
    return files


def _drawn(piece: Piece, tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, pd.DataFrame]]:
    """The tables that a piece makes beside its figures, by the names of their files."""
    if piece.kind != "linear" and piece.breakdowns == (windows.TOTAL,):
        for number, job in enumerate(piece.jobs):
            if table_name(job) in tables:
                yield _table_file(number), tables[table_name(job)]


def _table_file(number: int) -> str:
    return f"table-{number}.parquet"


def _written(files: Mapping[str, pa.Table], new: Path) -> None:
    for name, table in files.items():
        pq.write_table(table, new / name)


def _row(cell: Cell, order: Mapping[Any, int]) -> dict[str, Any]:
    low, high = cell.change or (None, None)
    return {
        "job": order.get(cell.job.name, 0),
        "variant": cell.job.variant,
        "unit": cell.job.estimate.unit,
        "segment_by": cell.segment_by,
        "segment": cell.segment,
        "period": cell.period,
        **asdict(cell.figure),
        "change_low": low,
        "change_high": high,
    }


def _cells(piece: Piece, table: pa.Table) -> list[Cell]:
    cells = []
    for row in table.to_pylist():
        job = piece.jobs[row["job"]]
        if piece.kind == "model":  # its readings are known once it has been called
            job = Job(job.kpi, row["variant"], Modelled(None, unit=row["unit"]))
        figure = Figure(**{each.name: row[each.name] for each in fields(Figure)})
        change = None if row["change_low"] is None else Interval(row["change_low"], row["change_high"])
        cells.append(Cell(job, row["segment_by"], row["segment"], row["period"], figure, change))
    return cells
