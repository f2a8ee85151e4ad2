"""One changed digit in any file of a report is found, also when the seal was made anew."""

from __future__ import annotations

import io
import shutil
from copy import deepcopy
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from pptx import Presentation

from exports.small_report import report
from exports.test_slides import ALL
from kpibook import runs
from kpibook.cli import main
from kpibook.report import results
from kpibook.report.handover import export
from kpibook.report.verify import REMEDY, verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: The average receipt with one digit changed in what is shown: 28.31 becomes 28.41.
OTHER = [{**row, "value": 28.407} if row["value"] == 28.307 else row for row in ALL]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = report(tmp_path / "r", rows=ALL)
    export(made, ["pdf", "pptx", "summary", "xlsx"])
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


def test_what_the_workbook_leaves_out_is_no_fault(tmp_path: Path):
    """184 days against 181: the change of a sum has no interval there, though the scorecard has one."""
    around = {"change": 119222.0, "change_low": 100000.0, "change_high": 140000.0}
    rows = [row | around if row["kpi"] == "net_sales" and row["period"] == "current" else row for row in ALL]
    made = report(tmp_path / "r", rows=rows)
    export(made, ["xlsx"])
    assert told(sealed(made)) == []
    sheet = openpyxl.load_workbook(made / "report.xlsx")["Sales and receipts"]
    line = next(list(line) for line in sheet.iter_rows(min_row=5, values_only=True) if line[0] == "Net sales")
    assert line[9:13] == [119222.0, "not comparable: 184 and 181 days", None, None]


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
    assert told(sealed(folder)) == [f"report.html, verdict, figure 1: {what} \u00b7 {REMEDY}"]
    text = page.read_text(encoding="utf-8").replace("\u20ac28.41", "\u20ac28.31")
    page.write_text(text.replace("\u20ac28.31</td>", "\u20ac28.41</td>", 1), encoding="utf-8")
    assert told(sealed(folder)) == [f"report.html, table kb-sales-figures, row 2, column 2: {what} \u00b7 {REMEDY}"]


def test_a_digit_of_the_csv(folder: Path):
    path = folder / "scorecard.csv"
    path.write_bytes(path.read_bytes().replace(b"28.307", b"28.407", 1))
    found = told(sealed(folder))
    assert len(found) == 1
    assert found[0].startswith("scorecard.csv, avg_receipt") and "28.407" in found[0] and "28.307" in found[0]


def test_a_digit_of_the_workbook(folder: Path, tmp_path: Path):
    other = report(tmp_path / "other", rows=OTHER)
    shutil.copy(export(other, ["xlsx"]).files[0], folder / "report.xlsx")
    where = "report.xlsx, sheet Sales and receipts, row 7, column 5"
    assert told(sealed(folder)) == [f"{where}: holds 28.407, scorecard.parquet 28.307 \u00b7 {REMEDY}"]


def test_a_digit_of_the_pdf(folder: Path, tmp_path: Path):
    other = report(tmp_path / "other", rows=OTHER)
    shutil.copy(export(other, ["pdf"]).files[0], folder / "report.pdf")
    found = told(sealed(folder))
    assert len(found) == 1
    assert found[0].startswith("report.pdf, table kb-sales-figures, row 2: does not show 'Avg receipt \u20ac28.31 ")
    assert found[0].endswith(f" \u00b7 {REMEDY}")


def test_a_digit_of_the_scorecard_itself(folder: Path, tmp_path: Path):
    other = report(tmp_path / "other", rows=OTHER)
    shutil.copy(other / "scorecard.parquet", folder / "scorecard.parquet")
    files = {problem.where.partition(",")[0] for problem in verify(sealed(folder))}
    assert files == {"scorecard.csv", "report.html", "report.xlsx", "report.pdf", "report.pptx", "summary.pdf"}


def test_a_table_taken_out_of_the_page(folder: Path):
    page = folder / "report.html"
    page.write_text(page.read_text(encoding="utf-8").replace("kb-sales-figures", "kb-x"), encoding="utf-8")
    assert told(sealed(folder)) == [f"report.html: the table kb-sales-figures is missing \u00b7 {REMEDY}"]


def test_a_digit_of_a_table_of_the_slides(folder: Path, tmp_path: Path):
    other = report(tmp_path / "other", rows=OTHER)
    shutil.copy(export(other, ["pptx"]).files[0], folder / "report.pptx")
    what = "shows '\u20ac28.41', the results '\u20ac28.31'"
    assert told(sealed(folder)) == [f"report.pptx, slide {n}: {what} \u00b7 {REMEDY}" for n in (3, 4)]


def changed(path: Path, change: Callable[[Any], None]) -> None:
    file = Presentation(str(path))
    change(file)
    file.save(str(path))


def shapes(file: Any, slide: int) -> list[Any]:
    return [shape for shape in file.slides[slide - 1].shapes if shape != file.slides[slide - 1].shapes.title]


def test_a_point_of_a_chart_and_of_its_workbook(folder: Path):
    def point(file: Any) -> None:
        chart = shapes(file, 5)[0].chart
        value = chart._chartSpace.xpath("//c:val//c:v")[0]
        assert value.text == "35.25"
        value.text = "35.35"

    changed(folder / "report.pptx", point)
    what = "shows '35.35', the results '35.25'"
    assert told(sealed(folder)) == [f"report.pptx, slide 5, chart: {what} \u00b7 {REMEDY}"]

    def workbook(file: Any) -> None:
        part = shapes(file, 5)[0].chart.part.chart_workbook
        book = openpyxl.load_workbook(io.BytesIO(part.xlsx_part.blob))
        book["Sheet1"]["B3"] = 29.6
        target = io.BytesIO()
        book.save(target)
        part.update_from_xlsx_blob(target.getvalue())

    export(folder, ["pptx"])
    changed(folder / "report.pptx", workbook)
    what = "shows '29.6', the results '29.5'"
    assert told(sealed(folder)) == [f"report.pptx, slide 5, workbook of the chart: {what} \u00b7 {REMEDY}"]


def test_a_digit_of_a_sentence_of_the_slides(folder: Path):
    def sentence(file: Any) -> None:
        run = shapes(file, 2)[0].text_frame.paragraphs[1].runs[0]
        assert run.text.count("3 figures") == 1
        run.text = run.text.replace("3 figures", "4 figures")

    changed(folder / "report.pptx", sentence)
    around = ("hatcanbesaidstandsin", "figures.Targetsofth")
    shown = f"shows '{'4'.join(around)}', the results '{'3'.join(around)}'"
    assert told(sealed(folder)) == [f"report.pptx, slide 2: {shown} \u00b7 {REMEDY}"]


def test_a_row_taken_out_of_the_slides_and_one_put_in(folder: Path):
    def out(file: Any) -> None:
        rows = shapes(file, 5)[1].table._tbl.tr_lst
        rows[2].getparent().remove(rows[2])

    changed(folder / "report.pptx", out)
    what = "does not show 'Store \u20ac29.50 [28.25;\xa030.75] 3,399'"
    assert told(sealed(folder)) == [f"report.pptx, slide 7: {what} \u00b7 {REMEDY}"]

    def more(file: Any) -> None:
        rows = shapes(file, 5)[1].table._tbl.tr_lst
        rows[2].addnext(deepcopy(rows[2]))

    export(sealed(folder), ["pptx"])
    changed(folder / "report.pptx", more)
    assert told(sealed(folder)) == [f"report.pptx, slide 5: shows 'Store', the results '' \u00b7 {REMEDY}"]


def test_the_last_words_taken_out_of_the_slides(folder: Path):
    def out(file: Any) -> None:
        box = shapes(file, 6)[1]
        box._element.getparent().remove(box._element)

    changed(folder / "report.pptx", out)
    what = "does not show 'Thedottedlinesaretheendsofthe95%interval.Onepointhastoofewca'"
    assert told(sealed(folder)) == [f"report.pptx: {what} \u00b7 {REMEDY}"]


def test_slides_that_are_none(folder: Path):
    (folder / "report.pptx").write_bytes(b"no")
    assert told(sealed(folder)) == [f"report.pptx: is no presentation \u00b7 {REMEDY}"]


def test_a_digit_of_the_summary(folder: Path, tmp_path: Path):
    other = report(tmp_path / "other", rows=OTHER)
    shutil.copy(export(other, ["summary"]).files[0], folder / "summary.pdf")
    what = "does not show '\u20ac28.31'"
    assert told(sealed(folder)) == [f"summary.pdf, Avg receipt: {what} \u00b7 {REMEDY}"]
