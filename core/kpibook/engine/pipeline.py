"""Everything that one run asks of the database, several things at once, each when what it needs is there.

A piece of work is a generator: it yields what it asks for and is sent the rows. One worker
compiles what later pieces ask first, before the tables that they read exist, while the
others execute: Python runs on one core at a time, the database on all.
"""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Generator, Hashable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import ibis.expr.types as ir

from kpibook.engine.backend import Database
from kpibook.engine.moments import Moments

#: Seconds for which one thread holds Python's lock while another waits.
TURN = 0.0005


@dataclass(frozen=True)
class Create:
    """A table to make instead of rows to fetch."""

    name: str
    table: ir.Table


Ask: TypeAlias = ir.Table | Moments | Create
Work: TypeAlias = Generator[Ask, Any, Any]


@dataclass(eq=False)
class Task:
    """``work`` under a name; its queries are executed once all of ``after`` are done."""

    name: Hashable
    work: Work
    after: frozenset[Hashable] = frozenset()
    fetched: int = 0
    result: Any = None
    done: bool = False
    _ready: tuple[Ask, str] | None = field(default=None, repr=False)

    def prepare(self, database: Database) -> None:
        """Up to the first thing asked for, compiled."""
        self._advance(database, lambda: next(self.work))

    def finish(self, database: Database) -> None:
        """Ask, and ask again, until the work has its result."""
        if self._ready is None and not self.done:
            self.prepare(database)
        while self._ready is not None:
            ask, sql = self._ready
            self._ready = None
            try:
                rows = None
                if isinstance(ask, Create):
                    database.execute(f'CREATE OR REPLACE TABLE "{ask.name}" AS {sql}')
                else:
                    rows, self.fetched = database.rows(sql, ask), self.fetched + 1
            except Exception as error:  # noqa: BLE001  the work decides what an error of its query means
                self._advance(database, lambda error=error: self.work.throw(error))
            else:
                self._advance(database, lambda rows=rows: self.work.send(rows))

    def _advance(self, database: Database, step: Any) -> None:
        while True:
            try:
                ask = step()
            except StopIteration as end:
                self.result, self.done = end.value, True
                return
            try:
                table = ask.table if isinstance(ask, Create) else ask
                self._ready = (ask, database.sql(table))
                return
            except Exception as error:  # noqa: BLE001  what cannot be compiled is the asker's error
                step = lambda error=error: self.work.throw(error)  # noqa: E731


def run(database: Database, tasks: Sequence[Task]) -> list[Any]:
    """Results in the order of ``tasks``. Work that raises stops everything: expected errors are its own to catch."""
    left = Counter(task.name for task in tasks)
    waiting, unprepared = list(tasks), list(tasks)
    running: dict[Future[None], Task] = {}
    ahead: Future[None] | None = None
    with database.one_thread_each(), _no_collection(), _short_turns(), ThreadPoolExecutor(database.workers) as pool:
        while waiting or running:
            while len(running) < database.workers:
                idle = [task for task in waiting if task not in running.values()]
                ready = next((t for t in idle if not any(left[name] for name in t.after)), None)
                later = next((t for t in idle if t in unprepared and t is not ready), None)
                if later is not None and ahead not in running and (running or ready is None):
                    unprepared.remove(later)
                    ahead = pool.submit(later.prepare, database)
                    running[ahead] = later
                elif ready is not None:
                    waiting.remove(ready)
                    running[pool.submit(ready.finish, database)] = ready
                else:
                    break
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                task = running.pop(future)
                future.result()
                left[task.name] -= task not in waiting
    return [task.result for task in tasks]


@contextmanager
def _no_collection() -> Iterator[None]:
    """Expressions are a million small objects that live until the run ends: looking for garbage among them is waste."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


@contextmanager
def _short_turns() -> Iterator[None]:
    """A query asks for Python's lock many times while it is executed; each time it may wait for one that compiles."""
    was = sys.getswitchinterval()
    sys.setswitchinterval(TURN)
    try:
        yield
    finally:
        sys.setswitchinterval(was)
