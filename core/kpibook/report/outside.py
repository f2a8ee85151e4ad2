"""What a page would load from outside, or run."""

from __future__ import annotations

import re
from html.parser import HTMLParser

LOADING = frozenset({"src", "data", "poster", "background", "action", "formaction"})
SEVERAL = frozenset({"srcset", "imagesrcset", "ping"})
PAINT = frozenset({"style", "fill", "stroke", "filter", "mask", "clip-path", "cursor"})
PAINT |= {"marker", "marker-start", "marker-mid", "marker-end"}
LINKING = frozenset({"href", "xlink:href"})
REFUSED = frozenset({"script", "iframe", "object", "embed", "base", "form", "applet", "frame"})
SPACE = re.compile(r"[\x00-\x20]+")  # browsers overlook it in front of an address, and within its scheme
RUNNING = re.compile(r"(?:^|;)(?:java|vb)script:")
CSS = re.compile(
    r"""@import|url\(\s*+['"]?+(?!data:|\#)[^)]*|(?:image-set|cross-fade|\bimage|\bsrc)\([^)]*""", re.IGNORECASE
)
ESCAPED = re.compile(r"\\(?:([0-9a-f]{1,6})\s?|(.))", re.IGNORECASE | re.DOTALL)


def outside_references(page: str) -> list[str]:
    """Each thing once, as ``<tag attribute="value">``; a plain link of an ``<a>`` is a citation and allowed."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return list(dict.fromkeys(reader.found))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._style = tag == "style"
        if tag in REFUSED:
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            if _outside(tag, name, (value or "").lower()):
                self.found.append(f'<{tag} {name}="{(value or "")[:60]}">')

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 (the name is HTMLParser's)
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            self.found += [f"{hit} (style sheet)" for hit in CSS.findall(_unescaped(data))]


def _outside(tag: str, name: str, value: str) -> bool:
    address = SPACE.sub("", value)
    if name.startswith("on") or RUNNING.search(address):
        return True
    if name == "http-equiv":
        return address == "refresh"
    if name in PAINT:
        return bool(CSS.search(_unescaped(value)))
    if name in LINKING:
        return tag != "a" and not address.startswith(("#", "data:"))
    return bool(address) and (name in SEVERAL or (name in LOADING and not address.startswith("data:")))


def _unescaped(sheet: str) -> str:
    """A style sheet without backslashes, by which a name can be written in other letters."""
    return ESCAPED.sub(lambda match: chr(min(int(match[1], 16), 0x10FFFF)) if match[1] else match[2], sheet)
