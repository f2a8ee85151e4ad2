"""What a child may leave: a log of limited length, whole words only, and no process."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from kpibook.report import supervise

if TYPE_CHECKING:
    from kpibook.report.supervise import Ended, Event

NOISY = """
import sys
sys.stderr.write("a" * 150)
sys.stderr.write("b" * 150)
print('{"event": "done"}', flush=True)
sys.stdout.write('{"event": "ha')
"""

LINGERS = """
import os, time
print('{"event": "done"}', flush=True)
os.close(1)
time.sleep(600)
"""

ORPHANS = """
import os, subprocess, sys
from kpibook.report.bounds import confine, end_children
confine()
code = "import time; time.sleep(600)"
subprocess.Popen([sys.executable, "-c", code, sys.argv[1]], start_new_session=True, env={})
if os.fork() == 0:
    if os.fork() == 0:
        os.setsid()
        os.execve(sys.executable, [sys.executable, "-c", code, sys.argv[1]], {})
    os._exit(0)
os.wait()
end_children()
"""

BOUNDS = """
import json, resource
from pathlib import Path
from kpibook.report.bounds import confine
confine()
oom = Path("/proc/self/oom_score_adj").read_text().strip()
print(json.dumps({"event": "done", "core": resource.getrlimit(resource.RLIMIT_CORE), "oom": oom}))
"""


def watched(folder: Path, code: str, *arguments: str) -> tuple[Ended, list[Event]]:
    """A child with the given code under watch."""
    (folder / "child.py").write_text(code, encoding="utf-8")
    work = folder / "work"
    work.mkdir()
    heard: list[Event] = []
    until = time.monotonic() + 60
    ended = supervise.watch("child", arguments, folder, folder, work, until, heard.append, threading.Event())
    return ended, heard


def test_a_log_has_an_end_and_half_a_word_is_not_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervise, "MOST_LOG", 200)
    ended, heard = watched(tmp_path, NOISY)
    assert (ended.code, ended.stopped, heard) == (0, None, [{"event": "done"}])
    assert (tmp_path / "work" / "log.txt").read_text(encoding="utf-8") == "a" * 150 + "b" * 50 + "\n[...]\n"


def test_a_child_that_told_everything_and_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervise, "LAST_ACTS", 0.5)
    ended, heard = watched(tmp_path, LINGERS)
    assert (ended.code, ended.stopped, heard) == (-9, None, [{"event": "done"}])


def test_children_without_environment_and_orphans_are_ended(tmp_path: Path) -> None:
    tag = str(tmp_path)
    ended, _ = watched(tmp_path, ORPHANS, tag)
    assert ended.code == 0
    alive = [p for p in psutil.process_iter(["cmdline", "status"]) if tag in (p.info["cmdline"] or [])]
    assert [p.pid for p in alive if p.info["status"] != psutil.STATUS_ZOMBIE] == []


def test_a_worker_leaves_no_core_and_goes_first_when_memory_runs_out(tmp_path: Path) -> None:
    _, heard = watched(tmp_path, BOUNDS)
    assert heard == [{"event": "done", "core": [0, 0], "oom": "1000"}]
