"""The folders of a run: staged aside, then moved into place.

<out>/.staging/<client>-<run id>/            while it runs
<out>/<client>/<period>/                     the finished report
<out>/<client>/history/<period>/<run id>/    the one it took the place of
<out>/<client>/failed/<UTC time>-<run id>/   the evidence of a run that did not end

A first report comes into its place by one rename. Where there is one already two are needed: the
former to ``history/``, the new one into its place. A command that is killed between them leaves no
report in the place, the former one in ``history/`` and the new one, whole, in ``.staging``; the next
run of any client below ``out`` moves it into its place before it begins (``turn.only_run_of``).
"""

from __future__ import annotations

import errno
import shutil
import stat
from typing import TYPE_CHECKING

from kpibook import runs
from kpibook.errors import Problem, RunError
from kpibook.report import redact

if TYPE_CHECKING:
    from pathlib import Path

    from kpibook.report.leakscan import Secrets

WORK = "work"
LOG = "log.txt"
FULL = (errno.ENOSPC, errno.EDQUOT)
LEFT = (".", "__pycache__", "kpibook-")  # the last: where the engine spills


def create(out: Path, record: runs.RunRecord) -> Path:
    """A staging folder that only this user can read, with its record in it."""
    folder = out / runs.STAGING / f"{record.client}-{record.run_id}"
    folder.mkdir(parents=True, mode=0o700)
    for name in (WORK, "tables"):
        (folder / name).mkdir()
    record.write(folder)
    return folder


def publish(folder: Path, out: Path, record: runs.RunRecord) -> tuple[Path, Path | None]:
    """Move a finished folder into its place; returns the place and where the previous report went."""
    home = out / record.client
    place = home / record.period
    home.mkdir(exist_ok=True)
    shutil.rmtree(folder / WORK, ignore_errors=True)
    folder.chmod(stat.S_IMODE(home.stat().st_mode))
    previous = None
    if place.exists():
        previous = _free(home / "history" / record.period / _run_id(place))
        previous.parent.mkdir(parents=True, exist_ok=True)
        place.rename(previous)
    try:
        folder.rename(place)
    except OSError:
        if previous:
            previous.rename(place)
        raise
    return place, previous


def set_aside(folder: Path, out: Path, record: runs.RunRecord, secrets: Secrets) -> Path:
    """Move what a run left to ``failed/``: notebook as far as it came, log, record, all without secrets."""
    log = folder / WORK / LOG
    if log.exists():
        log.rename(folder / LOG)
    shutil.rmtree(folder / WORK, ignore_errors=True)
    _sweep(folder)
    try:
        redact.evidence(folder, record, secrets)
        record.write(folder)
    except OSError as error:
        if error.errno not in FULL:
            raise
        _make_room(folder)
        redact.evidence(folder, record, secrets)
        record.write(folder)
    time = (record.finished or runs.now()).replace("-", "").replace(":", "")
    place = _free(out / record.client / "failed" / f"{time}-{record.run_id}")
    place.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(place)
    return place


def tidy(folder: Path, expected: frozenset[str]) -> None:
    """Nothing but the report stays: hidden files go, anything else that is not ``expected`` is refused."""
    _sweep(folder)
    stay = expected | {WORK, runs.NAME}
    strange = sorted(entry.name for entry in folder.iterdir() if entry.name not in stay)
    if strange:
        what = f"it left {', '.join(strange)} in the report folder"
        raise RunError(Problem("notebook", what, "write other files to a folder of your own, by its full path"))


def _make_room(folder: Path) -> None:
    """On a full disk the record is worth more than the rest of the evidence."""
    for entry in folder.iterdir():
        if entry.name != runs.NAME:
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _sweep(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.name.startswith(LEFT):
            shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _run_id(place: Path) -> str:
    try:
        return runs.read(place).run_id
    except RunError:
        return "unknown"


def _free(path: Path) -> Path:
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
