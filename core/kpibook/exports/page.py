"""What the report's page shows, block by block: the one text that every printed form sets.

The page is made of the structures in ``present``; read back from it, PDF and slides cannot say anything else. Blocks
are plain data, so that a typesetter gets texts and never markup.
"""

from __future__ import annotations

import re
from typing import Any

from kpibook.exports.markup import Element, parse, svg

Block = dict[str, Any]
#: Classes that say how a piece of text looks.
LOOKS = {"kb-off": "off", "kb-sub": "sub", "kb-good": "good", "kb-bad": "bad", "kb-sr": "hidden"}
BARS = {"kb-bar-red": "red", "kb-bar-amber": "amber", "kb-bar-green": "green"}
PAINT = re.compile(r"(background-color|color):\s*(#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3})\b")
SPACE = re.compile(r"[ \t\r\n]+")


def blocks(page: str) -> list[Block]:
    """Headings, paragraphs, lists, facts, cards, tables and drawings in the page's order.

    ``kind`` names the block. Texts of paragraphs and cells are lists of runs ``{text, looks}``.
    """
    root = parse(page)
    body = next((e for e in root.walk() if e.tag == "body"), root)
    return list(_blocks(body, frozenset()))


def plain(runs: list[dict[str, Any]]) -> str:
    """Runs as one text; what stands below a name follows after a space."""
    return SPACE.sub(" ", "".join((" " if "sub" in r["looks"] else "") + r["text"] for r in runs)).strip()


def _blocks(element: Element, around: frozenset[str]) -> Any:
    around = (
        around
        | element.classes
        | ({f"#{element.attrs['id']}"} if element.tag == "div" and "id" in element.attrs else set())
    )
    for child in element.children:
        if isinstance(child, str):
            if child.strip():
                yield {"kind": "p", "style": "", "runs": [{"text": _tidy(child), "looks": []}]}
            continue
        yield from _block(child, around)


def _block(e: Element, around: frozenset[str]) -> Any:
    if e.tag in ("head", "style", "script") or "skip" in e.classes:
        return
    made = _words(e, around) or _shape(e, around)
    if made is None:
        yield from _blocks(e, around)
    else:
        yield from made


def _words(e: Element, around: frozenset[str]) -> list[Block] | None:
    """Headings, paragraphs and lists."""
    if re.fullmatch(r"h[1-6]", e.tag):
        return [{"kind": "h", "level": int(e.tag[1]), "text": _tidy(e.text).strip(), "id": e.attrs.get("id", "")}]
    if e.tag == "p":
        style = "alert" if e.attrs.get("role") == "alert" else _style(e.classes)
        return [{"kind": "p", "style": style, "runs": _runs(e)}]
    if e.tag == "pre":
        return [{"kind": "pre", "text": e.text.rstrip()}]
    if e.tag == "dl":
        parts = [_tidy(c.text).strip() for c in e.elements if c.tag in ("dt", "dd")]
        return [{"kind": "facts", "entries": [list(p) for p in zip(parts[::2], parts[1::2], strict=False)]}]
    if e.tag in ("ul", "ol") and "kb-cards" not in e.classes:
        items = [_runs(c) for c in e.elements if c.tag == "li"]
        return [{"kind": "list", "items": items, "dense": "kb-dense" in around}]
    return None


def _shape(e: Element, around: frozenset[str]) -> list[Block] | None:
    """Cards, tables and drawings."""
    if "kb-cards" in e.classes:
        return [{"kind": "cards", "cards": [_card(c) for c in e.elements]}]
    if e.tag == "table":
        return [_table(e, around)]
    if e.tag == "figure":
        caption = " ".join(_tidy(c.text).strip() for c in e.all("figcaption"))
        return [_drawing(s, caption) for s in e.all("svg")]
    if e.tag == "svg":
        return [_drawing(e, "")]
    if e.tag == "img":
        return [{"kind": "p", "style": "note", "runs": [{"text": e.attrs.get("alt", ""), "looks": []}]}]
    return None


def _style(classes: frozenset[str]) -> str:
    return next((name for name in ("lead", "note", "draft") if f"kb-{name}" in classes), "")


def _card(e: Element) -> Block:
    title = next((c for c in e.elements if c.tag.startswith("h")), None)
    big = next((c for c in e.elements if "kb-big" in c.classes), None)
    lines = [_tidy(c.text).strip() for c in e.elements if c.tag == "p" and c is not big]
    value = _tidy(big.text).strip() if big else ""
    off = bool(big and "kb-off" in big.classes)
    return {"title": _tidy(title.text).strip() if title else "", "value": value, "off": off, "lines": lines}


def _table(e: Element, around: frozenset[str]) -> Block:
    head = [r for part in e.all("thead") for r in part.all("tr")]
    foot = [r for part in e.all("tfoot") for r in part.all("tr")]
    body = [r for r in e.all("tr") if not any(r is other for other in (*head, *foot))]
    rows = [[_cell(c) for c in r.elements if c.tag in ("td", "th")] for r in body]
    heads = [_cell(c) for c in head[-1].elements] if head else []
    width = max([len(heads), *map(len, rows)], default=0)
    blank: Block = {"runs": [], "numeric": False, "fill": "", "ink": ""}
    box = next((name[1:] for name in around if name.startswith("#")), "")
    size = "wider" if "kb-wider" in around else "wide" if "kb-wide" in around else ""
    return {
        "kind": "table",
        "id": box,
        "caption": " ".join(_tidy(c.text).strip() for c in e.all("caption")),
        "size": "dense" if "kb-dense" in around else "matrix" if "kb-matrix" in around else size,
        "columns": width,
        "head": [*heads, *[blank] * (width - len(heads))] if heads else [],
        "rows": [[*r, *[blank] * (width - len(r))] for r in rows],
        "notes": [_tidy(r.text).strip() for r in foot],
    }


def _cell(e: Element) -> Block:
    paint = dict(PAINT.findall(e.attrs.get("style", "")))
    fill, ink = paint.get("background-color", ""), paint.get("color", "")
    return {"runs": _runs(e), "numeric": "gt_right" in e.classes, "fill": fill, "ink": ink}


def _drawing(e: Element, caption: str) -> Block:
    title = next((c.text for c in e.elements if c.tag == "title"), "")
    box = (e.attrs.get("viewbox") or e.attrs.get("viewBox") or "0 0 560 220").split()
    kept = Element(e.tag, dict(e.attrs), [c for c in e.children if not (isinstance(c, Element) and c.tag == "title")])
    return {
        "kind": "figure",
        "caption": caption,
        "title": title,
        "alt": e.attrs.get("aria-label", "") or title or caption,
        "svg": svg(kept),
        "width": float(box[2]),
    }


def _runs(e: Element, looks: tuple[str, ...] = ()) -> list[dict[str, Any]]:
    """Pieces of text with their looks, spaces as a browser shows them; ends are trimmed."""
    found: list[dict[str, Any]] = []
    _collect(e, looks, found)
    for i, run in enumerate(found):
        run["text"] = run["text"].lstrip(" ") if i == 0 or "sub" in run["looks"] else run["text"]
    if found:
        found[-1]["text"] = found[-1]["text"].rstrip(" ")
    return [r for r in found if r["text"]]


def _collect(e: Element, looks: tuple[str, ...], found: list[dict[str, Any]]) -> None:
    for child in e.children:
        if isinstance(child, str):
            found.append({"text": _tidy(child), "looks": list(looks)})
        elif child.tag == "br":
            found.append({"text": "\n", "looks": list(looks)})
        elif child.tag == "wbr":
            found.append({"text": "\u200b", "looks": list(looks)})
        elif child.attrs.get("aria-hidden") != "true" or child.text:
            _collect(child, (*looks, *_looks(child)), found)


def _looks(e: Element) -> list[str]:
    found = [look for name, look in LOOKS.items() if name in e.classes]
    found += [f"bar-{bar}" for name, bar in BARS.items() if name in e.classes]
    found += ["code"] if e.tag == "code" else ["sup"] if e.tag == "sup" else []
    return found + (["bold"] if e.tag in ("b", "strong") else [])


def _tidy(text: str) -> str:
    return SPACE.sub(" ", text)
