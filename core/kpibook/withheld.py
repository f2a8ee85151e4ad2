"""What is told of an error that arose over a client's data: its class, and its text without their values.

A database quotes the value that it cannot convert, pandas the key that it does not find, an author's
``raise`` whatever the author put in. What is told is what nobody's data can have put there:

raised in Python      what stands as a literal in the code that raised it; whole when that code is ours
raised in C or C++    the words before a colon, without what stands between quotes and without numbers
"""

from __future__ import annotations

import dis
import re
from types import TracebackType

GAP = "…"
#: The package whose own messages hold to this rule.
OURS = __name__.partition(".")[0]
#: What DuckDB puts before its messages, such as ``Conversion Error: ``.
KIND = re.compile(r"(?:[A-Z][A-Za-z]*(?: [A-Za-z]+){0,4} Error: )?")
_QUOTE = "['\"`\u2018\u2019\u201c\u201d\u00ab\u00bb]"
QUOTED = re.compile(f"(?s){_QUOTE}.*{_QUOTE}|{_QUOTE}.*")
NUMBER = re.compile(r"(?<!\w)[-+]?\d[\w.,:/-]*")
#: Text that SQL itself may have put together, by error().
FREE = "Invalid Input Error: "
#: Errors whose text names code.
NAMES = (AttributeError, NameError, ImportError)
HOLES = re.compile(r"%\([^)]*\)[a-z]|%[-#0-9.]*[a-z]|\{[^{}]*\}")
SHORTEST = 3
RAISES = (dis.opmap["RAISE_VARARGS"], dis.opmap["RERAISE"])


def told(error: BaseException) -> str:
    """``ConversionException: Conversion Error: Could not convert string … to INT32``; the class alone if need be."""
    first = next(iter(str(error).splitlines()), "")
    frame = _last(error.__traceback__)
    if frame is None:
        text = ""
    elif not _raises(frame):
        text = first if isinstance(error, NAMES) else masked(first)
    elif str(frame.tb_frame.f_globals.get("__name__", "")).partition(".")[0] == OURS:
        text = first
    else:
        text = literal(first, [each for each in frame.tb_frame.f_code.co_consts if isinstance(each, str)])
    return f"{type(error).__name__}: {text}" if text.strip(f"{GAP} ") else type(error).__name__


def masked(text: str) -> str:
    """A library's message without what it quotes, numbers, and what it puts behind a colon."""
    kind = KIND.match(text)
    start = kind.end() if kind else 0
    if text.startswith(FREE):
        return FREE + GAP
    words, colon, _ = QUOTED.sub(GAP, text[start:]).partition(": ")
    return text[:start] + NUMBER.sub(GAP, words + (f": {GAP}" if colon else ""))


def literal(text: str, written: list[str]) -> str:
    """The pieces of ``text`` that are ``written`` in code, with a gap for each of the others."""
    pieces = {piece for each in written for piece in HOLES.split(each) if len(piece.strip()) >= SHORTEST}
    if not pieces:
        return ""
    longest = "|".join(map(_whole_words, sorted(pieces, key=len, reverse=True)))
    parts, end = [], 0
    for match in re.finditer(longest, text):
        parts += [GAP] * (match.start() > end) + [match[0]]
        end = match.end()
    return "".join([*parts, *([GAP] * (end < len(text)))])


def _whole_words(piece: str) -> str:
    before, after = (r"(?<!\w)" if piece[0].isalnum() else "", r"(?!\w)" if piece[-1].isalnum() else "")
    return before + re.escape(piece) + after


def _last(trace: TracebackType | None) -> TracebackType | None:
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace


def _raises(trace: TracebackType) -> bool:
    """Whether the last thing that Python did was a ``raise``, not a call of something in C."""
    return trace.tb_frame.f_code.co_code[trace.tb_lasti] in RAISES
