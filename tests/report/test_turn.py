"""One run of a client at a time; what dead runs left harms nobody and is put in order."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import psutil
import pytest

from kpibook import runs
from kpibook.errors import RunError
from kpibook.report import locks, stage, turn
from kpibook.report.locks import held

if TYPE_CHECKING:
    from pathlib import Path


def staged(out: Path, client: str = "shop", **changes: object) -> Path:
    record = runs.begin(client, "2017")
    for name, value in changes.items():
        setattr(record, name, value)
    folder = out / runs.STAGING / f"{client}-{record.run_id}"
    folder.mkdir(parents=True)
    record.write(folder)
    return folder


def evidence(out: Path, client: str) -> list[dict]:
    places = sorted((out / client / "failed").iterdir())
    return [json.loads((place / "run.json").read_text(encoding="utf-8")) for place in places]


def test_what_dead_runs_left_is_put_away_and_the_living_are_left_alone(tmp_path: Path) -> None:
    living = staged(tmp_path, "living")
    staged(tmp_path, "gone")
    staged(tmp_path, "finished", state="valid")
    with held(tmp_path / runs.STAGING / "living.lock"), turn.only_run_of("other", tmp_path):
        assert sorted(p.name for p in (tmp_path / runs.STAGING).iterdir() if p.is_dir()) == [living.name]
    (record,) = evidence(tmp_path, "gone")
    assert record["state"] == "interrupted"
    assert record["finished"] is not None
    assert record["failure"] == {"step": "run", "message": "the command was stopped before the run had ended"}
    assert runs.read(tmp_path / "finished" / "2017").state == "valid"
    assert runs.read(living).state == "running"


STRAY = """
import time
print("here", flush=True)
time.sleep(600)
"""


def test_what_a_dead_run_left_at_work_is_ended_before_its_folder_is_moved(tmp_path: Path) -> None:
    folder = staged(tmp_path, "gone")
    processes = []
    for place in (folder / "work" / "again", tmp_path / "elsewhere"):
        environment = {**os.environ, "KPIBOOK_RUN_DIR": str(place)}
        stray = subprocess.Popen([sys.executable, "-c", STRAY], stdout=subprocess.PIPE, text=True, env=environment)
        assert stray.stdout is not None
        assert stray.stdout.readline() == "here\n"
        processes.append(stray)
    ours, other = processes
    with turn.only_run_of("other", tmp_path):
        pass
    there = [psutil.pid_exists(process.pid) for process in (ours, other)]
    other.kill()
    for stray in processes:
        stray.wait()
        assert stray.stdout is not None
        stray.stdout.close()
    assert there == [False, True]


def test_two_threads_that_clear_up_do_not_collide(tmp_path: Path) -> None:
    for number in range(40):
        staged(tmp_path, f"gone{number % 4}")
    both = threading.Barrier(2)

    def start(client: str) -> None:
        both.wait()
        with turn.only_run_of(client, tmp_path):
            both.wait()

    with ThreadPoolExecutor(2) as pool:
        for started in [pool.submit(start, client) for client in ("gone1", "innocent")]:
            started.result()
    assert [len(evidence(tmp_path, f"gone{n}")) for n in range(4)] == [10, 10, 10, 10]
    assert [p for p in (tmp_path / runs.STAGING).iterdir() if p.is_dir()] == []


def test_a_folder_that_is_gone_is_nobodys_concern(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = staged(tmp_path)
    read = runs.read

    def taken(place: Path) -> runs.RunRecord:
        record = read(place)
        (place / runs.NAME).unlink()
        place.rmdir()
        return record

    monkeypatch.setattr(runs, "read", taken)
    with turn.only_run_of("other", tmp_path):
        assert not folder.exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == [runs.STAGING]


def test_what_cannot_be_moved_is_told_to_its_own_client_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = staged(tmp_path, "stuck")

    def refused(*_: object) -> Path:
        raise OSError(39, "Directory not empty", "failed")

    monkeypatch.setattr(stage, "set_aside", refused)
    with turn.only_run_of("innocent", tmp_path):
        assert folder.is_dir()
    with pytest.raises(OSError, match="Directory not empty"), turn.only_run_of("stuck", tmp_path):
        pass


def test_what_another_user_left_is_that_users(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = staged(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, mode: path != folder)
    with turn.only_run_of("other", tmp_path):
        assert runs.read(folder).state == "running"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ("{", "is not JSON (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))"),
        ('{"run_id": "1", "client": null, "period": ""}', "is not the record of a run (client)"),
        (None, "there is no such file"),
    ],
)
def test_a_record_that_cannot_be_read_blocks_nobody_and_is_set_aside(
    tmp_path: Path, content: str | None, what: str
) -> None:
    folder = tmp_path / runs.STAGING / "broken-shop-1a2b3c4d"
    folder.mkdir(parents=True)
    if content is not None:
        (folder / "run.json").write_text(content, encoding="utf-8")
    with turn.only_run_of("innocent", tmp_path):
        pass
    (place,) = (tmp_path / "broken-shop" / "failed").iterdir()
    assert place.name.endswith("Z-1a2b3c4d")
    record = runs.read(place)
    assert (record.client, record.state) == ("broken-shop", "interrupted")
    assert record.failure == {"step": "run", "message": f"the record of the run was lost: {what}"}
    kept = place / "run.json.unreadable"
    assert (kept.read_text(encoding="utf-8") if kept.exists() else None) == content
    with turn.only_run_of("broken-shop", tmp_path):
        pass


def test_secrets_do_not_stay_in_what_a_killed_run_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "open-sesame")
    params = tmp_path / "shop.yaml"
    params.write_text("source: ${SHOP_KEY}", encoding="utf-8")
    folder = staged(tmp_path, params=str(params))
    (folder / "report.ipynb").write_text("by open-sesame", encoding="utf-8")
    with turn.only_run_of("other", tmp_path):
        (place,) = (tmp_path / "shop" / "failed").iterdir()
    assert (place / "report.ipynb").read_text(encoding="utf-8") == "by [value of ${SHOP_KEY}]"
    assert (runs.read(place).leak_scan or {})["redacted"] == {"report.ipynb": ["SHOP_KEY"]}


def test_a_second_run_of_a_client_is_refused_while_the_first_holds_the_lock(tmp_path: Path) -> None:
    with turn.only_run_of("shop", tmp_path), turn.only_run_of("other", tmp_path):
        with pytest.raises(RunError) as raised, turn.only_run_of("shop", tmp_path):
            pass
        assert str(raised.value) == "shop: a run has just been started · wait for its end, and try again"
    with turn.only_run_of("shop", tmp_path):
        pass


def test_the_process_that_runs_the_client_is_named(tmp_path: Path) -> None:
    with turn.only_run_of("shop", tmp_path):
        record = runs.read(staged(tmp_path, host="another"))
        staged(tmp_path, run_id="older", started="2001-01-01T00:00:00Z")
        (tmp_path / runs.STAGING / "shop-broken").mkdir()
        with pytest.raises(RunError) as raised, turn.only_run_of("shop", tmp_path):
            pass
    assert str(raised.value) == (
        f"shop: a run is under way since {record.started}, process {os.getpid()} on another"
        " · wait for its end, or stop that process"
    )


def test_a_dead_run_of_another_host_blocks_nobody(tmp_path: Path) -> None:
    staged(tmp_path, host="a-container-that-is-gone")
    with turn.only_run_of("shop", tmp_path):
        assert [record["state"] for record in evidence(tmp_path, "shop")] == ["interrupted"]


HOLD = """
import sys
from pathlib import Path
from kpibook.report.locks import held
with held(Path(sys.argv[1])) as ours:
    print(ours, flush=True)
    sys.stdin.read()
"""


def test_the_lock_of_a_process_goes_with_it(tmp_path: Path) -> None:
    lock = tmp_path / "shop.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "True\n"
        with held(lock) as ours:
            assert not ours
        other.kill()
        other.wait()
    with held(lock) as ours:
        assert ours


def test_a_lock_is_waited_for(tmp_path: Path) -> None:
    taken, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with held(tmp_path / "a.lock"):
            taken.set()
            let_go.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    taken.wait()
    threading.Timer(0.1, let_go.set).start()
    with held(tmp_path / "a.lock", patience=10.0) as ours:
        assert ours
    thread.join()


def test_a_command_that_never_ends_clearing_up_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turn, "PATIENCE", 0.05)
    with turn.only_run_of("shop", tmp_path):
        pass
    with held(tmp_path / runs.STAGING / ".lock"), pytest.raises(RunError) as raised, turn.only_run_of("shop", tmp_path):
        pass
    assert str(raised.value) == (
        f"{tmp_path}: another command has been clearing up for 0.05 s · wait for its end, or stop it, and try again"
    )


def test_a_file_system_without_locks_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(locks.fcntl, "flock", flock)
    with pytest.raises(RunError) as raised, locks.held(tmp_path / "a.lock"):
        pass
    assert str(raised.value) == (
        f"{tmp_path / 'a.lock'}: cannot be locked (Operation not supported)"
        " · keep the reports on a file system that has locks"
    )
