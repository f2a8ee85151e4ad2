"""The report as a PDF on A4, tagged after PDF/UA-1: cover, contents, running heads, page numbers.

It holds no clock at all. The typesetter gets the page's blocks as data; no text of a client's is read as its markup.
"""

from __future__ import annotations

import json
from importlib import resources
from typing import TYPE_CHECKING, Any

from kpibook.errors import Problem, RunError
from kpibook.exports.extras import needed
from kpibook.exports.page import plain
from kpibook.unspoken import replaced

if TYPE_CHECKING:
    from pathlib import Path

    from kpibook.exports.finished import Finished
    from kpibook.exports.page import Block

#: Fonts come with the typesetter, so that every machine sets the same pages.
FONT = "Libertinus Serif"
REMEDY = "take the characters that no font has out of names and titles, or make the other forms"
#: Characters.
NARROWEST = 12


def write(report: Finished, target: Path) -> None:
    """The same bytes for the same report; RunError when its texts cannot be set."""
    typst = needed("typst", "pdf")
    source = resources.files("kpibook.exports").joinpath("report.typ").read_bytes()
    given = {"document": json.dumps(_spoken(document(report)), ensure_ascii=False)}
    try:
        made = typst.compile(source, sys_inputs=given, ignore_system_fonts=True, pdf_standards=["ua-1"])
    except typst.TypstError as error:
        raise RunError(Problem(target.name, f"cannot be set ({error.message})", REMEDY)) from None
    target.write_bytes(made)


def document(report: Finished) -> dict[str, Any]:
    """The page as the typesetter gets it: what stands before the verdict is the cover."""
    words = report.words
    shown = [_fitted(b) for b in report.blocks]
    first = next((i for i, b in enumerate(shown) if b["kind"] == "h" and b["level"] == 2), len(shown))
    cover = [b for b in shown[:first] if not (b["kind"] == "h" and b["level"] == 1)]
    period = report.period()
    pages = words("paper.page", page="{page}", pages="{pages}")
    frame = {"title": report.frame["title"], "language": report.frame["language"], "period": period}
    return {**frame, "page": pages, "contents": words("paper.contents"), "cover": cover, "blocks": shown[first:]}


def _fitted(block: Block) -> Block:
    """A drawing with the font of the pages; a table with the width of each column, 0 for what a number takes."""
    if block["kind"] == "figure":
        return {**block, "svg": block["svg"].replace("<svg", f'<svg font-family="{FONT}"', 1)}
    if block["kind"] != "table":
        return block
    rows = [r for r in (block["head"], *block["rows"]) if r]
    return {**block, "widths": [_width([r[i] for r in rows]) for i in range(block["columns"])]}


def _width(column: list[Block]) -> int:
    """By what stands in it: a column of long texts is wide, none is wider than five of the narrowest."""
    if column[-1]["numeric"]:
        return 0
    lengths = [len(plain(cell["runs"])) for cell in column]
    return max(NARROWEST, min(5 * NARROWEST, sum(lengths) // len(lengths)))


def _spoken(value: Any) -> Any:
    if isinstance(value, str):
        return replaced(value)
    if isinstance(value, dict):
        return {key: _spoken(each) for key, each in value.items()}
    return [_spoken(each) for each in value] if isinstance(value, list) else value
