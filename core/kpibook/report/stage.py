"""The folders of a run: staged aside, then moved into place in one step.

<out>/.staging/<client>-<run id>/            while it runs
<out>/<client>/<period>/                     the finished report
<out>/<client>/history/<period>/<run id>/    the one it took the place of
<out>/<client>/failed/<UTC time>-<run id>/   the evidence of a run that did not end
"""

from __future__ import annotations

import shutil
import stat
from typing import TYPE_CHECKING

from .. import runs
from ..errors import Problem, RunError

if TYPE_CHECKING:
    from pathlib import Path

WORK = "work"
LOG = "log.txt"
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


def set_aside(folder: Path, out: Path, record: runs.RunRecord) -> Path:
    """Move what a run left to ``failed/``: notebook as far as it came, log, record."""
    log = folder / WORK / LOG
    if log.exists():
        log.rename(folder / LOG)
    shutil.rmtree(folder / WORK, ignore_errors=True)
    time = (record.finished or runs.now()).replace("-", "").replace(":", "")
    place = _free(out / record.client / "failed" / f"{time}-{record.run_id}")
    place.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(place)
    return place


def recover(out: Path) -> list[Path]:
    """Clear up after commands that were killed: finished reports into place, the rest to ``failed/``."""
    moved = []
    for folder in runs.mark_interrupted(out):
        record = runs.read(folder)
        if record.state in runs.FINISHED:
            moved.append(publish(folder, out, record)[0])
        else:
            moved.append(set_aside(folder, out, record))
    return moved


def tidy(folder: Path, expected: frozenset[str]) -> None:
    """Nothing but the report stays: hidden files go, anything else that is not ``expected`` is refused."""
    strange = []
    for entry in sorted(folder.iterdir()):
        if entry.name in expected or entry.name in (WORK, runs.NAME):
            continue
        if entry.name.startswith(LEFT):
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        else:
            strange.append(entry.name)
    if strange:
        what = f"it left {', '.join(strange)} in the report folder"
        raise RunError(Problem("notebook", what, "write other files to a folder of your own, by its full path"))


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
