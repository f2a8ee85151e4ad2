"""Make the body of a page good to read for everybody: headings in order, tables that can be scrolled."""

from __future__ import annotations

import html
import re

HEADING = re.compile(r"<(/?)h([1-6])\b", re.IGNORECASE)
NAMESPACE = re.compile(r"""\sxmlns(?::\w+)?=(?:"[^"]*"|'[^']*')""")
BOX = re.compile(r"<(/?)(div|table)\b([^>]*)>", re.IGNORECASE)
REGION = re.compile(r"""class=["'][^"']*\bkb-scroll\b""")
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL | re.IGNORECASE)
ANCHOR = re.compile(r'<a class="anchor-link"[^>]*>.*?</a>')


def accessible(body: str, title: str, label: str) -> tuple[str, str]:
    """The page's heading (empty when the body brings its own) and the body.

    The page has one ``h1`` and no level is left out on the way down; namespaces of inline SVG,
    which HTML does not need, go.
    """
    body = NAMESPACE.sub("", ANCHOR.sub("", body))
    own = re.search(r"<h1\b", body, re.IGNORECASE) is not None
    heading = "" if own else f"<h1>{html.escape(title)}</h1>\n"
    return heading, scrollable(levelled(body, own), label)


def levelled(body: str, own_title: bool) -> str:
    """Headings renumbered: the first ``h1`` stays one, each other is at most one deeper than its parent."""
    above: list[int] = []  # the levels as written, of the headings we are below
    level = 1
    titled = not own_title

    def renumber(match: re.Match[str]) -> str:
        nonlocal level, titled
        if not match[1]:
            written = int(match[2])
            if not titled and written == 1:
                titled, level = True, 1
                above.clear()
                return "<h1"
            while above and above[-1] >= written:
                above.pop()
            above.append(written)
            level = min(len(above) + 1, 6)
        return f"<{match[1]}h{level}"

    return HEADING.sub(renumber, body)


def scrollable(body: str, label: str) -> str:
    """Each outermost table in a region that keyboard and finger can scroll; a region that is there is made one."""
    inside: list[str] = []  # what we are in: "region", "div" or "table"
    mark = f'role="region" tabindex="0" aria-label="{label}"'

    def wrap(match: re.Match[str]) -> str:
        closing, tag, rest = match[1], match[2].lower(), match[3]
        if closing:
            left = inside.pop() if inside else ""
            return match[0] + "</div>" if left == "wrapped" else match[0]
        outermost = not {"region", "table", "wrapped"} & set(inside)
        if tag == "table":
            inside.append("wrapped" if outermost else "table")
            return f'<div class="scroll" {mark}>{match[0]}' if outermost else match[0]
        inside.append("region" if REGION.search(rest) else "div")
        return f"<div {mark}{rest}>" if inside[-1] == "region" and outermost else match[0]

    return BOX.sub(wrap, body)


def styles(body: str) -> tuple[str, str]:
    """The body without its style sheets, and each of these once, in order."""
    sheets = dict.fromkeys(STYLE.findall(body))
    return STYLE.sub("", body), "\n".join(sheets)
