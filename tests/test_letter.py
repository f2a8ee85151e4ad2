"""What a letter asks for, and in which order."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from kpibook.engine.computable import Computability
from kpibook.intake import Finding
from kpibook.letter import EXAMPLES, items, letter
from kpibook.model import SQL_TYPES, TABLES
from kpibook.present.words import LANGUAGES, Words

NEEDS = {
    "csat": {"survey_responses": {"score", "ts"}},
    "nps": {"survey_responses": {"score", "weight"}},
    "margin": {"order_lines": {"cogs"}},
    "told": {"survey_responses": {"score"}, "referrals": {"mode"}},
    "index": {"order_lines": {"gross_amount"}},
    "sales": {"order_lines": {"net_amount"}},
}
RESOLUTION: Any = SimpleNamespace(
    kpis={k: SimpleNamespace(needs={t: frozenset(c) for t, c in n.items()}, variant_needs={}) for k, n in NEEDS.items()}
)
JUDGED = [
    Computability("csat", "satisfaction", "not", ("survey_responses",)),
    Computability("nps", "satisfaction", "not", ("survey_responses",)),
    Computability("margin", "sales", "not", ("order_lines.cogs",)),
    Computability("told", "acquisition", "not", ("referrals", "survey_responses")),
    Computability("index", "sales", "partly", ("order_lines.gross_amount",), ("by_margin",)),
    Computability("sales", "sales", "computable"),
]
TITLES = {kpi: f"The {kpi}_figure" for kpi in NEEDS}
PERIOD = SimpleNamespace(start=date(2024, 1, 1), last=date(2024, 6, 30))
RED = Finding("empty", "red", "order_lines", "net_amount", 2, 10, None, {}, (3, 7))


def asked(language: str, judged: list[Computability] = JUDGED, findings: tuple[Finding, ...] = (RED,)) -> str:
    params: Any = SimpleNamespace(language=language, currency="EUR", title="Corner *Shop*", period=PERIOD)
    data: Any = SimpleNamespace(findings=findings)
    return letter(params, data, judged, RESOLUTION, TITLES)


def test_first_comes_what_unlocks_most():
    """Answers unlock two, costs of goods one and complete one; referrals unlock one once the answers are there."""
    found = items(JUDGED, RESOLUTION)
    assert [(i.table, i.whole, i.columns, i.unlocks, i.completes) for i in found] == [
        ("survey_responses", True, ("response_id", "ts", "score", "weight"), ("csat", "nps"), ()),
        ("order_lines", False, ("gross_amount", "cogs"), ("margin",), ("index",)),
        ("referrals", True, ("referral_id", "mode"), ("told",), ()),
    ]


def test_the_letter_in_english():
    """A table's columns with meaning, format and an invented example; titles, escaped, of what each item unlocks."""
    text = asked("en")
    assert text.startswith(
        "# Data request: Corner \\*Shop\\*\n\nDear Sir or Madam,\n\n"
        "For the audit of your loyalty programme from January 1, 2024 to June 30, 2024 we have examined the data"
        " supplied. Of 6 KPIs, 1 can be computed from them in full, 1 in part and 4 not yet.\n\n## What is missing\n\n"
    )
    assert (
        "### 2. Further columns of table `order_lines`: lines of receipts, one row per product; returns are negative"
        "\n\n"
        "| Column | Meaning | Format | Form (invented) |\n| --- | --- | --- | --- |\n"
        "| `gross_amount` | value at shelf price, without VAT | amount in EUR, decimal point | `12.50` |\n"
        "| `cogs` | cost of the goods sold | amount in EUR, decimal point | `12.50` |\n\n"
        "Makes one KPI computable:\n\n- The margin\\_figure\n\n"
        "Completes one KPI that can be computed in part:\n\n- The index\\_figure\n\n### 3. Table `referrals`"
    ) in text
    assert (
        "- **serious**, `order_lines.net_amount`: Empty where a value is needed. (2 of 10) Example rows: 3, 7.\n"
        "  Touches one KPI: The sales\\_figure.\n\nYours faithfully,\n"
    ) in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_parts(language: str):
    """Headings, tables and lists are the same; every sentence is another one."""
    text, english = asked(language), asked("en")
    assert [line.partition(" ")[0] for line in text.splitlines() if line.startswith("#")] == [
        line.partition(" ")[0] for line in english.splitlines() if line.startswith("#")
    ]
    assert text.count("\n| `") == english.count("\n| `") == 8
    if language != "en":
        shared = {line for line in text.splitlines() if line and line in english.splitlines()}
        assert {line[:4] for line in shared} <= {"| --", "- Th"}


def test_nothing_to_ask_and_nothing_to_correct():
    text = asked("de", [JUDGED[-1]], ())
    assert text.splitlines()[6:] == [
        "Es fehlt nichts: Alle Kennzahlen des Katalogs sind aus Ihren Daten berechenbar.",
        "",
        "Mit freundlichen Grüßen",
    ]


def test_findings_that_need_no_correction_are_not_told():
    green = Finding("empty", "green", "order_lines", None, 0, 10)
    assert "What should be corrected" not in asked("en", JUDGED, (green,))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_table_column_and_format_has_its_words(language: str):
    words = Words(language)
    missing = [t for t in TABLES if not words.has(f"table.{t}")]
    missing += [c for t in TABLES.values() for c in t.columns if not words.has(f"column.{c}")]
    missing += [kind for kind in SQL_TYPES if not words.has(f"format.{kind}")]
    assert missing == []
    assert set(EXAMPLES) == set(SQL_TYPES)
