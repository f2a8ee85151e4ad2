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

KINDS = ("command", "family", "parent", "worker", "kernel")
#: Kinds that end the command itself.
WHOLE = ("command", "family")
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
    """A command's exit code, and the last step that was reached; None when the run was over before.

    ``family`` are the processes that were there at the moment.
    """

    code: int
    step: str | None
    family: tuple[psutil.Process, ...] = field(default=(), compare=False)


def drawn(rng: random.Random, length: float) -> Moment:
    """Any moment of a run that takes ``length`` seconds, and just after its end; one in ``AIMED`` at its last acts."""
    if rng.randrange(AIMED) == 0:
        return Moment(rng.choice(WHOLE), rng.uniform(0, 0.004), rng.choice(("sealed", "cleared")))
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
        found, family = victims(heard.command, moment.kind)
        steps = list(heard.steps)
        for victim in found:
            try:
                victim.kill()
            except psutil.NoSuchProcess:
                continue
        code = heard.end()
    finally:
        heard.command.kill()
    ended = moment.kind in WHOLE
    if not found or (ended and code != -signal.SIGKILL):
        return Struck(code, None, family)
    return Struck(code, (_last_act(client, before) if ended else "") or (steps or ["start"])[-1], family)


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


def victims(command: subprocess.Popen[str], kind: str) -> tuple[list[psutil.Process], tuple[psutil.Process, ...]]:
    """Wait for the victim to be there, and the whole family with it; nobody when the command is over."""
    while command.poll() is None:
        try:
            ours = psutil.Process(command.pid)
            below = ours.children(recursive=True)
            found = [ours, *below] if kind == "family" else [p for p in (ours, *below) if role(p, ours) == kind]
        except psutil.NoSuchProcess:
            continue
        if found:
            return found[: None if kind == "family" else 1], (ours, *below)
        time.sleep(0.005)
    return [], ()


def role(process: psutil.Process, command: psutil.Process) -> str:
    """What a process is to a command: all but the command and its warm parent are forks, told by their place.

    command ── parent ── worker ── (the worker's own warm parent) ── kernel
    """
    steps = [process.pid, *(above.pid for above in process.parents())]
    return ("command", "parent", "worker", "", "kernel", "")[min(steps.index(command.pid), 5)]


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
