"""The scheduler at work: what is owed now, or from now on until it is stopped; who hears of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from kpibook import notice, past, results
from kpibook.allotment import Allotment, free, need
from kpibook.errors import KpibookError, ParamsError, RunError
from kpibook.ledger import Ledger, Turn
from kpibook.params import Params, load
from kpibook.report.run import Outcome, run
from kpibook.report.turn import only_run_of
from kpibook.timetable import owed, scheduled, upcoming
from kpibook.turns import World, take

if TYPE_CHECKING:
    from apscheduler.schedulers.blocking import BlockingScheduler

#: How often ``serve`` reads the params files anew and looks for what is owed.
LOOK = timedelta(seconds=30)
Said = Callable[[str], None]


def world(out: Path, say: Said, proof: bool = True) -> World:
    """The real one: this machine's clock, reports below ``out``, a line of each run to ``say``."""
    room, cancel = Allotment(free()), threading.Event()

    def made(params: Params, due: datetime) -> Outcome:
        try:
            then = load(params.path, due.astimezone(ZoneInfo(params.timezone)).date())
        except KpibookError as error:
            return Outcome(params.client, params.period.label, "failed", error.exit_code, message=str(error))
        try:
            with room.taken(need(then), cancel):
                return run(then, out, cancel=cancel, proof=proof, due=mark(due))
        except Exception as fault:  # noqa: BLE001 (a fault in one client's run harms no other; it is told, and tried again)
            message = f"a fault of kpibook: {fault!r}"
            return Outcome(then.client, then.period.label, "failed", RunError.exit_code, message=message, fault=fault)

    def told(params: Params, turn: Turn, outcome: Outcome | None) -> None:
        missed = missed_targets(outcome)
        say(line(params, turn, outcome, missed))
        reference = params.schedule.notify if params.schedule else None
        if reference and (turn.state != "done" or missed) and (trouble := notice.send(reference, news(turn, missed))):
            say(f"{params.client}: {trouble}")

    def stands(client: str, due: datetime) -> bool:
        try:
            with only_run_of(client, out.resolve()):  # puts finished reports of killed commands into place
                return any(one.record.due == mark(due) for one in past.finished(out, client))
        except ParamsError:  # no report of the client yet
            return False

    return World(lambda: datetime.now(UTC), time.sleep, made, stands, told, say)


def mark(due: datetime) -> str:
    """A due time as the record of a run has it: UTC."""
    return due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def missed_targets(outcome: Outcome | None) -> list[str]:
    """KPIs whose targets the report says are missed."""
    if outcome is None or outcome.folder is None or outcome.state == "failed":
        return []
    card = results.load(outcome.folder)
    return sorted(set(card[(card["period"] == "current") & (card["target_state"] == "missed")]["kpi"]))


def line(params: Params, turn: Turn, outcome: Outcome | None, missed: Sequence[str]) -> str:
    """What the log says of a run."""
    due = turn.due.astimezone(ZoneInfo(params.timezone)).isoformat(timespec="minutes")
    what = f"{due} {turn.client}"
    what += f" {outcome.period}: {turn.state}, {outcome.seconds:.0f} s" if outcome else f": {turn.state}"
    what += f", targets missed: {', '.join(missed)}" if missed else ""
    return f"{what} · {turn.message.splitlines()[0]}" if turn.message else what


def news(turn: Turn, missed: Sequence[str]) -> dict[str, Any]:
    """What a hook is sent."""
    facts = {"client": turn.client, "due": mark(turn.due), "state": turn.state, "code": turn.code}
    return {**facts, "message": turn.message, "missed_targets": list(missed)}


def run_due(clients: Sequence[Params], ledger: Ledger, out: Path, real: World, jobs: int = 1) -> list[Turn]:
    """Make all that is owed, ``jobs`` clients at a time; returns the turns as they ended."""
    ended: list[Turn] = []

    def told(params: Params, turn: Turn, outcome: Outcome | None) -> None:
        ended.append(turn)
        real.told(params, turn, outcome)

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for done in [pool.submit(take, params, ledger, out, replace(real, told=told)) for params in clients]:
            done.result()
    return ended


def serve(paths: Sequence[Path], ledger: Ledger, out: Path, real: World, jobs: int = 1) -> BlockingScheduler:
    """A scheduler that is not started yet: each client at its times, params files read anew every half minute."""
    from apscheduler.executors.pool import ThreadPoolExecutor as Pool
    from apscheduler.schedulers.blocking import BlockingScheduler
    from apscheduler.triggers.base import BaseTrigger

    class Times(BaseTrigger):  # type: ignore[misc]  # APScheduler has no types
        """Due times as cron has them: APScheduler counts weekdays from Monday, and wants day and weekday both."""

        def __init__(self, params: Params) -> None:
            self.params = params

        def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
            return upcoming(self.params, max(previous, now) if previous else now)

    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    clock = BlockingScheduler(timezone=UTC, executors={"default": Pool(1), "runs": Pool(jobs)})
    known: dict[str, str] = {}
    told: set[str] = set()

    def look() -> None:
        clients, wrong = scheduled(paths)
        for each in wrong:
            if each not in told:
                told.add(each)
                real.say(each)
        for gone in known.keys() - {params.client for params in clients}:
            clock.remove_job(gone)
            del known[gone]
        for params in clients:
            if known.get(params.client) != params.sha256:
                known[params.client] = params.sha256
                options = {"id": params.client, "executor": "runs", "replace_existing": True}
                options |= {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
                clock.add_job(take, Times(params), (params, ledger, out, real), next_run_time=real.now(), **options)
            elif owed(params, ledger, real.now()) or ledger.turns(params.client):
                clock.modify_job(params.client, next_run_time=real.now())

    options: dict[str, Any] = {"coalesce": True, "misfire_grace_time": None, "max_instances": 1}
    clock.add_job(look, "interval", seconds=LOOK.total_seconds(), next_run_time=real.now(), **options)
    return clock
