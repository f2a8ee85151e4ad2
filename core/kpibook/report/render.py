"""The executed notebook as one HTML file that needs nothing else: no script, no network, no code shown."""

from __future__ import annotations

import html
import json
import re
from functools import cache
from pathlib import Path

from kpibook.errors import Problem, RunError
from kpibook.report.outside import outside_references
from kpibook.report.page import accessible, styles

HERE = Path(__file__).parent / "template"
NAME = "report.html"
PLACE = re.compile(r"\{(\w+)\}")


def render(notebook: Path, title: str, language: str, state: str = "valid") -> str:
    """The page, the same bytes for the same notebook; RunError when it would load or run anything.

    A report that is ``not_valid`` or ``unproved`` says so at its top, in its own language.
    """
    body, sheets = styles(_body(notebook))
    heading, body = accessible(body, title, _word("scroll", language))
    banner = "" if state == "valid" else f'<p class="banner" role="alert">{_word(state, language)}</p>\n'
    filled = {
        "language": language,
        "title": html.escape(title),
        "style": _part("page.css") + sheets,
        "skip": _word("skip", language),
        "banner": banner,
        "heading": heading,
        "body": body,
    }
    page = PLACE.sub(lambda match: filled[match[1]], _part("page.html"))
    found = outside_references(page)
    if found:
        what = f"would load or run {', '.join(found)}"
        raise RunError(Problem(NAME, what, "let the notebook show text, tables and SVG only"))
    return page


def _body(notebook: Path) -> str:
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name=HERE.name, extra_template_basedirs=[str(HERE.parent)])
    return exporter.from_notebook_node(nbformat.read(notebook, as_version=4))[0].strip()


@cache
def _part(name: str) -> str:
    return (HERE / name).read_text(encoding="utf-8")


def _word(name: str, language: str) -> str:
    return html.escape(json.loads(_part("words.json"))[name][language])
