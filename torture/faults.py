"""Faults of machine, clock and user. Each function makes one, and raises when the product does not bear it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from torture import ground
from torture.client import GIVEN, GOOD, Client, Done, finish, make

#: Returns how it was made, where that is not plain.
Fault = Callable[[Path], str]

MEMORY = '''
import resource
import sys

import pandas as pd

from kpibook import modelled


@kpi(unit="count", better="neutral", columns={"transactions": ["transaction_id"]})
def greedy(transactions: pd.DataFrame):
    """Greedy: more memory than there is."""
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 200_000_000, resource.RLIM_INFINITY))
    try:
        return modelled(float(len(bytearray(2_000_000_000))))
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
'''

#: Read by every Python process of a run as it starts: the wall clock goes as a file says, the monotonic clock as ever.
#: libfaketime was tried: under it sleeps fail and kernels hang, with the clock unmoved.
CLOCK = """\
import datetime, os, sys, time

def ahead():
    with open(os.environ["PYTHONTORTURECLOCK"]) as file:
        return float(file.read() or 0)

class Moved(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.datetime.now(tz) + datetime.timedelta(seconds=ahead())

seconds, nanoseconds = time.time, time.time_ns
time.time = lambda: seconds() + ahead()
time.time_ns = lambda: nanoseconds() + int(ahead() * 1e9)
if any(word.endswith("/kpibook") for word in sys.orig_argv[:2]):
    import kpibook.runs
    kpibook.runs.datetime = Moved
"""


def settled(client: Client) -> None:
    """Nothing half-made, every record true, no process left, and the next run works."""
    done = client.run()
    assert done.code == 0, f"the next run: exit {done.code}\n{done.said}"
    found = [*ground.half_made(client), *ground.false_records(client), *map(str, ground.stages(client))]
    found += ground.strays(client.out)
    assert not found, found


def expect(done: Done, code: int, text: str) -> None:
    """The exit code, one message that fits, and no traceback."""
    assert done.code == code, f"exit {done.code}, not {code}\n{done.said}"
    assert re.search(text, done.said, re.MULTILINE), f"nobody said {text}\n{done.said}"
    assert "Traceback" not in done.said, done.said


def failed(client: Client) -> dict:
    """The record of the last run that failed."""
    return max((ground.record(p) for p in (client.home / "failed").iterdir()), key=lambda said: said["started"])


def memory_error(base: Path) -> str:
    client = make(base, "shop", base / "reports")
    client.plugin(
        GOOD.replace("\n\n@view", MEMORY + "\n\n@view", 1).replace(
            "[baskets, basket_value]", "[baskets, basket_value, greedy]"
        )
    )
    expect(client.run(), 0, r"^shop: KPI failed: greedy: MemoryError")
    client.plugin()
    settled(client)
    return "RLIMIT_AS"


def memory_killer(base: Path) -> str:
    client = make(base, "shop", base / "reports")
    client.plugin("import os\nos.kill(os.getpid(), 9)\n" + GOOD)
    kernel = r"the kernel died by signal 9 \(killed, or out of memory\) · lower limits\.memory, or run on a machine"
    expect(client.run(), 4, rf"^  template\.ipynb, cell 3 of 5: {kernel} with more$")
    assert failed(client)["state"] == "failed"
    client.plugin()
    settled(client)
    return "SIGKILL, as the system sends it"


def disk_full(base: Path) -> str:
    """With less and less room: sooner or later in the run."""
    with small_disk(base / "disk", 24) as disk:
        client = make(base, "shop", disk / "reports", GIVEN)
        assert client.run().code == 0
        before = ground.digest(client.report)
        used = shutil.disk_usage(disk).used
        seen = set()
        for room in (0, 8, 16, 24, 40, 64, 96, 128, 192):
            filler = disk / "filler"
            with filler.open("wb") as file:
                file.truncate(0)
                os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - room * 1024)
            done = client.run()
            if done.code:
                expect(done, 4, r"(No space left on device|there is room on the disk|Write failed)")
                seen.add(re.search(r"^  (.*?):", done.said, re.MULTILINE)[1])
                assert before in map(ground.digest, ground.finished(client))
            assert not ground.half_made(client), ground.half_made(client)
            assert not ground.false_records(client), ground.false_records(client)
            filler.unlink()
        assert used
        settled(client)
    return f"tmpfs of 24 MB, at {len(seen)} places: {', '.join(sorted(seen))}"


@contextmanager
def small_disk(place: Path, megabytes: int) -> Iterator[Path]:
    place.mkdir(parents=True)
    if os.geteuid():
        raise RuntimeError("needs root, to mount a tmpfs")
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "none", str(place)], check=True)  # noqa: S607
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)  # noqa: S607


def wall_clock(base: Path) -> str:
    client = make(base, "shop", base / "reports", minutes=1)
    client.plugin("import time\ntime.sleep(3600)\n" + GOOD)
    over = r"the run did not end within limits\.minutes = 1 and was stopped · raise limits\.minutes in shop\.yaml"
    expect(client.run(), 4, rf"^  template\.ipynb, cell 3 of 5: {over}$")
    assert failed(client)["failure"]["step"] == "notebook"
    client.plugin()
    client.limit(10)
    settled(client)
    return "a plugin that hangs"


def two_runs(base: Path) -> str:
    client = make(base, "shop", base / "reports")
    first = client.start()
    while not ground.stages(client):
        assert first.poll() is None
        time.sleep(0.05)
    second = client.run()
    under_way = rf"a run is under way since \S+, process {first.pid} on \S+ · wait for its end, or stop that process"
    expect(second, 4, rf"^  shop: {under_way}$")
    assert finish(first).code == 0
    settled(client)
    return "the second is refused"


def read_only(base: Path) -> str:
    out = base / "reports"
    client = make(base, "shop", out, GIVEN)
    assert client.run().code == 0
    before = ground.digest(client.report)
    room = "see that there is room, and that the folder can be written to"
    with closed(out):
        expect(
            client.run(),
            4,
            rf"^  {re.escape(str(out))}/\.staging/\S+: (Read-only file system|Permission denied) · {room}$",
        )
    assert ground.digest(client.report) == before
    with closed(base / "empty"):
        other = Client(client.folder, "shop", base / "empty" / "reports")
        what = r"cannot be used as reports folder \((Read-only file system|Permission denied)\)"
        expect(other.run(), 4, rf"^  {re.escape(str(other.out))}: {what} · name another folder with --out$")
    settled(client)
    return "a mount that is read-only" if os.geteuid() == 0 else "mode 0555"


@contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Nobody can write into ``folder``: root is only kept out by a mount."""
    folder.mkdir(exist_ok=True)
    if os.geteuid():
        for each in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
            each.chmod(0o555)
        yield
        for each in (folder, *(p for p in folder.rglob("*") if p.is_dir())):
            each.chmod(0o755)
        return
    for options in (["--bind", str(folder), str(folder)], ["-o", "remount,bind,ro", str(folder)]):
        subprocess.run(["mount", *options], check=True)  # noqa: S607
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)  # noqa: S607


def clock_jump(base: Path) -> str:
    """The clock goes back two days in the middle of a run, and then forward ten."""
    client = make(base, "shop", base / "reports", GIVEN, minutes=4)
    clock, site = base / "clock", base / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(CLOCK, encoding="utf-8")
    moved = {"PYTHONPATH": str(site), "PYTHONTORTURECLOCK": str(clock)}
    for jump in ("-172800", "864000"):
        clock.write_text("0", encoding="ascii")
        command = client.start(**moved)
        while not _at_work(client):
            assert command.poll() is None, finish(command).said
            time.sleep(0.05)
        clock.write_text(jump, encoding="ascii")
        done = finish(command)
        assert done.code == 0, f"{jump}: exit {done.code}\n{done.said}"
        said = ground.record(client.report)
        assert said["finished"] >= said["started"], said
        assert max(said["steps"].values()) < 600, said["steps"]
        assert re.search(r"valid, \d{1,3} s:", done.said), done.said
        assert not ground.half_made(client)
    settled(client)
    return "time.time in command, workers and kernels; the clock of the record"


def _at_work(client: Client) -> bool:
    """Whether a first cell was executed."""
    books = [stage / "report.ipynb" for stage in ground.stages(client)]
    return any(book.exists() and '"status": "completed"' in book.read_text(encoding="utf-8") for book in books)


FAULTS: dict[str, Fault] = {
    each.__name__: each
    for each in (memory_error, memory_killer, disk_full, wall_clock, two_runs, read_only, clock_jump)
}
