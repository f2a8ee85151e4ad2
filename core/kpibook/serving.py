"""The scheduler that stays: each client at its times, until it is stopped.

APScheduler keeps the times in memory only. What was due, begun and done is in the ledger, which outlives any kill.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger

from kpibook.errors import KpibookError
from kpibook.keeper import broken
from kpibook.ledger import Ledger
from kpibook.params import Params
from kpibook.timetable import Known, owed, scheduled, upcoming
from kpibook.turns import World, take

#: How often it looks for params files that were changed, and for what is owed or to be tried again.
LOOK = timedelta(seconds=30)
OPTIONS: dict[str, Any] = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}


def serve(
    paths: Sequence[Path], ledger: Ledger, out: Path, real: World, jobs: int = 1, every: timedelta = LOOK
) -> BlockingScheduler:
    """A scheduler that is not started yet: clients of the params files in ``paths``, ``jobs`` at a time."""
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    pools = {"default": ThreadPoolExecutor(1), "runs": ThreadPoolExecutor(jobs)}
    clock = BlockingScheduler(timezone=UTC, executors=pools)
    look = _Serving(paths, ledger, out, real, clock).look
    clock.add_job(look, "interval", seconds=every.total_seconds(), next_run_time=real.now(), **OPTIONS)
    return clock


class Times(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
    """Due times as cron has them: APScheduler counts weekdays from Monday, and wants day and weekday both."""

    def __init__(self, params: Params) -> None:
        self.params = params

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The first due time that is later than both."""
        return upcoming(self.params, max(previous, now) if previous else now)


@dataclass
class _Serving:
    paths: Sequence[Path]
    ledger: Ledger
    out: Path
    real: World
    clock: BlockingScheduler
    on_clock: dict[str, str] = field(default_factory=dict)
    files: Known = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def look(self) -> None:
        """Put clients on the clock, take off those that are gone, and let begin what is owed."""
        clients = self._clients()
        for gone in self.on_clock.keys() - {params.client for params in clients}:
            self.clock.remove_job(gone)
            del self.on_clock[gone]
        for params in clients:
            if self.on_clock.get(params.client) != params.sha256:
                self.on_clock[params.client] = params.sha256
                options = {"id": params.client, "executor": "runs", "replace_existing": True, **OPTIONS}
                self.clock.add_job(self.one, Times(params), (params,), next_run_time=self.real.now(), **options)
            elif owed(params, self.ledger, self.real.now()) or self.ledger.turns(params.client):
                self.clock.modify_job(params.client, next_run_time=self.real.now())

    def one(self, params: Params) -> None:
        """What a client owes; a fault is said and harms no other, and the turn stays open."""
        try:
            take(params, self.ledger, self.out, self.real)
        except KeyboardInterrupt:  # the scheduler is being stopped
            return
        except Exception as fault:  # noqa: BLE001 (as the docstring says)
            self.real.say(broken(params, fault))

    def _clients(self) -> list[Params]:
        try:
            clients, wrong = scheduled(self.paths, self.files)
        except KpibookError as error:
            clients, wrong = [], [str(error)]
        for each in wrong:
            if each not in self.said:
                self.real.say(each)
        self.said = wrong
        return clients
