"""Native tables on slides: how high their rows are, which rows a slide holds, and drawing them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pptx.enum.text import PP_ALIGN
from pptx.util import Emu, Pt

from kpibook.exports import room
from kpibook.unspoken import replaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpibook.exports.slide_contents import Table

#: Points, the first with which a table fits one slide.
SIZES = (16.0, 14.0, 12.0, 11.0, 10.0)
STEPS = 20
#: Of a cell, in EMU: left and right, top and bottom.
INSET = (60_000, 30_000)


def widths(parts: Sequence[float], whole: int) -> list[int]:
    """Whole EMU that add up to ``whole``."""
    found = [int(whole * part / sum(parts)) for part in parts]
    return [*found[:-1], whole - sum(found[:-1])]


def best(table: Table, columns: Sequence[int], height: int) -> tuple[float, list[list[Sequence[str]]]]:
    """The size of the letters, and the rows of each slide."""
    for size in SIZES:
        found = list(pages(table, columns, height, size))
        if len(found) == 1 and (size == SIZES[-1] or _is_whole(table, columns, size)):
            return size, found
    for room_of in range(height // STEPS, height, height // STEPS):  # none of the slides much emptier than the others
        even = list(pages(table, columns, height, size, min(room_of, height)))
        if len(even) == len(found):
            return size, even
    return size, found


def _is_whole(table: Table, columns: Sequence[int], size: float) -> bool:
    """Every word has room in its column."""
    rows = (zip(row, columns, strict=True) for row in (table.head, *table.rows))
    return all(room.is_whole(text, size, wide - 2 * INSET[0]) for row in rows for text, wide in row)


def pages(
    table: Table, columns: Sequence[int], height: int, size: float, most: int = 0
) -> Iterator[list[Sequence[str]]]:
    """The rows of each slide, as many as fit below the head (or in ``most``); a text longer than a slide is cut."""
    head = _height(table.head, columns, size)
    rows: list[Sequence[str]] = []
    used = head
    for whole in table.rows:
        row = [
            room.cut(text, size, wide - 2 * INSET[0], height - head - 2 * INSET[1])
            for text, wide in zip(whole, columns, strict=True)
        ]
        if rows and used + _height(row, columns, size) > (most or height):
            yield rows
            rows, used = [], head
        rows.append(row)
        used += _height(row, columns, size)
    yield rows


def draw(page: Any, table: Table, place: tuple[int, int, int], columns: Sequence[int], size: float) -> int:
    """The table at left, top, with width; returns its height."""
    heights = [_height(row, columns, size) for row in (table.head, *table.rows)]
    shape = page.shapes.add_table(len(table.rows) + 1, len(columns), *place, sum(heights))
    for i, each in enumerate(columns):
        shape.table.columns[i].width = each
    for down, row in enumerate((table.head, *table.rows)):
        shape.table.rows[down].height = heights[down]
        for across, text in enumerate(row):
            _fill(shape.table.cell(down, across), replaced(text), size, bold=down == 0, right=across > 0)
    return sum(heights)


def _height(row: Sequence[str], columns: Sequence[int], size: float) -> int:
    cells = zip(row, columns, strict=True)
    return max(room.height(text, size, width - 2 * INSET[0]) for text, width in cells) + 2 * INSET[1]


def _fill(cell: Any, text: str, size: float, *, bold: bool, right: bool) -> None:
    cell.margin_left = cell.margin_right = Emu(INSET[0])
    cell.margin_top = cell.margin_bottom = Emu(INSET[1])
    frame = cell.text_frame
    frame.word_wrap = True
    frame.text = text
    for part in frame.paragraphs:
        part.alignment = PP_ALIGN.RIGHT if right else PP_ALIGN.LEFT
        for run in part.runs:
            run.font.size, run.font.bold = Pt(size), bold
