"""The pool: six clients worked out by hand, who is in it, and what it says of no one."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from kpibook import cli, results, runs
from kpibook.errors import ParamsError
from kpibook.pool import HEAD, pooled

Capture = pytest.CaptureFixture[str]
CHURN = {"kpi": "churn_rate", "unit": "percent", "definition_hash": "h1", "status": "ok"}


def report(
    out: Path,
    client: str,
    value: float,
    kpi: dict[str, Any] | None = None,
    last: date = date(2024, 12, 31),
    **more: Any,
) -> None:
    facts: dict[str, Any] = {"started": "2025-01-02T06:00:00Z", "state": "valid", "pool": True, **more}
    row = {**CHURN, "segment_by": "total", "segment": "total", "period": "current", "value": value, **(kpi or {})}
    row |= {"period_start": date(last.year, 1, 1), "period_end": last}
    segment = {**row, "segment_by": "channel", "segment": "web", "value": 0.9}
    folder = out / client / f"2024-01-01_{last}"
    folder.mkdir(parents=True)
    results.save(folder, results.scorecard([row, segment, {**row, "period": "previous", "value": 0.9}]), {})
    runs.RunRecord("aaaa", client, folder.name, **facts).write(folder)


def five(out: Path, **kpi: Any) -> None:
    for number in range(5):
        report(out, f"c{number}", 0.20 + 0.01 * number, kpi)


def test_an_average_of_five_with_its_passport(tmp_path: Path) -> None:
    """0.20 to 0.24: mean 0.22, standard deviation 0.0158, of the mean 0.00707; t(4) = 2.776: 0.2004 to 0.2396."""
    five(tmp_path)
    (row,) = pooled(tmp_path, 12)
    assert tuple(row) == HEAD
    assert row == {
        "benchmark_id": "pool-churn_rate", "kpi_id": "churn_rate", "segment": "total", "low": "0.2", "value": "0.22",
        "high": "0.24", "unit": "percent", "geography": "own clients", "industry": "own clients", "year": "2024",
        "n": "5", "source": "Average of 5 clients of the consultant; 12 months up to 2024-12 … 2024-12",
        "source_url": "kpibook:definition/h1", "same_definition": "true", "evidence_grade": "B",
    }  # fmt: skip


def test_five_equal_clients_have_no_interval(tmp_path: Path) -> None:
    for number in range(5):
        report(tmp_path, f"c{number}", 0.5)
    (row,) = pooled(tmp_path, 12)
    assert (row["low"], row["value"], row["high"]) == ("0.5", "0.5", "0.5")


@pytest.mark.parametrize(
    ("kpi", "last", "more"),
    [
        ({}, date(2024, 12, 31), {"pool": False}),
        ({}, date(2024, 12, 31), {"state": "not_valid"}),
        ({}, date(2024, 12, 31), {"state": "unproved"}),
        ({}, date(2024, 12, 31), {"draft": True}),
        ({}, date(2024, 6, 30), {}),
        ({"definition_hash": "h2"}, date(2024, 12, 31), {}),
        ({"status": "low_n"}, date(2024, 12, 31), {}),
    ],
)
def test_who_is_not_in_it(kpi: dict[str, Any], last: date, more: dict[str, Any], tmp_path: Path) -> None:
    """The sixth would move the average to 0.35.

    Not asked, not valid, unproved, a draft, half a year, defined in another way, too few persons.
    """
    five(tmp_path)
    report(tmp_path, "sixth", 1.0, kpi, last, **more)
    assert [(row["value"], row["n"]) for row in pooled(tmp_path, 12)] == [("0.22", "5")]


@pytest.mark.parametrize("unit", ["money", "count", "persons", "points"])
def test_what_tells_how_large_a_client_is_is_not_in_it(unit: str, tmp_path: Path) -> None:
    five(tmp_path, unit=unit)
    with pytest.raises(ParamsError) as caught:
        pooled(tmp_path, 12)
    assert str(caught.value) == TOO_FEW.format(out=tmp_path, clients=0)


TOO_FEW = (
    "{out}: {clients} clients with privacy: pool: true have a valid report over 12 months, and no figure is one of 5"
    " of them under one definition · ask more clients, or name another length with --months"
)


def call(*arguments: str) -> int:
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    return int(left.value.code or 0)


def test_the_command(tmp_path: Path, capsys: Capture) -> None:
    out, file = tmp_path / "reports", tmp_path / "pool.csv"
    for number in range(4):
        report(out, f"c{number}", 0.2)
    assert call("portfolio", "--out", str(out), "--pool", str(file)) == 2
    assert capsys.readouterr().err == TOO_FEW.format(out=out, clients=4) + "\n"
    assert not file.exists()
    report(out, "c4", 0.2)
    assert call("portfolio", "--out", str(out), "--pool", str(file)) == 0
    assert capsys.readouterr().out == f"{file}: 1 figures, each an average of 5 clients or more\n"
    with file.open(encoding="utf-8") as lines:
        assert [row["kpi_id"] for row in csv.DictReader(lines)] == ["churn_rate"]
    text = file.read_text(encoding="utf-8")
    assert [client for client in ("c0", "c1", "c2", "c3", "c4") if client in text] == []
    assert call("portfolio", "--out", str(out), "--pool", str(tmp_path)) == 2
    told = f"{tmp_path}: cannot be written (Is a directory) · name another file with --pool\n"
    assert capsys.readouterr().err == told
