"""What a page would load from outside, or run."""

from __future__ import annotations

import re
from html.parser import HTMLParser

LOADING = frozenset({"src", "srcset", "data", "poster", "background", "action", "formaction"})
LINKING = frozenset({"href", "xlink:href"})
REFUSED = frozenset({"script", "iframe", "object", "embed", "base", "form", "applet", "frame"})
CSS = re.compile(r"""@import|url\(\s*['"]?(?!data:|#)[^)]*""", re.IGNORECASE)


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
            if _outside(tag, name, (value or "").strip().lower()):
                self.found.append(f'<{tag} {name}="{(value or "")[:60]}">')

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 (the name is HTMLParser's)
        self._style = False

    def handle_data(self, data: str) -> None:
        if self._style:
            self.found += [f"{hit} (style sheet)" for hit in CSS.findall(data)]


def _outside(tag: str, name: str, value: str) -> bool:
    if name.startswith("on") or value.startswith(("javascript:", "vbscript:")):
        return True
    if name == "http-equiv":
        return value == "refresh"
    if name == "style":
        return bool(CSS.search(value))
    if name in LINKING:
        return tag != "a" and not value.startswith(("#", "data:"))
    return name in LOADING and bool(value) and not value.startswith("data:")
