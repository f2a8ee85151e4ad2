"""A whole run: a draft is called one everywhere, and no person is in any finished file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

BANNER = {
    "en": "Draft, not for use: one serious finding in the data has to be cleared first (see “The data”).",
    "es": "Borrador, no apto para su uso: antes hay que resolver un hallazgo grave en los datos (véase «Los datos»).",
    "de": "Entwurf, nicht zu verwenden: Vorher ist ein schwerwiegender Befund in den Daten zu klären"
    " (siehe „Die Daten“).",
    "it": "Bozza, da non utilizzare: prima va risolto un rilievo grave nei dati (vedi «I dati»).",
}
PARAMS = """
client: shop
title: Shop
language: {language}
currency: EUR
timezone: Europe/Madrid
period: 2024-01-01/2024-06-30
compare: none
source: ../data
tables:
  order_lines:
    from: lines.csv
    columns: {{transaction_id: ticket, customer_id: client, ts: sold_at, net_amount: total, channel: channel}}
  customers:
    from: people.csv
    columns: {{customer_id: client, postal_area: area}}
breakdowns: [month, channel, postal_area]
"""


def people() -> dict[str, pd.DataFrame]:
    """40 persons; 37 live in A, three in B. One line has no amount."""
    number = range(80)
    lines = pd.DataFrame(
        {
            "ticket": [f"TICKET{n:04d}" for n in number],
            "client": [f"PERSON{n % 40:04d}" for n in number],
            "sold_at": [f"2024-0{1 + n % 6}-{1 + 3 * (n % 10):02d} 12:00:00" for n in number],
            "total": [str(10 + n % 60) if n != 5 else "" for n in number],
            "channel": ["web" if n % 40 < 4 else "store" for n in number],
        }
    )
    area = ["B" if n < 3 else "A" for n in range(40)]
    return {
        "data/lines.csv": lines,
        "data/people.csv": pd.DataFrame({"client": [f"PERSON{n:04d}" for n in range(40)], "area": area}),
    }


def test_a_draft_of_persons_nobody_can_find(make_project: Any) -> None:
    """The red finding is the empty amount. Identifiers are in no file, in whatever form it holds them; of the channel
    with four persons and the area with three no figure is told, and none of the other, which would tell them.
    """
    project = make_project({"params/shop.yaml": PARAMS.format(language="es"), **people()})
    done = project.run("run", "params/shop.yaml")
    assert done.code == 0, done.err
    assert done.out.splitlines()[-1].startswith("shop: valid, but a draft: serious findings in the data, ")
    folder = project.path / "reports" / "shop" / "2024-01-01_2024-06-30"
    record = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert (record["draft"], record["state"]) == (True, "valid")
    for name, text in _texts(folder).items():
        assert "PERSON0" not in text, name
        assert "TICKET0" not in text, name
    notebook = json.loads((folder / "report.ipynb").read_text(encoding="utf-8"))
    first = next(c for c in notebook["cells"] if "cover" in "".join(c["source"]))
    assert "".join(first["outputs"][0]["data"]["text/plain"]).startswith(BANNER["es"])
    assert (folder / "report.html").read_text(encoding="utf-8").count(BANNER["es"]) == 1
    assert not [c for c in notebook["cells"] if c.get("attachments")]
    card = pd.read_parquet(folder / "scorecard.parquet")
    for by in ("channel", "postal_area"):
        rows = card[(card["segment_by"] == by) & (card["kpi"] == "net_sales")]
        assert len(rows) == 2
        assert rows[["value", "n", "numerator", "low", "high"]].isna().all(axis=None)
    again = project.run("validate", str(folder))
    assert again.code == 0, again.out + again.err


@pytest.mark.parametrize("language", ["en", "de", "it"])
def test_the_banner_in_every_language(language: str, make_project: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import kpibook

    project = make_project({"params/shop.yaml": PARAMS.format(language=language), **people()})
    monkeypatch.chdir(project.path)
    assert kpibook.open("params/shop.yaml").cover().text.startswith(BANNER[language])


def test_few_persons_are_shown_only_with_a_reason_that_the_report_prints(
    make_project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    import kpibook

    text = PARAMS.format(language="en") + "privacy: {min_persons: 3, note: 'Works council, <b>2024</b>'}\n"
    project = make_project({"params/shop.yaml": text, **people()})
    monkeypatch.chdir(project.path)
    book = kpibook.open("params/shop.yaml")
    said = "Figures on 3 or more persons are shown in this report; usually it is 10. The reason given: Works council, "
    assert said + "<b>2024</b>" in book.verdict().text
    assert said + "&lt;b&gt;2024&lt;/b&gt;" in book.verdict().html
    rows = book.scorecard[(book.scorecard["segment_by"] == "postal_area") & (book.scorecard["kpi"] == "net_sales")]
    assert rows["value"].notna().all()


def _texts(folder: Path) -> dict[str, str]:
    """Every file as text, Parquet by its values."""
    found = {}
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix == ".parquet":
            found[path.name] = pd.read_parquet(path).to_csv() + str(path.read_bytes())
        else:
            found[path.name] = path.read_text(encoding="utf-8")
    assert {"report.html", "report.ipynb", "scorecard.csv", "quality.json", "run.json"} <= set(found)
    return found
