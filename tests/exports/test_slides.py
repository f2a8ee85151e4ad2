"""The slides read back: titles, native tables and charts, a client's template, and one that will not do."""

from __future__ import annotations

import io
import re
import zipfile
from typing import TYPE_CHECKING, Any

import openpyxl
import pytest
from pptx import Presentation
from pptx.util import Inches

from attacks import FORMULAS, HTML
from exports.small_report import ROWS, report
from kpibook.errors import ParamsError
from kpibook.exports.slide_contents import Table
from kpibook.exports.slide_tables import best, pages
from kpibook.present.formats import NONE
from kpibook.report.handover import export
from kpibook.report.verify import verify
from present.cards import figure, months

if TYPE_CHECKING:
    from pathlib import Path

MONEY = {"unit": "money", "better": "higher", "family": "sales"}
BY = {"segment_by": "channel", **MONEY}
CHANNELS = (
    figure("avg_receipt", 35.25, 33.5, 37.0, n=812, segment="web", **BY),
    figure("avg_receipt", 29.5, 28.25, 30.75, n=3399, segment="store", **BY),
)
ALL = (*ROWS, *CHANNELS, *months("avg_receipt", **MONEY))


def opened(path: Path) -> Any:
    return Presentation(str(path))


def made(folder: Path, template: Path | None = None, **content: Any) -> Any:
    return opened(export(report(folder, **{"rows": ALL, **content}), ["pptx"], template).files[0])


def titles(file: Any) -> list[str]:
    return [page.shapes.title.text for page in file.slides]


def tables(file: Any) -> list[list[list[str]]]:
    shapes = [shape for page in file.slides for shape in page.shapes if shape.has_table]
    return [[[re.sub(r"\s", " ", cell.text) for cell in line.cells] for line in shape.table.rows] for shape in shapes]


def charts(file: Any) -> list[Any]:
    return [shape.chart for page in file.slides for shape in page.shapes if shape.has_chart]


def said(page: Any) -> list[str]:
    return [re.sub(r"\s", " ", shape.text_frame.text) for shape in page.shapes if shape.has_text_frame]


def test_cover_verdict_figures_families_and_their_charts(tmp_path: Path):
    assert titles(made(tmp_path / "r")) == [
        *("Corner Shop", "The verdict", "Key figures", "Sales and receipts"),
        *("Avg receipt by channel", "Avg receipt by month", "Customers and retention"),
    ]


def test_figures_are_native_tables_in_the_words_of_the_report(tmp_path: Path):
    five, sales, channels, customers = tables(made(tmp_path / "r"))
    head = ["KPI", "Value", "95% interval", "n", "Before", "Change"]
    assert five[0] == [*head, "Target"]
    assert five[1] == ["Avg receipt", "€28.31", "[27.90; 28.71]", "2,469", NONE, NONE, "€30.00, missed"]
    windows = "+€119,222 (not comparable: 184 and 181 days)"
    assert sales[1] == ["Net sales", "€2,350,413", "exact", "2,469", "€2,231,190", windows, NONE]
    assert channels == [
        ["Channel", "Value", "95% interval", "n"],
        ["Web", "€35.25", "[33.50; 37.00]", "812"],
        ["Store", "€29.50", "[28.25; 30.75]", "3,399"],
    ]
    assert customers == [head[:4], ["Retention rate", "60.0%", "[58.0; 62.0]", "2,469"]]


def test_what_cannot_be_shown_is_counted(tmp_path: Path):
    page = made(tmp_path / "r").slides[3]
    assert said(page)[1:] == ["One further figure could not be computed or is withheld: the report says why."]


def test_a_gap_between_groups_is_said_to_be_an_association(tmp_path: Path):
    """The same figures as a gap between receipts with and without card."""
    gap = [row | {"kpi": "avg_receipt_gap"} if row["kpi"] == "avg_receipt" else row for row in ROWS]
    page = next(p for p in made(tmp_path / "r", rows=gap).slides if p.shapes.title.text == "Sales and receipts")
    further = "One further figure could not be computed or is withheld: the report says why."
    assert said(page)[1:] == [f"{further} Association, not effect: the groups differ in more than the programme."]


def test_charts_are_native_and_hold_the_numbers(tmp_path: Path):
    """Months are 27.25 to 30 by a quarter, half a unit around each; the third of them has too few cases."""
    bars, line = charts(made(tmp_path / "r"))
    assert [str(line.chart_type), str(bars.chart_type)] == ["LINE (4)", "BAR_CLUSTERED (57)"]
    assert (list(bars.plots[0].categories), list(bars.plots[0].series[0].values)) == (["Web", "Store"], [35.25, 29.5])
    assert bars.value_axis.minimum_scale == 0
    assert list(line.plots[0].series[0].values)[6:] == [28.75, 29.0, 29.25, 29.5, 29.75, 30.0]
    book = openpyxl.load_workbook(io.BytesIO(bars.part.chart_workbook.xlsx_part.blob))
    rows = [[cell.value for cell in cells] for cells in book["Sheet1"].iter_rows()]
    assert rows == [[None, "Avg receipt"], ["Web", 35.25], ["Store", 29.5]]


def test_the_ends_of_an_interval_have_no_place_in_the_legend(tmp_path: Path):
    line = charts(made(tmp_path / "r"))[1]
    names = [series.name for series in line.plots[0].series]
    out = [int(e) for e in line.legend._element.xpath("c:legendEntry[c:delete/@val='1']/c:idx/@val")]
    assert [names[i] for i in out] == [name for name in names if name.endswith(" end")]
    assert len(out) == 4


def test_the_same_report_gives_the_same_bytes(tmp_path: Path):
    one, two = (export(report(tmp_path / name, rows=ALL), ["pptx"]).files[0].read_bytes() for name in "ab")
    assert one == two
    with zipfile.ZipFile(io.BytesIO(one)) as parts:
        assert {entry.date_time for entry in parts.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_it_speaks_the_language_of_the_report(tmp_path: Path):
    file = made(tmp_path / "r", language="de")
    assert titles(file)[1:5] == ["Fazit", "Die wichtigsten Kennzahlen", "Umsatz und Bons", "Avg receipt nach Kanal"]
    assert file.core_properties.language == "de"


@pytest.mark.parametrize("text", [*FORMULAS[:6], *HTML[:2], "a\x0bb\x1bc", "x" * 4000, "x y " * 2000])
def test_hostile_texts_stay_texts_and_inside_of_the_slides(tmp_path: Path, text: str):
    rows = [{**row, "title": text} for row in ALL[:5]]
    rows += [{**row, "title": text, "segment": f"{text}{i}"} for i, row in enumerate(CHANNELS)]
    folder = report(tmp_path / "r", title=text, rows=rows)
    path = export(folder, ["pptx"]).files[0]
    with zipfile.ZipFile(path) as parts:
        inside = {name: parts.read(name) for name in parts.namelist()}
    books = [zipfile.ZipFile(io.BytesIO(blob)) for name, blob in inside.items() if name.endswith(".xlsx")]
    assert len(books) == 1
    assert b"<f>" not in books[0].read("xl/worksheets/sheet1.xml")
    links = b"".join(blob for name, blob in inside.items() if name.endswith(".rels"))
    assert b'TargetMode="External"' not in links
    file = opened(path)
    for page in file.slides:
        for shape in page.shapes:
            tall = sum(row.height for row in shape.table.rows) if shape.has_table else shape.height
            assert shape.top + tall <= file.slide_height
            assert shape.left + shape.width <= file.slide_width
    assert [str(p) for p in verify(folder) if p.where.startswith("report.pptx")] == []


def brand(path: Path, *, without_titles: bool = False, high: int = 0) -> Path:
    """A template of a client's own, with a slide in it; titles may be missing or fill ``high`` EMU."""
    file = Presentation()
    file.slides.add_slide(file.slide_layouts[6])
    for layout in file.slide_layouts:
        for holder in list(layout.placeholders):
            if holder.placeholder_format.idx == 0 and without_titles:
                holder.element.getparent().remove(holder.element)
            elif holder.placeholder_format.idx == 0 and high:
                holder.left, holder.top, holder.width, holder.height = 0, 0, file.slide_width, high
    file.save(path)
    return path


def test_the_clients_template_is_taken_without_its_slides(tmp_path: Path):
    file = made(tmp_path / "r", brand(tmp_path / "brand.pptx"))
    assert (file.slide_width, len(file.slides)) == (9144000, 7)
    assert {page.slide_layout.name for page in file.slides} == {"Title Slide", "Title Only"}
    right = [s.left + s.width for page in file.slides for s in page.shapes if s.has_table or s.has_chart]
    assert max(right) <= file.slide_width
    assert [str(p) for p in verify(tmp_path / "r") if p.where.startswith("report.pptx")] == []


def test_a_later_export_takes_the_template_of_the_run(tmp_path: Path):
    made(tmp_path / "r", brand(tmp_path / "brand.pptx"))
    assert opened(export(tmp_path / "r", ["pptx"]).files[0]).slide_width == 9144000


def refused(folder: Path, template: Path) -> str:
    with pytest.raises(ParamsError) as error:
        made(folder, template)
    return str(error.value).removeprefix(f"template of the slides: {template}: ")


def test_a_template_that_will_not_do_is_told(tmp_path: Path):
    path = tmp_path / "brand.pptx"
    remedy = "name a presentation saved as .pptx"
    assert refused(tmp_path / "a", path) == f"there is no such file · {remedy}"
    path.write_bytes(b"no")
    assert refused(tmp_path / "b", path) == f"is no presentation · {remedy}"
    brand(path, without_titles=True)
    remedy = "add a layout such as 'Title Only' to its master"
    assert refused(tmp_path / "c", path) == f"it has no layout with a place for a title · {remedy}"
    brand(path, high=Inches(5))
    remedy = "add a layout 'Title Only' with a title at the top"
    what = "its layout 'Title Only' leaves too little room beside the title"
    assert refused(tmp_path / "d", path) == f"{what} · {remedy}"
    assert not (tmp_path / "d" / "report.pptx").exists()


def test_a_table_goes_on_where_the_slide_ends_and_its_parts_are_even():
    table = Table("t", ["A"], [["x"]] * 5, [1.0])
    row = int(10 * 1.22 * 12_700) + 2 * 30_000
    assert [len(rows) for rows in pages(table, [10_000_000], 5 * row, 10.0)] == [4, 1]
    size, parts = best(table, [10_000_000], 5 * row)
    assert (size, [len(rows) for rows in parts]) == (10.0, [3, 2])
