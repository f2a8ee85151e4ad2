"""Characters that no text holds: they steer a terminal, break a file format, or show a text in another order."""

from __future__ import annotations

import re

#: Controls but tab and newline, lone surrogates, separators of lines and paragraphs, and what turns the direction.
UNSPOKEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """Each such character as its code, such as ``\\x1b``."""
    return UNSPOKEN.sub(_code, text)


def replaced(text: str) -> str:
    """Each such character as the sign for one that cannot be shown."""
    return UNSPOKEN.sub("\ufffd", text)


def _code(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"
