"""The summary: one page of A4 whatever the texts, with verdict, figures and the gravest findings."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from pypdf import PdfReader

from exports.small_report import ROWS, report
from kpibook import runs
from kpibook.exports import summary
from kpibook.exports.summary import attempts, shortened
from kpibook.report import results
from kpibook.report.handover import export
from kpibook.report.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

LONG = "Wiederkaufwahrscheinlichkeitsverteilungsfunktion der Kundenbindungsprogrammmitglieder "


def made(folder: Path) -> Any:
    return PdfReader(export(folder, ["summary"]).files[0]).pages


def long(folder: Path, times: int, findings: int = 9) -> Path:
    """A German report whose titles, client and notes are ``times`` lines long, with five figures and grave findings."""
    kpis = ("net_sales", "avg_receipt", "retention_rate", "churn_rate", "purchase_frequency")
    rows = [
        {**row, "kpi": kpi, "title": LONG * times, "status": "ok", "value": 0.6, "reason": "", "n": 2469}
        for kpi in kpis
        for row in (ROWS[4], {**ROWS[4], "period": "previous"})
    ]
    made = report(folder, title=LONG * times, language="de", rows=rows)
    page = (made / "report.html").read_text(encoding="utf-8")
    notes = f"<p>Anmerkungen</p><ul>{f'<li>{LONG * times}</li>' * 9}</ul>"
    first = page.index("<h2", page.index("kb-verdict"))
    alert = f'<body><p class="banner" role="alert">{LONG * times}</p>'
    (made / "report.html").write_text((page[:first] + notes + page[first:]).replace("<body>", alert), encoding="utf-8")
    quality = json.loads((made / "quality.json").read_text(encoding="utf-8"))
    quality["findings"] = quality["findings"] * findings
    (made / "quality.json").write_text(json.dumps(quality), encoding="utf-8")
    record = runs.read(made)
    record.files = results.checksums(made)
    record.write(made)
    return made


def test_verdict_figures_and_findings_stand_on_one_page(tmp_path: Path):
    pages = made(report(tmp_path / "r"))
    lines = [re.sub(r"\s", " ", line) for line in pages[0].extract_text().splitlines()]
    assert len(pages) == 1
    assert tuple(map(round, pages[0].mediabox[2:])) == (595, 842)
    spans = "July \u2013 December 2017 · Compared with: January \u2013 June 2017"
    heads = ["Corner Shop", f"One-page summary · {spans}", "The verdict"]
    assert lines[:3] == heads
    figure = lines.index("Avg receipt")
    assert lines[figure + 1 : figure + 3] == ["€28.31", "95% interval: €27.90 to €28.71; n = 2,469"]
    assert "• order_lines.cogs: Empty where a value is needed." in lines
    assert lines[-1] == "Audit of the loyalty programme The whole report: report.html"


def test_it_claims_ua_and_is_tagged(tmp_path: Path):
    folder = report(tmp_path / "r", language="de")
    with pikepdf.open(export(folder, ["summary"]).files[0]) as file:
        assert file.open_metadata()["pdfuaid:part"] == "1"
        assert str(file.Root.Lang) == "de"
        assert bool(file.Root.MarkInfo.Marked)


@pytest.mark.parametrize("times", [1, 2, 5, 40])
def test_the_longest_german_texts_are_one_page(tmp_path: Path, times: int):
    folder = long(tmp_path / "r", times)
    assert len(made(folder)) == 1
    assert [str(p) for p in verify(folder) if p.where.startswith("summary.pdf")] == []


def test_findings_go_before_texts_are_cut():
    tried = list(attempts())
    assert tried[0] == (3, 1.0, None)
    assert [many for many, _, limit in tried if limit is None] == [3] * 4 + [2] * 4 + [1] * 4 + [0] * 5
    assert [limit for *_, limit in tried if limit] == list(summary.LIMITS)


def test_a_cut_text_ends_with_an_ellipsis_and_a_long_word_may_break():
    whole = {"findings": ["a" * 40, "b"], "notes": ["0123456789"] * 3, "cards": [{"lines": ["0123456789"]}] * 5}
    kept = shortened(whole, 1, (8, 2))
    assert kept == {"findings": ["aaaaaaa…"], "notes": ["0123456…"] * 2, "cards": [{"lines": ["0123456…"]}] * 5}
    assert shortened(whole, 1, None)["findings"] == ["a" * 15 + "\u200b" + "a" * 15 + "\u200b" + "a" * 10]


def test_the_same_report_gives_the_same_bytes(tmp_path: Path):
    one, two = (export(report(tmp_path / name), ["summary"]).files[0].read_bytes() for name in "ab")
    assert one == two
