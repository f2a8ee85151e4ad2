"""Is one KPI one number wherever a report shows it, and is the folder as its run left it?"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import TYPE_CHECKING

from kpibook import runs
from kpibook.errors import Problem
from kpibook.exports import opening, summary
from kpibook.exports.figure_sheets import families, lines_of
from kpibook.exports.finished import PAGE, Finished, finished_folder, read
from kpibook.exports.page import Block, blocks, plain
from kpibook.exports.sheets import HEAD, Number
from kpibook.exports.typesetting import UNKNOWN
from kpibook.present.chapters import section
from kpibook.report import results, verify_slides
from kpibook.report.compare import KEYS, as_csv, compare, csv_like
from kpibook.unspoken import replaced

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REMEDY = "take the file as it was made, or export it again"
UNKNOWNS = re.compile(f"{UNKNOWN}+")
#: Spanish and others repeat a hyphen at which a line ends; the sign of a number is another.
BLANK = re.compile(r"[\s\u200b-]+")


def verify(path: Path) -> list[Problem]:
    """What is not as it should be; RunError or NotValidError when the folder cannot be read as a report."""
    folder = finished_folder(path)
    report = read(folder)
    stored = results.frame(folder, results.SCORECARD)
    found = results.checksum_problems(folder, runs.read(folder))
    written = csv_like(folder / results.CSV, stored)
    found += compare(results.CSV, written, as_csv(stored), KEYS, f"in {results.SCORECARD}")
    found += page_problems(report)
    found += card_problems(report)
    if (folder / "report.xlsx").is_file():
        found += workbook_problems(report)
    if (folder / "report.pdf").is_file():
        found += paper_problems(report)
    if (folder / verify_slides.NAME).is_file():
        found += verify_slides.slides_problems(report, REMEDY)
    if (folder / summary.NAME).is_file():
        found += summary_problems(report)
    return found


def page_problems(report: Finished) -> Iterator[Problem]:
    """Tables of figures on the page that say other than the scorecard."""
    shown = {block["id"]: _rows(block) for block in report.blocks if block["kind"] == "table"}
    for expected in _expected(report):
        name = expected["id"]
        if name not in shown:
            yield Problem(PAGE, f"the table {name} is missing", REMEDY)
            continue
        nothing: list[str] = []
        for row, (is_row, should) in enumerate(zip_longest(shown[name], _rows(expected), fillvalue=nothing), 1):
            if is_row != should:
                which = next(i for i, pair in enumerate(zip_longest(is_row, should), 1) if pair[0] != pair[1])
                shows, holds = (" ".join(r[which - 1 : which]) for r in (is_row, should))
                what = f"shows '{shows}', {results.SCORECARD} '{holds}'"
                yield Problem(f"{PAGE}, table {name}, row {row}, column {which}", what, REMEDY)


def workbook_problems(report: Finished) -> Iterator[Problem]:
    """Cells of the families' sheets that hold another number than the scorecard."""
    from python_calamine import CalamineWorkbook

    book = CalamineWorkbook.from_path(str(report.folder / "report.xlsx"))
    for place, family in enumerate(families(report), 1):
        sheet = book.get_sheet_by_index(place)
        held = sheet.to_python(skip_empty_area=False)[HEAD + 1 :]
        for number, line in enumerate(lines_of(report, family)):
            for column, cell in enumerate(line):
                is_cell = held[number][column] if number < len(held) else ""
                if isinstance(cell, Number) and is_cell != float(f"{cell.value:.16G}"):  # as it is written
                    what = f"holds {is_cell!r}, {results.SCORECARD} {cell.value!r}"
                    where = f"report.xlsx, sheet {sheet.name}, row {HEAD + 2 + number}, column {column + 1}"
                    yield Problem(where, what, REMEDY)


def paper_problems(report: Finished) -> Iterator[Problem]:
    """Rows of figures that do not stand in the PDF as the scorecard has them."""
    text = _text(report.folder / "report.pdf")
    for block in _expected(report):
        for number, row in enumerate(block["rows"], 1):
            said = "".join(r["text"] for c in row for r in c["runs"] if "hidden" not in r["looks"])
            if not _stands(said, text):
                what = f"does not show '{' '.join(plain(c['runs']) for c in row)}'"
                yield Problem(f"report.pdf, table {block['id']}, row {number}", what, REMEDY)


def summary_problems(report: Finished) -> Iterator[Problem]:
    """Figures and sentences of page one that do not stand in the summary as scorecard and page have them."""
    text = _text(report.folder / summary.NAME)
    fewest = summary.LIMITS[-1][1]
    parts = [(card["title"], [card["title"], card["value"], *card["lines"]]) for card in opening.figures(report)]
    for where, texts in [*parts, (report.words("verdict.title"), opening.said(report)[:fewest])]:
        for said in texts:
            cuts = [summary.cut(said, longest) for longest, _ in summary.LIMITS]
            if not any(_stands(each, text) for each in (said, *cuts)):
                yield Problem(f"{summary.NAME}, {where}", f"does not show '{said}'", REMEDY)


def card_problems(report: Finished) -> Iterator[Problem]:
    """Figures in the verdict of the page that are not as the scorecard has them."""
    shown = [card for block in opening.chapter(report) if block["kind"] == "cards" for card in block["cards"]]
    for number, (is_card, should) in enumerate(zip_longest(shown, opening.figures(report)), 1):
        if shown and is_card != should:
            said, holds = (_card_texts(card) for card in (is_card, should))
            pair = next((p for p in zip_longest(said, holds, fillvalue="") if p[0] != p[1]), ("", ""))
            what = f"shows '{pair[0]}', {results.SCORECARD} '{pair[1]}'"
            yield Problem(f"{PAGE}, verdict, figure {number}", what, REMEDY)


def _card_texts(card: Block | None) -> list[str]:
    return [card["title"], card["value"], *card["lines"]] if card else []


def _text(path: Path) -> str:
    """All text of a PDF without its blanks."""
    from pypdf import PdfReader

    return BLANK.sub("", "".join(page.extract_text() for page in PdfReader(path).pages))


def _stands(said: str, text: str) -> bool:
    """Whether a text stands there; letters that no font has stand as the sign for them, and nowhere else."""
    bare = BLANK.sub("", replaced(said))
    if bare in text:
        return True
    if UNKNOWN not in text:
        return False
    shown = "".join(letter if letter in text else UNKNOWN for letter in bare)
    return UNKNOWNS.sub(UNKNOWN, shown) in UNKNOWNS.sub(UNKNOWN, text)


def _expected(report: Finished) -> list[Block]:
    units = {kpi: each["table_units"] for kpi, each in report.kpis.items()}
    parts = [section(report.card, {}, family, report.words, units).html for family in families(report)]
    return [b for part in parts for b in blocks(part) if b["kind"] == "table"]


def _rows(block: Block) -> list[list[str]]:
    return [[plain(cell["runs"]) for cell in row] for row in block["rows"]]
