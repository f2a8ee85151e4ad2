"""The figures of a presentation, read back: tables, charts with their workbooks, and texts, in their order."""

from __future__ import annotations

import io
import re
import zipfile
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from kpibook.errors import Problem
from kpibook.exports import opening
from kpibook.exports.extras import needed
from kpibook.exports.slide_charts import Chart
from kpibook.exports.slide_contents import Said, Table, contents, cover
from kpibook.unspoken import replaced

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpibook.exports.finished import Finished
    from kpibook.exports.slide_contents import Content

NAME = "report.pptx"
BLANK = re.compile(r"[\s\u200b]+")
#: Characters, blanks apart; no figure is longer.
COMPARED = 100
Line = tuple[str, ...]
Placed = tuple[str, Line]


def slides_problems(report: Finished, remedy: str) -> Iterator[Problem]:
    """Rows, points and texts that differ from what the results give; ``remedy`` is told with each.

    How tables and texts are spread over slides depends on the template, and so does the length of titles: neither is
    compared.
    """
    library = needed("pptx", "pptx")
    try:
        pages = list(library.Presentation(str(report.folder / NAME)).slides)
    except (library.exc.PackageNotFoundError, KeyError, ValueError, zipfile.BadZipFile):
        yield Problem(NAME, "is no presentation", remedy)
        return
    shapes = [
        (f"slide {number}", shape)
        for number, page in enumerate(pages, 1)
        for shape in page.shapes
        if page.shapes.title is None or shape.shape_id != page.shapes.title.shape_id
    ]
    expected = list(contents(report))
    yield from _differences([row for s in shapes for row in _shown_rows(*s)], _rows(expected), remedy)
    points = _points(expected)
    yield from _differences([row for s in shapes for row in _drawn(*s)], points, remedy)
    yield from _differences([row for s in shapes for row in _held(*s)], points, remedy)
    texts = [*cover(report), *opening.warnings(report), *(text for c in expected for text in _texts(c))]
    yield from _text_problems([(where, s.text_frame.text) for where, s in shapes if s.has_text_frame], texts, remedy)


def _differences(found: Sequence[Placed], expected: Sequence[Line], remedy: str) -> Iterator[Problem]:
    """Line by line; one that is missing or too many is told without all that follow it."""
    shown, should = ([tuple(map(_start, line)) for line in lines] for lines in ([row for _, row in found], expected))
    for kind, i, k, j, m in SequenceMatcher(None, shown, should, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        where = found[min(i, len(found) - 1)][0] if found else ""
        for placed, holds in zip_longest(found[i:k], expected[j:m]):
            what = f"does not show '{' '.join(holds or ())}'"
            if placed is not None:
                where, shows = placed
                pairs = zip_longest(shows, holds or (), fillvalue="")
                is_cell, holds_cell = next(pair for pair in pairs if _start(pair[0]) != _start(pair[1]))
                what = f"shows '{is_cell}', the results '{holds_cell}'"
            yield Problem(f"{NAME}, {where}" if where else NAME, what, remedy)


def _start(text: str) -> str:
    """What is compared of a text: a longer one may be cut, where a slide is too small for it."""
    return BLANK.sub("", text)[:COMPARED]


def _text_problems(found: Sequence[tuple[str, str]], expected: Sequence[str], remedy: str) -> Iterator[Problem]:
    """All that is said beside tables, blanks apart: at the first difference the slide is named."""
    should = BLANK.sub("", "".join(map(replaced, expected)))
    for where, text in found:
        said = BLANK.sub("", text)
        if not should.startswith(said):
            same = next((i for i, (a, b) in enumerate(zip(said, should, strict=False)) if a != b), len(should))
            around = slice(max(0, same - 20), same + 20)
            what = f"shows '{said[around]}', the results '{should[around]}'"
            yield Problem(f"{NAME}, {where}", what, remedy)
            return
        should = should[len(said) :]
    if should:
        yield Problem(NAME, f"does not show '{should[:60]}'", remedy)


def _rows(expected: Sequence[Content]) -> list[Line]:
    found: list[Line] = []
    for each in expected:
        rows = each.rows if isinstance(each, Table) else each.table[1:] if isinstance(each, Chart) else ()
        found += [tuple(map(replaced, row)) for row in rows]
    return found


def _points(expected: Sequence[Content]) -> list[Line]:
    charts = [each for each in expected if isinstance(each, Chart)]
    found: list[Line] = []
    for chart in charts:
        found.append(tuple(map(replaced, chart.categories)))
        found += [(replaced(s.name), *map(_number, s.values)) for s in chart.series]
    return found


def _texts(content: Content) -> list[str]:
    if isinstance(content, Said):
        return list(content.texts)
    note = content.note if isinstance(content, Table) else content.caption
    return [note] if note else []


def _shown_rows(where: str, shape: Any) -> Iterator[Placed]:
    if shape.has_table:
        for row in list(shape.table.rows)[1:]:
            yield where, tuple(cell.text for cell in row.cells)


def _drawn(where: str, shape: Any) -> Iterator[Placed]:
    """What a chart shows."""
    if shape.has_chart:
        plot = shape.chart.plots[0]
        yield f"{where}, chart", tuple(plot.categories)
        for series in plot.series:
            yield f"{where}, chart", (series.name, *map(_number, series.values))


def _held(where: str, shape: Any) -> Iterator[Placed]:
    """What the workbook of a chart holds, from which it is drawn anew when it is edited."""
    from python_calamine import CalamineWorkbook

    if not shape.has_chart:
        return
    blob = io.BytesIO(shape.chart.part.chart_workbook.xlsx_part.blob)
    rows = CalamineWorkbook.from_filelike(blob).get_sheet_by_index(0).to_python(skip_empty_area=False)
    first, *series = zip(*rows, strict=True)
    yield f"{where}, workbook of the chart", tuple(map(str, first[1:]))
    for name, *values in series:
        yield f"{where}, workbook of the chart", (str(name), *map(_number, values))


def _number(value: Any) -> str:
    """As a spreadsheet keeps it; nothing where there is none."""
    return "" if value is None or value == "" else f"{float(value):.16G}"
