"""Which due time of which client was done: the memory of the scheduler, in one SQLite file beside the reports.

A due time is written before anything is done about it, and each step before and after it is taken:

due ──> started ─┬─> done       the report was made
                 ├─> refused    by params or data: trying again would change nothing
                 ├─> waiting    failed, and to be tried again at ``again``
                 └─> failed     for good, or made and not valid
covered          a later due time asks for the same period
skipped          missed, and ``catch_up: false``

``started`` is also what a command leaves that was killed.
"""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from kpibook.errors import Problem, RunError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

FOLDER = ".schedule"
OPEN = ("due", "started", "waiting")
_TABLES = """
create table if not exists clients (client text primary key, since text not null);
create table if not exists turns (
    client text not null, due text not null, state text not null, starts integer not null default 0,
    again text, code integer, message text not null default '', primary key (client, due)
);
"""


@dataclass(frozen=True)
class Turn:
    """One due time of a client, UTC; ``starts`` counts how often it was begun, ``again`` is when it may be next."""

    client: str
    due: datetime
    state: str
    starts: int = 0
    again: datetime | None = None
    code: int | None = None
    message: str = ""


class Ledger:
    """The turns below a reports folder. Every call is a transaction that is on the disk when it returns."""

    def __init__(self, out: Path) -> None:
        path = out / FOLDER / "turns.sqlite"
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
            self._db.execute("pragma synchronous = extra")
            self._db.executescript(_TABLES)
        except (OSError, sqlite3.Error) as error:
            what, remedy = f"cannot be used by the scheduler ({error})", "name a reports folder that can be written to"
            raise RunError(Problem(str(path), what, remedy)) from None

    def close(self) -> None:
        self._db.close()

    def since(self, client: str, now: datetime) -> datetime:
        """When the scheduler saw the client first: now, the first time."""
        asked = "select since from clients where client = ?"
        if not self._do(asked, client):
            self._do("insert or ignore into clients values (?, ?)", client, _text(now))
        return _moment(self._do(asked, client)[0][0])

    def last(self, client: str) -> datetime | None:
        """The latest due time that was written down."""
        found = self._do("select max(due) from turns where client = ?", client)[0][0]
        return _moment(found) if found else None

    def turns(self, client: str, states: Iterable[str] = OPEN) -> list[Turn]:
        """The turns of a client in these states, the oldest first."""
        wanted = tuple(states)
        marks = ", ".join("?" * len(wanted))
        asked = f"select * from turns where client = ? and state in ({marks}) order by due"
        return [
            Turn(row[0], _moment(row[1]), row[2], row[3], _moment(row[4]) if row[4] else None, row[5], row[6])
            for row in self._do(asked, client, *wanted)
        ]

    def write(self, turns: Iterable[Turn]) -> None:
        """New turns, all or none."""
        rows = [(turn.client, _text(turn.due), turn.state) for turn in turns]
        if not rows:
            return
        with self._lock, self._db:
            self._db.execute("begin immediate")
            self._db.executemany("insert or ignore into turns (client, due, state) values (?, ?, ?)", rows)

    def start(self, turn: Turn) -> None:
        """Before a run."""
        change = "update turns set state = 'started', starts = starts + 1 where client = ? and due = ?"
        self._do(change, turn.client, _text(turn.due))

    def undo(self, turn: Turn) -> None:
        """After a run that was stopped on purpose: as if it had not begun."""
        change = "update turns set state = ?, starts = ? where client = ? and due = ?"
        self._do(change, turn.state, turn.starts, turn.client, _text(turn.due))

    def end(
        self, turn: Turn, state: str, code: int | None = None, message: str = "", again: datetime | None = None
    ) -> None:
        """After a run."""
        change = "update turns set state = ?, code = ?, message = ?, again = ? where client = ? and due = ?"
        self._do(change, state, code, message, _text(again) if again else None, turn.client, _text(turn.due))

    def _do(self, statement: str, *values: object) -> list[tuple]:
        with self._lock:
            return self._db.execute(statement, values).fetchall()


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
