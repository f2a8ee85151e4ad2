"""The workbook: numbers are numbers, texts are texts, and nothing computes."""

from __future__ import annotations

import zipfile
from datetime import date
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest

from attacks import EVERY
from exports.small_report import ROWS, report
from kpibook import results, runs
from kpibook.errors import NotValidError, ParamsError, RunError
from kpibook.exports import extras, making
from kpibook.exports.figure_sheets import fields, row_of
from kpibook.exports.sheets import Book
from kpibook.present import cells
from kpibook.present.words import LANGUAGES, Words
from kpibook.report.handover import export
from kpibook.report.results import checksum_problems

if TYPE_CHECKING:
    from pathlib import Path


def made(folder: Path) -> Any:
    return openpyxl.load_workbook(export(folder, ["xlsx"]).files[0])


def row(book: Any, sheet: str, kpi: str) -> dict[str, Any]:
    rows = list(book[sheet].iter_rows(min_row=4))
    heads = [cell.value for cell in rows[0]]
    found = next(r for r in rows[1:] if r[-1].value == kpi)
    return dict(zip(heads, found, strict=True))


def test_one_sheet_a_family_and_those_behind_them(tmp_path: Path):
    names = made(report(tmp_path / "r")).sheetnames
    behind = ["Definitions", "Queries", "Data quality", "Origin"]
    assert names == ["Overview", "Sales and receipts", "Customers and retention", *behind]


def test_a_number_is_whole_and_only_its_look_is_rounded(tmp_path: Path):
    found = row(made(report(tmp_path / "r")), "Sales and receipts", "avg_receipt")
    look = '"\u20ac"#,##0.00'
    assert (found["Value"].value, found["Value"].number_format) == (28.307, f"{look};\u2212{look};{look}")
    assert (found["Lower end"].value, found["Upper end"].value, found["n"].value) == (27.902, 28.712, 2469)
    assert (found["Target"].value, found["Target reached"].value) == (30, "missed")


def test_percent_and_its_change_in_points(tmp_path: Path):
    found = row(made(report(tmp_path / "r")), "Customers and retention", "retention_rate")
    assert (found["Value"].value, found["Value"].number_format) == (0.6, "0.0%;\u22120.0%;0.0%")
    assert (found["Change"].value, found["Change, lower end"].value) == (-2.15, -3)
    points = '#,##0.0"\u00a0pp"'
    assert found["Change"].number_format == f"+{points};\u2212{points};{points}"


def test_what_the_report_withholds_is_not_in_the_workbook(tmp_path: Path):
    found = row(made(report(tmp_path / "r")), "Sales and receipts", "clv")
    assert [found[name].value for name in ("Value", "Lower end", "n", "State")] == [None, None, None, "withheld"]


def test_windows_of_different_lengths_have_no_interval_of_change():
    """A sum of 5 days against one of 4: the workbook says as the page does that they are not comparable."""
    one = {
        **dict.fromkeys(("reason", "grade", "benchmark", "target", "target_state", "benchmark_comparable")),
        "kpi": "net_sales", "title": "Net sales", "segment_by": "total", "segment": "total", "unit": "money",
        "status": "ok", "period": "current", "value": 50.0, "low": 50.0, "high": 50.0, "numerator": 50.0,
        "denominator": None, "n": 9.0, "change": 10.0, "change_low": 2.0, "change_high": 18.0, "looks_back": "",
        "period_start": date(2024, 7, 1), "period_end": date(2024, 7, 5),
    }  # fmt: skip
    before = {**one, "period": "previous", "period_start": date(2024, 6, 1), "period_end": date(2024, 6, 4)}
    words = Words("en", "EUR", {})
    kept = {f.label: c for f, c in zip(fields(words), row_of(one, words, before), strict=True)}
    assert [kept[name] for name in (words("sheet.change_low"), words("sheet.change_high"))] == [None, None]
    assert kept[words("sheet.reason")] == "not comparable: 5 and 4 days"
    alone = {f.label: c for f, c in zip(fields(words), row_of(one, words), strict=True)}
    assert alone[words("sheet.change_low")] is not None
    assert alone[words("sheet.reason")] == ""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kpi": "avg_receipt_gap"}, True),
        ({"kpi": "avg_receipt_gap", "segment_by": "variant", "segment": "within_person"}, False),
        ({"segment_by": "membership", "segment": "members"}, True),
        ({"segment_by": "membership", "segment": "members", "status": "low_n"}, False),
        ({"segment_by": "channel", "segment": "web"}, False),
    ],
)
def test_gaps_between_groups_are_said_to_be_associations(change: dict[str, str], said: bool):
    words = Words("en", "EUR", {})
    row = cells.records(results.scorecard([{**ROWS[2], **change}]))[0]
    line = row_of({**row, "title": "X", "looks_back": ""}, words)
    reason = dict(zip([f.label for f in fields(words)], line, strict=True))[words("sheet.reason")]
    assert str(reason).endswith("Association, not effect: the groups differ in more than the programme.") is said


def test_headers_are_frozen_and_pages_are_a4(tmp_path: Path):
    sheet = made(report(tmp_path / "r"))["Sales and receipts"]
    assert (sheet.freeze_panes, sheet.page_setup.paperSize, sheet.page_setup.orientation) == ("B5", 9, "landscape")
    assert (sheet.print_title_rows, sheet.page_setup.fitToHeight) == ("$4:$4", 0)


def test_every_attack_stands_in_it_as_a_text(tmp_path: Path):
    for number, text in enumerate(EVERY):
        rows = [{**ROWS[2], "title": text, "family": text, "segment": text, "segment_by": text}]
        folder = report(tmp_path / str(number), title=text or "x", rows=rows)
        path = export(folder, ["xlsx"]).files[0]
        with zipfile.ZipFile(path) as archive:
            parts = {name: archive.read(name) for name in archive.namelist()}
        sheets = [content for name, content in parts.items() if name.startswith("xl/worksheets/sheet")]
        assert not any(b"<f>" in content or b"<hyperlink" in content for content in sheets), text
        assert not any("vba" in name or "external" in name.lower() for name in parts), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_report_gives_the_same_bytes(tmp_path: Path, language: str):
    one, two = (export(report(tmp_path / name, language=language), ["xlsx"]).files[0] for name in "ab")
    assert one.read_bytes() == two.read_bytes()


def test_headings_are_in_the_report_s_language(tmp_path: Path):
    sheet = made(report(tmp_path / "r", language="de"))["Umsatz und Bons"]
    assert [sheet.cell(4, c).value for c in (5, 6, 9)] == ["Wert", "Untere Grenze", "Zustand"]


def test_names_of_sheets_are_made_fit():
    book = Book.__new__(Book)
    book._names = set()
    assert [book.name(n) for n in ("a/b", "A b", "'", "x" * 40, "x" * 40)] == [
        "a b", "A b 2", "-", "x" * 31, "x" * 29 + " 2",
    ]  # fmt: skip


def test_an_export_is_under_the_seal(tmp_path: Path):
    folder = report(tmp_path / "r")
    export(folder, ["xlsx"])
    assert "report.xlsx" in runs.read(folder).files
    assert checksum_problems(folder, runs.read(folder)) == []


def test_a_report_changed_by_hand_is_not_exported(tmp_path: Path):
    folder = report(tmp_path / "r")
    (folder / "report.html").write_text("changed", encoding="utf-8")
    with pytest.raises(NotValidError) as error:
        export(folder, ["xlsx"])
    remedy = "take the file as it was made, or make the report again"
    assert str(error.value) == f"report.html: was changed after the run \u00b7 {remedy}"
    assert not (folder / "report.xlsx").exists()


def test_a_report_whose_run_failed_is_not_exported(tmp_path: Path):
    folder = report(tmp_path / "r")
    record = runs.read(folder)
    record.state = "failed"
    record.write(folder)
    with pytest.raises(NotValidError) as error:
        export(folder, ["xlsx"])
    said = "this is no finished report: its run is failed \u00b7 name a folder of the reports, or run the client again"
    assert str(error.value) == f"{folder}: {said}"


BROKEN = "cannot be read (Expecting property name enclosed in double quotes: line 1 column 2 (char 1))"


@pytest.mark.parametrize(
    ("change", "said"),
    [(lambda p: p.unlink(), "there is no such file"), (lambda p: p.write_text("{"), BROKEN)],
)
def test_definitions_that_cannot_be_read(tmp_path: Path, change: Any, said: str):
    folder = report(tmp_path / "r")
    change(folder / "definitions.json")
    with pytest.raises(RunError) as error:
        making.make(folder, ["xlsx"], lambda *_: None)
    assert str(error.value) == f"{folder / 'definitions.json'}: {said} \u00b7 make the report again"


def test_definitions_of_another_kind(tmp_path: Path):
    folder = report(tmp_path / "r")
    (folder / "definitions.json").write_text("[]", encoding="utf-8")
    with pytest.raises(RunError) as error:
        making.make(folder, ["xlsx"], lambda *_: None)
    assert str(error.value) == "definitions.json: is not what a run leaves \u00b7 make the report again"


def test_a_scorecard_that_cannot_be_read(tmp_path: Path):
    folder = report(tmp_path / "r")
    (folder / "scorecard.parquet").unlink()
    with pytest.raises(RunError) as error:
        making.make(folder, ["xlsx"], lambda *_: None)
    lost = folder / "scorecard.parquet"
    assert str(error.value) == f"{folder}: cannot be read ({lost}) \u00b7 make the report again"


def test_a_failing_check_leaves_nothing(tmp_path: Path):
    folder = report(tmp_path / "r")
    before = sorted(p.name for p in folder.iterdir())

    def refuse(*_: Any) -> None:
        raise KeyError("no")

    with pytest.raises(KeyError):
        making.make(folder, ["xlsx"], refuse)
    assert sorted(p.name for p in folder.iterdir()) == before


def test_forms_are_read_and_wrong_ones_told():
    assert making.forms("xlsx, xlsx") == ["xlsx"]
    with pytest.raises(ParamsError) as error:
        making.forms("xlxs")
    assert str(error.value) == "--to: 'xlxs' is no form of a report \u00b7 did you mean 'xlsx'?"
    with pytest.raises(ParamsError) as error:
        making.forms(" ,")
    assert str(error.value).startswith("--to: no form is named \u00b7 use one of: ")


def test_a_missing_library_names_the_command(monkeypatch: pytest.MonkeyPatch):
    def gone(name: str) -> Any:
        raise ModuleNotFoundError(name=name)

    monkeypatch.setattr(extras, "import_module", gone)
    with pytest.raises(ParamsError) as error:
        extras.needed("xlsxwriter", "xlsx")
    said = "xlsx: the library xlsxwriter is not installed \u00b7 run pip install 'kpibook[exports]'"
    assert str(error.value) == said
