"""``kpibook schedule``: what it refuses, and a due run that is refused for its data."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kpibook import cli, keeper
from kpibook.ledger import Ledger
from kpibook.report.run import Outcome

Capture = pytest.CaptureFixture[str]
TEXT = """\
client: shop
title: Shop
language: en
currency: EUR
timezone: Europe/Rome
period: previous month
source: .
tables:
  order_lines: {from: lines.csv, columns: {transaction_id: receipt, ts: time, net_amount: net}}
"""


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("lines.csv").write_text("receipt,time,net\n", encoding="utf-8")
    Path("empty").mkdir()


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    return int(left.value.code or 0)


def test_what_has_no_schedule(capsys: Capture) -> None:
    Path("shop.yaml").write_text(TEXT, encoding="utf-8")
    assert call("schedule", "list", "shop.yaml") == 2
    remedy = "add schedule: '0 6 2 * *' to a params file"
    assert capsys.readouterr().err == f"shop.yaml: no client has a schedule · {remedy}\n"
    assert call("schedule", "list", "empty") == 2
    assert capsys.readouterr().err == "empty: there is no params file in this folder · name another one\n"


@pytest.mark.parametrize(
    ("schedule", "message"),
    [
        (
            "'0 6 31 2 *'",
            (
                "schedule: '0 6 31 2 *' never fires: no month of it has such a day"
                " · name a day that one of the months has, such as 28"
            ),
        ),
        (
            "{cron: '0 25 * * *'}",
            ("schedule.cron: '25' is no hour of a schedule · write five cron fields, such as '0 6 2 * *'"),
        ),
        (
            "{cron: '0 6 * * *', notify: 'https://hook.example/x'}",
            (
                "schedule.notify: whoever reads an address here could"
                " write to it · write ${NAME}, and set NAME to the address"
            ),
        ),
        ("{cron: '0 6 * * *', retry: 1}", "schedule.retry: unknown key · did you mean 'retries'?"),
    ],
)
def test_a_schedule_is_refused_with_its_line(schedule: str, message: str, capsys: Capture) -> None:
    Path("shop.yaml").write_text(f"{TEXT}schedule: {schedule}\n", encoding="utf-8")
    assert call("schedule", "run-due", "shop.yaml") == 2
    assert capsys.readouterr().err == f"shop.yaml:10: {message}\n"


def test_one_line_a_run_and_a_summary(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("shop.yaml").write_text(f"{TEXT}schedule: '* * * * *'\n", encoding="utf-8")
    Ledger(Path("reports")).close()
    made: list[str] = []

    def run(params: object, out: Path, cancel: object, proof: bool, due: str) -> Outcome:
        made.append(due)
        return Outcome("shop", "2024-02-01_2024-02-29", "failed", 3, message="lines.csv: has no rows · send it again")

    class Clock(datetime):
        @classmethod
        def now(cls, tz: object = None) -> datetime:
            return datetime(2024, 3, 2, 5, 0, 30, tzinfo=UTC)

    monkeypatch.setattr(keeper, "run", run)
    monkeypatch.setattr(keeper, "datetime", Clock)
    assert call("schedule", "run-due", "shop.yaml") == 3
    assert made == ["2024-03-02T05:00:00Z"]
    line = "2024-03-02T06:00+01:00 shop 2024-02-01_2024-02-29: refused, 0 s · lines.csv: has no rows · send it again"
    assert capsys.readouterr().out == f"{line}\n0 done, 0 failed, 1 refused\n"
    assert call("schedule", "run-due", "shop.yaml") == 0
    assert capsys.readouterr().out == "0 done, 0 failed, 0 refused\n"
