"""The sheets of figures: one a family, one row for each KPI, breakdown, segment and period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kpibook.exports import number_formats as looks
from kpibook.exports.sheets import HEAD, Book, Cell, Field, number
from kpibook.present import cells
from kpibook.present.chapters import FAMILIES
from kpibook.present.formats import NONE, as_day, is_missing
from kpibook.present.tables import is_association

if TYPE_CHECKING:
    from kpibook.exports.finished import Finished
    from kpibook.present.words import Words


#: Columns that go to paper: value, interval, n, state and reason; the others are for the screen.
PRINTED = 11


def families(report: Finished) -> list[str]:
    """The families of the scorecard in the report's order."""
    there = list(dict.fromkeys(report.card["family"]))
    return [f for f in FAMILIES if f in there] + sorted(f for f in there if f not in FAMILIES)


def figure_sheets(book: Book, report: Finished) -> dict[str, str]:
    """Write them all; the sheet's name by family."""
    names = {}
    for family in families(report):
        said = report.words.family(family)
        lines = lines_of(report, family)
        span = " \u00b7 ".join(s for s in (report.frame["title"], report.period()) if s)
        sheet = book.sheet(said, said, span, fields(report.words), lines)
        sheet.print_area(0, 0, HEAD + len(lines), PRINTED - 1)
        names[family] = sheet.get_name()
    return names


def lines_of(report: Finished, family: str) -> list[list[Cell]]:
    """A family's rows in the scorecard's order, each beside its comparison period's."""
    rows = cells.records(report.card[report.card["family"] == family])
    before = {_place(r): r for r in rows if r["period"] == "previous"}
    return [row_of(r, report.words, before.get(_place(r))) for r in rows]


def fields(words: Words) -> list[Field]:
    """The columns of every family's sheet."""
    right = {"numeric": True}
    return [
        Field(words("table.kpi"), 30, wrapped=True),
        Field(words("sheet.by"), 14, wrapped=True),
        Field(words("sheet.segment"), 19, wrapped=True),
        Field(words("sheet.period"), 18),
        Field(words("table.value"), 13, **right),
        Field(words("sheet.low"), 13, **right),
        Field(words("sheet.high"), 13, **right),
        Field(words("table.n"), 9, **right),
        Field(words("sheet.status"), 14, wrapped=True),
        Field(words("table.change"), 12, **right),
        Field(words("sheet.reason"), 46, wrapped=True),
        Field(words("sheet.change_low"), 13, **right),
        Field(words("sheet.change_high"), 13, **right),
        Field(words("table.target"), 13, **right),
        Field(words("sheet.target_state"), 15, wrapped=True),
        Field(words("table.benchmark"), 13, **right),
        Field(words("sheet.comparable"), 14, wrapped=True),
        Field(words("sheet.unit"), 11),
        Field(words("sheet.start"), 11),
        Field(words("sheet.end"), 11),
        Field(words("sheet.id"), 30),
    ]


def _place(row: dict[str, Any]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in ("kpi", "segment_by", "segment"))


def row_of(row: dict[str, Any], words: Words, previous: dict[str, Any] | None = None) -> list[Cell]:
    """A scorecard row. What the report does not show, the workbook does not hold."""
    shown, ok = cells.is_shown(row), row["status"] == "ok"
    windows = cells.unequal(row, previous if row["period"] == "current" else None)
    alike = ok and windows is None
    said = [cells.why_text(row, words)]
    if windows and ok and not is_missing(row["change"]):
        said.append(words("change.not_comparable", current=windows[0], previous=windows[1]))
    if shown and is_association(row):
        said.append(words("note.association"))
    unit = str(row["unit"])
    value = looks.value(unit, cells.digits_of(row, words) if ok else words.digits(unit, row["low"], row["high"]), words)
    digits = words.digits(unit, row["change"], row["change_low"], row["change_high"])
    moved, by = looks.change(unit, digits, words), looks.scale(unit)
    aim = not is_missing(row["target"])
    state = f"target.{row['target_state'] if ok and row['target_state'] in ('met', 'missed', 'open') else 'none'}"
    compared = row["benchmark"] is not None
    total = row["segment_by"] == "total"
    return [
        str(row["title"]),
        "" if total else words.dimension(str(row["segment_by"])),
        words("segment.total") if total else words.segment(str(row["segment_by"]), str(row["segment"])),
        words(f"sheet.{row['period']}"),
        number(row["value"], value) if ok else None,
        number(row["low"], value) if shown else None,
        number(row["high"], value) if shown else None,
        None if cells.n_cell(row, words) == NONE else number(row["n"], looks.WHOLE),
        words("sheet.shown") if ok else words(f"status.{row['status']}"),
        number(row["change"], moved, by) if ok else None,
        " \u00b7 ".join(text for text in said if text),
        number(row["change_low"], moved, by) if alike else None,
        number(row["change_high"], moved, by) if alike else None,
        number(row["target"], looks.value(unit, words.digits(unit, row["target"]), words)),
        words(state) if aim else "",
        number(row["benchmark"], looks.value(unit, words.digits(unit, row["benchmark"]), words)),
        "" if not compared else words("sheet.yes" if row["benchmark_comparable"] else "benchmark.not_comparable"),
        words.unit_name(unit),
        as_day(row["period_start"]) if row["period_start"] is not None else None,
        as_day(row["period_end"]) if row["period_end"] is not None else None,
        str(row["kpi"]),
    ]
