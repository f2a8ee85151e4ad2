"""Everything that one run asks of the database, several things at once, each when what it needs is there.

A piece of work is a generator: it yields what it asks for and is sent the rows. Workers
take up tasks while later ones are still being planned. One of them compiles what later
pieces ask first, before the tables that they read exist, while the others execute: Python
runs on one core at a time, the database on all.
"""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Condition
from typing import Any, TypeAlias

import ibis.expr.types as ir

from kpibook.engine.backend import Database
from kpibook.engine.moments import Moments
from kpibook.errors import LostError

#: Seconds for which one thread holds Python's lock while another waits.
TURN = 0.0005


@dataclass(frozen=True)
class Create:
    """A table to make instead of rows to fetch."""

    name: str
    table: ir.Table


Ask: TypeAlias = ir.Table | Moments | Create
Work: TypeAlias = Generator[Ask, Any, Any]
Step: TypeAlias = Callable[[Database], None]


@dataclass(eq=False)
class Task:
    """``work`` under a name; its queries are executed once all tasks named in ``after`` are done.

    Up to its first query it may be begun before, unless it ``asks`` none. ``piece`` tells others what it is about.
    """

    name: Hashable
    work: Work
    after: frozenset[Hashable] = frozenset()
    asks: bool = True
    piece: Any = None
    fetched: int = 0
    seconds: float = 0.0
    result: Any = None
    done: bool = False
    _ready: tuple[Ask, str] | None = field(default=None, repr=False)

    @property
    def untouched(self) -> bool:
        """Not prepared yet."""
        return self._ready is None and not self.done

    def prepare(self, database: Database) -> None:
        """Up to the first thing asked for, compiled."""
        self._advance(database, lambda: next(self.work))

    def finish(self, database: Database) -> None:
        """Ask, and ask again, until the work has its result."""
        if self.untouched:
            self.prepare(database)
        while self._ready is not None:
            ask, sql = self._ready
            self._ready = None
            try:
                rows = None
                if isinstance(ask, Create):
                    database.create(ask.name, sql, ask.table)
                else:
                    rows, self.fetched = database.rows(sql, ask), self.fetched + 1
            except LostError:  # nobody's own error: the run ends here
                raise
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


def run(database: Database, tasks: Iterable[Task]) -> list[Task]:
    """The tasks, done, in the order in which they came; they may be planned while earlier ones are under way.

    Work that raises stops everything: expected errors are its own to catch.
    """
    queue = _Queue()
    planned: list[Task] = []
    with database.one_thread_each(), no_collection(), _short_turns(), ThreadPoolExecutor(database.workers) as pool:
        workers = [pool.submit(_serve, queue, database) for _ in range(database.workers)]
        try:
            for task in tasks:
                if not planned and task.asks:  # until it is compiled the database has nothing to do: no turns
                    task.prepare(database)
                planned.append(task)
                queue.add(task)
        except BaseException:
            queue.stop()
            raise
        queue.close()
        for worker in workers:
            worker.result()
    return planned


def _serve(queue: _Queue, database: Database) -> None:
    while (found := queue.take()) is not None:
        task, step = found
        began = time.perf_counter()
        try:
            step(database)
        except BaseException:
            queue.stop()
            raise
        task.seconds += time.perf_counter() - began
        queue.over(task, step)


class _Queue:
    """What is to be done next. A name that no task has had yet may still come, until the queue is closed."""

    def __init__(self) -> None:
        self._change = Condition()
        self._waiting: list[Task] = []
        self._unprepared: list[Task] = []
        self._left: Counter[Hashable] = Counter()
        self._under_way = 0
        self._ahead: Task | None = None
        self._open, self._stopped = True, False

    def add(self, task: Task) -> None:
        with self._change:
            self._waiting.append(task)
            if task.asks and task.untouched:
                self._unprepared.append(task)
            self._left[task.name] += 1
            self._change.notify_all()

    def close(self) -> None:
        """No more will come."""
        with self._change:
            self._open = False
            self._change.notify_all()

    def stop(self) -> None:
        """Whatever waits is not begun."""
        with self._change:
            self._stopped = True
            self._change.notify_all()

    def take(self) -> tuple[Task, Step] | None:
        """A task and what to do with it, once there is something to do; None when nothing is left."""
        with self._change:
            while not self._stopped and (self._waiting or self._open):
                found = self._next()
                if found is not None:
                    self._under_way += 1
                    return found
                self._change.wait()
            return None

    def over(self, task: Task, step: Step) -> None:
        with self._change:
            self._under_way -= 1
            if step == task.prepare:
                self._ahead = None
            else:
                self._left[task.name] -= 1
            self._change.notify_all()

    def _next(self) -> tuple[Task, Step] | None:
        idle = [task for task in self._waiting if task is not self._ahead]
        ready = next((t for t in idle if not any(map(self._awaited, t.after))), None)
        later = next((t for t in idle if t in self._unprepared and t is not ready), None)
        if later is not None and self._ahead is None and (self._under_way or ready is None):
            self._unprepared.remove(later)
            self._ahead = later
            return later, later.prepare
        if ready is not None:
            self._waiting.remove(ready)
            return ready, ready.finish
        return None

    def _awaited(self, name: Hashable) -> bool:
        return self._left[name] > 0 if name in self._left else self._open


@contextmanager
def no_collection() -> Iterator[None]:
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
