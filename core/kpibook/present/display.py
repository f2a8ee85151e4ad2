"""What a notebook cell shows: HTML for readers, a short text for comparison and for terminals."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from html import escape
from importlib import resources
from typing import TYPE_CHECKING, Any

from kpibook.unspoken import replaced

if TYPE_CHECKING:
    from collections.abc import Iterable

#: JupyterLab would set "$28.80 to $30" as a formula; each of its typesetters heeds one of these names.
CLASSES = "kb mathjax_ignore tex2jax_ignore"
SPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Display:
    """``html`` is a fragment of a page; ``text`` says the same figures in a few lines.

    Characters that no text holds are shown by a sign for them: a terminal or a browser would obey them.
    """

    html: str
    text: str

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        shown = f'{style_tag()}<div class="{CLASSES}">{replaced(self.html)}</div>'
        return {"text/html": shown, "text/plain": repr(self)}

    def __repr__(self) -> str:
        return replaced(self.text)


def stack(blocks: Iterable[Display]) -> Display:
    """Blocks one under the other."""
    shown = [b for b in blocks if b.html]
    return Display("\n".join(b.html for b in shown), "\n".join(b.text for b in shown if b.text))


@cache
def style_tag() -> str:
    """The style sheet of everything in this package, in one line. A page needs it once."""
    css = resources.files("kpibook.present").joinpath("style.css").read_text("utf-8")
    css = SPACE.sub(" ", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    return f"<style>{re.sub(r' ?([{};,>]) ?', lambda m: m[1], css).strip()}</style>"


def heading(level: int, text: str, anchor: str = "") -> Display:
    """h1 is the cover's, h2 a chapter's, h3 a KPI's."""
    mark = f' id="{slug(anchor)}"' if anchor else ""
    return Display(f"<h{level}{mark}>{escape(text)}</h{level}>", text)


def paragraph(text: str, kind: str = "") -> Display:
    """``kind`` is ``lead`` for the first sentence of a page, ``note`` for the small print."""
    mark = f' class="kb-{kind}"' if kind else ""
    return Display(f"<p{mark}>{escape(text)}</p>", text)


def bullets(items: Iterable[str]) -> Display:
    kept = list(items)
    html = "".join(f"<li>{escape(item)}</li>" for item in kept)
    return Display(f"<ul>{html}</ul>" if kept else "", "\n".join(f"- {item}" for item in kept))


def figure(svg: str, caption: str) -> Display:
    """A drawing with what it says; the drawing carries its own alternative text."""
    said = escape(caption)
    box = f'<div class="kb-scroll">{svg}</div>'
    return Display(f'<figure class="kb-figure"><figcaption>{said}</figcaption>{box}</figure>', caption)


def slug(text: str) -> str:
    """An anchor from any text, the same every time."""
    kept = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    return f"kb-{kept}" if kept else "kb-" + text.encode().hex()
