"""The PDF: tagged, the page's own words, the same bytes every time, and no text read as markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from pypdf import PdfReader

from attacks import EVERY
from exports.small_report import ROWS, report
from kpibook.errors import RunError
from kpibook.exports import pdf
from kpibook.report.handover import export

if TYPE_CHECKING:
    from pathlib import Path

TYPST = ("#panic(1)", '#read("/etc/passwd")', "*b* _i_ $x$ <l> @l", "]]; #sys", "= h", "https://kb-evil.example/")

#: Full-width letters, which no font of the typesetter has.
WIDE = "\uff1c\uff1e\uff1d"


def words(path: Path) -> str:
    return re.sub(r"\s", "", "".join(page.extract_text() for page in PdfReader(path).pages))


def tags(element: Any) -> list[str]:
    """Structure types of a tag tree, in its order."""
    kids = element.get("/K", [])
    kids = list(kids) if isinstance(kids, pikepdf.Array) else [kids]
    own = [str(element["/S"])] if "/S" in element else []
    return own + [t for kid in kids if isinstance(kid, pikepdf.Dictionary) for t in tags(kid)]


def test_it_claims_ua_and_is_tagged(tmp_path: Path):
    made = export(report(tmp_path / "r", language="de"), ["pdf"])[0]
    with pikepdf.open(made) as file:
        assert file.open_metadata()["pdfuaid:part"] == "1"
        assert str(file.Root.Lang) == "de"
        assert bool(file.Root.MarkInfo.Marked) and bool(file.Root.ViewerPreferences.DisplayDocTitle)
        found = tags(file.Root.StructTreeRoot)
    assert {"/H1", "/Table", "/THead", "/TH", "/TR", "/TD", "/TOC"} <= set(found)


def test_pages_are_a4_with_running_heads_and_numbers(tmp_path: Path):
    pages = PdfReader(export(report(tmp_path / "r", language="es"), ["pdf"])[0]).pages
    assert {tuple(map(round, page.mediabox[2:])) for page in pages} == {(595, 842)}
    texts = [page.extract_text() for page in pages]
    assert [f"P\u00e1gina {i} de {len(pages)}" in text for i, text in enumerate(texts, 1)] == [True] * len(pages)
    assert ["julio" in text for text in texts[1:]] == [True] * (len(pages) - 1)
    assert "\u00cdndice" in texts[1]


def test_a_kpi_s_figures_stand_beside_its_title(tmp_path: Path):
    said = words(export(report(tmp_path / "r"), ["pdf"])[0])
    assert "Avgreceipt\u20ac28.31[27.90;28.71]2,469" in said
    assert "Netsales\u20ac2,350,413exact2,469" in said


def test_the_same_report_gives_the_same_bytes(tmp_path: Path):
    one, two = (export(report(tmp_path / name), ["pdf"])[0].read_bytes() for name in "ab")
    assert one == two
    assert b"CreationDate" not in one


@pytest.mark.parametrize("text", TYPST)
def test_markup_of_the_typesetter_is_text(tmp_path: Path, text: str):
    made = export(report(tmp_path / "r", title=text, rows=[{**ROWS[2], "title": text, "family": text}]), ["pdf"])[0]
    assert words(made).count(re.sub(r"\s", "", text)) >= 3
    with pikepdf.open(made) as file:
        assert not any("/URI" in str(a.get("/A", "")) for page in file.pages for a in page.get("/Annots", []))


def test_every_attack_is_set_as_text_or_refused_for_its_letters(tmp_path: Path):
    refused = []
    for i, text in enumerate(EVERY):
        folder = report(tmp_path / str(i), rows=[{**ROWS[2], "title": text}])
        try:
            made = export(folder, ["pdf"])[0]
        except RunError as error:
            assert str(error).endswith(f"\u00b7 {pdf.REMEDY}")
            refused.append(text)
        else:
            with pikepdf.open(made) as file:
                assert "/JavaScript" not in str(file.Root.get("/Names", ""))
    assert refused == [text for text in EVERY if any(c in WIDE for c in text)]


def test_a_text_that_no_font_has_is_told(tmp_path: Path):
    folder = report(tmp_path / "r", title="\u6f22\u5b57")
    with pytest.raises(RunError) as error:
        export(folder, ["pdf"])
    letter = 'the text `"\u6f22"` could not be displayed with font `"Libertinus Serif"`'
    assert str(error.value) == f"report.pdf: cannot be set (PDF/UA-1 error: {letter}) \u00b7 {pdf.REMEDY}"
    assert not (folder / "report.pdf").exists()
