"""What ``serve`` has on its clock: clients come, change, break and go while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from apscheduler.schedulers.background import BackgroundScheduler

from kpibook import params as params_of
from kpibook import timetable
from kpibook.ledger import Ledger
from kpibook.serving import Times, _Serving
from kpibook.timetable import scheduled
from test_turns import Fake, after, client


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "reports")
    yield opened
    opened.close()


@pytest.fixture
def clock() -> Iterator[BackgroundScheduler]:
    """Holds jobs, and starts none."""
    made = BackgroundScheduler(timezone=UTC, executors={"runs": {"type": "threadpool", "max_workers": 1}})
    made.start(paused=True)
    yield made
    made.shutdown()


def serving(tmp_path: Path, ledger: Ledger, clock: BackgroundScheduler, machine: Fake) -> _Serving:
    (tmp_path / "params").mkdir()
    return _Serving([tmp_path / "params"], ledger, tmp_path / "reports", machine.world(), clock)


def test_clients_come_and_go(tmp_path: Path, ledger: Ledger, clock: BackgroundScheduler) -> None:
    machine = Fake()
    served = serving(tmp_path, ledger, clock, machine)
    for name in ("shop", "stall"):
        client(tmp_path / "params", name)
    served.look()
    assert sorted(job.id for job in clock.get_jobs()) == ["shop", "stall"]
    (tmp_path / "params" / "stall.yaml").unlink()
    served.look()
    assert [job.id for job in clock.get_jobs()] == ["shop"]
    (tmp_path / "params" / "shop.yaml").unlink()
    served.look()
    served.look()
    assert clock.get_jobs() == []
    nothing = f"{tmp_path}/params: there is no params file in this folder · name another one"
    assert machine.said == [nothing]


def test_a_broken_file_is_told_once_and_comes_back(tmp_path: Path, ledger: Ledger, clock: BackgroundScheduler) -> None:
    machine = Fake()
    served = serving(tmp_path, ledger, clock, machine)
    path = client(tmp_path / "params").path
    good = path.read_text(encoding="utf-8")
    for text in (good, good.replace("EUR", "EURO"), None, good, good.replace("EUR", "EURO")):
        if text is not None:
            path.write_text(text, encoding="utf-8")
        served.look()
    assert [line.partition(" · ")[0] for line in machine.said] == [
        f"{path}:4: currency: 'EURO' is no currency code"
    ] * 2
    assert clock.get_jobs() == []


def test_other_times_take_the_place_of_the_former(tmp_path: Path, ledger: Ledger, clock: BackgroundScheduler) -> None:
    machine = Fake(at=after(8))
    served = serving(tmp_path, ledger, clock, machine)
    client(tmp_path / "params")
    served.look()
    (job,) = clock.get_jobs()
    assert job.trigger.get_next_fire_time(None, after(8)) == after(30)
    client(tmp_path / "params", cron="30 9 * * *")
    served.look()
    (job,) = clock.get_jobs()
    assert job.trigger.get_next_fire_time(None, after(8)) == after(9.5)


def test_what_is_owed_begins_at_the_next_look(tmp_path: Path, ledger: Ledger, clock: BackgroundScheduler) -> None:
    """At 6:00:20 a due time that the clock has not seen is owed; without one the job keeps its time."""
    machine = Fake(at=after(5))
    served = serving(tmp_path, ledger, clock, machine)
    client(tmp_path / "params")
    served.look()
    clock.modify_job("shop", next_run_time=after(30))
    served.look()
    assert clock.get_job("shop").next_run_time == after(30)
    machine.at = after(6) + timedelta(seconds=20)
    served.look()
    assert clock.get_job("shop").next_run_time == machine.at


def test_a_fault_in_one_client_is_said(tmp_path: Path, ledger: Ledger, clock: BackgroundScheduler) -> None:
    machine = Fake(at=after(6))
    served = serving(tmp_path, ledger, clock, machine)
    shop = client(tmp_path / "params")
    (tmp_path / "reports" / ".schedule" / "shop.lock").mkdir()
    served.one(shop)
    assert machine.said == ["shop: a fault of the scheduler: IsADirectoryError(21, 'Is a directory')"]
    machine.kill = "stop"
    (tmp_path / "reports" / ".schedule" / "shop.lock").rmdir()
    served.one(shop)
    assert [(turn.state, turn.starts) for turn in ledger.turns("shop")] == [("due", 0)]


def test_the_next_time_is_later_than_now_and_than_the_former(tmp_path: Path) -> None:
    times = Times(client(tmp_path))
    assert times.get_next_fire_time(None, after(6)) == after(30)
    assert times.get_next_fire_time(after(30), after(7)) == after(54)
    assert times.get_next_fire_time(after(6), after(31)) == after(54)


def test_files_that_did_not_change_are_not_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def load(path: Path) -> params_of.Params:
        read.append(path.name)
        return params_of.load(path)

    (tmp_path / "params").mkdir()
    client(tmp_path / "params", "shop")
    client(tmp_path / "params", "stall")
    monkeypatch.setattr(timetable, "load", load)
    known: timetable.Known = {}
    for _ in range(2):
        assert [each.client for each in scheduled([tmp_path / "params"], known)[0]] == ["shop", "stall"]
    assert read == ["shop.yaml", "stall.yaml"]
    client(tmp_path / "params", "shop", cron="0 12 * * *")
    (found, _), wrong = scheduled([tmp_path / "params"], known)
    assert (found.schedule and found.schedule.cron, wrong) == ("0 12 * * *", [])
    assert read == ["shop.yaml", "stall.yaml", "shop.yaml"]


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    clients, wrong = scheduled([tmp_path / "none.yaml"])
    assert (clients, wrong) == ([], [f"{tmp_path}/none.yaml: no such file · give the path of a params file"])
