"""The page: one file, nothing from outside, headings in order, tables that everybody can scroll."""

from __future__ import annotations

import re
from importlib import resources
from typing import TYPE_CHECKING

import nbformat
import pytest

from kpibook.errors import RunError
from kpibook.report.outside import outside_references
from kpibook.report.page import accessible, levelled, scrollable, styles
from kpibook.report.render import render

if TYPE_CHECKING:
    from pathlib import Path

    from small_client import Made


def page_of(folder: Path, *cells: nbformat.NotebookNode, language: str = "en", **options: str) -> str:
    notebook = nbformat.v4.new_notebook()
    notebook.cells = list(cells)
    nbformat.write(notebook, folder / "n.ipynb")
    return render(folder / "n.ipynb", "Tea & <Co>", language, **options)


def shown(mime: str, data: str) -> nbformat.NotebookNode:
    out = nbformat.v4.new_output("display_data", {mime: data})
    return nbformat.v4.new_code_cell("secret_source()", execution_count=1, outputs=[out])


def test_a_report_is_one_offline_page(made: Made) -> None:
    """N8: nbconvert's own templates load require.js and MathJax."""
    page = (made.folder / "report.html").read_text(encoding="utf-8")
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">\n')
    assert "http" not in page.replace("http-equiv", "")
    assert "<script" not in page
    assert outside_references(page) == []
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in page
    assert "<title>Corner Shop &amp; Sons</title>" in page
    assert re.findall(r"<h\d[^>]*>([^<]*)<", page) == ["Sales", "Corner Shop", "Sales"]
    assert page.count("td{padding:1px}") == 1
    assert "td{padding:1px}" in page.partition("</head>")[0]
    assert "display(" not in page
    assert "saved 2 rows" in page


@pytest.mark.parametrize(
    ("language", "skip"),
    [("en", "Skip to the report"), ("es", "Ir al informe"), ("de", "Zum Bericht springen"), ("it", "Vai al rapporto")],
)
def test_the_page_speaks_the_reports_language(tmp_path: Path, language: str, skip: str) -> None:
    page = page_of(tmp_path, language=language)
    assert f'<html lang="{language}">' in page
    assert f'<a class="skip" href="#report">{skip}</a>' in page
    assert "<h1>Tea &amp; &lt;Co&gt;</h1>" in page


@pytest.mark.parametrize(
    ("language", "start"),
    [
        ("en", "This report has not been confirmed"),
        ("es", "Este informe no está confirmado"),
        ("de", "Dieser Bericht ist nicht bestätigt"),
        ("it", "Questo rapporto non è confermato"),
    ],
)
def test_a_report_that_does_not_hold_says_so_at_the_top(tmp_path: Path, language: str, start: str) -> None:
    page = page_of(tmp_path, language=language, state="not_valid")
    assert f'<p class="banner" role="alert">{start}' in page.partition("<main")[0]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "This report has not been proved yet: its figures have been computed only once."),
        ("es", "Este informe aún no está comprobado: sus cifras se han calculado una sola vez."),
        ("de", "Dieser Bericht ist noch nicht geprüft: Seine Zahlen sind erst einmal berechnet worden."),
        ("it", "Questo rapporto non è ancora stato verificato: le sue cifre sono state calcolate una sola volta."),
    ],
)
def test_a_report_that_was_computed_once_says_so_at_the_top(tmp_path: Path, language: str, said: str) -> None:
    page = page_of(tmp_path, language=language, state="unproved")
    assert f'<p class="banner" role="alert">{said}</p>' in page.partition("<main")[0]


def test_code_is_hidden_and_text_is_escaped(tmp_path: Path) -> None:
    stream = nbformat.v4.new_output("stream", name="stdout", text="a < b\n")
    noise = nbformat.v4.new_output("stream", name="stderr", text="a warning\n")
    cell = nbformat.v4.new_code_cell("secret_source()", execution_count=1, outputs=[stream, noise])
    page = page_of(tmp_path, cell, shown("text/plain", "{x} & <y>"))
    assert '<pre class="text">a &lt; b\n</pre>' in page
    assert '<pre class="text">{x} &amp; &lt;y&gt;</pre>' in page
    assert "secret_source" not in page
    assert "a warning" not in page


def test_a_drawing_loses_its_namespaces(tmp_path: Path) -> None:
    svg = '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" role="img"><g/></svg>'
    assert '<figure><svg role="img"><g></g></svg></figure>' in page_of(tmp_path, shown("image/svg+xml", svg))


def test_a_citation_is_a_link_and_allowed(tmp_path: Path) -> None:
    cell = nbformat.v4.new_markdown_cell("[Greenwood 1926](https://example.org/greenwood)")
    assert '<a href="https://example.org/greenwood">' in page_of(tmp_path, cell)


OUTSIDE = {
    "<script>1</script>": "<script>",
    '<img src="https://x.org/a.png">': '<img src="https://x.org/a.png">',
    '<link rel="stylesheet" href="//x.org/a.css">': '<link href="//x.org/a.css">',
    '<p onclick="go()">a</p>': '<p onclick="go()">',
    '<a href="javascript:go()">a</a>': '<a href="javascript:go()">',
    '<iframe srcdoc="a"></iframe>': "<iframe>",
    "<style>@import 'a.css';</style>": "@import (style sheet)",
    "<style>p{background:url(http://x.org/a)}</style>": "url(http://x.org/a (style sheet)",
    '<p style="background:url(a.png)">a</p>': '<p style="background:url(a.png)">',
    '<use xlink:href="b.svg#c"/>': '<use xlink:href="b.svg#c">',
    '<meta http-equiv="refresh" content="0;url=a">': '<meta http-equiv="refresh">',
    '<a href="java\tscript:go()">a</a>': '<a href="java\tscript:go()">',
    '<a href="java&#10;script&colon;go()">a</a>': '<a href="java\nscript:go()">',
    '<a href="\x01 JavaScript:go()">a</a>': '<a href="\x01 JavaScript:go()">',
    '<animate values="#;javascript:go()"/>': '<animate values="#;javascript:go()">',
    '<img src="ht\ntp://x.org/a">': '<img src="ht\ntp://x.org/a">',
    '<img srcset="data:,a 1x, http://x.org/a 2x">': '<img srcset="data:,a 1x, http://x.org/a 2x">',
    '<style>p{background:image-set("http://x.org/a" 1x)}</style>': 'image-set("http://x.org/a" 1x (style sheet)',
    "<p style=\"background:-webkit-image-set('//x.org/a' 1x)\">a</p>": (
        "<p style=\"background:-webkit-image-set('//x.org/a' 1x)\">"
    ),
    "<style>p{background:u\\72 l(http://x.org/a)}</style>": "url(http://x.org/a (style sheet)",
    "<style>@\\import 'a.css';</style>": "@import (style sheet)",
    '<rect fill="url(http://x.org/a.svg#b)"/>': '<rect fill="url(http://x.org/a.svg#b)">',
}


@pytest.mark.parametrize("fragment", OUTSIDE)
def test_whatever_loads_or_runs_is_found(fragment: str) -> None:
    assert outside_references(f"<p>before</p>{fragment}") == [OUTSIDE[fragment]]


@pytest.mark.parametrize(
    "fragment",
    [
        '<a href="https://x.org">a</a>',
        '<img src="data:image/png;base64,AA==">',
        '<use href="#mark"/>',
        "<style>p{fill:url(#a)}</style>",
        "<style>p{fill:url( '#a')}p{background:url(\"data:image/png;base64,AA==\")}</style>",
        '<rect fill="url(#a)" stroke="#333"/>',
        '<a href="\n#a">a</a>',
        "<p>see https://x.org and url(http://x.org)</p>",
    ],
)
def test_what_loads_nothing_is_allowed(fragment: str) -> None:
    assert outside_references(fragment) == []


def test_a_page_that_would_load_something_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError) as raised:
        page_of(tmp_path, shown("text/html", '<script src="https://x.org/a.js"></script>'))
    assert str(raised.value) == (
        'report.html: would load or run <script>, <script src="https://x.org/a.js">'
        " · let the notebook show text, tables and SVG only"
    )


@pytest.mark.parametrize(
    ("body", "own", "expected"),
    [
        ("<h2>a</h2><h4>b</h4><h4>c</h4><h3>d</h3><h2>e</h2>", False, "2 3 3 3 2"),
        ("<h1>a</h1><h3>b</h3><h1>c</h1><h2>d</h2>", True, "1 2 2 3"),
        ("<h3>a</h3><h1>b</h1><h6>c</h6>", True, "2 1 2"),
    ],
)
def test_headings_leave_out_no_level(body: str, own: bool, expected: str) -> None:
    result = levelled(body, own)
    assert re.findall(r"<h(\d)", result) == expected.split()
    assert re.findall(r"</h(\d)", result) == expected.split()


def test_only_outermost_tables_are_wrapped_and_regions_that_are_there_are_used() -> None:
    mark = 'role="region" tabindex="0" aria-label="L"'
    assert scrollable("<table><tr><td><table></table></td></tr></table>", "L") == (
        f'<div class="scroll" {mark}><table><tr><td><table></table></td></tr></table></div>'
    )
    assert scrollable('<div id="x" class="kb-scroll"><div><table></table></div></div><p>', "L") == (
        f'<div {mark} id="x" class="kb-scroll"><div><table></table></div></div><p>'
    )


def test_a_style_sheet_is_kept_once() -> None:
    assert styles("<style>a</style><p>1</p><style>b</style><style>a</style>") == ("<p>1</p>", "a\nb")


def test_a_body_with_a_title_of_its_own_gets_no_second_one() -> None:
    assert accessible("<h1>Own</h1>", "Title", "L") == ("", "<h1>Own</h1>")
    assert accessible("<p>a</p>", "Title", "L") == ("<h1>Title</h1>\n", "<p>a</p>")


def test_the_page_and_its_fragments_name_no_colour_twice() -> None:
    """A fragment that sets --soft for itself would otherwise recolour what the page paints with its own --soft."""
    page = resources.files("kpibook.report").joinpath("template/page.css").read_text(encoding="utf-8")
    fragments = resources.files("kpibook.present").joinpath("style.css").read_text(encoding="utf-8")
    used = set(re.findall(r"var\((--[a-z]+)\)", page)) - {"--ink", "--line", "--accent"}

    assert used == {"--quiet", "--wash"}
    assert used.isdisjoint(re.findall(r"(--[a-z]+):", fragments))


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(("ink", "paper"), [("--ink", "#ffffff"), ("--quiet", "--wash"), ("--accent", "#ffffff")])
def test_contrast_is_at_least_4_5(tmp_path: Path, ink: str, paper: str) -> None:
    colours = dict(re.findall(r"(--\w+): (#\w{6});", page_of(tmp_path)))
    dark, light = luminance(colours[ink]), luminance(colours.get(paper, paper))
    assert (light + 0.05) / (dark + 0.05) >= 4.5
