"""Page one of a finished report, read back from its page: warnings, verdict, and the cards of its figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.exports.page import blocks, plain
from kpibook.present.verdict import cards, five

if TYPE_CHECKING:
    from kpibook.exports.finished import Finished
    from kpibook.exports.page import Block

ANCHOR = "kb-verdict"


def warnings(report: Finished) -> list[str]:
    """What the page says before everything else: that it is a draft, or not proved."""
    found = []
    for block in report.blocks:
        if block["kind"] == "h" and block["level"] == 2:
            break
        if block["kind"] == "p" and block["style"] in ("alert", "draft"):
            found.append(plain(block["runs"]))
    return found


def chapter(report: Finished) -> list[Block]:
    """The blocks of the verdict without its heading; none where the template has no such chapter."""
    found, inside = [], False
    for block in report.blocks:
        if block["kind"] == "h" and block["level"] <= 2:
            inside = block["id"] == ANCHOR
        elif inside:
            found.append(block)
    return found


def said(report: Finished) -> list[str]:
    """The sentences of the verdict that stand before its figures."""
    found = []
    for block in chapter(report):
        if block["kind"] == "cards":
            break
        if block["kind"] == "p":
            found.append(plain(block["runs"]))
    return found


def figures(report: Finished) -> list[Block]:
    """The cards of the five figures as the scorecard gives them."""
    made = cards(five(report.card), report.words, report.period("compare"))
    return [card for block in blocks(made.html) if block["kind"] == "cards" for card in block["cards"]]
