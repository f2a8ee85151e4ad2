"""The scheduler's promise, with a clock that is moved and reports that are not made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import pytest

from kpibook.errors import Problem, RunError
from kpibook.keeper import run_due
from kpibook.ledger import Ledger, Turn
from kpibook.params import Params, load
from kpibook.report.locks import held
from kpibook.report.run import Outcome
from kpibook.timetable import scheduled
from kpibook.turns import World, backoff, take

START = datetime(2024, 3, 4, tzinfo=UTC)  # a Monday
TEXT = """\
client: {client}
title: Shop
language: en
currency: EUR
timezone: {zone}
period: {period}
source: .
schedule: {{cron: "{cron}", {more}}}
tables:
  order_lines: {{from: lines.csv, columns: {{transaction_id: receipt, ts: time, net_amount: net}}}}
"""


class KilledError(BaseException):
    """The process is gone: nothing after it happens."""


@dataclass
class Fake:
    """A machine: its clock, the reports on its disk, and what befalls the runs."""

    at: datetime = START
    codes: list[int] = field(default_factory=list)
    reports: set[tuple[str, datetime]] = field(default_factory=set)
    begun: list[tuple[str, datetime]] = field(default_factory=list)
    ended: list[Turn] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    kill: str = ""

    def world(self) -> World:
        return World(lambda: self.at, self.sleep, self.run, self.made, self.told, self.said.append, lambda: None)

    def made(self, client: str, due: datetime) -> Outcome | None:
        return Outcome(client, "p", "valid", 0) if (client, due) in self.reports else None

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)

    def run(self, params: Params, due: datetime) -> Outcome:
        due = due.astimezone(UTC)
        self.begun.append((params.client, due))
        self.at += timedelta(seconds=40)
        kill, self.kill = self.kill, ""
        if kill == "before":
            raise KilledError
        if kill == "stop":
            raise KeyboardInterrupt
        code = self.codes.pop(0) if self.codes else 0
        if code == 0:
            assert (params.client, due) not in self.reports, "a report made twice"
            self.reports.add((params.client, due))
        if kill == "after":
            raise KilledError
        return Outcome(params.client, "p", "failed" if code else "valid", code, message="it broke" if code else "")

    def told(self, params: Params, turn: Turn, outcome: Outcome | None) -> None:
        self.ended.append(turn)


def client(
    folder: Path, name: str = "shop", cron: str = "0 6 * * *", period: str = "previous day", more: str = "retries: 3",
    zone: str = "UTC",
) -> Params:  # fmt: skip
    (folder / "lines.csv").write_text("receipt,time,net\n", encoding="utf-8")
    path = folder / f"{name}.yaml"
    path.write_text(TEXT.format(client=name, cron=cron, period=period, more=more, zone=zone), encoding="utf-8")
    return load(path)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "reports")
    yield opened
    opened.close()


def after(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def test_a_due_time_is_taken_once(tmp_path: Path, ledger: Ledger) -> None:
    shop, machine = client(tmp_path), Fake()
    for hour in (0, 5, 6, 6.2, 7, 29, 30, 31):
        machine.at = after(hour)
        assert take(shop, ledger, tmp_path / "reports", machine.world()) is None
    assert machine.begun == [("shop", after(6)), ("shop", after(30))]
    assert [(t.due, t.state, t.code) for t in machine.ended] == [(after(6), "done", 0), (after(30), "done", 0)]


def test_a_client_that_is_new_owes_what_fell_due_within_an_hour(tmp_path: Path, ledger: Ledger) -> None:
    shop, late = client(tmp_path), client(tmp_path, "late", "30 5 * * *")
    machine = Fake(at=after(6.75))
    take(shop, ledger, tmp_path / "reports", machine.world())
    take(late, ledger, tmp_path / "reports", machine.world())
    assert machine.begun == [("shop", after(6))]


def test_missed_times_are_caught_up_and_of_one_period_the_last(tmp_path: Path, ledger: Ledger) -> None:
    """Three days were missed; each day has a period of its own, and the month only one."""
    daily, monthly = client(tmp_path, "daily"), client(tmp_path, "monthly", period="previous month")
    machine = Fake()
    for each in (daily, monthly):
        take(each, ledger, tmp_path / "reports", machine.world())
    machine.at = after(60)
    for each in (daily, monthly):
        take(each, ledger, tmp_path / "reports", machine.world())
        take(each, ledger, tmp_path / "reports", machine.world())
    assert machine.begun == [("daily", after(6)), ("daily", after(30)), ("daily", after(54)), ("monthly", after(54))]
    assert [t.due for t in ledger.turns("monthly", ["covered"])] == [after(6), after(30)]


def test_without_catching_up_what_was_missed_is_skipped(tmp_path: Path, ledger: Ledger) -> None:
    shop, machine = client(tmp_path, more="catch_up: false"), Fake()
    take(shop, ledger, tmp_path / "reports", machine.world())
    machine.at = after(54.5)
    take(shop, ledger, tmp_path / "reports", machine.world())
    assert machine.begun == [("shop", after(54))]
    assert [t.due for t in ledger.turns("shop", ["skipped"])] == [after(6), after(30)]


def test_a_fault_is_tried_again_after_1_2_and_4_minutes(tmp_path: Path, ledger: Ledger) -> None:
    shop, machine = client(tmp_path), Fake(at=after(6), codes=[4, 4, 4, 4])
    made = run_due([shop], ledger, tmp_path / "reports", machine.world())
    assert machine.slept == [60, 120, 240]
    assert [(t.state, t.code, t.message) for t in machine.ended] == [("failed", 4, "it broke")]
    assert made == machine.ended
    machine.codes = [4]
    machine.at = after(30)
    run_due([shop], ledger, tmp_path / "reports", machine.world())
    assert [t.state for t in machine.ended] == ["failed", "done"]


def test_no_wait_is_longer_than_an_hour() -> None:
    assert [backoff(starts) for starts in (1, 6, 7, 10)] == [timedelta(minutes=m) for m in (1, 32, 60, 60)]


def test_who_waits_for_another_try_holds_up_nobody(tmp_path: Path, ledger: Ledger) -> None:
    """One job at a time: the second client's report is made before the first one's is tried again."""
    first, second = client(tmp_path, "first"), client(tmp_path, "second")
    machine = Fake(at=after(6), codes=[4, 0])
    run_due([first, second], ledger, tmp_path / "reports", machine.world())
    assert [name for name, _ in machine.begun] == ["first", "second", "first"]
    assert machine.slept == [20]
    assert [(t.client, t.state) for t in machine.ended] == [("second", "done"), ("first", "done")]


def test_a_later_due_time_waits_for_the_one_that_is_tried_again(tmp_path: Path, ledger: Ledger) -> None:
    shop, machine = client(tmp_path, cron="0,1 6 * * *", period="previous day"), Fake(at=after(6), codes=[4])
    again = take(shop, ledger, tmp_path / "reports", machine.world())
    assert again == after(6) + timedelta(seconds=100)
    machine.at = after(6) + timedelta(seconds=70)
    assert take(shop, ledger, tmp_path / "reports", machine.world()) == again
    machine.at = again
    assert take(shop, ledger, tmp_path / "reports", machine.world()) is None
    assert machine.begun == [("shop", after(6)), ("shop", after(6)), ("shop", after(6) + timedelta(minutes=1))]


def test_a_stop_is_no_try(tmp_path: Path, ledger: Ledger) -> None:
    """Without a retry a run may begin once, and once more after a kill: three stops take nothing of that away."""
    shop, machine = client(tmp_path, more="retries: 0"), Fake(at=after(6))
    for _ in range(3):
        machine.kill = "stop"
        with pytest.raises(KeyboardInterrupt):
            take(shop, ledger, tmp_path / "reports", machine.world())
        assert [(t.state, t.starts) for t in ledger.turns("shop")] == [("due", 0)]
    take(shop, ledger, tmp_path / "reports", machine.world())
    assert [t.state for t in machine.ended] == ["done"]


def test_what_breaks_the_scheduler_for_one_client_is_told_and_harms_no_other(tmp_path: Path, ledger: Ledger) -> None:
    good, bad, odd = (client(tmp_path, name) for name in ("good", "bad", "odd"))
    (tmp_path / "reports" / ".schedule" / "bad.lock").mkdir()
    machine = Fake(at=after(6))
    world = machine.world()

    def run(params: Params, due: datetime) -> Outcome:
        if params.client == "odd":
            raise RunError(Problem("odd", "is odd", "mend it"))
        return machine.run(params, due)

    ended = run_due([bad, odd, good], ledger, tmp_path / "reports", replace(world, run=run))
    assert [(t.client, t.code) for t in ended] == [("bad", 4), ("odd", 4), ("good", 0)]
    fault = "IsADirectoryError(21, 'Is a directory')"
    assert machine.said == [f"bad: a fault of the scheduler: {fault}", "odd: odd: is odd · mend it"]


@pytest.mark.parametrize(("code", "state"), [(2, "refused"), (3, "refused"), (5, "failed")])
def test_what_is_refused_or_not_valid_is_not_tried_again(code: int, state: str, tmp_path: Path, ledger: Ledger) -> None:
    shop, machine = client(tmp_path), Fake(at=after(6), codes=[code])
    take(shop, ledger, tmp_path / "reports", machine.world())
    assert (len(machine.begun), machine.slept) == (1, [])
    assert [(t.state, t.code) for t in machine.ended] == [(state, code)]


def test_a_report_that_lacks_one_of_its_forms_is_told_and_not_made_again(tmp_path: Path, ledger: Ledger) -> None:
    shop, machine = client(tmp_path), Fake(at=after(6))

    def run(params: Params, due: datetime) -> Outcome:
        return replace(machine.run(params, due), code=4, message="not exported: report.pdf: y \u00b7 z")

    take(shop, ledger, tmp_path / "reports", replace(machine.world(), run=run))
    assert (len(machine.begun), machine.slept) == (1, [])
    assert [(t.state, t.code) for t in machine.ended] == [("failed", 4)]
    assert machine.ended[0].message == "not exported: report.pdf: y \u00b7 z"


@pytest.mark.parametrize(("moment", "begun"), [("before", 2), ("after", 1)])
def test_a_run_that_was_killed_is_made_again_unless_its_report_stands(
    moment: str, begun: int, tmp_path: Path, ledger: Ledger
) -> None:
    shop, machine = client(tmp_path), Fake(at=after(6), kill=moment)
    with pytest.raises(KilledError):
        take(shop, ledger, tmp_path / "reports", machine.world())
    assert [t.state for t in ledger.turns("shop")] == ["started"]
    take(shop, ledger, tmp_path / "reports", machine.world())
    assert len(machine.begun) == begun
    assert [t.state for t in ledger.turns("shop", ["done"])] == ["done"]


def test_a_run_that_kills_its_command_is_given_up(tmp_path: Path, ledger: Ledger) -> None:
    """With one retry it may begin twice, and once more after a kill."""
    shop, machine = client(tmp_path, more="retries: 1"), Fake(at=after(6))
    for _ in range(3):
        machine.kill = "before"
        with pytest.raises(KilledError):
            take(shop, ledger, tmp_path / "reports", machine.world())
    take(shop, ledger, tmp_path / "reports", machine.world())
    assert len(machine.begun) == 3
    assert [(t.state, t.message) for t in machine.ended] == [("failed", "was cut off or failed 3 times")]


def test_a_wait_for_another_try_outlives_the_command(tmp_path: Path, ledger: Ledger) -> None:
    shop, machine = client(tmp_path), Fake(at=after(6), codes=[4])

    def killed(seconds: float) -> None:
        raise KilledError

    machine.sleep = killed  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        run_due([shop], ledger, tmp_path / "reports", machine.world())
    assert [(t.state, t.starts) for t in ledger.turns("shop")] == [("waiting", 1)]
    again = Fake(at=after(6) + timedelta(seconds=70))
    run_due([shop], ledger, tmp_path / "reports", again.world())
    assert (again.slept, again.begun) == ([30], [("shop", after(6))])


def test_while_another_command_is_at_it_nothing_is_begun(tmp_path: Path, ledger: Ledger) -> None:
    shop, machine = client(tmp_path), Fake(at=after(6))
    with held(tmp_path / "reports" / ".schedule" / "shop.lock") as ours:
        assert ours
        assert take(shop, ledger, tmp_path / "reports", machine.world()) is None
    assert machine.begun == []


def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError) as caught:
        Ledger(tmp_path / "file")
    place = tmp_path / "file" / ".schedule" / "turns.sqlite"
    what = f"[Errno 20] Not a directory: '{place.parent}'"
    assert str(caught.value) == (
        f"{place}: cannot be used by the scheduler ({what}) · name a reports folder that can be written to"
    )


def test_two_files_of_one_client(tmp_path: Path) -> None:
    client(tmp_path)
    (tmp_path / "twice.yaml").write_text((tmp_path / "shop.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    clients, wrong = scheduled([tmp_path])
    assert [each.path.name for each in clients] == ["shop.yaml"]
    assert wrong == [
        (
            f"{tmp_path}/twice.yaml:8: the client 'shop' has a schedule in shop.yaml too"
            " · keep one of the two, or name the client apart"
        )
    ]


def test_a_week_of_fifty_clients_with_restarts_outages_and_two_crashes(tmp_path: Path) -> None:
    """Every due time of the week from Monday 00:00 UTC once, none lost, none made twice.

    40 clients daily in three zones, 7 every six hours, 3 on Wednesdays: 40 * 7 + 7 * 28 + 3 = 479 due times, and one
    more of d19 at 19:19 in New York, where on Sunday the clock is put forward. The machine is off from Tuesday 03:00 to
    12:00 and from Friday 22:00 to Sunday 02:00; then five due times of each of the 7, whose period is the same all
    week, are owed, and four of them covered: 28. 452 reports are made by a command that is started anew every 80
    minutes; one run is killed at work and begun again, one when its report has just been made.
    """
    zones = ("Europe/Madrid", "America/New_York", "Asia/Tokyo")
    clients = [client(tmp_path, f"d{n}", f"{n} {n % 24} * * *", zone=zones[n % 3]) for n in range(40)]
    clients += [client(tmp_path, f"q{n}", f"{n} 1-23/6 * * *", "last 12 months") for n in range(7)]
    clients += [client(tmp_path, f"w{n}", f"{n} 9 * * wed") for n in range(3)]
    out, machine, chance = tmp_path / "reports", Fake(at=after(1)), Random(6)
    off = [(after(24 + 3), after(24 + 12)), (after(4 * 24 + 22), after(6 * 24 + 2))]
    crashes = [(30, "before"), (101, "after")]
    restarts = killed = 0
    while machine.at < after(7 * 24 + 1):
        restarts += 1
        kept = Ledger(out)
        for each in chance.sample(clients, len(clients)):
            if crashes and len(machine.begun) >= crashes[0][0]:
                machine.kill = crashes.pop(0)[1]
            try:
                take(each, kept, out, machine.world())
            except KilledError:
                killed += 1
                break
        kept.close()
        machine.at += timedelta(minutes=80)
        machine.at = next((end for start, end in off if start <= machine.at < end), machine.at)
    kept = Ledger(out)
    turns = [turn for each in clients for turn in kept.turns(each.client, EVERY) if turn.due <= after(7 * 24)]
    kept.close()
    covered = {(turn.client, turn.due) for turn in turns if turn.state == "covered"}
    made = {(name, due) for name, due in machine.reports if due <= after(7 * 24)}
    assert (killed, crashes, restarts > 80) == (2, [], True)
    assert Counter(turn.state for turn in turns) == {"done": 452, "covered": 28}
    assert made | covered == set(wall_clocks())
    assert not made & covered
    again = [each for each, times in Counter(machine.begun).items() if times > 1]
    assert len(again) == 1


EVERY = ("due", "started", "waiting", "done", "refused", "failed", "covered", "skipped")


def wall_clocks() -> Iterator[tuple[str, datetime]]:
    """Due times of the week, read from the clocks on the walls minute by minute."""
    zones = [ZoneInfo(name) for name in ("Europe/Madrid", "America/New_York", "Asia/Tokyo")]
    for minute in range(1, 7 * 24 * 60 + 1):
        moment = START + timedelta(minutes=minute)
        for place, zone in enumerate(zones):
            wall = moment.astimezone(zone)
            yield from ((f"d{n}", moment) for n in range(place, 40, 3) if (wall.hour, wall.minute) == (n % 24, n))
        if moment.hour in (1, 7, 13, 19) and moment.minute < 7:
            yield f"q{moment.minute}", moment
        if moment.strftime("%a %H") == "Wed 09" and moment.minute < 3:
            yield f"w{moment.minute}", moment
