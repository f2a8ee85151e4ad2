"""The scheduler as a process of its own, with real runs: killed, stopped, started again; and periods that move."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pandas as pd
import pytest
from torture.client import BOOK, OPEN, PARAMS, Client, make

from kpibook import past
from kpibook.ledger import Ledger, Turn
from report.small_client import record_of
from report.test_run_end_to_end import strays

PATIENCE = 300
ALL = ("due", "started", "waiting", "done", "refused", "failed", "covered", "skipped")
#: Says that the notebook is at work, and waits there as long as the gate is shut.
GATE = """
import pathlib, time
pathlib.Path({begun!r}).touch()
while pathlib.Path({gate!r}).exists():
    time.sleep(0.05)
"""


@dataclass
class Hook:
    """An address that somebody listens at, and what was heard."""

    address: str
    heard: list[dict] = field(default_factory=list)


@pytest.fixture
def hook() -> Iterator[Hook]:
    class Ear(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            known.heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Ear) as server:
        known = Hook(f"http://127.0.0.1:{server.server_port}/s3cret")
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield known
        server.shutdown()
        thread.join()


@dataclass
class Scheduled:
    """A client that fell due a minute ago and will not again for a year."""

    client: Client
    due: datetime
    hook: Hook
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def gate(self) -> Path:
        return self.client.folder / "gate"

    @property
    def begun(self) -> Path:
        return self.client.folder / "begun"

    def start(self, command: str) -> subprocess.Popen[str]:
        kpibook = Path(sys.executable).with_name("kpibook")
        bare = {"PATH": os.environ["PATH"], "HOME": str(self.client.folder), "HOOK": self.hook.address}
        process = subprocess.Popen(
            [kpibook, "schedule", command, self.client.params, "--out", self.client.out, "--no-proof"],
            cwd=self.client.folder,
            env=bare,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        )
        self.started.append(process)
        return process

    def turns(self) -> list[Turn]:
        ledger = Ledger(self.client.out)
        try:
            return ledger.turns(self.client.name, ALL)
        finally:
            ledger.close()

    def states(self) -> list[tuple[str, int]]:
        return [(turn.state, turn.starts) for turn in self.turns()]

    def interrupted(self) -> list[str]:
        return [record_of(folder)["state"] for folder in (self.client.home / "failed").glob("*")]


@pytest.fixture
def shop(tmp_path: Path, hook: Hook) -> Iterator[Scheduled]:
    """150 customers, enough for a target to be missed, with two receipts of 20 to 69 each."""
    due = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=1)
    names = {"begun": str(tmp_path / "shop" / "begun"), "gate": str(tmp_path / "shop" / "gate")}
    client = make(tmp_path, "shop", tmp_path / "reports", (OPEN, GATE.format(**names), *BOOK[1:]))
    when = f'cron: "{due.minute} {due.hour} {due.day} {due.month} *"'
    schedule = f"schedule: {{{when}, notify: '${{HOOK}}'}}\n"
    target = "targets: [{kpi: basket_value, value: 1000, comparator: '>=', set_at: 2024-06-01}]\n"
    text = PARAMS.format(name="shop", minutes=10).replace("Europe/Madrid", "UTC")
    client.params.write_text(text + schedule + target, encoding="utf-8")
    days = [date(2024, 7, 1) + timedelta(days=n % 180) for n in range(300)]
    rows = [f"t{n},c{n % 150},{day} 10:00:00,a,1,{20 + n % 50}" for n, day in enumerate(days)]
    lines = "\n".join(["ticket,client,sold_at,article,pieces,total", *rows])
    (client.folder / "data" / "lines.csv").write_text(f"{lines}\n", encoding="utf-8")
    scheduled = Scheduled(client, due, hook)
    yield scheduled
    for process in scheduled.started:
        if process.poll() is None:
            process.kill()
            process.communicate()


def until(seen: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + PATIENCE
    while not seen():
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.05)


def test_a_kill_in_the_middle_of_a_run_and_a_start_make_the_report_once(shop: Scheduled) -> None:
    """Begun twice, made once; the hook hears once that the target of 1000 is missed: receipts are below 70."""
    shop.gate.touch()
    first = shop.start("serve")
    until(shop.begun.exists, first)
    first.kill()
    assert first.communicate()[0] == "clients on schedule: 1\n"
    assert (shop.states(), shop.hook.heard) == ([("started", 1)], [])

    shop.gate.unlink()
    second = shop.start("serve")
    until(lambda: shop.states() == [("done", 2)] and bool(shop.hook.heard), second)
    second.send_signal(signal.SIGTERM)
    said = second.communicate(timeout=PATIENCE)[0].splitlines()
    due = shop.due.isoformat(timespec="minutes")
    assert (second.returncode, len(said), said[0], said[2]) == (0, 3, "clients on schedule: 1", "stopped")
    assert said[1].startswith(f"{due} shop 2024-07-01_2024-12-31: done, ")
    assert said[1].endswith(" s, targets missed: basket_value")

    mark = shop.due.strftime("%Y-%m-%dT%H:%M:%SZ")
    (made,) = past.finished(shop.client.out, "shop")
    assert (made.in_place, made.record.due, made.record.state) == (True, mark, "unproved")
    assert shop.interrupted() == ["interrupted"]
    assert [place for place in (shop.client.out / ".staging").iterdir() if place.is_dir()] == []
    assert strays(shop.client.out) == []
    told = {"client": "shop", "due": mark, "state": "done", "code": 0, "message": ""}
    news = {**told, "missed_targets": ["basket_value"]}
    assert shop.hook.heard == [news]

    third = shop.start("run-due")
    assert third.communicate(timeout=PATIENCE)[0] == "0 done, 0 failed, 0 refused\n"
    assert (third.returncode, shop.states(), shop.hook.heard) == (0, [("done", 2)], [news])

    # What a kill leaves between the report's move into its place and the note of it.
    with sqlite3.connect(shop.client.out / ".schedule" / "turns.sqlite") as ledger:
        ledger.execute("update turns set state = 'started', code = null")
    ledger.close()
    fourth = shop.start("run-due")
    assert fourth.communicate(timeout=PATIENCE)[0].splitlines()[1] == "1 done, 0 failed, 0 refused"
    assert (fourth.returncode, shop.states(), shop.hook.heard) == (0, [("done", 2)], [news, news])
    assert [run.record.run_id for run in past.finished(shop.client.out, "shop")] == [made.record.run_id]


def test_a_scheduler_that_is_stopped_ends_its_run_and_owes_it(shop: Scheduled) -> None:
    shop.gate.touch()
    first = shop.start("serve")
    until(shop.begun.exists, first)
    first.send_signal(signal.SIGTERM)
    assert first.communicate(timeout=PATIENCE)[0] == "clients on schedule: 1\nstopped\n"
    assert (first.returncode, shop.states(), shop.interrupted()) == (0, [("due", 0)], ["interrupted"])
    assert strays(shop.client.out) == []

    shop.begun.unlink()
    second = shop.start("run-due")
    until(shop.begun.exists, second)
    second.send_signal(signal.SIGTERM)
    assert second.communicate(timeout=PATIENCE)[0] == ""
    assert (second.returncode, shop.states()) == (130, [("due", 0)])

    shop.gate.unlink()
    third = shop.start("run-due")
    assert third.communicate(timeout=PATIENCE)[0].endswith("\n1 done, 0 failed, 0 refused\n")
    assert (third.returncode, shop.states()) == (0, [("done", 1)])


def test_a_report_of_a_moving_period_is_validated_on_the_day_of_its_run(tmp_path: Path) -> None:
    """On 5 January 2025 the previous quarter is the last of 2024; the basket value is worked out from the file."""
    client = make(tmp_path, "shop", tmp_path / "reports")
    text = PARAMS.format(name="shop", minutes=10).replace("2024-07-01/2024-12-31", "previous quarter")
    client.params.write_text(text, encoding="utf-8")
    with (client.folder / "data" / "lines.csv").open(encoding="utf-8") as lines:
        amounts = [float(row["total"]) for row in csv.DictReader(lines) if row["sold_at"] >= "2024-10-01"]

    kpibook = Path(sys.executable).with_name("kpibook")
    made = _call(kpibook, "run", client.params, "--out", client.out, "--as-of", "2025-01-05")
    folder = client.home / "2024-10-01_2024-12-31"
    assert (made.returncode, record_of(folder)["as_of"]) == (0, "2025-01-05")
    card = pd.read_parquet(folder / "scorecard.parquet").query("kpi == 'basket_value' and segment == 'total'")
    assert float(card["value"].iloc[0]) == pytest.approx(sum(amounts) / len(amounts), rel=1e-9)

    again = _call(kpibook, "validate", folder)
    assert (again.returncode, again.stdout, again.stderr) == (0, f"{folder}: valid\n", "")

    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    (folder / "run.json").write_text(json.dumps(record | {"as_of": "2024-10-05"}), encoding="utf-8")
    other = _call(kpibook, "validate", folder)
    assert (other.returncode, other.stderr.splitlines()[0]) == (5, f"{folder}: not valid")
    assert "scorecard.parquet, basket_value total total current: period_start is" in other.stderr


def _call(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, timeout=300)
