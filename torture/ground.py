"""What stands in a reports folder afterwards, and whether it may: whole reports, true records, nothing lost."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil

from torture.client import PERIOD, Client

WARM = "kpibook.report.warm"
STAGING = ".staging"
FINISHED = ("valid", "not_valid")


def record(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def run_id(folder: Path) -> str:
    """The run that made the report in ``folder``; empty when there is none."""
    return str(record(folder)["run_id"]) if (folder / "run.json").is_file() else ""


def finished(client: Client) -> list[Path]:
    """Folders that are reports to whoever looks: the one in its place and those of history."""
    places = [client.report, *sorted((client.home / "history" / PERIOD).glob("*"))]
    return [place for place in places if place.exists()]


def half_made(client: Client) -> list[str]:
    """Whatever can be seen under a client and is no whole report, nor evidence with its record."""
    beside = {p.name for p in client.home.glob("*")} - {PERIOD, "history", "failed"}
    found = [f"{name}: stands beside the reports" for name in beside]
    found += [f"{place.relative_to(client.home)}: {why}" for place in finished(client) if (why := _incomplete(place))]
    evidence = (client.home / "failed").glob("*")
    return found + [f"failed/{p.name}: has no record" for p in evidence if not (p / "run.json").is_file()]


def _incomplete(place: Path) -> str:
    try:
        said = record(place)
    except (OSError, ValueError) as error:
        return f"its record cannot be read ({error})"
    if said["state"] not in FINISHED:
        return f"its record says {said['state']}"
    there = {p.relative_to(place).as_posix() for p in place.rglob("*") if p.is_file()} - {"run.json"}
    if there != set(said["files"]):
        return f"its files are not those recorded: {sorted(there ^ set(said['files']))}"
    changed = [name for name in there if _sha(place / name) != said["files"][name]["sha256"]]
    return f"changed after the run: {changed}" if changed else ""


def false_records(client: Client) -> list[str]:
    """Records that say what is not so; run this when no run of the client is alive."""
    found = []
    for place in (client.home / "failed").glob("*"):
        said = record(place)
        if said["state"] not in ("failed", "interrupted") or not said["failure"] or not said["finished"]:
            found.append(f"{place.name}: says {said['state']}")
        elif said["finished"] < said["started"]:
            found.append(f"{place.name}: finished before it started")
    for stage in stages(client):
        try:
            said = record(stage)
        except FileNotFoundError:  # killed before the record was written, or its family is just moving it
            continue
        if said["state"] == "running" and alive(said["pid"], said["pid_started"]):
            found.append(f"{stage.name}: says running by a process that is there")
    return found


def alive(pid: int, started: float) -> bool:
    try:
        return abs(psutil.Process(pid).create_time() - started) < 1
    except psutil.NoSuchProcess:
        return False


def stages(client: Client) -> list[Path]:
    root = client.out / STAGING
    return [p for p in root.iterdir() if p.is_dir() and p.name.startswith(client.name)] if root.exists() else []


def digest(place: Path) -> str:
    """All names and bytes of a folder."""
    parts = [f"{p.relative_to(place)} {_sha(p)}" for p in sorted(place.rglob("*")) if p.is_file()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def said_of_figures(place: Path) -> dict[str, str]:
    """A report by file, without what differs from run to run: times, and names that nbformat makes up."""
    book = json.loads((place / "report.ipynb").read_text(encoding="utf-8"))
    book["metadata"].pop("papermill")
    for cell in book["cells"]:
        cell.pop("id", None)
        for key in ("papermill", "execution"):
            cell["metadata"].pop(key, None)
    files = {p.relative_to(place).as_posix(): _sha(p) for p in place.rglob("*") if p.is_file()}
    return {**files, "run.json": "", "report.ipynb": json.dumps(book, sort_keys=True)}


def strays(folder: Path, patience: float = 15) -> list[str]:
    """Processes that still work for runs below ``folder`` after ``patience`` seconds."""
    return left(_working(folder), patience)


def left(family: Iterable[psutil.Process], patience: float = 15) -> list[str]:
    """Those of some processes that are still there after ``patience`` seconds."""
    until = time.monotonic() + patience
    while (there := [p for p in family if _runs(p)]) and time.monotonic() < until:
        time.sleep(0.2)
    return [_told(p) for p in there]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _told(process: psutil.Process) -> str:
    try:
        return f"{process.pid} {' '.join(process.cmdline())[:80]}"
    except psutil.NoSuchProcess:
        return f"{process.pid}, gone by now"


def end(folder: Path) -> None:
    """End every process that works for a run below ``folder``."""
    for process in _working(folder):
        try:
            process.kill()
        except psutil.NoSuchProcess:
            continue


def _working(folder: Path) -> list[psutil.Process]:
    """By the variable of a run; a fork shows its warm parent's variables and works in a folder of the run."""
    found = []
    for process in psutil.process_iter(["environ", "cmdline", "cwd"]):
        said = process.info
        place = said["cwd"] if WARM in (said["cmdline"] or ()) else (said["environ"] or {}).get("KPIBOOK_RUN_DIR")
        if folder in Path(place or "/", "x").parents and _runs(process):
            found.append(process)
    return found


def _sha(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
