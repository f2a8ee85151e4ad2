"""How much room a text takes on a slide, a little generous: the reader's fonts are not ours."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: EMU of a point; of a letter and a line by points.
POINT = 12_700
LETTER, LINE = 0.55 * POINT, 1.22 * POINT
ELLIPSIS = "\u2026"


def lines(text: str, size: float, width: float) -> int:
    """Lines of a text in letters of ``size`` points, in a box of ``width`` EMU."""
    return sum(len(_wrapped(part, size, width)) or 1 for part in text.split("\n"))


def is_whole(text: str, size: float, width: float) -> bool:
    """No word is broken."""
    return max(map(len, text.split()), default=0) * size * LETTER <= width


def height(text: str, size: float, width: float) -> int:
    """EMU."""
    return int(lines(text, size, width) * size * LINE)


def largest(text: str, sizes: Sequence[float], width: float, room: float) -> tuple[float, str]:
    """The first of ``sizes``, from large to small, that fits; the text is cut where even the last does not."""
    for size in sizes:
        if height(text, size, width) <= room:
            return size, text
    return sizes[-1], cut(text, sizes[-1], width, room)


def cut(text: str, size: float, width: float, room: float) -> str:
    """As much of a text as fits, with an ellipsis."""
    most = max(1, int(room / (size * LINE)))
    kept = [line for part in text.split("\n") for line in _wrapped(part, size, width)]
    return text if len(kept) <= most else (" ".join(kept[:most])[:-1] if most else "") + ELLIPSIS


def pieces(text: str, size: float, width: float, room: float) -> Iterator[str]:
    """A text in pieces that each fit, broken between words."""
    most = max(1, int(room / (size * LINE)))
    kept = [line for part in text.split("\n") for line in _wrapped(part, size, width) or [""]]
    for i in range(0, len(kept), most):
        yield " ".join(kept[i : i + most])


def _wrapped(text: str, size: float, width: float) -> list[str]:
    most = max(1, int(width / (size * LETTER)))
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    if wide:  # takes the room of two
        most = max(1, int(most * len(text) / (len(text) + wide)))
    return textwrap.wrap(text, most, break_on_hyphens=False)
