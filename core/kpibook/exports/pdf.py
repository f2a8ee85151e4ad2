"""The report as a PDF on A4, tagged after PDF/UA-1: cover, contents, running heads, page numbers.

It holds no clock at all. The typesetter gets the page's blocks as data; no text of a client's is read as its markup.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kpibook.exports.page import plain
from kpibook.exports.typesetting import FONT, notes, typeset

if TYPE_CHECKING:
    from pathlib import Path

    from kpibook.exports.finished import Finished
    from kpibook.exports.page import Block

#: Characters.
NARROWEST = 12


def write(report: Finished, target: Path) -> list[str]:
    """The same bytes for the same report; returns what must be told. RunError when it cannot be set."""
    made, lacking = typeset(target.name, "report.typ", document(report))
    target.write_bytes(made)
    return notes(target.name, lacking)


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
