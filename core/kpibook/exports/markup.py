"""HTML of our own making as a tree. What a browser would mend is not mended: it was checked when the page was made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html import escape
from html.parser import HTMLParser

VOID = frozenset({"br", "wbr", "img", "meta", "link", "hr", "input", "col", "source", "area", "base"})
#: Capitals that a page's small letters lose and SVG needs.
CAPITALS = {
    name.lower(): name
    for name in (
        "viewBox", "clipPath", "clipPathUnits", "linearGradient", "radialGradient", "gradientUnits", "textLength",
        "lengthAdjust", "preserveAspectRatio", "gradientTransform", "patternUnits", "markerWidth", "markerHeight",
    )
}  # fmt: skip


@dataclass
class Element:
    """A tag with its attributes; children are elements and texts in order."""

    tag: str
    attrs: dict[str, str] = field(default_factory=dict)
    children: list[Element | str] = field(default_factory=list)

    @property
    def classes(self) -> frozenset[str]:
        return frozenset(self.attrs.get("class", "").split())

    @property
    def text(self) -> str:
        """All text below, as written."""
        return "".join(c if isinstance(c, str) else c.text for c in self.children)

    def walk(self) -> Iterator[Element]:
        """Itself and all elements below, in the page's order."""
        yield self
        for child in self.elements:
            yield from child.walk()

    @property
    def elements(self) -> list[Element]:
        return [c for c in self.children if isinstance(c, Element)]

    def all(self, *tags: str) -> list[Element]:
        return [e for e in self.walk() if e.tag in tags]


def parse(page: str) -> Element:
    """The whole page; script and style have no text in the tree."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader.root


def svg(element: Element) -> str:
    """An SVG element as XML of its own."""
    attrs = {CAPITALS.get(name, name): value for name, value in element.attrs.items()}
    if element.tag == "svg":
        attrs["xmlns"] = "http://www.w3.org/2000/svg"
    written = "".join(f' {name}="{escape(value)}"' for name, value in attrs.items())
    tag = CAPITALS.get(element.tag, element.tag)
    inner = "".join(escape(c) if isinstance(c, str) else svg(c) for c in element.children)
    return f"<{tag}{written}>{inner}</{tag}>"


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in (e.tag for e in self._open[1:]):
            while self._open.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open[-1].tag not in ("style", "script"):
            self._open[-1].children.append(data)
