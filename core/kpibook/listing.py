"""What a book shows of itself: the client, and everything that can be asked of it, with the sentence for each."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kpibook.present.display import Display, paragraph, stack
from kpibook.present.grid import Column, Grid

if TYPE_CHECKING:
    from kpibook.engine.compute import Results
    from kpibook.params import Params
    from kpibook.present.words import Words

#: What can be called, as it is written; the id of its sentence.
CALLS = {
    "book.cover()": "cover",
    "book.verdict()": "verdict",
    'book.section("sales")': "section",
    'book.other_sections("sales")': "other_sections",
    'book["avg_receipt"]': "kpi",
    'book.explain("avg_receipt")': "explain",
    'book.why("avg_receipt")': "why",
    'book.rows("receipts")': "rows",
    'book.with_settings(churn_rate={"churn_days": 60})': "with_settings",
    "book.scorecard": "scorecard",
    "book.tables": "tables",
    "book.data_quality()": "data_quality",
    "book.computability_table()": "computability_table",
    "book.definitions()": "definitions",
    "book.save()": "save",
}


def listed(params: Params, results: Results, words: Words) -> Display:
    """Client and period, how many KPIs have a figure, and the calls."""
    spans = words.period(params.period.start, params.period.last)
    able = sum(c.state != "not" for c in results.computability)
    lead = words("book.lead", title=params.title, period=spans, able=able, n=len(results.computability))
    heads = [Column(escape(words("book.write"))), Column(escape(words("book.shows")))]
    said = {call: words(f"book.{name}") for call, name in CALLS.items()}
    rows = [[f"<code>{escape(call)}</code>", escape(text)] for call, text in said.items()]
    width = max(map(len, said))
    lines = [f"  {call.ljust(width)}  {text}" for call, text in said.items()]
    grid = Grid("book", words("book.calls"), heads, rows, [words("book.completion")])
    return stack([paragraph(lead, "lead"), Display(grid.html(), "\n".join(lines))])
