"""The ways in which a secret may be written: plain, escaped for HTML, JSON or a URL, in base64, in hex."""

from __future__ import annotations

import base64
import html
import json
import re
import urllib.parse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST = 6
MOST_LAYERS = 4  # a URL in HTML in JSON, and one to spare
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SIGNS = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f"}
_SECRET_PARTS = re.compile(r"pass|pwd|secret|token|key|credential", re.IGNORECASE)


def parts(value: str) -> set[str]:
    """A value, and the secrets in it when it is a URL; those too short to be told from chance are left out."""
    found = {value}
    if "://" in value:
        url = urllib.parse.urlsplit(value)
        login = url.netloc.rpartition("@")[0]
        found.add(login.partition(":")[2])
        settings = urllib.parse.parse_qsl(url.query)
        found |= {setting for name, setting in settings if _SECRET_PARTS.search(name)}
    found |= {urllib.parse.unquote(text) for text in found}
    return {text for text in found if len(text) >= SHORTEST}


def spellings(text: str) -> Iterator[str]:
    """``text`` as it may stand among other text, itself first."""
    for form in (text, repr(text)[1:-1], html.escape(text), *_for_urls(text)):
        yield form
        yield json.dumps(form)[1:-1]
        yield json.dumps(form, ensure_ascii=False)[1:-1]
    yield text.encode().hex()
    yield text.encode().hex().upper()


def packed(text: str) -> Iterator[str]:
    """What base64 makes of ``text``, wherever in a longer text it begins: the digits that depend on nothing else."""
    plain = text.encode()
    for before in range(3):
        digits = base64.b64encode(bytes(before) + plain).decode()
        inner = digits[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def readings(text: str) -> Iterator[str]:
    """``text`` with its escapes undone, layer by layer, for spellings that nobody thought of."""
    for _ in range(MOST_LAYERS):
        undone = urllib.parse.unquote(html.unescape(_ESCAPE.sub(_unescaped, text)))
        if undone == text:
            return
        text = undone.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        yield text


def _for_urls(text: str) -> list[str]:
    quoted = [urllib.parse.quote(text, safe=""), urllib.parse.quote(text), urllib.parse.quote_plus(text)]
    return quoted + [re.sub("%..", lambda code: code[0].lower(), each) for each in quoted]


def _unescaped(match: re.Match[str]) -> str:
    sign = match[1]
    return chr(int(sign[1:], 16)) if len(sign) > 1 else _SIGNS.get(sign, sign)
