"""A finished report in a folder, as a run leaves it, from scorecard rows: no kernel, no data."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

from kpibook import results, runs
from kpibook.exports.finished import PAGE
from kpibook.present import chapters
from kpibook.present.display import stack
from kpibook.present.verdict import verdict
from kpibook.present.words import Words
from kpibook.report import results as files
from present.cards import figure

PLACE = "2017-07-01_2017-12-31"
MONEY = {"unit": "money", "better": "higher", "family": "sales"}
ROWS = (
    figure("net_sales", 2350412.5, 2350412.5, 2350412.5, numerator=2350412.5, change=119222.3, **MONEY),
    figure("net_sales", 2231190.2, 2231190.2, 2231190.2, numerator=2231190.2, period="previous", **MONEY),
    figure("avg_receipt", 28.307, 27.902, 28.712, target=30.0, target_state="missed", **MONEY),
    figure("retention_rate", 0.6, 0.58, 0.62, change=-0.0215, change_low=-0.03, change_high=-0.013),
    figure("clv", None, n=4, status="low_n", reason='{"id": "reason.privacy", "minimum": 10}', **MONEY),
)


def report(folder: Path, title: str = "Corner Shop", language: str = "en", rows: Any = ROWS) -> Path:
    """Writes the folder and returns it."""
    folder.mkdir(parents=True)
    card = results.scorecard(list(rows))
    results.save(folder, card, {})
    kpis = {
        row["kpi"]: {
            "title": row["title"], "text": f"{title}: what it means.", "unit": row["unit"], "settings": {"days": "90"},
            "needs": ["order_lines.net_amount"], "looks_back": "", "table_units": {}, "hash": row["definition_hash"],
            "origin": row["origin"],
        }
        for row in rows
    }  # fmt: skip
    frame = {
        "title": title, "language": language, "currency": "EUR", "timezone": "Europe/Madrid", "notes": [],
        "period": ["2017-07-01", "2017-12-31"], "compare": ["2017-01-01", "2017-06-30"],
    }  # fmt: skip
    _json(folder / "definitions.json", {"report": frame, "kpis": kpis, "sentences": {}})
    found = {"rule": "empty", "severity": "amber", "table": "order_lines", "column": "cogs", "rows": 3, "of_rows": 8}
    more = {"value_share": None, "details": {}, "kpis": ["net_sales"]}
    _json(folder / "quality.json", {"findings": [found | more]})
    words = Words(language, "EUR")
    shown = card.assign(looks_back="")
    parts = [chapters.cover(words, title=title, facts={"cover.currency": "EUR"})]
    parts += [verdict(shown, words, compared=words.period(date(2017, 1, 1), date(2017, 6, 30)))]
    parts += [chapters.section(shown, {}, family, words) for family in dict.fromkeys(card["family"])]
    page = f'<html lang="{language}"><head><title>x</title></head><body><main>{stack(parts).html}</main></body></html>'
    (folder / PAGE).write_text(page, encoding="utf-8")
    (folder / "report.ipynb").write_text("{}", encoding="utf-8")
    record = runs.RunRecord("abcd0123", "corner-shop", PLACE, title=title, language=language, state="valid")
    record.started = "2024-01-02T03:04:05Z"
    record.params, record.files = "/nowhere/corner-shop.yaml", files.checksums(folder)
    record.write(folder)
    return folder


def _json(path: Path, document: Any) -> None:
    path.write_text(json.dumps(document), encoding="utf-8")
