"""The scheduler at work: what is owed now is made, and who is to hear of it does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kpibook import notice, past, results
from kpibook.allotment import Allotment, free, need
from kpibook.errors import KpibookError, NotValidError, Problem, RunError
from kpibook.ledger import Ledger, Turn
from kpibook.params import Params, load
from kpibook.report.run import Outcome, run
from kpibook.report.turn import only_run_of
from kpibook.turns import World, take

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
                if cancel.is_set():
                    raise KeyboardInterrupt
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

    def stands(client: str, due: datetime) -> Outcome | None:
        with only_run_of(client, out.resolve()):  # puts finished reports of killed commands into place
            found = past.finished(out, client) if client in past.clients(out) else []
            made = [one for one in found if one.record.due == mark(due)]
        return _outcome(made[-1]) if made else None

    return World(lambda: datetime.now(UTC), time.sleep, made, stands, told, say, cancel.set)


def _outcome(found: past.PastRun) -> Outcome:
    record, problems = found.record, (found.record.validation or {}).get("problems", [])
    message, seconds = "\n".join(str(Problem(**problem)) for problem in problems), sum(record.steps.values())
    code = NotValidError.exit_code if problems else 0
    return Outcome(record.client, record.period, record.state, code, found.folder, None, message, seconds)


def mark(due: datetime) -> str:
    """A due time as the record of a run has it: UTC."""
    return due.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def missed_targets(outcome: Outcome | None) -> list[str]:
    """KPIs whose targets the report says are missed."""
    if outcome is None or outcome.folder is None or outcome.state == "failed":
        return []
    card = results.kept(outcome.folder)
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
    """Make all that is owed, ``jobs`` clients at a time; returns the turns as they ended.

    Who waits for another try holds up nobody else.
    """
    ended: list[Turn] = []

    def told(params: Params, turn: Turn, outcome: Outcome | None) -> None:
        ended.append(turn)
        real.told(params, turn, outcome)

    def one(params: Params) -> datetime | None:
        try:
            return take(params, ledger, out, replace(real, told=told))
        except Exception as fault:  # noqa: BLE001 (likewise)
            real.say(broken(params, fault))
            ended.append(Turn(params.client, real.now(), "failed", 0, None, RunError.exit_code))
            return None

    with ThreadPoolExecutor(max_workers=jobs) as pool:
        try:
            left = list(clients)
            while left:
                waits = {n: again for n, again in enumerate(pool.map(one, left)) if again is not None}
                left = [left[n] for n in waits]
                if waits:
                    real.sleep(max((min(waits.values()) - real.now()).total_seconds(), 0))
        except BaseException:
            real.stop()
            pool.shutdown(cancel_futures=True)
            raise
    return ended


def broken(params: Params, fault: Exception) -> str:
    """What is said when the scheduler itself cannot go on with a client; its turn stays, and is taken again."""
    return f"{params.client}: {fault if isinstance(fault, KpibookError) else f'a fault of the scheduler: {fault!r}'}"
