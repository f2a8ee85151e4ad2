"""Processes forked from a warm parent: each as if it had been started anew, and none left behind."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import duckdb
import psutil
import pytest
from jupyter_client.manager import AsyncKernelManager

from kpibook.report import hearth as hearths
from kpibook.report.forked import Forked
from kpibook.report.hearth import COLD, Hearth
from kpibook.report.kernel import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOLD = """
import json, os, random, sys, time
import duckdb, numpy as np
duckdb.execute("CREATE TABLE t AS SELECT range AS x FROM range(300000)")
print(json.dumps({
    "argv": sys.argv, "cwd": os.getcwd(), "seen": sorted(n for n in os.environ if n.startswith("KPIBOOK_")),
    "zone": time.strftime("%Z"), "random": random.random(), "numpy": float(np.random.rand()),
    "hash": hash("a"), "sum": int(duckdb.execute("SELECT sum(x) FROM t").fetchone()[0]),
    "threads": duckdb.execute("SELECT current_setting('threads')").fetchone()[0],
    "open": [n for n in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{n}") and "socket" in
             os.readlink(f"/proc/self/fd/{n}")]}))
print("complaint", file=sys.stderr)
sys.exit(3)
"""


@pytest.fixture(scope="module")
def hearth() -> Iterator[Hearth]:
    one = Hearth()
    yield one
    one.close()


@pytest.fixture
def start(hearth: Hearth, tmp_path: Path) -> Iterator[Callable[..., tuple[Forked, IO[bytes], IO[bytes]]]]:
    """A module of the given code, forked in its folder: the process, its output and its log."""
    running: list[tuple[Forked, IO[bytes], IO[bytes]]] = []

    def started(code: str, *arguments: str, kernels: str = "", **env: str) -> tuple[Forked, IO[bytes], IO[bytes]]:
        (tmp_path / "made.py").write_text(textwrap.dedent(code), encoding="utf-8")
        (told, telling), (said, saying) = os.pipe(), os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        known = {"PATH": os.environ["PATH"], **env}
        process = hearth.fork(["made", *arguments], known, tmp_path, [nothing, telling, saying], kernels)
        assert process is not None
        for end in (nothing, telling, saying):
            os.close(end)
        running.append((process, os.fdopen(told, "rb"), os.fdopen(said, "rb")))
        return running[-1]

    yield started
    for process, told, said in running:
        process.kill()
        process.wait(30)
        told.close()
        said.close()


def everything(pipe: IO[bytes]) -> str:
    return pipe.read().decode("utf-8")


def parent_of(hearth: Hearth) -> psutil.Process:
    assert hearth._parent is not None
    return psutil.Process(hearth._parent.pid)


def gone(pid: int) -> bool:
    """Within ten seconds."""
    for _ in range(200):
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_forked_process_is_as_one_started_anew(start, tmp_path):
    """Its arguments, folder, variables, time zone and streams; the sum of 0 to 299,999 is 44,999,850,000."""
    os.environ["KPIBOOK_OF_ANOTHER"] = "secret"
    try:
        process, told, said = start(TOLD, "one", "two", KPIBOOK_OWN="here", TZ="Asia/Tokyo")
        seen = json.loads(everything(told))
    finally:
        del os.environ["KPIBOOK_OF_ANOTHER"]

    assert process.wait(30) == 3
    assert everything(said) == "complaint\n"
    assert (seen["argv"], seen["cwd"]) == ([str(tmp_path / "made.py"), "one", "two"], str(tmp_path))
    assert (seen["seen"], seen["zone"], seen["open"]) == (["KPIBOOK_OWN"], "JST", [])
    with duckdb.connect() as anew:
        threads = anew.execute("SELECT current_setting('threads')").fetchall()[0][0]
    assert (seen["sum"], seen["threads"]) == (44_999_850_000, threads)


def test_two_forked_processes_draw_other_numbers_and_hash_alike(start):
    first, second = (json.loads(everything(told)) for _, told, _ in (start(TOLD), start(TOLD)))

    assert first["random"] != second["random"]
    assert first["numpy"] != second["numpy"]
    assert first["hash"] == second["hash"]


def test_an_error_is_shown_and_makes_exit_code_one(start):
    process, _, said = start("raise ValueError('no such thing')")

    assert process.wait(30) == 1
    assert everything(said).endswith("ValueError: no such thing\n")


def test_a_killed_process_has_minus_its_signal(start):
    process, told, _ = start("import time; print('ready', flush=True); time.sleep(600)")
    told.readline()
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)

    process.terminate()

    assert process.wait(30) == -signal.SIGTERM
    process.kill()  # of one that has ended: nothing


def test_kernels_end_with_the_process_whose_they_are(start, tmp_path):
    """Killed, it can clean up nothing."""
    code = """
        import os, sys, time
        from kpibook.report.forked import Forked
        kernel = Forked("kernels.sock", ["sleeper"], dict(os.environ), os.getcwd(), tied=True)
        print(kernel.pid, flush=True)
        time.sleep(600)
    """
    (tmp_path / "sleeper.py").write_text("import time; time.sleep(600)", encoding="utf-8")
    process, told, _ = start(code, kernels="kernels.sock")
    kernel = int(told.readline())
    nursery = psutil.Process(kernel).ppid()
    assert psutil.Process(nursery).ppid() == process.pid

    process.kill()

    assert process.wait(30) == -signal.SIGKILL
    assert gone(kernel)
    assert gone(nursery)


def test_a_killed_warm_parent_costs_no_process_that_runs(hearth, start):
    """Its exit code is not known then; the next process comes from a new parent."""
    process, told, _ = start("import sys, time; print('ready', flush=True); time.sleep(float(sys.argv[1]))", "1.5")
    told.readline()
    old = parent_of(hearth)
    old.kill()
    old.wait(10)

    assert process.poll() is None
    assert process.wait(30) == -signal.SIGKILL
    assert start("print(1)")[0].wait(60) == 0
    assert parent_of(hearth) != old


def test_of_a_command_that_is_killed_nothing_is_left(tmp_path):
    """Neither the warm parent nor its folder."""
    code = """
        import sys, time
        from pathlib import Path
        from kpibook.report.hearth import Hearth
        one = Hearth()
        print(one._socket(), one._parent.pid, flush=True)
        time.sleep(600)
    """
    env = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], env=env, stdout=subprocess.PIPE) as command:
        assert command.stdout is not None
        socket, parent = command.stdout.readline().decode().split()
        assert Path(socket).parent.parent == tmp_path
        command.kill()

    assert gone(int(parent))
    assert list(tmp_path.iterdir()) == []


def test_no_warm_parent_where_it_is_not_wanted_or_will_not_start(monkeypatch, tmp_path):
    cold = Hearth()
    monkeypatch.setenv(COLD, "1")
    assert cold.fork(["this"], {}, tmp_path, [], "") is None
    monkeypatch.delenv(COLD)
    monkeypatch.setattr(hearths, "WARM", "json.tool")  # it ends at once
    try:
        assert [cold.fork(["this"], {}, tmp_path, [], "") for _ in range(5)] == [None] * 5
        assert cold._starts == hearths.MOST_STARTS
    finally:
        cold.close()


def test_a_thread_that_would_be_lost_is_refused(tmp_path):
    code = """
        import threading, time
        threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        from kpibook.report import warm
        warm.IMPORTS = ("duckdb",)
        warm.sys.modules["jupyter_client.localinterfaces"] = __import__("types").SimpleNamespace(local_ips=list)
        warm.warm_up()
    """
    env = os.environ | hearths.ALONE
    ended = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], env=env, capture_output=True, text=True)

    assert ended.stderr.splitlines()[-1] == "RuntimeError: 2 threads after the imports: nothing can be forked"


async def figures(work: Path, run_dir: Path) -> tuple[int, str, str | None]:
    """A kernel as Papermill starts one: its parent, what 6 * 7 is there, and its history file."""
    env = environment(work, run_dir, "mark")
    manager = AsyncKernelManager(kernel_name="python3")
    manager.kernel_spec_manager.kernel_dirs = [str(work / "jupyter" / "kernels")]
    await manager.start_kernel(env=env, cwd=str(run_dir))
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        found: list[Any] = []
        code = "import os; print(os.getppid(), 6 * 7, get_ipython().history_manager.enabled)"
        await client.execute_interactive(code, output_hook=lambda m: found.append(m["content"].get("text")), timeout=60)
        parent, product, history = next(text for text in found if text).split()
    finally:
        client.stop_channels()
        await manager.shutdown_kernel()
    assert not manager.has_kernel
    return int(parent), product, history


@pytest.mark.parametrize("serving", ["a warm parent", "nobody", "one that is gone"])
def test_a_kernel_is_forked_where_a_warm_parent_serves_and_started_where_none_does(
    serving, hearth, start, tmp_path, monkeypatch
):
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    work, place = tmp_path / "work", tmp_path / "work" / "jupyter"
    place.mkdir(parents=True)
    code = "import time; print('ready', flush=True); time.sleep(600)"
    process, told, _ = start(code, kernels="" if serving == "nobody" else "work/jupyter/kernels.sock")
    told.readline()
    if serving == "one that is gone":
        process.kill()
        process.wait(30)
    parent, product, history = asyncio.run(figures(work, tmp_path / "run"))
    forked = serving == "a warm parent"
    assert (psutil.Process(parent).ppid() == process.pid, parent == os.getpid()) == (forked, not forked)
    assert (product, history) == ("42", "False")
