"""When and whom: a moment anywhere in a run, or the ones in which a report is sealed and moved into its place."""

from __future__ import annotations

import queue
import random
import signal
import subprocess
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from torture import ground
from torture.client import Client

WARM = "kpibook.report.warm"
KINDS = ("command", "family", "worker", "kernel")
STEPS = ("notebook", "results", "page", "validation", "leak scan")
#: A run is some seconds, its last writes and renames are milliseconds: one kill in five waits for them.
AIMED = 5
PATIENCE = 900.0


@dataclass(frozen=True)
class Moment:
    """Kill ``kind`` so many ``seconds`` after the start, or after what ``until`` names: "sealed", "cleared"."""

    kind: str
    seconds: float
    until: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.seconds:.3f} s after {self.until or 'the start'}"


@dataclass(frozen=True)
class Struck:
    """A command's exit code, and the last step that was reached; None when the run was over before."""

    code: int
    step: str | None


def drawn(rng: random.Random, length: float) -> Moment:
    """Any moment of a run that takes ``length`` seconds, and just after its end; one in ``AIMED`` at its last acts."""
    if rng.randrange(AIMED) == 0:
        return Moment(rng.choice(("command", "family")), rng.uniform(0, 0.004), rng.choice(("sealed", "cleared")))
    return Moment(rng.choice(KINDS), rng.uniform(0, 1.03 * length))


def strike(client: Client, moment: Moment) -> Struck:
    """Start a run and kill one of its processes, or all."""
    before = ground.run_id(client.report)
    heard = _Heard(client.start(), client.name)
    try:
        if moment.until:
            heard.wait_for("leak scan")
            while heard.command.poll() is None and not _reached(client, moment.until):
                continue
            time.sleep(moment.seconds)
        else:
            heard.wait_for("the end", moment.seconds)
        found = victims(heard.command, moment.kind)
        steps = list(heard.steps)
        for victim in found:
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                continue
        code = heard.end()
    finally:
        heard.command.kill()
    ended = moment.kind in ("command", "family")
    if not found or (ended and code != -signal.SIGKILL):
        return Struck(code, None)
    return Struck(code, (_last_act(client, before) if ended else "") or (steps or ["start"])[-1])


def _reached(client: Client, until: str) -> bool:
    for stage in ground.stages(client):
        try:
            if ground.record(stage)["state"] in ground.FINISHED:
                return until == "sealed" or not (stage / "work").exists()
        except (OSError, ValueError):  # it is just being moved
            return True
    return False


def _last_act(client: Client, before: str) -> str:
    """What a command had done when it was killed, if its report was whole by then."""
    if any(_sealed(stage) for stage in ground.stages(client)):
        return "sealed" if client.report.exists() or not before else "between the renames"
    return "in its place" if ground.run_id(client.report) not in ("", before) else ""


def _sealed(stage: Path) -> bool:
    try:
        return ground.record(stage)["state"] in ground.FINISHED
    except FileNotFoundError:
        return False


def victims(command: subprocess.Popen[str], kind: str) -> list[psutil.Process]:
    """Wait for the victim to be there; nobody when the command is over."""
    while command.poll() is None:
        try:
            ours = psutil.Process(command.pid)
            below = ours.children(recursive=True)
            if kind == "command":
                return [ours]
            if kind == "family":
                return [ours, *below]
            found = [p for p in below if _is(p, kind, command.pid)]
        except psutil.NoSuchProcess:
            continue
        if found:
            return found[:1]
        time.sleep(0.005)
    return []


def _is(process: psutil.Process, kind: str, command: int) -> bool:
    """Whether it is the worker or the kernel: by its words, or forked, by its place.

    A command's child is the warm parent, whose child the worker, whose child the warm parent of its kernels.
    """
    words = " ".join(process.cmdline()[:4])
    if WARM not in words:
        return ("ipykernel" if kind == "kernel" else "kpibook.report") in words
    above = [p.pid for p in process.parents()]
    return command in above and above.index(command) == (3 if kind == "kernel" else 1)


@dataclass
class _Heard:
    """A command, and the steps that it tells as it tells them."""

    command: subprocess.Popen[str]
    client: str
    steps: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._told: queue.Queue[str | None] = queue.Queue()
        self._ear = threading.Thread(target=self._listen, daemon=True)
        self._ear.start()

    def wait_for(self, step: str, seconds: float = PATIENCE) -> None:
        """Until ``step`` is told, the command is over, or ``seconds`` have passed."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                told = self._told.get(timeout=left)
            except queue.Empty:
                return
            if told in (step, None):
                return

    def end(self) -> int:
        """Its exit code."""
        code = self.command.wait(PATIENCE)
        self._ear.join(PATIENCE)
        return code

    def _listen(self) -> None:
        assert self.command.stdout is not None
        with self.command.stdout as lines:
            for line in lines:
                step = line.strip().partition(f"{self.client}: ")[2]
                if step in STEPS:
                    self.steps.append(step)
                    self._told.put(step)
        self._told.put(None)
