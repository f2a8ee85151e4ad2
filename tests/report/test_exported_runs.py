"""A run of a small client that hands over every form, the slides in the client's template, and is proved one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from pptx import Presentation
from pypdf import PdfReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Project

PARAMS = """
client: shop
title: Tienda
language: es
currency: EUR
timezone: Europe/Madrid
period: 2024-01-01/2024-06-30
source: ../data
tables:
  order_lines:
    from: lines.csv
    columns: {transaction_id: ticket, customer_id: client, ts: sold_at, net_amount: total, channel: channel}
breakdowns: [channel]
exports:
  to: [pdf, pptx, xlsx, summary]
  template: brand.pptx
"""
REPORT = "reports/shop/2024-01-01_2024-06-30"
FORMS = ("report.pdf", "report.pptx", "report.xlsx", "summary.pdf")


def test_a_run_hands_over_every_form(make_project: Callable[..., Project]):
    """60 receipts of 30 persons, ten a month, each of 12.50: 750 in all."""
    numbers = range(60)
    lines = pd.DataFrame({"ticket": [f"t{n}" for n in numbers], "client": [f"c{n % 30}" for n in numbers]})
    lines["sold_at"] = [f"2024-{n % 6 + 1:02d}-0{n % 7 + 1} 12:00:00" for n in numbers]
    lines["channel"] = ["store" if n % 2 else "web" for n in numbers]
    lines["total"] = "12.50"
    project = make_project({"params/shop.yaml": PARAMS, "data/lines.csv": lines})
    Presentation().save(project.path / "params" / "brand.pptx")
    done = project.run("run", "params/shop.yaml", "--no-proof")
    assert done.code == 0, done.err
    folder = project.path / REPORT
    assert [name for name in FORMS if (folder / name).is_file()] == list(FORMS)
    assert len(PdfReader(folder / "summary.pdf").pages) == 1
    slides = Presentation(str(folder / "report.pptx"))
    assert slides.slide_width == 9_144_000
    assert slides.slides[0].shapes.title.text == "Tienda"
    rows = [[c.text for c in row.cells] for p in slides.slides for s in p.shapes if s.has_table for row in s.table.rows]
    assert ["Ventas netas agregadas", "750,00\xa0\u20ac"] in [row[:2] for row in rows]
    done = project.run("verify", REPORT)
    assert (done.code, done.out) == (0, f"{REPORT}: as its run left it, and one number wherever a KPI is shown\n")
