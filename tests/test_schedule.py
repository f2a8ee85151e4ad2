"""Many clients: one that breaks leaves the others untouched."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from kpibook import schedule
from kpibook.report.run import Outcome

if TYPE_CHECKING:
    import threading

OUT = Path("reports")


@dataclass(frozen=True)
class Client:
    client: str
    label: str = "2017"

    @property
    def path(self) -> Path:
        return Path(f"{self.client}-{self.label}.yaml")

    @property
    def period(self) -> SimpleNamespace:
        return SimpleNamespace(label=self.label)


def stub(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Instead of runs: a client named for what it does."""
    busy: list[str] = []
    told: list[str] = []

    def run(
        params: Client, out: Path, on_progress: object, cancel: threading.Event, proof: bool, cache: bool
    ) -> Outcome:
        told.append(f"start {params.path.stem}")
        busy.append(params.client)
        assert busy.count(params.client) == 1
        time.sleep(0.05)
        busy.remove(params.client)
        if params.client == "faulty":
            raise ZeroDivisionError("1/0")
        if params.client == "stopped":
            raise KeyboardInterrupt
        code = 3 if params.client == "bad" else 0
        return Outcome(params.client, params.label, "failed" if code else "valid", code)

    monkeypatch.setattr(schedule, "run", run)
    monkeypatch.setattr(schedule, "need", lambda params: 0)
    return told


def test_outcomes_come_in_the_given_order_and_a_failure_stops_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    stub(monkeypatch)
    clients = [Client("good"), Client("bad"), Client("faulty"), Client("other")]
    outcomes = schedule.run_many(clients, 2, OUT)
    assert [(o.client, o.state, o.code) for o in outcomes] == [
        ("good", "valid", 0),
        ("bad", "failed", 3),
        ("faulty", "failed", 4),
        ("other", "valid", 0),
    ]
    assert outcomes[2].message == "a fault of kpibook: ZeroDivisionError('1/0')"
    assert isinstance(outcomes[2].fault, ZeroDivisionError)


def test_reports_of_one_client_are_made_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    told = stub(monkeypatch)
    schedule.run_many([Client("good", "2016"), Client("good", "2017"), Client("other")], 3, OUT)
    assert sorted(told) == ["start good-2016", "start good-2017", "start other-2017"]


def test_two_files_for_one_report_are_both_refused_and_the_others_run(monkeypatch: pytest.MonkeyPatch) -> None:
    told = stub(monkeypatch)
    outcomes = schedule.run_many([Client("good"), Client("other"), Client("good")], 1, OUT)
    assert told == ["start other-2017"]
    assert [o.code for o in outcomes] == [2, 0, 2]
    assert outcomes[0].message == (
        "good-2017.yaml: would write the same report good/2017 as good-2017.yaml"
        " · give one of them another client or period"
    )


def test_a_user_who_stops_stops_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    told = stub(monkeypatch)
    with pytest.raises(KeyboardInterrupt):
        schedule.run_many([Client("stopped"), Client("good"), Client("other")], 1, OUT)
    assert "start other-2017" not in told


def test_outcomes_are_told_as_they_come(monkeypatch: pytest.MonkeyPatch) -> None:
    stub(monkeypatch)
    heard: list[str] = []
    clients = [Client("good", "2016"), Client("good"), Client("other")]
    schedule.run_many(clients, 3, OUT, on_outcome=lambda outcome: heard.append(f"{outcome.client} {outcome.period}"))
    assert sorted(heard) == ["good 2016", "good 2017", "other 2017"]
    assert heard[-1] == "good 2017"  # it waited for the other year


def test_a_listener_that_fails_stops_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    told = stub(monkeypatch)

    def closed(outcome: Outcome) -> None:
        raise BrokenPipeError("nobody reads")

    with pytest.raises(BrokenPipeError, match=r"^nobody reads$"):
        schedule.run_many([Client("good"), Client("bad"), Client("other")], 1, OUT, on_outcome=closed)
    assert "start other-2017" not in told


def test_runs_that_do_not_fit_beside_each_other_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way: list[str] = []
    most: list[int] = []

    def run(
        params: Client, out: Path, on_progress: object, cancel: threading.Event, proof: bool, cache: bool
    ) -> Outcome:
        under_way.append(params.client)
        most.append(len(under_way))
        time.sleep(0.05)
        under_way.remove(params.client)
        return Outcome(params.client, params.label, "valid", 0)

    monkeypatch.setattr(schedule, "run", run)
    monkeypatch.setattr(schedule, "need", lambda params: 600)
    monkeypatch.setattr(schedule, "free", lambda: 1000)
    assert [o.state for o in schedule.run_many([Client(name) for name in "abcd"], 4, OUT)] == ["valid"] * 4
    assert most == [1, 1, 1, 1]
