"""Owed runs are made: one of a client at a time, faults tried again, every step in the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from kpibook.errors import NotValidError, RunError
from kpibook.ledger import FOLDER, Ledger, Turn
from kpibook.report.locks import held
from kpibook.runs import FINISHED
from kpibook.timetable import take_note

if TYPE_CHECKING:
    from collections.abc import Callable

    from kpibook.params import Params
    from kpibook.report.run import Outcome


#: The longest wait between two tries.
LONGEST = timedelta(hours=1)


@dataclass(frozen=True)
class World:
    """What the scheduler sees and does; a test moves the clock and makes no reports.

    ``stop`` ends the runs that are under way, and lets no other begin.
    ``made`` is the finished report that stands for a due time, if one does: what a command left that was killed.
    """

    now: Callable[[], datetime]
    sleep: Callable[[float], None]
    run: Callable[[Params, datetime], Outcome]
    made: Callable[[str, datetime], Outcome | None]
    told: Callable[[Params, Turn, Outcome | None], None]
    say: Callable[[str], None]
    stop: Callable[[], None]


def backoff(starts: int) -> timedelta:
    """How long to wait after that many starts: 1, 2, 4 … minutes, at most an hour."""
    return min(timedelta(minutes=2 ** (starts - 1)), LONGEST)


def take(params: Params, ledger: Ledger, out: Path, world: World) -> datetime | None:
    """Make what the client owes now, the oldest first; returns when to come again for a run that failed.

    None when nothing is left, and when another command is at it. What fell due after a run that is to be tried
    again waits for it.
    """
    with held(out / FOLDER / f"{params.client}.lock") as ours:
        while ours and (open_ones := take_note(params, ledger, world.now())):
            for turn in open_ones:
                again = _one(params, turn, ledger, world)
                if again is not None:
                    return again
    return None


def _one(params: Params, turn: Turn, ledger: Ledger, world: World) -> datetime | None:
    """One turn, once; a turn found ``started`` was cut off, for its lock is ours."""
    assert params.schedule is not None  # noqa: S101 (only clients with a schedule come here)
    most = params.schedule.retries + 1
    if turn.state == "started":
        stands = world.made(turn.client, turn.due)
        if stands is not None:
            _end(params, turn, ledger, world, _state(stands.code), stands, stands.message)
            return None
        if turn.starts > most:
            _end(params, turn, ledger, world, "failed", None, f"was cut off or failed {turn.starts} times")
            return None
    if turn.again is not None and turn.again > world.now():
        return turn.again
    ledger.start(turn)
    try:
        outcome = world.run(params, turn.due)
    except KeyboardInterrupt:  # stopped on purpose, which is no try
        ledger.undo(turn)
        raise
    starts = turn.starts + 1
    lacks_a_form = outcome.state in FINISHED  # and is not made again for that
    if outcome.code != RunError.exit_code or lacks_a_form or starts >= most:
        _end(params, turn, ledger, world, _state(outcome.code), outcome, outcome.message)
        return None
    again = world.now() + backoff(starts)
    ledger.end(turn, "waiting", outcome.code, outcome.message, again)
    return again


def _state(code: int) -> str:
    return {0: "done", RunError.exit_code: "failed", NotValidError.exit_code: "failed"}.get(code, "refused")


def _end(
    params: Params, turn: Turn, ledger: Ledger, world: World, state: str, outcome: Outcome | None, message: str = ""
) -> None:
    code = outcome.code if outcome else None
    ledger.end(turn, state, code, message)
    world.told(params, Turn(turn.client, turn.due, state, turn.starts, None, code, message), outcome)
