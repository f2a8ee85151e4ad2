"""Owed runs are made: one of a client at a time, faults tried again, every step in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from kpibook.errors import NotValidError, RunError
from kpibook.ledger import FOLDER, Ledger, Turn
from kpibook.report.locks import held
from kpibook.timetable import take_note

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpibook.params import Params
    from kpibook.report.run import Outcome


@dataclass(frozen=True)
class World:
    """What the scheduler sees and does; a test moves the clock and makes no reports.

    ``made`` says whether a finished report stands for a due time: what a command left that was killed.
    """

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    run: Callable[[Params, datetime], Outcome]
    made: Callable[[str, datetime], bool]
    told: Callable[[Params, Turn, Outcome | None], None]
    say: Callable[[str], None]


def backoff(starts: int) -> timedelta:
    """How long to wait after that many starts: 1, 2, 4 … minutes."""
    return timedelta(minutes=2 ** (starts - 1))


def take(params: Params, ledger: Ledger, out: Path, world: World) -> bool:
    """Make what the client owes, the oldest first, until nothing is owed; False when another command is at it."""
    with held(out / FOLDER / f"{params.client}.lock") as ours:
        while ours and (open_ones := take_note(params, ledger, world.now())):
            for turn in open_ones:
                _one(params, turn, ledger, world)
    return ours


def _one(params: Params, turn: Turn, ledger: Ledger, world: World) -> None:
    """One turn to its end; a turn found ``started`` was cut off, for its lock is ours."""
    assert params.schedule is not None  # noqa: S101 (only clients with a schedule come here)
    most = params.schedule.retries + 1
    starts, state, again = turn.starts, turn.state, turn.again
    while True:
        if state == "started" and world.made(turn.client, turn.due):
            return _end(params, turn, ledger, world, "done", None)
        if state == "started" and starts >= most + 1:
            return _end(params, turn, ledger, world, "failed", None, f"was cut off or failed {starts} times")
        if again is not None and (wait := (again - world.now()).total_seconds()) > 0:
            world.sleep(wait)
        ledger.start(turn)
        starts, state = starts + 1, "running"
        outcome = world.run(params, turn.due)
        if outcome.code != RunError.exit_code or starts >= most:
            return _end(params, turn, ledger, world, _state(outcome.code), outcome, outcome.message)
        again = world.now() + backoff(starts)
        ledger.end(turn, "waiting", outcome.code, outcome.message, again)


def _state(code: int) -> str:
    return {0: "done", RunError.exit_code: "failed", NotValidError.exit_code: "failed"}.get(code, "refused")


def _end(
    params: Params, turn: Turn, ledger: Ledger, world: World, state: str, outcome: Outcome | None, message: str = ""
) -> None:
    ledger.end(turn, state, outcome.code if outcome else None, message)
    ended = Turn(turn.client, turn.due, state, turn.starts, None, outcome.code if outcome else None, message)
    world.told(params, ended, outcome)
