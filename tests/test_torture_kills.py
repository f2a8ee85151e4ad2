"""The kills of ``make torture``: every one is told, none costs the others, and what one breaks is found."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from itertools import count
from typing import TYPE_CHECKING, cast

import psutil
import pytest
from torture import __main__ as command
from torture import ground, kills, moments
from torture.client import PERIOD, Client, Done, make
from torture.moments import Moment, Struck

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

NOTHING = "0 half-made folders, 0 false records, 0 lost earlier reports, 0 next runs that did not work"


class Runs:
    """In the place of ``kpibook run``: each leaves a whole report, and the one before it in history."""

    def __init__(self) -> None:
        self.numbers = count(1)
        self.code, self.instead = 0, self.publish

    def __call__(self, client: Client, *_: Client, timeout: float) -> Done:
        self.instead(client)
        return Done(self.code, "said")

    def publish(self, client: Client) -> None:
        if client.report.exists():
            history = client.home / "history" / PERIOD / ground.run_id(client.report)
            history.parent.mkdir(parents=True, exist_ok=True)
            client.report.rename(history)
        client.report.mkdir(parents=True)
        number = next(self.numbers)
        said = {"run_id": f"{number}", "state": "valid", "started": f"{number:04}", "files": {}}
        (client.report / "run.json").write_text(json.dumps(said), encoding="utf-8")


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> Runs:
    """No process is started; the moments of one lane are struck as ``strikes`` says."""
    made = Runs()
    monkeypatch.setattr(Client, "run", lambda client, *others, timeout: made(client, *others, timeout=timeout))
    monkeypatch.setattr(kills.time, "sleep", lambda _: None)
    monkeypatch.setattr(kills, "LANES", 1)
    return made


@pytest.fixture
def strikes(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``strikes(first, second, ...)``: what each kill does; the last goes on for ever."""

    def script(*acts: Callable[[Client], Struck]) -> None:
        waiting: Iterator[Callable[[Client], Struck]] = iter(acts)
        left = [acts[-1]]

        def strike(client: Client, _: Moment) -> Struck:
            left[0] = next(waiting, left[0])
            return left[0](client)

        monkeypatch.setattr(moments, "strike", strike)
        monkeypatch.setattr(moments, "drawn", lambda rng, length: Moment("command", 1.5))

    return script


def killed(_: Client) -> Struck:
    return Struck(-9, "page")


def breaks_off(_: Client) -> Struck:
    raise subprocess.TimeoutExpired("kpibook", 900)


def test_every_kill_is_told_with_what_was_found_so_far(
    tmp_path: Path, runs: Runs, strikes: Callable[..., None]
) -> None:
    strikes(killed)
    said: list[str] = []
    tally = kills.kill(tmp_path / "kills", 11, 1, said.append)
    who = ["shop"] * 9 + ["desk", "shop"]
    assert said == [
        f"{n} of 11: command 1.500 s after the start of {name}, page, exit -9; so far {NOTHING}"
        for n, name in enumerate(who, 1)
    ]
    assert (tally.kills, tally.steps, tally.clients) == ({"command": 11}, {"page": 11}, {"shop": 10, "desk": 1})
    assert (tally.found(), tally.late) == (0, 0)
    assert not (tmp_path / "kills").exists() or not [*(tmp_path / "kills").iterdir()]


def test_both_lanes_share_the_kills(
    tmp_path: Path, runs: Runs, strikes: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kills, "LANES", 2)
    strikes(killed)
    said: list[str] = []
    tally = kills.kill(tmp_path, 5, 1, said.append)
    assert tally.kills == {"command": 5}
    assert [line.partition(":")[0] for line in said] == [f"{n} of 5" for n in range(1, 6)]


def test_a_kill_that_breaks_off_is_told_and_costs_no_other(
    tmp_path: Path, runs: Runs, strikes: Callable[..., None]
) -> None:
    strikes(killed, breaks_off, killed)
    said: list[str] = []
    tally = kills.kill(tmp_path, 3, 1, said.append)
    assert (tally.kills, tally.found(), len(tally.broken)) == ({"command": 3}, 1, 1)
    assert said[1].startswith("FOUND, broken: kill 1 of this lane broke off\nTraceback (most recent call last):\n")
    assert said[1].endswith("subprocess.TimeoutExpired: Command 'kpibook' timed out after 900 seconds\n")
    assert said[-1].endswith(f"; so far {NOTHING}, 1 attempts that broke off")


def test_kills_that_always_break_off_end(
    tmp_path: Path,
    runs: Runs,
    strikes: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Five in a row end the lane; the kills that are missing make the exit code 1 too."""
    strikes(breaks_off)
    monkeypatch.setenv("KILLS", "7")
    assert command.main(["kills"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if "minutes" in line or "times of" in line] == [
        "kill -9: 0 times of 7, seed 1, 0.0 min"
    ]
    assert said[-2:] == [f"  {NOTHING}, 5 attempts that broke off", "torture: 12 found wanting"]


def test_a_moment_after_the_end_is_no_kill(tmp_path: Path, runs: Runs, strikes: Callable[..., None]) -> None:
    def over(client: Client) -> Struck:
        runs.publish(client)
        return Struck(0, None)

    strikes(over, killed)
    tally = kills.kill(tmp_path, 1, 1, lambda _: None)
    assert (tally.kills, tally.late, tally.found()) == ({"command": 1}, 1, 0)


def test_what_a_kill_left_half_made_is_found(tmp_path: Path, runs: Runs, strikes: Callable[..., None]) -> None:
    def half(client: Client) -> Struck:
        (client.home / "beside").mkdir()
        return killed(client)

    def mended(client: Client) -> None:
        if (client.home / "beside").exists():
            (client.home / "beside").rmdir()
        runs.publish(client)

    strikes(half)
    runs.instead = mended
    tally = kills.kill(tmp_path, 1, 1, lambda _: None)
    about = "command 1.500 s after the start of shop, page, exit -9"
    assert tally.half_made == [f"{about}: beside: stands beside the reports"]
    assert tally.found() == 1


def test_a_run_without_a_record_is_found(tmp_path: Path, runs: Runs, strikes: Callable[..., None]) -> None:
    def staged(client: Client) -> Struck:
        (client.out / ".staging" / "shop-aa11").mkdir(parents=True)
        return killed(client)

    def cleared(client: Client) -> None:
        if (client.out / ".staging" / "shop-aa11").exists():
            (client.out / ".staging" / "shop-aa11").rmdir()
        runs.publish(client)

    strikes(staged)
    runs.instead = cleared
    tally = kills.kill(tmp_path, 1, 1, lambda _: None)
    about = "command 1.500 s after the start of shop, page, exit -9"
    assert tally.false_records == [f"{about}: of run aa11 there is no record"]


def test_a_lost_or_changed_report_of_either_client_is_found(
    tmp_path: Path, runs: Runs, strikes: Callable[..., None]
) -> None:
    """Runs 1 and 2 are the first of shop and desk; the kill of shop takes both away from where they were."""

    def harm(client: Client) -> Struck:
        record = client.out / "desk" / PERIOD / "run.json"
        record.write_text(record.read_text(encoding="utf-8") + "\n", encoding="utf-8")
        (client.report / "run.json").unlink()
        client.report.rmdir()
        return killed(client)

    strikes(harm)
    tally = kills.kill(tmp_path, 1, 1, lambda _: None)
    about = "command 1.500 s after the start of shop, page, exit -9"
    assert tally.lost == [f"{about}: 1 is gone", f"{about}: 2 was changed"]


def test_a_next_run_that_does_not_work_is_found(tmp_path: Path, runs: Runs, strikes: Callable[..., None]) -> None:
    def fails(client: Client) -> Struck:
        runs.code = 4
        return killed(client)

    strikes(fails)
    tally = kills.kill(tmp_path, 1, 1, lambda _: None)
    assert tally.next_runs == ["command 1.500 s after the start of shop, page, exit -9: exit 4, []: said"]


def test_moments_are_spread_over_the_whole_run_and_its_last_acts() -> None:
    rng = random.Random(1)
    drawn = [moments.drawn(rng, 10.0) for _ in range(2000)]
    anywhere = [m.seconds for m in drawn if not m.until]
    assert {m.kind for m in drawn if not m.until} == {"command", "family", "parent", "worker", "kernel"}
    tenths = [sum(n <= seconds < n + 1 for seconds in anywhere) for n in range(10)]
    assert min(tenths) > 100
    assert 10 < max(anywhere) <= 10.3
    last = {(m.kind, m.until) for m in drawn if m.until}
    assert last == {(kind, until) for kind in ("command", "family") for until in ("sealed", "cleared")}
    assert 300 < sum(bool(m.until) for m in drawn) < 500
    assert all(m.seconds <= 0.004 for m in drawn if m.until)


#: Steps as kpibook tells them; a sealed folder, cleared of its work; nothing more until it is killed.
RUN = """
import json, pathlib, sys, time
stage = pathlib.Path(sys.argv[1])
(stage / "work").mkdir(parents=True)

def record(state):
    (stage / "part").write_text(json.dumps({"run_id": "b", "state": state, "pid": 0, "pid_started": 0}))
    (stage / "part").replace(stage / "run.json")

record("running")
for step in sys.argv[2].split(","):
    print(f"shop: {step}", flush=True)
    if step == "leak scan":
        time.sleep(0.2)
        record("valid")
        time.sleep(0.2)
        (stage / "work").rmdir()
time.sleep(float(sys.argv[3]))
"""


def start(client: Client, steps: str, seconds: float) -> subprocess.Popen[str]:
    stage = client.out / ".staging" / "shop-b"
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(stage), steps, str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@pytest.mark.parametrize(
    ("moment", "steps", "reached", "work"),
    [
        (Moment("command", 0.0, "sealed"), "notebook,leak scan", "sealed", True),
        (Moment("family", 0.0, "cleared"), "notebook,leak scan", "sealed", False),
        (Moment("command", 3.0), "notebook,page", "page", True),
    ],
    ids=["sealed", "cleared", "anywhere"],
)
def test_a_command_is_killed_at_its_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: Moment, steps: str, reached: str, work: bool
) -> None:
    client = make(tmp_path, "shop", tmp_path / "reports")
    monkeypatch.setattr(Client, "start", lambda client: start(client, steps, 600))
    assert moments.strike(client, moment) == Struck(-9, reached)
    assert (client.out / ".staging" / "shop-b" / "work").exists() is work


def test_a_command_that_is_over_was_not_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = make(tmp_path, "shop", tmp_path / "reports")
    monkeypatch.setattr(Client, "start", lambda client: start(client, "notebook", 0))
    assert moments.strike(client, Moment("kernel", 60.0)) == Struck(0, None)


def test_a_report_that_is_in_neither_place_was_killed_between_the_renames(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The former one is in history, the new one, whole, is staged."""
    client = make(tmp_path, "shop", tmp_path / "reports")
    client.report.mkdir(parents=True)
    (client.report / "run.json").write_text('{"run_id": "a"}', encoding="utf-8")

    def moved(_: Client) -> subprocess.Popen[str]:
        client.report.rename(client.home / "history")
        return start(client, "leak scan", 600)

    monkeypatch.setattr(Client, "start", moved)
    assert moments.strike(client, Moment("command", 0.0, "cleared")) == Struck(-9, "between the renames")


def test_a_process_is_told_by_its_place_below_the_command() -> None:
    """Forks show their warm parent's command line; the warm parent of a worker is nobody's victim."""

    class Process:
        def __init__(self, pid: int, above: Process | None = None) -> None:
            self.pid, self.above = pid, above

        def parents(self) -> list[Process]:
            return [self.above, *self.above.parents()] if self.above else []

    shell = Process(1)
    line = [Process(2, shell)]
    for pid in range(3, 8):
        line.append(Process(pid, line[-1]))
    told = [moments.role(cast("psutil.Process", p), cast("psutil.Process", line[0])) for p in line]
    assert told == ["command", "parent", "worker", "", "kernel", ""]


def test_a_process_that_a_kill_left_is_found(
    tmp_path: Path, runs: Runs, strikes: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    stray = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    left = ground.left
    monkeypatch.setattr(ground, "left", lambda family, patience=15.0: left(family, 0.1))
    strikes(lambda _: Struck(-9, "page", (psutil.Process(stray.pid),)))
    tally = kills.kill(tmp_path, 1, 1, lambda _: None)
    stray.kill()
    stray.wait()
    about = "command 1.500 s after the start of shop, page, exit -9"
    assert len(tally.next_runs) == tally.found() == 1
    assert tally.next_runs[0].startswith(f"{about}: {stray.pid} ")
    assert tally.next_runs[0].endswith("-c import time; time.sleep(600) still runs")


def test_a_fork_that_works_for_a_run_is_a_stray(tmp_path: Path) -> None:
    """It shows none of the run's variables; the folder that it works in tells it."""
    stage = tmp_path / "reports" / ".staging" / "shop-b"
    stage.mkdir(parents=True)
    code = "import time; time.sleep(600)"
    stray = subprocess.Popen([sys.executable, "-c", code, "kpibook.report.warm"], cwd=stage)
    try:
        found = ground.strays(tmp_path / "reports", patience=0)
        assert [line.partition(" ")[0] for line in found] == [str(stray.pid)]
        assert ground.strays(tmp_path / "others", patience=0) == []
        ground.end(tmp_path / "reports")
        assert stray.wait(30) == -9
    finally:
        stray.kill()
        stray.wait()
