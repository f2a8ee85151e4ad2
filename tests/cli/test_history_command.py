"""``kpibook history`` and ``kpibook compare``: whole outputs over reports made by hand."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from kpibook import cli, results, runs

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]
H1 = {"period_start": date(2024, 1, 1), "period_end": date(2024, 6, 30)}
H2 = {"period_start": date(2024, 7, 1), "period_end": date(2024, 12, 31)}


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    return int(left.value.code or 0)


def row(kpi: str, value: float | None, period: str = "current", **more: Any) -> dict[str, Any]:
    fixed = {"kpi": kpi, "segment_by": "total", "segment": "total", "unit": "money", "definition_hash": "a1", "n": 10}
    return {**fixed, "period": period, "value": value, "status": "ok", **more}


def report(folder: Path, run: str, period: str, rows: list[dict[str, Any]], **more: Any) -> None:
    folder.mkdir(parents=True)
    results.save(folder, results.scorecard(rows), {})
    client = folder.parts[folder.parts.index("reports") + 1]
    facts = {"started": "2025-01-01T06:00:00Z", "finished": "2025-01-01T06:01:00Z", "state": "valid", **more}
    runs.RunRecord(run, client, period, **facts).write(folder)


@pytest.fixture(autouse=True)
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    shop = tmp_path / "reports" / "shop"
    first = [row("net_sales", 100.0, **H1), row("nps", 30.0, **H1), row("visits", 7.0, **H1)]
    second = [
        *(row("net_sales", 150.0, **H2), row("net_sales", 110.0, "previous", **H1)),
        *(row("nps", 40.0, definition_hash="b2", **H2), row("visits", 7.0, **H2), row("visits", 7.0, "previous", **H1)),
    ]
    report(shop / "h1", "aaaa", "h1", first, inputs={"a.csv": "1"}, versions={"kpibook": "0.1.0"})
    report(shop / "h2", "bbbb", "h2", second, inputs={"a.csv": "2"}, versions={"kpibook": "0.1.0"}, draft=True)
    report(shop / "history" / "h1" / "0000", "0000", "h1", first, started="2024-12-01T00:00:00Z", state="not_valid")
    report(tmp_path / "reports" / "desk" / "h1", "cccc", "h1", first)
    return tmp_path / "reports"


def test_history_lists_every_finished_run(capsys: Capture) -> None:
    assert call("history", "shop") == 0
    assert capsys.readouterr().out == (
        "period  run   finished              state                folder\n"
        "h1      0000  2025-01-01T06:01:00Z  not valid, replaced  reports/shop/history/h1/0000\n"
        "h1      aaaa  2025-01-01T06:01:00Z  valid                reports/shop/h1\n"
        "h2      bbbb  2025-01-01T06:01:00Z  valid, draft         reports/shop/h2\n"
    )


def test_history_of_one_kpi_tells_that_definitions_differ(capsys: Capture) -> None:
    assert call("history", "shop", "--kpi", "nps") == 0
    assert capsys.readouterr().out == (
        "period  run   value  low  high  n   status  definition\n"
        "h1      0000  30                10  ok      a1\n"
        "h1      aaaa  30                10  ok      a1\n"
        "h2      bbbb  40                10  ok      b2\n"
        "not one definition: figures of different definitions are not compared\n"
    )
    assert call("history", "shop", "--kpi", "net_sale") == 2
    assert capsys.readouterr().err == ("command line: no report holds a KPI 'net_sale' · did you mean 'net_sales'?\n")


def test_a_client_with_nothing_finished(reports: Path, capsys: Capture) -> None:
    (reports / "new").mkdir()
    assert call("history", "new") == 0
    assert capsys.readouterr().out == "new: no finished report\n"


def test_compare_tells_each_cause_apart(capsys: Capture) -> None:
    assert call("compare", "shop/h1", "bbbb") == 0
    assert capsys.readouterr().out == (
        "h1  run aaaa  2025-01-01T06:01:00Z\n"
        "h2  run bbbb  2025-01-01T06:01:00Z\n"
        "changed: inputs (a.csv)\n"
        "kpi        segment  first  second  same days  movement  cause\n"
        "net_sales           100    150     10         40        restated, moved\n"
        "nps                 30     40                           definition\n"
        "visits              7      7       0          0         within noise\n"
        "0 of 3 figures are the same\n"
    )


def test_compare_of_a_run_with_itself(capsys: Capture) -> None:
    assert call("compare", "aaaa", "aaaa") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[2:] == ["changed: nothing", "3 of 3 figures are the same"]


def test_two_clients_are_not_compared(capsys: Capture) -> None:
    assert call("compare", "shop/h1", "desk/h1") == 2
    said = "command line: these are reports of shop and desk · compare two of one client\n"
    assert capsys.readouterr().err == said
