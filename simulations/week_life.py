"""A scheduler's life in a process of its own, on a moved clock: ``serve`` until its time is over or it is killed.

Real are kpibook's scheduler, APScheduler's loop, the ledger, the locks, the folders of runs, and the kill. The clock
stands still while runs are under way, but for the time that they say they took, and jumps when nothing is to be done.
In the place of a report stands its record alone.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from apscheduler import events
from apscheduler.schedulers import base
from apscheduler.schedulers.blocking import BlockingScheduler

from kpibook import runs
from kpibook.errors import DataError, RunError
from kpibook.keeper import mark, run_due, world
from kpibook.ledger import Ledger
from kpibook.params import Params, load
from kpibook.report import leakscan, stage
from kpibook.report.run import Outcome
from kpibook.report.turn import only_run_of
from kpibook.serving import serve
from kpibook.timetable import scheduled
from kpibook.turns import World

LOOK = timedelta(minutes=10)
#: One due time in so many fails at its first try; one in so many is refused for its data.
FAILS, REFUSED = 19, 41


@dataclass(frozen=True)
class Life:
    """What a process is told: from when to when it lives, and the run at which it is killed, if it is."""

    home: str
    start: str
    end: str
    kill_at: int = 0
    moment: str = ""
    rival: bool = False


class Clock:
    """The moved clock."""

    def __init__(self, at: datetime) -> None:
        self._at, self._lock = at, threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._at

    def move(self, seconds: float) -> None:
        with self._lock:
            self._at += timedelta(seconds=seconds)


def fate(client: str, due: datetime) -> str:
    """What befalls a due time: ``fails`` once, is ``refused``, or is ``made``."""
    number = int(sha256(f"{client} {mark(due)}".encode()).hexdigest(), 16)
    return "fails" if number % FAILS == 0 else "refused" if number % REFUSED == 0 else "made"


class Machine:
    """Runs that make no report, each noted in the journal as it begins; at one of them the process is killed."""

    def __init__(self, life: Life, clock: Clock) -> None:
        self.home, self.life, self.clock = Path(life.home), life, clock
        self.out = self.home / "reports"
        self.begun, self._lock = 0, threading.Lock()

    def world(self) -> World:
        real = world(self.out, lambda _: None)
        return replace(real, now=self.clock.now, sleep=self.clock.move, run=self.run)

    def run(self, params: Params, due: datetime) -> Outcome:
        then = load(params.path, due.astimezone(ZoneInfo(params.timezone)).date())
        first = self._begin(f"{params.client} {mark(due)}")
        with only_run_of(params.client, self.out):
            record = runs.begin(params.client, then.period.label)
            record.due = mark(due)
            folder = stage.create(self.out, record)
            self.clock.move(3000 if params.client.startswith("slow") else 40)
            self._perhaps_killed("before")
            how = fate(params.client, due)
            if how == "refused" or (how == "fails" and first):
                record.end("failed", "notebook", how)
                place = stage.set_aside(folder, self.out, record, leakscan.referenced(""))
                code = DataError.exit_code if how == "refused" else RunError.exit_code
                return Outcome(params.client, record.period, "failed", code, place, message=how)
            record.end("valid")
            record.write(folder)
            stage.publish(folder, self.out, record)
            self._perhaps_killed("after")
        return Outcome(params.client, record.period, "valid", 0)

    def _begin(self, what: str) -> bool:
        """Note it; whether it is the first try."""
        journal = self.home / "journal"
        with self._lock:
            self.begun += 1
            first = not journal.exists() or what not in journal.read_text("ascii").splitlines()
            with journal.open("a", encoding="ascii") as lines:
                lines.write(f"{what}\n")
        return first

    def _perhaps_killed(self, moment: str) -> None:
        if self.life.moment == moment and self.begun >= self.life.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


class Waiting(threading.Event):
    """In the place of the event that APScheduler waits for: lets runs end, then moves the clock on."""

    def __init__(self, scheduler: BlockingScheduler, clock: Clock, end: datetime) -> None:
        super().__init__()
        self.clock, self.end = clock, end
        self.busy, self._count = 0, threading.Lock()
        scheduler.add_listener(lambda _: self._add(1), events.EVENT_JOB_SUBMITTED)
        scheduler.add_listener(lambda _: self._add(-1), events.EVENT_JOB_EXECUTED | events.EVENT_JOB_ERROR)

    def _add(self, number: int) -> None:
        with self._count:
            self.busy += number

    def wait(self, timeout: float | None = None) -> bool:
        while self.busy:
            time.sleep(0.0005)
        if not self.is_set():
            left = (self.end - self.clock.now()).total_seconds()
            if left <= 0:
                raise KeyboardInterrupt
            self.clock.move(min(timeout or 0, left))
        return True


def live(life: Life) -> None:
    """To the end of a life, unless it is killed."""
    clock = Clock(datetime.fromisoformat(life.start))
    machine = Machine(life, clock)
    params, ledger = [machine.home / "params"], Ledger(machine.out)
    if life.rival:
        run_due(scheduled(params)[0], ledger, machine.out, machine.world(), jobs=2)
        return

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return clock.now().astimezone(tz or UTC)

    base.datetime = Moved
    scheduler = serve(params, ledger, machine.out, machine.world(), jobs=4, every=LOOK)
    scheduler._event = Waiting(scheduler, clock, datetime.fromisoformat(life.end))
    try:
        scheduler.start()
    except KeyboardInterrupt:
        scheduler.shutdown()


if __name__ == "__main__":
    live(Life(**json.loads(sys.argv[1])))
