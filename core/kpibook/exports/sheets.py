"""A workbook's sheets: texts, numbers and days into cells, and nothing that computes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from kpibook.present.formats import is_missing
from kpibook.unspoken import replaced

if TYPE_CHECKING:
    from collections.abc import Iterable

#: Excel's own limits.
LONGEST_NAME, LONGEST_TEXT, HIGHEST = 31, 32_767, 409.0
HEAD = 3
_BARRED = re.compile(r"[\[\]:*?/\\]")
INK, SOFT, RULE, BACK = "#1c2733", "#59636e", "#8b96a1", "#eef4f8"
FONT = {"font_name": "Calibri", "font_size": 10, "font_color": INK, "valign": "top"}


@dataclass(frozen=True)
class Field:
    """A column: its heading, and its width in characters."""

    label: str
    width: float = 12.0
    numeric: bool = False
    wrapped: bool = False


@dataclass(frozen=True)
class Number:
    """A number and how it looks."""

    value: float
    look: str


Cell = str | Number | date | None


class Book:
    """A workbook under way; ``library`` is xlsxwriter."""

    def __init__(self, library: Any, target: str, made: datetime, title: str) -> None:
        options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
        self.book = library.Workbook(target, {**options, "remove_timezone": True})
        self.book.set_properties({"title": replaced(title), "author": "kpibook", "created": made})
        self._styles: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._names: set[str] = set()

    def style(self, **looks: Any) -> Any:
        """A format, made once."""
        key = tuple(sorted(looks.items()))
        if key not in self._styles:
            self._styles[key] = self.book.add_format({**FONT, **looks})
        return self._styles[key]

    def name(self, wanted: str) -> str:
        """A sheet's name that Excel takes: no barred sign, at most 31 characters, unlike the others."""
        plain = _BARRED.sub(" ", replaced(wanted)).strip("' \t\n") or "-"
        plain = plain.replace("\n", " ").replace("\t", " ")
        number, found = 1, plain[:LONGEST_NAME].strip("' ")
        while found.lower() in (*self._names, "history"):
            number += 1
            found = f"{plain[: LONGEST_NAME - 1 - len(str(number))].strip(chr(39) + ' ')} {number}"
        self._names.add(found.lower())
        return found

    def sheet(self, name: str, title: str, below: str, fields: Sequence[Field], rows: Iterable[Sequence[Cell]]) -> Any:
        """A table below its title: header frozen and repeated on each printed page, A4 across, filter on."""
        sheet = self.paper(name, landscape=True)
        sheet.write_string(0, 0, replaced(title), self.style(bold=True, font_size=14))
        sheet.write_string(1, 0, replaced(below), self.style(font_color=SOFT))
        for i, field in enumerate(fields):
            looks = {"bold": True, "text_wrap": True, "bg_color": BACK, "bottom": 1, "border_color": RULE}
            align = "right" if field.numeric else "left"
            sheet.write_string(HEAD, i, replaced(field.label), self.style(**looks, align=align))
            sheet.set_column(i, i, field.width)
        sheet.set_row(HEAD, 15.0 * max((_lines(f.label, f.width) for f in fields), default=1))
        last = HEAD
        for last, row in enumerate(rows, HEAD + 1):
            for i, (cell, field) in enumerate(zip(row, fields, strict=True)):
                self.put(sheet, last, i, cell, wrapped=field.wrapped)
            tall = max((_lines(c, f.width) for c, f in zip(row, fields, strict=True) if f.wrapped), default=1)
            sheet.set_row(last, min(HIGHEST, 13.5 * tall))
        sheet.freeze_panes(HEAD + 1, 1)
        sheet.repeat_rows(HEAD)
        sheet.autofilter(HEAD, 0, last, len(fields) - 1)
        return sheet

    def paper(self, name: str, *, landscape: bool) -> Any:
        """An empty sheet, set up for A4: as wide as one page, pages numbered."""
        sheet = self.book.add_worksheet(self.name(name))
        sheet.set_paper(9)
        if landscape:
            sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(0.5, 0.5, 0.6, 0.6)
        sheet.set_footer("&R&P / &N")
        sheet.hide_gridlines(2)
        return sheet

    def put(self, sheet: Any, row: int, column: int, cell: Cell, *, wrapped: bool = False, **looks: Any) -> None:
        """One cell. A text is written as a text whatever it looks like."""
        if isinstance(cell, Number):
            sheet.write_number(row, column, cell.value, self.style(num_format=cell.look, **looks))
        elif isinstance(cell, date):
            day = datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001  a day has no zone
            sheet.write_datetime(row, column, day, self.style(num_format="yyyy-mm-dd", align="left", **looks))
        elif cell:
            more = {"text_wrap": True} if wrapped else {}
            sheet.write_string(row, column, replaced(cell)[:LONGEST_TEXT], self.style(**more, **looks))


def number(x: Any, look: str, scale: int = 1) -> Number | None:
    """A number of the scorecard, or an empty cell."""
    return None if is_missing(x) else Number(float(x) * scale, look)


def _lines(cell: Cell, width: float) -> int:
    """How many lines a text takes in a column, a little generous: fonts differ."""
    if not isinstance(cell, str):
        return 1
    return sum(max(1, -(-len(part) * 21 // int(width * 20))) for part in cell.split("\n"))
