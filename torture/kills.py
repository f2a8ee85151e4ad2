"""kill -9 at a random moment of a run, again and again; the next run must find everything in order."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from torture import ground
from torture.client import GIVEN, Client, make

KINDS = ("command", "family", "worker", "kernel")
LANES = 2


@dataclass
class Tally:
    """What was done and what was found; the four lists must stay empty."""

    kills: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    late: int = 0
    half_made: list[str] = field(default_factory=list)
    false_records: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    next_runs: list[str] = field(default_factory=list)

    def found(self) -> int:
        return len(self.half_made) + len(self.false_records) + len(self.lost) + len(self.next_runs)


def kill(base: Path, kills: int, seed: int) -> Tally:
    """``kills`` commands killed, in two lanes with a reports folder each."""
    tallies = [Tally() for _ in range(LANES)]
    shares = [kills // LANES + (lane < kills % LANES) for lane in range(LANES)]
    with ThreadPoolExecutor(LANES) as pool:
        work = [pool.submit(_lane, base / f"lane{n}", shares[n], seed + n, tallies[n]) for n in range(LANES)]
        for each in work:
            each.result()
    whole = Tally()
    for tally in tallies:
        whole.kills += tally.kills
        whole.steps += tally.steps
        whole.late += tally.late
        for name in ("half_made", "false_records", "lost", "next_runs"):
            getattr(whole, name).extend(getattr(tally, name))
    return whole


def _lane(base: Path, kills: int, seed: int, tally: Tally) -> None:
    rng = random.Random(seed)  # noqa: S311 (moments to be repeated, no secret)
    client = make(base, "shop", base / "reports", GIVEN)
    kept: dict[str, str] = {}
    length = _clean(client, tally, kept)
    while tally.kills.total() < kills:
        kind, moment = rng.choice(KINDS), rng.uniform(0, 1.05 * length)
        code, step = _one(client, kind, moment)
        if step is None:
            tally.late += 1
        else:
            tally.kills[kind] += 1
            tally.steps[step] += 1
        time.sleep(rng.uniform(0, 0.8))
        about = f"{kind} after {moment:.2f} s in {step}, exit {code}"
        tally.half_made += [f"{about}: {each}" for each in ground.half_made(client)]
        if kind in ("worker", "kernel") or step is None:
            tally.false_records += [f"{about}: {each}" for each in _ended(client, code, kept)]
        tally.false_records += [f"{about}: {each}" for each in _unsettled(client)]
        for place in ground.finished(client):
            kept.setdefault(ground.record(place)["run_id"], ground.digest(place))
        begun = {stage.name.rpartition("-")[2] for stage in ground.stages(client)}
        length = 0.8 * length + 0.2 * _clean(client, tally, kept, about)
        tally.false_records += [f"{about}: {each}" for each in ground.false_records(client)]
        settled = {ground.record(p)["run_id"] for p in [*ground.finished(client), *(client.home / "failed").glob("*")]}
        tally.false_records += [f"{about}: of run {each} there is no record" for each in begun - settled]
    shutil.rmtree(base)


def _clean(client: Client, tally: Tally, kept: dict[str, str], about: str = "first") -> float:
    """A run that nobody disturbs: it works, and what stood before is there as it was. Its seconds."""
    began = time.monotonic()
    done = client.run()
    seconds = time.monotonic() - began
    if done.code != 0 or ground.stages(client) or ground.strays(client.out):
        tally.next_runs.append(f"{about}: exit {done.code}, {ground.stages(client)}: {done.said}")
    tally.half_made += [f"{about}, next run: {each}" for each in ground.half_made(client)]
    now = {ground.record(place)["run_id"]: ground.digest(place) for place in ground.finished(client)}
    tally.lost += [f"{about}: {run} is gone" for run in kept.keys() - now.keys()]
    tally.lost += [f"{about}: {run} was changed" for run in kept.keys() & now.keys() if kept[run] != now[run]]
    kept.update(now)
    return seconds


def _one(client: Client, kind: str, moment: float) -> tuple[int, str | None]:
    """Kill one; the exit code and the last step that was told, None when the run was over before."""
    command = client.start()
    time.sleep(moment)
    victims = _victims(command, kind)
    for victim in victims:
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            continue
    said, _ = command.communicate(timeout=300)
    steps = [line.partition(": ")[2] for line in said.splitlines() if line.startswith(f"{client.name}: ")]
    told = [step for step in steps if step in ("notebook", "results", "page", "validation", "leak scan")]
    return command.returncode, (told or ["start"])[-1] if victims else None


def _victims(command: subprocess.Popen[str], kind: str) -> list[psutil.Process]:
    """Wait for the victim to be there; nobody when the command is over."""
    while command.poll() is None:
        try:
            ours = psutil.Process(command.pid)
            below = ours.children(recursive=True)
            if kind == "command":
                return [ours]
            if kind == "family":
                return [ours, *below]
            wanted = "ipykernel" if kind == "kernel" else "kpibook.report"
            found = [p for p in below if wanted in " ".join(p.cmdline()[:3])]
        except psutil.NoSuchProcess:
            continue
        if found:
            return found[:1]
        time.sleep(0.005)
    return []


def _ended(client: Client, code: int, kept: dict[str, str]) -> list[str]:
    """A command that was left alive has settled its run itself, and its exit code says how."""
    records = [ground.record(p) for p in [*ground.finished(client), *(client.home / "failed").glob("*")]]
    last = max(records, key=lambda said: (said["started"], said["run_id"] not in kept))
    wanted = {"valid": 0, "failed": 4, "not_valid": 5}.get(last["state"])
    return [] if wanted == code and not ground.stages(client) else [f"the record says {last['state']}"]


def _unsettled(client: Client) -> list[str]:
    """What a killed command left says interrupted, or running by a process that is no more."""
    found = []
    for stage in ground.stages(client):
        try:
            said = ground.record(stage)
        except FileNotFoundError:  # killed in the moment before its record was there
            continue
        if said["state"] == "running" and ground.alive(said["pid"], said["pid_started"]):
            found.append(f"{stage.name} says running by a process that is there")
    return found
