"""What reading assumed is told by both commands, and how far a long file is."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from intake.orders import HEAD, orders
from kpibook.cli import progress
from kpibook.cli.run import assumed
from kpibook.report.run import Outcome

NOTE = {
    "rule": "read_encoding_guess", "severity": "amber", "table": "order_lines", "column": None, "rows": 0, "of_rows": 0,
    "value_share": None, "details": {"file": "a.csv", "encoding": "cp1252"}, "examples": [], "kpis": ["avg_receipt"],
}  # fmt: skip
CLIENT: Any = SimpleNamespace(language="en", currency="EUR")
GUESS = "The file a.csv is not UTF-8 and does not say its encoding: read as"
COMMA = "Numbers have a decimal comma. Rows with thousands separated:"
DECIMAL = NOTE | {"rule": "read_decimal_comma", "column": "net_amount", "details": {"grouped": 3, "either": 0}}


def outcome(folder: Path, code: int) -> Outcome:
    (folder / "quality.json").write_text(json.dumps({"findings": [NOTE, DECIMAL, NOTE | {"rule": "empty"}]}))
    return Outcome("shop", "2025", "valid", code, folder)


def test_a_run_tells_what_was_assumed(tmp_path: Path) -> None:
    assert assumed(outcome(tmp_path, 0), CLIENT) == [
        f"order_lines: {GUESS} cp1252, into which all its bytes fit. Check accented letters.",
        f"order_lines.net_amount: {COMMA} 3; that could by themselves be read in two ways: 0.",
    ]
    assert assumed(replace(outcome(tmp_path, 4), state="failed"), CLIENT) == []


def test_a_template_of_ones_own_may_save_no_findings(tmp_path: Path) -> None:
    ended = outcome(tmp_path, 0)
    (tmp_path / "quality.json").write_text("{}", encoding="utf-8")
    assert assumed(ended, CLIENT) == []


def test_long_files_are_told_every_few_seconds(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    clock = iter([0.0, 1.0, 6.0, 6.0, 7.0, 12.0, 12.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    with progress.reading() as tell:
        for done, of in ((1, 10), (5, 10), (6, 10), (7_000_000, 0)):
            tell("a\x1b.csv", done, of)
    assert capsys.readouterr().err == "a\ufffd.csv: 50 %\na\ufffd.csv: 7 MB\n"


def test_check_prints_what_was_assumed(make_project) -> None:
    text = "order_id;customer_id;order_date;product;quantity;amount\n1;C1;05.01.2025;Café;1;1.234,50\n"
    project = make_project({"data/a.csv": text.encode("cp1252")})
    indented = "".join(f"  {line}\n" for line in orders("a.csv").splitlines())
    project.write({"p.yaml": HEAD + indented})
    done = project.run("check", "p.yaml")
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    guessed = f"order_lines: {GUESS} Windows-1252 (cp1252), into which all its bytes fit. Check accented letters."
    first = lines.index("How the files were read, and what was assumed:")
    assert lines[:first] == ["transactions: 1", "order_lines: 1"]
    assert lines[first + 1 : first + 5] == [
        "  to check  order_lines.business_date: Dates are read in the format %d.%m.%Y.",
        f"  to check  {guessed}",
        f"  for information  order_lines.net_amount: {COMMA} 1; that could by themselves be read in two ways: 0.",
        "  for information  order_lines: Columns of a.csv are separated by “;”.",
    ]


def test_check_tells_in_brief_what_is_routine(make_project) -> None:
    text = "order_id,customer_id,order_date,product,quantity,amount\n1,C1,2025-01-05,Mug,1,9.5\n"
    project = make_project({"data/a.csv": text.encode()})
    project.write({"p.yaml": HEAD + "".join(f"  {line}\n" for line in orders("a.csv").splitlines())})
    lines = project.run("check", "p.yaml").out.splitlines()
    taken = "for information  {}: Not supplied; taken to be, on every row: {}"
    receipts = "currency = EUR, is_staff = false, is_test = false, payment_token_hash = null, status = completed"
    assert [line for line in lines if "Not supplied" in line] == [
        taken.format("order_lines", "line_id = row number, return_of_line_id = null"),
        taken.format("transactions", receipts),
    ]
    passed = [line for line in lines if line.startswith("in order")]
    assert len(passed) == 1
    assert re.fullmatch(r"in order  \d+ checks passed\.", passed[0])
    assert "How the files were read, and what was assumed:" not in lines
