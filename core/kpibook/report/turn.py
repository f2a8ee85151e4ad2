"""Whose turn it is: one run of a client at a time, and what dead runs left is put in order first.

<out>/.staging/<client>.lock    held while a run of the client is alive, wherever its process is
<out>/.staging/.lock            held for the moment of starting, so that nobody clears up twice

A run is alive as long as its lock is held; process number and host in its record are for the reader.
"""

from __future__ import annotations

import os
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kpibook import runs
from kpibook.errors import Problem, RunError
from kpibook.report import leakscan, stage
from kpibook.report.locks import held
from kpibook.report.supervise import end_strays

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE = 60.0
UNREADABLE = "run.json.unreadable"


@contextmanager
def only_run_of(client: str, out: Path) -> Iterator[None]:
    """Hold the client's lock, after clearing up; RunError when another run of the client is alive."""
    with ExitStack() as ours:
        with _starting(out):
            if not ours.enter_context(held(_lock(client, out))):
                raise _under_way(client, out)
            _clear_up(out, client)
        yield


@contextmanager
def _starting(out: Path) -> Iterator[None]:
    root = out / runs.STAGING
    root.mkdir(parents=True, exist_ok=True)
    with held(root / ".lock", PATIENCE) as ours:
        if not ours:
            what = f"another command has been clearing up for {PATIENCE:g} s"
            raise RunError(Problem(str(out), what, "wait for its end, or stop it, and try again"))
        yield


def _clear_up(out: Path, own: str) -> None:
    """After commands that were killed: finished reports into place, the rest to ``failed/``."""
    for folder in _stages(out):
        client = _client(folder)
        # Of another user's runs and of those that are alive nothing is touched.
        if client != own and not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
            continue
        with ExitStack() as theirs:
            if client == own or theirs.enter_context(held(_lock(client, out))):
                try:
                    _put_away(folder, out)
                except OSError:
                    # Of another client it is left: that client's own run tells what is in the way.
                    if client == own and folder.exists():
                        raise


def _put_away(folder: Path, out: Path) -> None:
    end_strays(folder)
    try:
        record = runs.read(folder)
    except RunError as error:
        record = _substitute(folder, error)
    if record.state in runs.FINISHED:
        stage.publish(folder, out, record)
        return
    if record.state == "running":
        record.end("interrupted", "run", "the command was stopped before the run had ended")
    params = Path(record.params)
    secrets = leakscan.referenced(params.read_text(encoding="utf-8", errors="replace") if params.is_file() else "")
    stage.set_aside(folder, out, record, secrets)


def _substitute(folder: Path, error: RunError) -> runs.RunRecord:
    """A record in the place of one that cannot be read, which is kept beside it."""
    if (folder / runs.NAME).exists():
        (folder / runs.NAME).rename(folder / UNREADABLE)
    record = runs.RunRecord(folder.name.rpartition("-")[2], _client(folder), period="")
    record.end("interrupted", "run", f"the record of the run was lost: {error.problems[0].what}")
    return record


def _under_way(client: str, out: Path) -> RunError:
    what, remedy = "a run has just been started", "wait for its end, and try again"
    known = [record for record in map(_readable, _stages(out)) if record and record.client == client]
    if known:
        record = max(known, key=lambda record: record.started)
        what = f"a run is under way since {record.started}, process {record.pid} on {record.host}"
        remedy = "wait for its end, or stop that process"
    return RunError(Problem(client, what, remedy))


def _readable(folder: Path) -> runs.RunRecord | None:
    try:
        return runs.read(folder)
    except RunError:
        return None


def _stages(out: Path) -> list[Path]:
    root = out / runs.STAGING
    return sorted(entry for entry in root.iterdir() if entry.is_dir())


def _client(folder: Path) -> str:
    return folder.name.rpartition("-")[0] or folder.name


def _lock(client: str, out: Path) -> Path:
    return out / runs.STAGING / f"{client}.lock"
