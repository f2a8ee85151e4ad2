"""The PDF: tagged, the page's own words, the same bytes every time, and no text read as markup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from pypdf import PdfReader

from attacks import EVERY
from exports.small_report import ROWS, report
from kpibook.cli import main
from kpibook.errors import RunError
from kpibook.exports import pdf, typesetting
from kpibook.report.handover import export
from kpibook.report.verify import verify

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
    made = export(report(tmp_path / "r", language="de"), ["pdf"]).files[0]
    with pikepdf.open(made) as file:
        assert file.open_metadata()["pdfuaid:part"] == "1"
        assert str(file.Root.Lang) == "de"
        assert bool(file.Root.MarkInfo.Marked) and bool(file.Root.ViewerPreferences.DisplayDocTitle)
        found = tags(file.Root.StructTreeRoot)
    assert {"/H1", "/Table", "/THead", "/TH", "/TR", "/TD", "/TOC"} <= set(found)


def test_pages_are_a4_with_running_heads_and_numbers(tmp_path: Path):
    pages = PdfReader(export(report(tmp_path / "r", language="es"), ["pdf"]).files[0]).pages
    assert {tuple(map(round, page.mediabox[2:])) for page in pages} == {(595, 842)}
    texts = [page.extract_text() for page in pages]
    assert [f"P\u00e1gina {i} de {len(pages)}" in text for i, text in enumerate(texts, 1)] == [True] * len(pages)
    assert ["julio" in text for text in texts[1:]] == [True] * (len(pages) - 1)
    assert "\u00cdndice" in texts[1]


def test_a_kpi_s_figures_stand_beside_its_title(tmp_path: Path):
    said = words(export(report(tmp_path / "r"), ["pdf"]).files[0])
    assert "Avgreceipt\u20ac28.31[27.90;28.71]2,469" in said
    assert "Netsales\u20ac2,350,413exact2,469" in said


def test_the_same_report_gives_the_same_bytes(tmp_path: Path):
    one, two = (export(report(tmp_path / name), ["pdf"]).files[0].read_bytes() for name in "ab")
    assert one == two
    assert b"CreationDate" not in one


@pytest.mark.parametrize("text", TYPST)
def test_markup_of_the_typesetter_is_text(tmp_path: Path, text: str):
    made = export(report(tmp_path / "r", title=text, rows=[{**ROWS[2], "title": text, "family": text}]), ["pdf"]).files[
        0
    ]
    assert words(made).count(re.sub(r"\s", "", text)) >= 3
    with pikepdf.open(made) as file:
        assert not any("/URI" in str(a.get("/A", "")) for page in file.pages for a in page.get("/Annots", []))


def test_every_attack_is_set_as_text_and_told_where_its_letters_are_not(tmp_path: Path):
    told = []
    for i, text in enumerate(EVERY):
        made = export(report(tmp_path / str(i), rows=[{**ROWS[2], "title": text}]), ["pdf"])
        told += [text] if made.notes else []
        with pikepdf.open(made.files[0]) as file:
            assert "/JavaScript" not in str(file.Root.get("/Names", ""))
    assert told == [text for text in EVERY if any(c in WIDE for c in text)]


def test_letters_that_no_font_has_are_shown_as_unknown_and_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = report(tmp_path / "r", title="\u6f22\u5b57 Ltd \U0001f600")
    with pytest.raises(SystemExit) as ended:
        main(["export", str(folder), "--to", "pdf,summary"])
    assert ended.value.code == 0
    what = "no font has U+5B57, U+6F22, U+1F600: shown as \ufffd"
    remedy = "take them out of names and titles, or hand over the page or the other forms"
    said = capsys.readouterr()
    assert said.err == "".join(f"{name}.pdf: {what} \u00b7 {remedy}\n" for name in ("report", "summary"))
    assert said.out == f"made {folder / 'report.pdf'}\nmade {folder / 'summary.pdf'}\n"
    assert "\ufffd\ufffdLtd\ufffd" in words(folder / "report.pdf")
    assert verify(folder) == []


def test_of_many_letters_twelve_are_named():
    named = "U+4E00, U+4E01, U+4E02, U+4E03, U+4E04, U+4E05, U+4E06, U+4E07, U+4E08, U+4E09, U+4E0A, U+4E0B"
    remedy = "take them out of names and titles, or hand over the page or the other forms"
    said = f"a.pdf: no font has {named} and 2 more: shown as \ufffd \u00b7 {remedy}"
    assert typesetting.notes("a.pdf", [chr(0x4E00 + i) for i in range(14)]) == [said]


def test_what_cannot_be_set_at_all_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = report(tmp_path / "r")
    monkeypatch.setattr(pdf, "document", lambda _: {"title": "x"})
    with pytest.raises(RunError) as error:
        export(folder, ["pdf"])
    missing = 'dictionary does not contain key "language"'
    assert str(error.value) == f"report.pdf: cannot be set ({missing}) \u00b7 {typesetting.REMEDY}"
    assert not (folder / "report.pdf").exists()
