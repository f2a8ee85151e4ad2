"""kill -9 at moments of a run, again and again; the next run must find everything in order."""

from __future__ import annotations

import random
import shutil
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from torture import ground, moments
from torture.client import BOOK, GIVEN, Client, make

LANES = 2
#: Two clients in one reports folder. One kill in ten hits the second, which computes its figures.
CELLS = {"shop": GIVEN, "desk": BOOK}
COMPUTED = 10
#: A lane ends after so many kills in a row that came to nothing.
MOST_BROKEN = 5


@dataclass
class Tally:
    """What was done and what was found; the five lists must stay empty."""

    kills: Counter[str] = field(default_factory=Counter)
    steps: Counter[str] = field(default_factory=Counter)
    clients: Counter[str] = field(default_factory=Counter)
    late: int = 0
    half_made: list[str] = field(default_factory=list)
    false_records: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    next_runs: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def found(self) -> int:
        return sum(map(len, (self.half_made, self.false_records, self.lost, self.next_runs, self.broken)))

    def counts(self) -> str:
        """What was found so far, in one line."""
        wrong = f"{len(self.half_made)} half-made folders, {len(self.false_records)} false records"
        later = f"{len(self.lost)} lost earlier reports, {len(self.next_runs)} next runs that did not work"
        return f"{wrong}, {later}" + (f", {len(self.broken)} attempts that broke off" if self.broken else "")


def kill(base: Path, kills: int, seed: int, say: Callable[[str], None]) -> Tally:
    """``kills`` commands killed, in two lanes with a reports folder each; ``say`` gets a line a kill and a finding."""
    tally, turns = Tally(), threading.Lock()
    shares = [kills // LANES + (lane < kills % LANES) for lane in range(LANES)]
    with ThreadPoolExecutor(LANES) as pool:
        lanes = [Lane(base / f"lane{n}", random.Random(seed + n), tally, turns, say, kills) for n in range(LANES)]  # noqa: S311 (moments to be repeated, no secret)
        for work in [pool.submit(lane.kill, share) for lane, share in zip(lanes, shares, strict=True)]:
            work.result()
    return tally


@dataclass
class Lane:
    """One reports folder with two clients, of which one is struck at a time."""

    base: Path
    rng: random.Random
    tally: Tally
    turns: threading.Lock
    say: Callable[[str], None]
    of: int
    clients: list[Client] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def kill(self, share: int) -> None:
        """So many kills. One that breaks off is told, and the lane begins anew in an empty folder."""
        done = broken = rounds = 0
        while done < share and broken < MOST_BROKEN:
            try:
                if not self.clients:
                    self._begin(rounds)
                done += self._round(rounds)
                broken = 0
            except Exception:  # noqa: BLE001  one kill that cannot be judged must not cost the others
                broken += 1
                self._found("broken", [f"kill {rounds} of this lane broke off\n{traceback.format_exc()}"])
                ground.end(self.base)
                self.clients = []
            rounds += 1
        shutil.rmtree(self.base, ignore_errors=True)

    def _begin(self, number: int) -> None:
        place = self.base / str(number)
        self.kept, self.seconds = {}, {}
        self.clients = [make(place, name, place / "reports", cells) for name, cells in CELLS.items()]
        for client in self.clients:
            self.seconds[client.name] = self._clean(client, f"the first run of {client.name}")

    def _round(self, number: int) -> bool:
        """One kill, what it left, and the next run; False when the run was over before."""
        client = self.clients[number % COMPUTED == COMPUTED - 1]
        moment = moments.drawn(self.rng, self.seconds[client.name])
        struck = moments.strike(client, moment)
        time.sleep(self.rng.uniform(0, 0.8))
        about = f"{moment} of {client.name}, {struck.step or 'after its end'}, exit {struck.code}"
        self._found("half_made", ground.half_made(client), about)
        if moment.kind not in moments.WHOLE or struck.step is None:
            self._found("false_records", _ended(client, struck.code, self.kept), about)
        self._found("false_records", _unsettled(client), about)
        for place in ground.finished(client):
            self.kept.setdefault(ground.record(place)["run_id"], ground.digest(place))
        begun = {stage.name.rpartition("-")[2] for stage in ground.stages(client)}
        self.seconds[client.name] = 0.8 * self.seconds[client.name] + 0.2 * self._clean(client, about)
        self._found("false_records", ground.false_records(client), about)
        self._found("next_runs", [f"{each} still runs" for each in ground.left(struck.family)], about)
        evidence = [*ground.finished(client), *(client.home / "failed").glob("*")]
        gone = begun - {ground.record(place)["run_id"] for place in evidence}
        self._found("false_records", [f"of run {each} there is no record" for each in gone], about)
        self._count(client, moment.kind, struck.step, about)
        return struck.step is not None

    def _clean(self, client: Client, about: str) -> float:
        """A run that nobody disturbs: it works, and every report that stood before, of any client, is as it was.

        Its seconds.
        """
        began = time.monotonic()
        done = client.run(timeout=moments.PATIENCE)
        seconds = time.monotonic() - began
        if done.code != 0 or ground.stages(client) or ground.strays(client.out):
            self._found("next_runs", [f"exit {done.code}, {ground.stages(client)}: {done.said}"], about)
        self._found("half_made", ground.half_made(client), f"{about}, next run")
        places = [place for each in self.clients for place in ground.finished(each)]
        now = {ground.record(place)["run_id"]: ground.digest(place) for place in places}
        self._found("lost", [f"{run} is gone" for run in self.kept.keys() - now.keys()], about)
        changed = [run for run in self.kept.keys() & now.keys() if self.kept[run] != now[run]]
        self._found("lost", [f"{run} was changed" for run in changed], about)
        self.kept.update(now)
        return seconds

    def _found(self, what: str, each: list[str], about: str = "") -> None:
        with self.turns:
            for one in each:
                words = f"{about}: {one}" if about else one
                getattr(self.tally, what).append(words)
                self.say(f"FOUND, {what.replace('_', ' ')}: {words}")

    def _count(self, client: Client, kind: str, step: str | None, about: str) -> None:
        with self.turns:
            if step is None:
                self.tally.late += 1
                return
            self.tally.kills[kind] += 1
            self.tally.steps[step] += 1
            self.tally.clients[client.name] += 1
            self.say(f"{self.tally.kills.total()} of {self.of}: {about}; so far {self.tally.counts()}")


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
