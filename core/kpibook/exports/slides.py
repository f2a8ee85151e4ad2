"""The report as a presentation: native tables and charts that can be edited, in the client's own template."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kpibook.exports import opening, room
from kpibook.exports.extras import needed
from kpibook.exports.slide_contents import Said, Table, contents, cover
from kpibook.unspoken import replaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from kpibook.exports.deck import Deck
    from kpibook.exports.finished import Finished
    from kpibook.exports.slide_charts import Chart
    from kpibook.exports.slide_contents import Content
    from kpibook.present.words import Words

TEXT_SIZES = (20, 18, 16, 14)
NOTE = 11
#: Points of a table beside a chart, at most.
BESIDE = 12.0
#: Of a text box, on each side, in EMU: PowerPoint's own.
INSET = (91_440, 45_720)


def write(report: Finished, target: Path) -> list[str]:
    """The same bytes for the same report and template; ParamsError when the template will not do."""
    needed("pptx", "pptx")
    from kpibook.exports.deck import Deck

    deck = Deck(report.template)
    _cover(deck, report)
    for content in contents(report):
        _put(deck, content, report.words)
    title = replaced(report.frame["title"])
    target.write_bytes(deck.bytes(report.made, title, report.frame["language"]))
    return []


def _put(deck: Deck, content: Content, words: Words) -> None:
    if isinstance(content, Said):
        _said(deck, content, words)
    elif isinstance(content, Table):
        _table(deck, content, words)
    else:
        _chart(deck, content, words)


def _cover(deck: Deck, report: Finished) -> None:
    page = deck.slide(report.frame["title"], cover=True)
    texts, warnings = cover(report), opening.warnings(report)
    holders = [h for h in page.placeholders if h.shape_id != page.shapes.title.shape_id]
    box = holders[0] if holders else page.shapes.add_textbox(*deck.area)
    size, _ = room.largest("\n".join([*texts, *warnings]), (20, 18, 16, 14, 12), box.width - 2 * INSET[0], box.height)
    _lines(box.text_frame, [*texts, *warnings], size, bold=len(texts), left=deck.own)


def _said(deck: Deck, said: Said, words: Words) -> None:
    """Paragraphs, on as many slides as they need."""
    left, top, width, height = deck.area
    inside, tall = width - 2 * INSET[0], height - 2 * INSET[1]
    size, _ = room.largest("\n".join(said.texts), TEXT_SIZES, inside, tall / (1 + 0.3 * min(1, len(said.texts) - 1)))
    pages: list[list[str]] = [[]]
    used = 0.0
    for text in said.texts:
        for piece in room.pieces(text, size, inside, tall):
            takes = room.height(piece, size, inside) + size / 2 * room.POINT
            if pages[-1] and used + takes > tall:
                pages.append([])
                used = 0.0
            pages[-1].append(piece)
            used += takes
    for title, texts in _numbered(said.title, pages, words):
        page = deck.slide(title)
        _lines(page.shapes.add_textbox(left, top, width, height).text_frame, texts, size)


def _table(deck: Deck, table: Table, words: Words) -> None:
    from kpibook.exports.slide_tables import best, draw, widths

    left, top, width, height = deck.area
    columns = widths(table.shares, width)
    foot = room.height(table.note, NOTE, width - 2 * INSET[0]) + 2 * INSET[1] if table.note else 0
    size, parts = best(table, columns, height - foot)
    for number, (title, rows) in enumerate(_numbered(table.title, parts, words), 1):
        page = deck.slide(title)
        used = draw(page, replace(table, rows=rows), (left, top, width), columns, size)
        if table.note and number == len(parts):
            _lines(page.shapes.add_textbox(left, top + used, width, foot).text_frame, [table.note], NOTE)


def _chart(deck: Deck, chart: Chart, words: Words) -> None:
    """Lines over the whole width; bars with their table beside them, or on slides of its own where it is long."""
    from kpibook.exports.chart_drawing import draw as draw_chart
    from kpibook.exports.slide_tables import best, draw, widths

    left, top, width, height = deck.area
    foot = room.height(chart.caption, NOTE, width - 2 * INSET[0]) + 2 * INSET[1] if chart.caption else 0
    gap = 100_000
    wide = width * 11 // 20 if chart.table else width
    table = Table(chart.title, chart.table[0], chart.table[1:], chart.shares) if chart.table else None
    columns = widths(chart.shares, width - wide - gap) if table else []
    size, parts = best(table, columns, height - foot) if table else (0.0, [])
    beside = len(parts) == 1
    page = deck.slide(chart.title)
    draw_chart(page, chart, (left, top, wide if beside else width, height - foot))
    if table and beside:
        draw(page, table, (left + wide + gap, top, width - wide - gap), columns, min(size, BESIDE))
    if chart.caption:
        box = page.shapes.add_textbox(left, top + height - foot, width, foot)
        _lines(box.text_frame, [chart.caption], NOTE)
    if table and not beside:
        _table(deck, table, words)


def _numbered(title: str, parts: Sequence[Any], words: Words) -> Iterator[tuple[str, Any]]:
    """Parts of one thing with its title; where there are several, with their number."""
    for number, part in enumerate(parts, 1):
        said = title if len(parts) == 1 else words("slides.more", title=title, part=number, parts=len(parts))
        yield said, part


def _lines(frame: Any, texts: Sequence[str], size: float, *, bold: int = 99, left: bool = True) -> None:
    """Paragraphs; from the number ``bold`` on they are warnings."""
    from pptx.enum.text import MSO_AUTO_SIZE, PP_ALIGN
    from pptx.util import Pt

    frame.word_wrap, frame.auto_size = True, MSO_AUTO_SIZE.NONE
    frame.text = replaced(texts[0])
    for text in texts[1:]:
        frame.add_paragraph().text = replaced(text)
    for i, part in enumerate(frame.paragraphs):
        part.space_after = Pt(size / 2)
        if left:
            part.alignment = PP_ALIGN.LEFT
        for run in part.runs:
            run.font.size, run.font.bold = Pt(size), i >= bold
