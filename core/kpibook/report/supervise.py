"""A child process that is watched: events read as they come, wall clock, and an end that leaves nothing behind."""

from __future__ import annotations

import json
import queue
import secrets
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from kpibook.report.kernel import MARK, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from pathlib import Path

Event = dict[str, Any]
GRACE = 10.0


@dataclass(frozen=True)
class Ended:
    """How a child ended: its exit code (minus the signal), or ``stopped`` by the clock or by the user."""

    code: int
    stopped: str | None = None


def watch(
    module: str,
    arguments: Sequence[str],
    folder: Path,
    run_dir: Path,
    work: Path,
    deadline: float,
    on_event: Callable[[Event], None],
    cancel: threading.Event,
    passed: Collection[str] = (),
) -> Ended:
    """Run ``python -m module`` in ``folder`` until it ends, ``deadline`` (monotonic seconds) or ``cancel``.

    ``passed`` are the variables of the client that it may see.
    """
    mark = secrets.token_hex(8)
    with (work / "log.txt").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            cwd=folder,
            env=environment(work, run_dir, mark, passed),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            encoding="utf-8",
            start_new_session=True,
        )
        events: queue.Queue[str | None] = queue.Queue()
        assert process.stdout is not None  # noqa: S101 (a pipe was asked for)
        threading.Thread(target=_read, args=(process.stdout, events), daemon=True).start()
        stopped: str | None = "user"
        try:
            stopped = _follow(events, deadline, on_event, cancel)
            if stopped is None:
                process.wait(GRACE)
        finally:
            _end(process, mark)
            process.stdout.close()
    return Ended(process.returncode, stopped)


def _read(pipe: IO[str], events: queue.Queue[str | None]) -> None:
    try:
        for line in pipe:
            events.put(line)
    except ValueError:  # the pipe was closed under us: the child has been ended
        pass
    finally:
        events.put(None)


def _follow(
    events: queue.Queue[str | None], deadline: float, on_event: Callable[[Event], None], cancel: threading.Event
) -> str | None:
    while True:
        if cancel.is_set():
            return "user"
        left = deadline - time.monotonic()
        if left <= 0:
            return "clock"
        try:
            line = events.get(timeout=min(left, 0.2))
        except queue.Empty:
            continue
        if line is None:
            return None
        on_event(json.loads(line))


def _end(process: subprocess.Popen[str], mark: str) -> None:
    """End the child, its kernel and whatever they started: kernels lead process groups of their own."""
    import psutil

    family = []
    if process.poll() is None:
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    process.wait()
    family += [p for p in psutil.process_iter(["environ"]) if (p.info["environ"] or {}).get(MARK) == mark]
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=GRACE)
