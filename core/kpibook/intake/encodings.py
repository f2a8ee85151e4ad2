"""Which encoding a text file is in, decided from all its bytes, and its lines as UTF-8.

The whole file is looked at in pieces. A byte order mark decides; then UTF-8, when every byte of the file fits; then
Windows-1252, when the bytes beyond ASCII stand where that encoding has letters. Anything else has to be named.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpibook.errors import DataError, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

CHUNK = 4_000_000
HEAD = 1_000_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_NAME_IT = "name it: encoding: cp850, mac_roman, iso-8859-2, …"
_ASCII_LETTER = rb"[A-Za-z]"
#: Between two ASCII letters Windows-1252 has letters here …
_LETTERS = re.compile(_ASCII_LETTER + rb"[\xc0-\xd6\xd8-\xf6\xf8-\xff]|[\xc0-\xd6\xd8-\xf6\xf8-\xff]" + _ASCII_LETTER)
#: … and signs here, which no word has inside (0x92 is the apostrophe, 0x96 a dash); DOS and Mac have letters.
_SIGNS = re.compile(
    _ASCII_LETTER + rb"[\x82-\x84\x86-\x89\x8a-\x8c\x8e\x93\x94\x98-\x9c\x9e\x9f\xa1-\xa5](?=[a-z\xdf-\xff])"
)
_FEED = re.compile("\r+\n")
_UNUSED = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
_UTF8_LETTER = re.compile(rb"\xc3[\x80-\xbf]|\xe2\x82\xac")


@dataclass(frozen=True)
class Text:
    """``encoding`` is Python's name, ``shown`` the one to tell; ``why``: default, mark, zeros, named or guess.

    ``newline`` is None when rows end in different ways; ``head`` are the first characters; ``twice`` counts
    characters that were encoded twice before delivery, ``lost`` those that were replaced by U+FFFD.
    """

    encoding: str
    shown: str
    why: str
    newline: str | None
    head: str
    whole: bool
    twice: int
    lost: int


def survey(path: Path, name: str, named: str | None, tell: Callable[[int, int], None]) -> Text:
    """Read all of ``path``. Raises DataError when its encoding cannot be told, or is not the named one."""
    with path.open("rb") as file:
        start = file.read(4096)
    if not start:
        raise DataError(Problem(name, "the file is empty", "deliver the file again"))
    mark = next(((codec, shown) for bom, codec, shown in _MARKS if start.startswith(bom)), None)
    if named is not None:
        if mark and codecs.lookup(named).name.partition("-")[0] != "utf":
            what = f"begins with the mark of {mark[1]}, and params say {named}"
            raise DataError(Problem(name, what, "take encoding: away"))
        codec = mark[0] if mark else named
        return _decoded(path, name, codec, named, "named", tell)
    if mark:
        return _decoded(path, name, mark[0], mark[1], "mark", tell)
    wide = _wide(start)
    if wide:
        return _decoded(path, name, wide, wide.upper(), "zeros", tell)
    if b"\x00" in start:
        raise DataError(_zeros(name, start[: start.index(b"\x00")].count(b"\n") + 1))
    try:
        return _decoded(path, name, "utf-8", "UTF-8", "default", tell)
    except _UndecodableError as error:
        _fits_windows(path, name, error.line)
        return _decoded(path, name, "cp1252", "Windows-1252 (cp1252)", "guess", tell)


def lines_of(path: Path, text: Text, tell: Callable[[int, int], None]) -> Iterator[str]:
    """The file's characters in pieces, with rows ending in one line feed, whatever it was (``\\r\\r\\n`` too)."""
    size, done = path.stat().st_size, 0
    decoder = codecs.getincrementaldecoder(text.encoding)()
    held = ""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            piece = held + decoder.decode(chunk)
            whole = piece.rstrip("\r")
            held = piece[len(whole) :]
            done += len(chunk)
            tell(done, size)
            yield _line_feeds(whole, text)
    rest = held + decoder.decode(b"", final=True)
    if rest:
        yield _line_feeds(rest, text)


def _line_feeds(piece: str, text: Text) -> str:
    return piece.replace("\r", "\n") if text.newline == "\r" else _FEED.sub("\n", piece)


class _UndecodableError(DataError):
    def __init__(self, problem: Problem, line: int) -> None:
        super().__init__(problem)
        self.line = line


def _decoded(path: Path, name: str, codec: str, shown: str, why: str, tell: Callable[[int, int], None]) -> Text:
    size, done = path.stat().st_size, 0
    decoder = codecs.getincrementaldecoder(codec)()
    head: list[str] = []
    kept = both = feeds = returns = twice = lost = 0
    held = False
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                piece = decoder.decode(chunk, final=not chunk)
            except UnicodeError as error:
                broken = getattr(error, "object", b"")[: getattr(error, "start", 0)]
                line = feeds + broken.count(b"\n") + 1
                what = "not UTF-8 text" if codec == "utf-8" else f"not {shown} text"
                remedy = "name the file's encoding: encoding: cp1252, or another"
                raise _UndecodableError(Problem(f"{name}: line {line}", what, remedy), line) from error
            if "\x00" in piece:
                raise DataError(_zeros(name, feeds + piece[: piece.index("\x00")].count("\n") + 1))
            if kept < HEAD:
                head.append(piece[: HEAD - kept])
                kept += len(head[-1])
            both += piece.count("\r\n") + (held and piece.startswith("\n"))
            feeds += piece.count("\n")
            returns += piece.count("\r")
            held = piece.endswith("\r")
            twice += len(re.findall("\u00c3[\u0080-\u00bf\u0192\u201e\u00a9]", piece)) if "\u00c3" in piece else 0
            lost += piece.count("\ufffd")
            done += len(chunk)
            tell(done, size)
            if not chunk:
                break
    head_text = "".join(head)
    newline = _newline(both, feeds, returns)
    return Text(codec, shown, why, newline, head_text, kept < HEAD, twice, lost)


def _zeros(name: str, line: int) -> Problem:
    return Problem(
        f"{name}: line {line}", "holds zero bytes: no text file", "deliver it as text, or under its right name"
    )


def _newline(both: int, feeds: int, returns: int) -> str | None:
    if both == feeds == returns and both:
        return "\r\n"
    if not returns:
        return "\n"
    return "\r" if not feeds else None


def _wide(start: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of mostly Latin text is zero."""
    even, odd, half = start[::2].count(0), start[1::2].count(0), len(start) // 2
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * half and odd < 0.1 * half else None


def _fits_windows(path: Path, name: str, line: int) -> None:
    letters = signs = unused = utf8 = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            if chunk.isascii():
                continue
            letters += len(_LETTERS.findall(chunk))
            signs += len(_SIGNS.findall(chunk))
            unused += len(_UNUSED.findall(chunk))
            utf8 += len(_UTF8_LETTER.findall(chunk))
    where = f"{name}: line {line}"
    if utf8 and not unused:
        what = "the encoding is mixed: UTF-8 in some lines, another in this one"
        raise DataError(Problem(where, what, "deliver it in one encoding, or name it: encoding: cp1252"))
    if unused or signs * 5 > letters:
        raise DataError(Problem(where, "the encoding cannot be told: neither UTF-8 nor Windows-1252", _NAME_IT))
