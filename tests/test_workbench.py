"""A book at work in a notebook: what it lists, explains, asks for and computes anew."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

import kpibook
from kpibook import listing
from kpibook.book import Book
from kpibook.errors import ParamsError

if TYPE_CHECKING:
    from collections.abc import Iterator

PARAMS = """
client: shop
title: Shop <b>of</b> Ana
language: LANGUAGE
currency: EUR
timezone: Europe/Madrid
period: 2024-01-01/2024-06-30
compare: 2023-07-01/2023-12-31
source: ../data
tables:
  order_lines:
    from: lines.csv
    columns: {transaction_id: ticket, customer_id: client, ts: sold_at, net_amount: total, channel: channel}
plugins: ../plugins
"""
#: The last receipt is of June 7.
PARTLY = "The data cover only January 1, 2024 to June 7, 2024 of this period: no change is stated."
LEEST = "with_settings: settings.large_receipts.leest: 'large_receipts' has no setting 'leest' · did you mean 'least'?"
PLUGIN = '''"""Large receipts."""

from kpibook import hookimpl, kpi, share


@kpi(unit="percent", better="neutral", question="How many <i>large</i> receipts?")
def large_receipts(receipts, *, least: float = 50.0):
    """Large receipts: receipts of at least the setting `least`, out of all purchases."""
    return share(receipts.net_amount >= least)


@kpi(unit="percent", better="neutral")
def broken(receipts):
    """Broken: its author's mistake, out of all."""
    raise ValueError("no")


@hookimpl
def kpibook_definitions():
    return [large_receipts, broken]
'''


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 receipts of 120 persons over 12 months, ticket n worth 10 + n modulo 60, half of them in the period."""
    root = tmp_path_factory.mktemp("shop")
    lines = pd.DataFrame({"ticket": [f"t{n}" for n in range(240)]})
    lines["client"] = [f"c{n % 120}" for n in range(240)]
    lines["sold_at"] = [f"{2023 + (n % 12) // 6}-{(n % 12 + 6) % 12 + 1:02d}-0{n % 7 + 1} 12:00:00" for n in range(240)]
    lines["channel"] = ["store" if n % 2 else "web" for n in range(240)]
    lines["total"] = [10 + n % 60 for n in range(240)]
    for name in ("params", "data", "plugins"):
        (root / name).mkdir()
    lines.to_csv(root / "data" / "lines.csv", index=False)
    for language in ("en", "es"):
        (root / "params" / f"{language}.yaml").write_text(PARAMS.replace("LANGUAGE", language), encoding="utf-8")
    (root / "plugins" / "own.py").write_text(PLUGIN, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def book(folder: Path) -> Iterator[Book]:
    return kpibook.open(folder / "params" / "en.yaml")


@pytest.fixture(scope="module")
def libro(folder: Path) -> Iterator[Book]:
    return kpibook.open(folder / "params" / "es.yaml")


def figure(book: Book, kpi: str) -> float:
    card = book.scorecard
    return float(card[(card.kpi == kpi) & (card.segment == "total") & (card.period == "current")].value.iloc[0])


def test_the_book_lists_what_it_can_show(book: Book) -> None:
    shown = book._repr_mimebundle_()
    first, *calls = repr(book).splitlines()
    assert first.startswith("Shop <b>of</b> Ana, January")
    assert first.endswith("2024: 19 of 135 KPIs can be computed.")
    assert [line.split("  ")[1] for line in calls] == list(listing.CALLS)
    assert "Shop &lt;b&gt;of&lt;/b&gt; Ana" in shown["text/html"]
    assert shown["text/plain"] == repr(book)


def test_every_call_of_the_list_can_be_made(book: Book) -> None:
    """As it is written, but for saving, which is tried elsewhere."""
    for call in listing.CALLS:
        if call != "book.save()":
            assert eval(call, {"book": book}) is not None, call  # noqa: S307  our own list


def test_a_kpi_is_shown_with_its_figure(book: Book) -> None:
    """Of n modulo 60 in the period, 42 to 47 and 54 to 59 make 50 or more: 12 of 30."""
    shown = book["large_receipts"]
    assert "40.0%" in shown.html
    assert "Average receipt" not in shown.html


def test_explain_says_definition_figure_inputs_settings_origin_hash_and_query(book: Book) -> None:
    """240 lines in all; 120 receipts in each period; the interval is Wilson's of 48 out of 120."""
    resolved = book.results.resolution.kpis["large_receipts"]
    text = repr(book.explain("large_receipts")).splitlines()
    assert text[:10] == [
        "Large receipts",
        "receipts of at least the setting `least`, out of all purchases.",
        "Question: How many <i>large</i> receipts?",
        "Figure: 40.0%, 95% interval [31.7;\u00a048.9], n = 120",
        "Settings: least = 50.0",
        "Origin: plugins/own.py, own.py:6 · not admitted",
        f"Definition hash: {resolved.hash}",
        "What it reads",
        "order_lines: line_id, net_amount, return_of_line_id, transaction_id (240)",
        "transactions: is_staff, is_test, status, transaction_id (240)",
    ]
    assert text[10] == "The query, to be run by hand in DuckDB"
    assert "-- headline, current: (t0 / t1)" in text
    html = book.explain("large_receipts").html
    assert "How many &lt;i&gt;large&lt;/i&gt; receipts?" in html
    assert html.count(">120</td>") == 2
    assert "<details><summary>The query" in html


def test_explain_speaks_the_language_of_the_report(libro: Book) -> None:
    text = repr(libro.explain("avg_receipt"))
    assert text.startswith("Ticket medio\n")
    assert "Origen: kpibook 0.1.0, sales.py:" in text
    assert "no admitido" not in text
    assert "Lo que lee\n" in text


@pytest.mark.parametrize(
    ("kpi", "lines"),
    [
        ("large_receipts", ["Large receipts is computed: nothing is missing for its figure.", PARTLY]),
        (
            "avg_receipt_card",
            [
                "Average receipt with card cannot be computed from these data.",
                "Not supplied, to be asked of the company: transactions.member_id.",
                "To be asked of the client:",
                "Further columns of table transactions: receipts, one row each: member_id",
            ],
        ),
        (
            "broken",
            [
                "Broken could not be computed: its definition fails.",
                "The computation stopped: broken (own.py:12): ValueError: no · mend the function",
                "The author of the KPI has to mend it; no data of the client's would help.",
            ],
        ),
    ],
)
def test_why_says_what_is_missing(book: Book, kpi: str, lines: list[str]) -> None:
    assert repr(book.why(kpi)).splitlines()[1:] == lines


def test_why_shows_how_a_column_is_asked_for(libro: Book) -> None:
    shown = libro.why("avg_receipt_card").html
    assert "Ticket medio con tarjeta: no se puede calcular con estos datos." in shown
    assert ">member_id</th>" in shown
    assert "Hay que pedir al cliente:" in shown


def test_other_settings_make_another_book_and_leave_the_first(book: Book, folder: Path) -> None:
    """From 40 on it is 30 to 35, 42 to 47, 54 to 59: 18 of 30. The files are away: they are not read again."""
    (folder / "data").rename(folder / "away")
    try:
        other = book.with_settings(large_receipts={"least": 40.0})
    finally:
        (folder / "away").rename(folder / "data")
    assert (figure(book, "large_receipts"), figure(other, "large_receipts")) == (pytest.approx(0.4), pytest.approx(0.6))
    assert book.params.settings == {}
    assert other.params.settings == {"large_receipts": {"least": 40.0}}
    assert "least = 40.0 (otherwise 50.0)" in repr(other.explain("large_receipts"))
    assert figure(other.with_settings(large_receipts={"least": 50.0}), "large_receipts") == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        (
            {"large_receipt": {"least": 1.0}},
            "with_settings: unknown KPI 'large_receipt' · did you mean 'large_receipts'?",
        ),
        (
            {"large_receipts": {"leest": 1.0}},
            LEEST,
        ),
        (
            {"large_receipts": {"least": "much"}},
            "with_settings: settings.large_receipts.least: 'much' is not of type float · give a value of type float",
        ),
        (
            {"large_receipts": 40},
            'with_settings: large_receipts=40 names no settings · write large_receipts={"setting": value}',
        ),
    ],
)
def test_settings_that_are_none_are_told(book: Book, settings: dict, told: str) -> None:
    with pytest.raises(ParamsError) as caught:
        book.with_settings(**settings)
    assert str(caught.value) == told


@pytest.mark.parametrize(
    "ask", [lambda b: b["large_receits"], lambda b: b.explain("large_receits"), lambda b: b.why("large_receits")]
)
def test_an_unknown_kpi_is_told_with_the_nearest_and_without_a_traceback(book: Book, ask) -> None:
    with pytest.raises(ParamsError) as caught:
        ask(book)
    told = "book: there is no KPI 'large_receits' · did you mean 'large_receipts'?"
    assert str(caught.value) == told
    assert caught.value._render_traceback_() == [told]


def test_the_first_rows_of_a_table_and_of_a_view_are_shown_in_order_of_their_key(book: Book) -> None:
    """t0 is of July 1, 2023 over 10; t1 of August 2 over 11; t10 of May 4, 2024 over 20."""
    lines, receipts = book.rows("order_lines", 1), book.rows("receipts", most=3)
    assert (lines.line_id.tolist(), len(book.rows("transactions"))) == (["1"], 5)
    assert receipts.transaction_id.tolist() == ["t0", "t1", "t10"]
    assert [str(day) for day in receipts.business_date] == ["2023-07-01", "2023-08-02", "2024-05-04"]
    assert [float(amount) for amount in receipts.net_amount] == [10.0, 11.0, 20.0]


def test_every_view_has_rows_to_show_or_none(book: Book) -> None:
    shown = {name: len(book.rows(name, 2)) for name in book.results.resolution.views}
    assert shown["receipts"] == shown["person_periods"] == 2
    assert set(shown.values()) == {0, 1, 2}


def test_one_kpi_alone_has_the_figures_that_it_has_among_all(book: Book, folder: Path) -> None:
    """Settings, targets and breakdowns of the others in the params are no matter."""
    text = (folder / "params" / "en.yaml").read_text(encoding="utf-8")
    more = "settings: {churn_rate: {churn_days: 9}}\nbreakdowns: [month]\ntargets:\n"
    more += "  - {kpi: retention_rate, value: 0.5, comparator: '>=', set_at: 2023-12-01}\n"
    (folder / "params" / "more.yaml").write_text(text + more, encoding="utf-8")
    alone = kpibook.open(folder / "params" / "more.yaml", only=["large_receipts"])
    assert list(alone.catalog.kpis) == ["large_receipts"]
    assert set(alone.scorecard["kpi"]) == {"large_receipts"}
    assert set(alone.scorecard["segment_by"]) == {"total", "month"}
    assert figure(alone, "large_receipts") == figure(book, "large_receipts") == pytest.approx(0.4)
    assert (alone.params.settings, alone.params.targets) == ({}, ())
    assert alone.results.resolution.kpis["large_receipts"].hash == book.results.resolution.kpis["large_receipts"].hash


@pytest.mark.parametrize(
    ("kpi", "told"),
    [
        ("large_receits", "only: there is no KPI 'large_receits' · did you mean 'large_receipts'?"),
        (
            "target_attainment",
            "only: 'target_attainment' reads the figures of others · open the book without only=",
        ),
    ],
)
def test_what_cannot_be_opened_alone_is_told(folder: Path, kpi: str, told: str) -> None:
    with pytest.raises(ParamsError) as caught:
        kpibook.open(folder / "params" / "en.yaml", only=[kpi])
    assert str(caught.value) == told


def test_an_unknown_table_is_told_with_the_nearest(book: Book) -> None:
    with pytest.raises(ParamsError) as caught:
        book.rows("receits")
    assert str(caught.value) == "book: there is no table 'receits' · did you mean 'receipts'?"


def test_ids_are_offered_for_the_brackets(book: Book) -> None:
    assert {"avg_receipt", "large_receipts"} <= set(book._ipython_key_completions_())


def test_a_kpi_that_was_not_admitted_is_marked_in_the_definitions(
    book: Book, libro: Book, monkeypatch, tmp_path
) -> None:
    shown = book.definitions().html
    assert "plugins/own.py · not admitted" in shown
    assert "kpibook 0.1.0 · not admitted" not in shown
    assert "2 KPIs have not passed the admission tests (kpibook admit)" in shown
    assert "2 KPI no han pasado las pruebas de admisión" in libro.definitions().html
    monkeypatch.setenv("KPIBOOK_RUN_DIR", str(tmp_path))
    book.save()
    told = json.loads((tmp_path / "quality.json").read_text(encoding="utf-8"))["definitions"]
    assert (told["large_receipts"]["admitted"], told["avg_receipt"]["admitted"]) == (False, True)
