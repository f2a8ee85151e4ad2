"""The report on one page of A4: verdict, five figures, the gravest findings. Never longer, whatever the texts.

Too much for the page is set smaller, then has fewer findings, then shorter texts: the whole report has them all.
"""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from pypdf import PdfReader

from kpibook.exports import opening
from kpibook.exports.found import GRAVE, findings
from kpibook.exports.page import plain
from kpibook.exports.room import ELLIPSIS
from kpibook.exports.typesetting import notes, typeset
from kpibook.present.audit_tables import finding_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from kpibook.exports.finished import Finished

NAME, WHOLE = "summary.pdf", "report.html"
FINDINGS = 3
SCALES = (1.0, 0.93, 0.86, 0.79)
SMALLEST = 0.72
#: Characters of a text, and texts of a kind, where the page would be longer; the last are short enough for any report.
LIMITS = ((600, 8), (300, 6), (150, 5), (70, 4))
WORD = re.compile(r"\S{31,}")
PIECE = 15


def write(report: Finished, target: Path) -> list[str]:
    """The same bytes for the same report; returns what must be told."""
    whole = document(report)
    for many, scale, limit in attempts():
        made, lacking = typeset(target.name, "summary.typ", shortened(whole, many, limit) | {"scale": scale})
        if len(PdfReader(io.BytesIO(made)).pages) == 1:
            break
    target.write_bytes(made)
    return notes(target.name, lacking)


def attempts() -> Iterator[tuple[int, float, tuple[int, int] | None]]:
    """Findings, size of the letters, and limits of the texts, from what is best to what always fits."""
    for many in range(FINDINGS, -1, -1):
        yield from ((many, scale, None) for scale in SCALES)
    yield (0, SMALLEST, None)
    yield from ((0, SMALLEST, limit) for limit in LIMITS)


def document(report: Finished) -> dict[str, Any]:
    """What may stand on the page, in the report's words."""
    words = report.words
    spans = [report.period()]
    spans += [f"{words('cover.compared')}: {report.period('compare')}"] if report.frame["compare"] else []
    after = [b for b in opening.chapter(report) if b["kind"] == "list"]
    grave = [f for f, _ in findings(report) if f.severity in GRAVE]
    return {
        "title": report.frame["title"],
        "language": report.frame["language"],
        "subject": words("summary.subject"),
        "span": " \u00b7 ".join(spans),
        "client": words("cover.subtitle"),
        "whole": words("summary.whole", file=WHOLE),
        "verdict": words("verdict.title"),
        "warnings": opening.warnings(report),
        "said": opening.said(report),
        "cards": opening.figures(report),
        "note": words("note.interval"),
        "noted": words("quality.notes"),
        "notes": [plain(item) for block in after for item in block["items"]],
        "heading": words("summary.findings"),
        "findings": [f"{f.place}: {finding_text(f, words)}" for f in grave],
    }


def shortened(whole: dict[str, Any], many: int, limit: tuple[int, int] | None) -> dict[str, Any]:
    """The document with ``many`` findings, its texts and their number within ``limit``, long words made to break."""
    longest, most = limit or (None, None)

    def fitted(value: Any) -> Any:
        if isinstance(value, str):
            return WORD.sub(_in_pieces, value if longest is None else cut(value, longest))
        if isinstance(value, dict):
            return {key: fitted(each) for key, each in value.items()}
        return [fitted(each) for each in value[:most]] if isinstance(value, list) else value

    kept = fitted({**whole, "findings": whole["findings"][:many]})
    return {**kept, "cards": [fitted(card) for card in whole["cards"]]}


def cut(text: str, longest: int) -> str:
    """As many characters of a text as may stand there, the last of them an ellipsis."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + ELLIPSIS


def _in_pieces(word: re.Match[str]) -> str:
    return "\u200b".join(word[0][i : i + PIECE] for i in range(0, len(word[0]), PIECE))
