"""Which due times of a client are owed at a moment: each once, of several for the same period the last."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from kpibook import cron
from kpibook.errors import KpibookError, ParamsError, Problem
from kpibook.ledger import Ledger, Turn
from kpibook.params import Params, load
from kpibook.periods import moving

if TYPE_CHECKING:
    from collections.abc import Sequence

#: A client that is new to the scheduler owes what fell due within it; what is older than it was missed.
GRACE = timedelta(hours=1)


#: Params files by their path, each with what told it from another version.
Known = dict[Path, tuple[tuple[int, int, int], Params]]


def scheduled(paths: Sequence[Path], known: Known | None = None) -> tuple[list[Params], list[str]]:
    """The clients with a schedule in params files and folders of them, and what is wrong with the others.

    Files in ``known``, which is added to, are read again only when they have changed.
    """
    known = {} if known is None else known
    found: dict[str, Params] = {}
    wrong = []
    for path in _files(paths):
        try:
            params = _read(path, known)
        except KpibookError as error:
            wrong.append(str(error))
            continue
        if params.schedule is None:
            continue
        if params.client in found:
            what = f"the client '{params.client}' has a schedule in {found[params.client].path.name} too"
            wrong.append(str(Problem(params.where("schedule"), what, "keep one of the two, or name the client apart")))
            continue
        found[params.client] = params
    return list(found.values()), wrong


def _read(path: Path, known: Known) -> Params:
    try:
        now = path.stat()
    except OSError:
        return load(path)  # which says what is wrong with it
    stamp = (now.st_mtime_ns, now.st_size, now.st_ino)
    if path not in known or known[path][0] != stamp:
        known[path] = (stamp, load(path))
    return known[path][1]


def _files(paths: Sequence[Path]) -> list[Path]:
    files = []
    for path in paths:
        inside = sorted(each for each in path.iterdir() if each.suffix in (".yaml", ".yml")) if path.is_dir() else []
        if path.is_dir() and not inside:
            raise ParamsError(Problem(str(path), "there is no params file in this folder", "name another one"))
        files += inside or [path]
    return list(dict.fromkeys(files))


def upcoming(params: Params, now: datetime) -> datetime:
    """The next due time after ``now``, in the client's zone."""
    assert params.schedule is not None  # noqa: S101 (only clients with a schedule come here)
    return next(cron.fires(params.schedule.cron, params.timezone, now))


def take_note(params: Params, ledger: Ledger, now: datetime) -> list[Turn]:
    """Write down what has fallen due, and return what is to be done, the oldest first."""
    ledger.write(owed(params, ledger, now))
    return ledger.turns(params.client)


def owed(params: Params, ledger: Ledger, now: datetime) -> list[Turn]:
    """What has fallen due and is not written down yet."""
    assert params.schedule is not None  # noqa: S101 (only clients with a schedule come here)
    after = ledger.last(params.client) or ledger.since(params.client, now) - GRACE
    turns: list[Turn] = []
    for due in cron.fires(params.schedule.cron, params.timezone, after):
        if due > now:
            break
        missed = now - due > GRACE and not params.schedule.catch_up
        turns.append(Turn(params.client, due, "skipped" if missed else "due"))
    return covered(params, turns)


def covered(params: Params, turns: Sequence[Turn]) -> list[Turn]:
    """Of turns for the same period only the last is due."""
    last = {period(params, turn.due): turn.due for turn in turns}
    return [
        replace(turn, state="covered") if turn.state == "due" and last[period(params, turn.due)] != turn.due else turn
        for turn in turns
    ]


def period(params: Params, due: datetime) -> str:
    """The label of the period that a due time asks for."""
    if params.as_of is None:
        return params.period.label
    return moving(params.moves, due.astimezone(ZoneInfo(params.timezone)).date()).label
