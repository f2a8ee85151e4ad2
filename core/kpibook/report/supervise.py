"""A child process that is watched: events read as they come, wall clock, and an end that leaves nothing behind."""

from __future__ import annotations

import json
import os
import queue
import secrets
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from kpibook.report.hearth import WARM
from kpibook.report.kernel import MARK, RUN_DIR, environment
from kpibook.report.launch import launch

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from kpibook.report.forked import Forked

Event = dict[str, Any]
GRACE = 10.0
LAST_ACTS = 60.0  # of a child that has told everything: on a busy machine it may take long to end
MOST_LOG = 5_000_000


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
    more: Mapping[str, str] | None = None,
) -> Ended:
    """Run ``python -m module`` in ``folder`` until it ends, ``deadline`` (monotonic seconds) or ``cancel``.

    ``passed`` are the variables of the client that it may see, beside those in ``more``.
    """
    mark = secrets.token_hex(8)
    with (work / "log.txt").open("ab", buffering=0) as log:
        process, told, said = launch(module, arguments, folder, work, environment(work, run_dir, mark, passed, more))
        events: queue.Queue[bytes | None] = queue.Queue()
        threading.Thread(target=_read, args=(told, events), daemon=True).start()
        logging = threading.Thread(target=_keep, args=(said, log), daemon=True)
        logging.start()
        stopped: str | None = "user"
        try:
            stopped = _follow(events, deadline, on_event, cancel)
            if stopped is None:
                with suppress(subprocess.TimeoutExpired):
                    process.wait(LAST_ACTS)
        finally:
            _end(process, mark)
            logging.join(GRACE)
            told.close()
    return Ended(int(process.wait()), stopped)


def _keep(pipe: IO[bytes], log: IO[bytes]) -> None:
    """Write to the log, up to its limit and as long as there is room; read on in any case, or the child would wait."""
    left = MOST_LOG
    with pipe:
        while chunk := os.read(pipe.fileno(), 65536):
            cut = b"\n[...]\n" if 0 < left < len(chunk) else b""
            try:
                log.write(chunk[: max(left, 0)] + cut)
            except (OSError, ValueError):  # a full disk is told by whom it stops; a closed log is of a run that is over
                left = 0
            left -= len(chunk)


def _read(pipe: IO[bytes], events: queue.Queue[bytes | None]) -> None:
    try:
        for line in pipe:
            if line.endswith(b"\n"):  # else the child was killed in the middle of a word
                events.put(line)
    except ValueError:  # the pipe was closed under us: the child has been ended
        pass
    finally:
        events.put(None)


def _follow(
    events: queue.Queue[bytes | None], deadline: float, on_event: Callable[[Event], None], cancel: threading.Event
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


def _end(process: subprocess.Popen[bytes] | Forked, mark: str) -> None:
    """End the child, its kernel and whatever they started: kernels lead process groups of their own."""
    import psutil

    family = []
    if process.poll() is None:
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
    process.wait()
    family += [p for p in psutil.process_iter(["environ"]) if (p.info["environ"] or {}).get(MARK) == mark]
    _kill(family)


def end_strays(folder: Path) -> None:
    """End the processes of a dead run that still work in ``folder``."""
    import psutil

    everybody = psutil.process_iter(["environ", "cmdline", "cwd"])
    _kill([p for p in everybody if folder in Path(_place(p.info), "x").parents])


def _place(info: Event) -> str:
    """The folder that a process of a run works for; what was forked shows the environment of its warm parent."""
    forked = WARM in (info["cmdline"] or ())
    return str((info["cwd"] if forked else (info["environ"] or {}).get(RUN_DIR)) or "/")


def _kill(family: list[Any]) -> None:
    import psutil

    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=GRACE)
