"""One changed digit in any file of a report is found, also when the seal was made anew."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from exports.small_report import ROWS, report
from kpibook import runs
from kpibook.cli import main
from kpibook.report import results
from kpibook.report.handover import export
from kpibook.report.verify import REMEDY, verify

if TYPE_CHECKING:
    from pathlib import Path

#: The average receipt with one digit changed in what is shown: 28.31 becomes 28.41.
OTHER = [{**row, "value": 28.407} if row["kpi"] == "avg_receipt" else row for row in ROWS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = report(tmp_path / "r")
    export(made, ["pdf", "xlsx"])
    return made


def sealed(folder: Path) -> Path:
    record = runs.read(folder)
    record.files = results.checksums(folder)
    record.write(folder)
    return folder


def told(folder: Path) -> list[str]:
    return [str(problem) for problem in verify(folder)]


def test_a_report_as_it_was_made_is_one(folder: Path, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(folder)])
    said = f"{folder}: as its run left it, and one number wherever a KPI is shown\n"
    assert (ended.value.code, capsys.readouterr().out) == (0, said)


def test_without_a_new_seal_the_file_is_told(folder: Path, capsys: pytest.CaptureFixture[str]):
    (folder / "report.pdf").write_bytes((folder / "report.pdf").read_bytes() + b"\n")
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(folder)])
    remedy = "take the file as it was made, or make the report again"
    said = f"report.pdf: was changed after the run \u00b7 {remedy}\n"
    assert (ended.value.code, capsys.readouterr().err) == (5, said)


def test_a_digit_of_the_page(folder: Path):
    page = folder / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("\u20ac28.31", "\u20ac28.41", 1), encoding="utf-8")
    what = "shows '\u20ac28.41', scorecard.parquet '\u20ac28.31'"
    assert told(sealed(folder)) == [f"report.html, table kb-sales-figures, row 2, column 2: {what} \u00b7 {REMEDY}"]


def test_a_digit_of_the_csv(folder: Path):
    path = folder / "scorecard.csv"
    path.write_bytes(path.read_bytes().replace(b"28.307", b"28.407", 1))
    found = told(sealed(folder))
    assert len(found) == 1
    assert found[0].startswith("scorecard.csv, avg_receipt") and "28.407" in found[0] and "28.307" in found[0]


def test_a_digit_of_the_workbook(folder: Path, tmp_path: Path):
    other = report(tmp_path / "other", rows=OTHER)
    shutil.copy(export(other, ["xlsx"])[0], folder / "report.xlsx")
    where = "report.xlsx, sheet Sales and receipts, row 7, column 5"
    assert told(sealed(folder)) == [f"{where}: holds 28.407, scorecard.parquet 28.307 \u00b7 {REMEDY}"]


def test_a_digit_of_the_pdf(folder: Path, tmp_path: Path):
    other = report(tmp_path / "other", rows=OTHER)
    shutil.copy(export(other, ["pdf"])[0], folder / "report.pdf")
    found = told(sealed(folder))
    assert len(found) == 1
    assert found[0].startswith("report.pdf, table kb-sales-figures, row 2: does not show 'Avg receipt \u20ac28.31 ")
    assert found[0].endswith(f" \u00b7 {REMEDY}")


def test_a_digit_of_the_scorecard_itself(folder: Path, tmp_path: Path):
    other = report(tmp_path / "other", rows=OTHER)
    shutil.copy(other / "scorecard.parquet", folder / "scorecard.parquet")
    files = {problem.where.partition(",")[0] for problem in verify(sealed(folder))}
    assert files == {"scorecard.csv", "report.html", "report.xlsx", "report.pdf"}


def test_a_table_taken_out_of_the_page(folder: Path):
    page = folder / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("kb-sales-figures", "kb-x"), encoding="utf-8")
    assert told(sealed(folder)) == [f"report.html: the table kb-sales-figures is missing \u00b7 {REMEDY}"]
