"""The record of a run: what happened, written by the supervisor and never by the notebook.

``run.json`` stands in the staging folder from the first moment. Its states:

running ─┬─> valid         the report was made and reproduces
         ├─> not_valid     the report was made and does not hold
         ├─> failed        no report; ``failure`` says which step and why
         └─> interrupted   the command was stopped or killed
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import sys
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Any

from .errors import Problem, RunError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NAME = "run.json"
STAGING = ".staging"
FINISHED = ("valid", "not_valid")


@dataclass
class RunRecord:
    """One run. Times are UTC in ISO 8601, ``steps`` seconds, ``files`` relative paths with sha256 and bytes."""

    run_id: str
    client: str
    period: str
    title: str = ""
    language: str = "en"
    state: str = "running"
    started: str = ""
    finished: str | None = None
    host: str = ""
    pid: int = 0
    pid_started: float = 0.0
    params: str = ""
    params_sha256: str = ""
    notebook: str = ""
    notebook_sha256: str = ""
    versions: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    definitions: dict[str, Any] = field(default_factory=dict)
    broken_packs: list[str] = field(default_factory=list)
    steps: dict[str, float] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    validation: dict[str, Any] | None = None
    leak_scan: dict[str, Any] | None = None
    failure: dict[str, str] | None = None

    def write(self, folder: Path) -> None:
        """Put ``run.json`` into ``folder``, whole or not at all."""
        path = folder / NAME
        part = folder / f".{NAME}.{secrets.token_hex(4)}"
        with part.open("w", encoding="utf-8") as handle:
            handle.write(self.text())
            handle.flush()
            os.fsync(handle.fileno())
        part.replace(path)

    def text(self) -> str:
        """The record as the JSON that is written."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n"

    def end(self, state: str, step: str = "", message: str = "") -> None:
        """Leave the state ``running``; a step and a message say what went wrong."""
        self.state = state
        self.finished = now()
        if step:
            self.failure = {"step": step, "message": message}


def now() -> str:
    """This moment, UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def begin(client: str, period: str) -> RunRecord:
    """A new record of a run by this process."""
    import psutil

    return RunRecord(
        run_id=secrets.token_hex(4),
        client=client,
        period=period,
        started=now(),
        host=platform.node(),
        pid=os.getpid(),
        pid_started=psutil.Process().create_time(),
    )


def read(folder: Path) -> RunRecord:
    """The record in ``folder``; RunError when there is none or it is not one."""
    path = folder / NAME
    remedy = "name the folder of a report, which holds a run.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(Problem(str(path), "there is no such file", remedy)) from None
    except ValueError as error:
        raise RunError(Problem(str(path), f"is not JSON ({error})", remedy)) from None
    known = {f.name for f in fields(RunRecord)}
    if not isinstance(raw, dict) or not {"run_id", "client", "period"} <= raw.keys():
        raise RunError(Problem(str(path), "is not the record of a run", remedy))
    return RunRecord(**{key: value for key, value in raw.items() if key in known})


def alive(record: RunRecord) -> bool:
    """Whether the process that wrote the record still runs; one on another host is taken to."""
    import psutil

    if record.host != platform.node():
        return True
    try:
        return abs(psutil.Process(record.pid).create_time() - record.pid_started) < 2
    except psutil.Error:
        return False


def stages(out: Path) -> Iterator[tuple[Path, RunRecord]]:
    """Every staging folder below ``out`` that has a readable record."""
    root = out / STAGING
    for folder in sorted(root.iterdir()) if root.is_dir() else ():
        if (folder / NAME).is_file():
            yield folder, read(folder)


def mark_interrupted(out: Path) -> list[Path]:
    """Staging folders whose process is gone; those that still said ``running`` now say ``interrupted``."""
    left = []
    for folder, record in stages(out):
        if alive(record):
            continue
        if record.state == "running":
            record.end("interrupted", "run", "the command was stopped before the run had ended")
            record.write(folder)
        left.append(folder)
    return left


@contextmanager
def only_run_of(client: str, out: Path) -> Iterator[None]:
    """Hold the client's lock; RunError when another run of the client is alive."""
    root = out / STAGING
    root.mkdir(parents=True, exist_ok=True)
    with (root / f"{client}.lock").open("a") as handle:
        free = _lock(handle)
        for _, record in stages(out):
            if record.client == client and alive(record):
                what = f"a run is under way since {record.started}, process {record.pid} on {record.host}"
                raise RunError(Problem(client, what, "wait for its end, or stop that process"))
        if not free:
            raise RunError(Problem(client, "a run has just been started", "wait for its end, and try again"))
        yield


def _lock(handle: IO[str]) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
