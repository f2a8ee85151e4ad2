"""The sheets behind the figures: cover, definitions, queries, data quality, origin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kpibook.exports.found import findings
from kpibook.exports.page import plain
from kpibook.exports.sheets import SOFT, Book, Cell, Field, Number
from kpibook.present import audit_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kpibook.exports.finished import Finished


def cover_sheet(book: Book, report: Finished) -> None:
    """What the page says before its chapters: title, facts, warnings, verdict."""
    sheet = book.paper(report.words("sheet.cover"), landscape=False)
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 72)
    row = 0
    for block in _before_chapters(report):
        if block["kind"] == "h":
            looks: dict[str, Any] = {"bold": True, "font_size": 18 if block["level"] == 1 else 13}
            book.put(sheet, row, 0, block["text"], **looks)
            sheet.set_row(row, 26 if block["level"] == 1 else 22)
        elif block["kind"] == "facts":
            for label, said in block["entries"]:
                book.put(sheet, row, 0, label, font_color=SOFT)
                book.put(sheet, row, 1, said, wrapped=True)
                row += 1
            continue
        else:
            texts = [plain(block["runs"])] if block["kind"] == "p" else [plain(i) for i in block["items"]]
            for text in texts:
                marked = {"bold": True, "font_color": "#a33b00"} if block.get("style") in ("alert", "draft") else {}
                style = book.style(text_wrap=True, **marked)
                sheet.merge_range(row, 0, row, 1, "", style)
                sheet.write_string(row, 0, text, style)
                sheet.set_row(row, 14.0 * max(1, -(-len(text) // 92)))
                row += 1
            continue
        row += 1


def definition_sheet(book: Book, report: Finished) -> None:
    """Every KPI that has a figure: what it means, in which unit, with which settings, of which columns."""
    words = report.words
    heads = [
        Field(words("table.kpi"), 34, wrapped=True), Field(words("definitions.text"), 70, wrapped=True),
        Field(words("sheet.unit"), 11), Field(words("sheet.settings"), 28, wrapped=True),
        Field(words("sheet.needs"), 52, wrapped=True), Field(words("sheet.id"), 30),
        Field(words("definitions.hash"), 16), Field(words("sheet.origin"), 24, wrapped=True),
    ]  # fmt: skip
    rows: list[list[Cell]] = [
        [
            each["title"], each["text"], words.unit_name(each["unit"]), _settings(each),
            ", ".join(each["needs"]), kpi, each["hash"], each["origin"],
        ]
        for kpi, each in report.kpis.items() if kpi in _shown(report)
    ]  # fmt: skip
    title = words("definitions.heading")
    book.sheet(words("sheet.definitions"), title, report.frame["title"], heads, rows)


def query_sheet(book: Book, report: Finished) -> None:
    """The command that prints the whole query behind each figure."""
    words = report.words
    heads = [Field(words("table.kpi"), 40, wrapped=True), Field(words("sheet.query"), 70, wrapped=True)]
    heads += [Field(words("definitions.hash"), 16)]
    file = report.record.params.replace("\\", "/").rpartition("/")[2]
    rows = [
        [each["title"], f"kpibook sql {kpi} {file}", each["hash"]]
        for kpi, each in report.kpis.items()
        if kpi in _shown(report)
    ]
    book.sheet(words("sheet.queries"), words("sheet.queries"), words("sheet.queries_note"), heads, rows)


def quality_sheet(book: Book, report: Finished) -> None:
    """What was found in the data, the gravest first, with the KPIs that each finding touches."""
    words = report.words
    heads = [
        Field(words("quality.severity"), 15), Field(words("quality.place"), 34, wrapped=True),
        Field(words("quality.finding"), 80, wrapped=True), Field(words("quality.rows"), 12, numeric=True),
        Field(words("sheet.of_rows"), 12, numeric=True), Field(words("sheet.touches"), 60, wrapped=True),
    ]  # fmt: skip
    rows = []
    for found, kpis in findings(report):
        titles = "; ".join(report.kpis[k]["title"] if k in report.kpis else k for k in kpis)
        numbers = [Number(n, "#,##0") if n else None for n in (found.rows, found.of_rows)]
        text = audit_tables.finding_text(found, words)
        rows.append([words(f"severity.{found.severity}"), found.place, text, *numbers, titles])
    title = words("quality.heading")
    book.sheet(words("sheet.quality"), title, report.frame["title"], heads, rows)


def origin_sheet(book: Book, report: Finished) -> None:
    """Of which files, definitions and versions the figures are."""
    words, record = report.words, report.record
    rows: list[list[Cell]] = [
        [words("sheet.run"), record.run_id, ""],
        [words("sheet.made"), record.started, ""],
        [words("sheet.params"), record.params.replace("\\", "/").rpartition("/")[2], record.params_sha256],
        [words("sheet.template"), record.notebook.replace("\\", "/").rpartition("/")[2], record.notebook_sha256],
        *_listed(words("sheet.input"), record.inputs),
        *_listed(words("sheet.version"), record.versions),
    ]
    heads = [Field(words("sheet.what"), 24), Field(words("sheet.item"), 50, wrapped=True)]
    heads += [Field(words("sheet.fingerprint"), 70, wrapped=True)]
    book.sheet(words("sheet.origin"), words("sheet.origin"), report.frame["title"], heads, rows)


def _listed(kind: str, named: Mapping[str, str]) -> list[list[Cell]]:
    return [[kind, name, said] for name, said in sorted(named.items())]


def _before_chapters(report: Finished) -> Iterator[Any]:
    """Blocks up to the second heading of the second level, cards left out: their figures stand in the sheets."""
    chapters = 0
    for block in report.blocks:
        chapters += block["kind"] == "h" and block["level"] == 2
        if chapters > 1:
            return
        if block["kind"] in ("h", "p", "facts", "list"):
            yield block


def _shown(report: Finished) -> set[str]:
    card = report.card
    return set(card.loc[card["status"] != "missing_data", "kpi"])


def _settings(each: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in each["settings"].items())
