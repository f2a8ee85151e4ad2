"""The finished runs of a client below a reports folder: those in their place and those kept as history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpibook import runs
from kpibook.errors import ParamsError, Problem, RunError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HISTORY, FAILED = "history", "failed"


@dataclass(frozen=True)
class PastRun:
    """One finished run: its folder and record; ``in_place`` when no later run of its period took its place."""

    folder: Path
    record: runs.RunRecord
    in_place: bool


def finished(out: Path, client: str) -> list[PastRun]:
    """The finished runs of a client by period, the oldest first. Raises ParamsError when there is no such client."""
    home = out / client
    if client not in clients(out):
        known, remedy = clients(out), "name another folder with --out"
        remedy = did_you_mean(client, known) if known else remedy
        raise ParamsError(Problem(str(out), f"there is no report of a client '{client}'", remedy))
    found = [PastRun(folder, record, folder.parent == home) for folder, record in _records(home)]
    return sorted(found, key=lambda run: (run.record.period, run.record.started, run.record.run_id))


def one(name: str, out: Path) -> PastRun:
    """The finished run that ``name`` means: a folder, ``client/period``, or the id of a run. Raises ParamsError."""
    from pathlib import Path

    for folder in (Path(name), out / name):
        if (folder / runs.NAME).is_file():
            record = runs.read(folder)
            if record.state not in runs.FINISHED:
                what = f"its run is {record.state}"
                raise ParamsError(Problem(name, what, "name a finished report"))
            return PastRun(folder, record, folder.parent.name == record.client)
    known = [run for client in clients(out) for run in finished(out, client)]
    meant = [run for run in known if run.record.run_id == name]
    if not meant:
        remedy = "name a report's folder, CLIENT/PERIOD, or the id of a run as kpibook history lists it"
        raise ParamsError(Problem(name, f"there is no such run below {out}", remedy))
    return meant[0]


def clients(out: Path) -> list[str]:
    """The clients that have a folder below a reports folder."""
    if not out.is_dir():
        return []
    return sorted(folder.name for folder in out.iterdir() if folder.is_dir() and not folder.name.startswith("."))


def _records(home: Path) -> Iterator[tuple[Path, runs.RunRecord]]:
    folders = [folder for folder in home.iterdir() if folder.name not in (HISTORY, FAILED)]
    folders += (home / HISTORY).glob("*/*")
    for folder in folders:
        try:
            record = runs.read(folder)
        except RunError:  # no report, or one whose record somebody spoilt: kpibook validate tells of that
            continue
        if record.state in runs.FINISHED:
            yield folder, record
