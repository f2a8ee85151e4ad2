"""The portfolio of three clients, worked out by hand."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kpibook import cli, results, runs
from kpibook.errors import RunError
from kpibook.portfolio import Line, portfolio, summary

Capture = pytest.CaptureFixture[str]


def report(folder: Path, client: str, period: str, states: list[str], **more: Any) -> None:
    folder.mkdir(parents=True)
    rows = [
        {"kpi": f"k{n}", "segment_by": "total", "segment": "total", "period": "current", "target_state": state,
         "period_end": date.fromisoformat(period[-10:])}
        for n, state in enumerate(states)
    ]  # fmt: skip
    results.save(folder, results.scorecard([*rows, {**rows[0], "period": "previous", "target_state": "missed"}]), {})
    facts = {"started": "2024-03-02T06:00:00Z", "state": "valid", **more}
    runs.RunRecord("aaaa", client, period, **facts).write(folder)


def failed(folder: Path, client: str, started: str) -> None:
    folder.mkdir(parents=True)
    runs.RunRecord("ffff", client, "p", started=started, state="failed").write(folder)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    june, may = "2024-01-01_2024-06-30", "2024-05-01_2024-05-31"
    report(tmp_path / "ash" / may, "ash", may, ["met"])
    report(tmp_path / "ash" / june, "ash", june, ["met", "met", "open", "none"], draft=True)
    report(tmp_path / "birch" / may, "birch", may, ["missed", "met"])
    failed(tmp_path / "birch" / "failed" / "1", "birch", "2024-03-01T06:00:00Z")
    failed(tmp_path / "cedar" / "failed" / "1", "cedar", "2024-03-01T06:00:00Z")
    (tmp_path / ".schedule").mkdir()
    return tmp_path


def test_the_latest_report_of_each_client_the_worst_first(out: Path) -> None:
    june, may = "2024-01-01_2024-06-30", "2024-05-01_2024-05-31"
    lines = portfolio(out, date(2024, 7, 10))
    assert lines == [
        Line("cedar", "", "no report", 0, 0, 0, None, 1, ""),
        Line("birch", may, "valid", 1, 1, 0, 40, 0, str(out / "birch" / may)),
        Line("ash", june, "valid, draft", 2, 0, 1, 10, 0, str(out / "ash" / june)),
    ]
    assert summary(lines) == "3 clients: 1 miss a target, 1 failed since, 0 not valid, 1 drafts"


def test_a_spoilt_report_hides_no_other(out: Path) -> None:
    june, may = "2024-01-01_2024-06-30", "2024-05-01_2024-05-31"
    (out / "ash" / june / "scorecard.parquet").write_bytes(b"PAR1")
    lines = portfolio(out, date(2024, 7, 10))
    assert lines == [
        Line("cedar", "", "no report", 0, 0, 0, None, 1, ""),
        Line("ash", june, "spoilt", 0, 0, 0, None, 0, str(out / "ash" / june)),
        Line("birch", may, "valid", 1, 1, 0, 40, 0, str(out / "birch" / may)),
    ]
    assert summary(lines) == "3 clients: 1 miss a target, 1 failed since, 1 not valid, 0 drafts"


def test_a_scorecard_that_cannot_be_read_is_named(out: Path) -> None:
    place = out / "birch" / "2024-05-01_2024-05-31" / "scorecard.parquet"
    place.unlink()
    with pytest.raises(RunError) as caught:
        results.kept(place.parent)
    assert str(caught.value) == f"{place}: cannot be read (FileNotFoundError) \u00b7 make the report again"


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    return int(left.value.code or 0)


def test_the_command(out: Path, capsys: Capture) -> None:
    assert call("portfolio", "--out", str(out), "--csv") == 0
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head == "client,period,state,met,missed,open,age in days,failed since,folder"
    assert first == "cedar,,no report,0,0,0,,1,"
    assert call("portfolio", "--out", str(out), "--markdown") == 0
    assert capsys.readouterr().out.splitlines()[2] == "| cedar |  | no report | 0 | 0 | 0 |  | 1 |  |"
    assert call("portfolio", "--out", str(out), "--markdown", "--csv") == 2
    assert capsys.readouterr().err == "command line: --markdown and --csv exclude each other · keep one of the two\n"
    assert call("portfolio", "--out", str(out / "none")) == 2
    assert capsys.readouterr().err == f"{out}/none: there is no report · name another folder with --out\n"
