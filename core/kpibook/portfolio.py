"""All clients below a reports folder: who is on course, what ages, what failed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from kpibook import past, results, runs
from kpibook.errors import RunError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

HEAD = ("client", "period", "state", "met", "missed", "open", "age in days", "failed since", "folder")
#: Its scorecard cannot be read.
SPOILT = "spoilt"


@dataclass(frozen=True)
class Line:
    """A client's latest report; ``age`` is days since its period ended, ``failed`` the runs that failed after it."""

    client: str
    period: str
    state: str
    met: int
    missed: int
    open: int
    age: int | None
    failed: int
    folder: str

    def cells(self) -> tuple[str, ...]:
        age = "" if self.age is None else str(self.age)
        counts = (str(self.met), str(self.missed), str(self.open))
        return (self.client, self.period, self.state, *counts, age, str(self.failed), self.folder)


def portfolio(out: Path, today: date | None = None) -> list[Line]:
    """One line a client: failed runs and reports that do not hold first, then by targets missed and age."""
    day = today or datetime.now(UTC).date()
    lines = [line for client in past.clients(out) if (line := _line(out, client, day)) is not None]
    return sorted(
        lines, key=lambda line: (-line.failed, line.state not in ("not valid", SPOILT), -line.missed, -(line.age or 0))
    )


def _line(out: Path, client: str, today: date) -> Line | None:
    latest, failed = latest_of(out, client), _failed(out / client)
    if latest is None:
        return Line(client, "", "no report", 0, 0, 0, None, len(failed), "") if failed else None
    try:
        card = results.kept(latest.folder)
    except RunError:  # one client's spoilt report hides no other's; kpibook validate tells what is wrong with it
        return Line(client, latest.record.period, SPOILT, 0, 0, 0, None, len(failed), str(latest.folder))
    current = card[card["period"] == "current"]
    states = Counter(current["target_state"].dropna())
    ends = current["period_end"].dropna()
    record = latest.record
    state = record.state.replace("_", " ") + (", draft" if record.draft else "")
    since = sum(each.started > record.started for each in failed)
    age = (today - max(ends)).days if len(ends) else None
    folder = str(latest.folder)
    return Line(client, record.period, state, states["met"], states["missed"], states["open"], age, since, folder)


def latest_of(out: Path, client: str) -> past.PastRun | None:
    """The report of the client whose period ends last."""
    found = [run for run in past.finished(out, client) if run.in_place]
    return max(found, key=lambda run: (run.record.period.partition("_")[2], run.record.started), default=None)


def _failed(home: Path) -> list[runs.RunRecord]:
    records = []
    for folder in sorted((home / past.FAILED).glob("*")):
        try:
            record = runs.read(folder)
        except RunError:  # evidence whose record was lost: what is left is for a person to look at
            continue
        records += [record] if record.state == "failed" else []
    return records


def summary(lines: Sequence[Line]) -> str:
    """How many clients, and how they stand."""
    drafts = sum("draft" in line.state for line in lines)
    wrong = sum(line.state.startswith(("not valid", SPOILT)) for line in lines)
    behind = sum(line.missed > 0 for line in lines)
    failing = sum(line.failed > 0 for line in lines)
    return f"{len(lines)} clients: {behind} miss a target, {failing} failed since, {wrong} not valid, {drafts} drafts"
