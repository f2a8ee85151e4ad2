"""Whole chapters of the report, put together from tables, charts and sentences."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from kpibook.present import audit_tables, cells, reference_tables
from kpibook.present.charts import segments, survival, trend
from kpibook.present.display import Display, bullets, heading, paragraph, stack
from kpibook.present.formats import GRAINS
from kpibook.present.matrices import matrix_table
from kpibook.present.side_tables import side_table
from kpibook.present.tables import family_table, segment_table

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pandas as pd

    from kpibook.present.words import Words

#: The order of chapters; families of foreign packs follow by name.
FAMILIES = ("return", "sales", "customers", "programme", "campaigns", "satisfaction", "acquisition", "governance")
#: Families whose figures speak of persons: they hold for the identified part of sales only.
ABOUT_PERSONS = ("customers", "programme", "campaigns")


def cover(words: Words, *, title: str, facts: Mapping[str, str], serious: int = 0) -> Display:
    """The report's only h1; ``facts`` are message ids of labels with what they say.

    With ``serious`` findings in the data the report is a draft, and says so before anything else.
    """
    entries = [(words(label), text) for label, text in facts.items() if text]
    html = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in entries)
    lines = [f"{label}: {text}" for label, text in entries]
    lead = paragraph(words("cover.subtitle"), "lead")
    banner = [_draft(words, serious)] if serious else []
    return stack([*banner, heading(1, title), lead, Display(f'<dl class="kb-facts">{html}</dl>', "\n".join(lines))])


def _draft(words: Words, serious: int) -> Display:
    text = words("draft.banner", n=serious)
    return Display(f'<p class="kb-draft" role="alert">{escape(text)}</p>', text)


def section(
    scorecard: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    family: str,
    words: Words,
    units: Mapping[str, Mapping[str, str]] | None = None,
) -> Display:
    """A family: its figures, then each KPI that has more to show than one number; nothing for a family without KPIs.

    ``units`` are those of the columns of the tables, by KPI.
    """
    table = family_table(scorecard, family, words)
    if not table.html:
        return Display("", "")
    title = heading(2, words.family(family), family)
    kpis = cells.rows_of(scorecard, family=family, period="current")
    details = [kpi_details(scorecard, tables, row["kpi"], row["title"], words, units) for row in kpis]
    return stack([title, *_coverage(scorecard, family, words), table, *details])


def other_sections(
    scorecard: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    shown: Iterable[str],
    words: Words,
    units: Mapping[str, Mapping[str, str]] | None = None,
) -> Display:
    """The families that the report's template has no chapter of its own for."""
    known = set(shown)
    there = [f for f in dict.fromkeys(scorecard["family"]) if f not in known]
    ordered = [f for f in FAMILIES if f in there] + sorted(f for f in there if f not in FAMILIES)
    return stack(section(scorecard, tables, family, words, units) for family in ordered)


def kpi_details(
    scorecard: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    kpi: str,
    title: str,
    words: Words,
    units: Mapping[str, Mapping[str, str]] | None = None,
) -> Display:
    """Trend, breakdowns, curve or matrix of one KPI under its own heading; nothing when there are none.

    An effect on too few persons (rule D) has no table either: it would hold the same numbers.
    """
    rows = scorecard[scorecard["kpi"] == kpi]
    blocks = []
    for segment_by in dict.fromkeys(rows["segment_by"]):
        if segment_by == "total" or _is_total_again(rows, segment_by):
            continue
        if segment_by in GRAINS:
            blocks.append(trend(scorecard, kpi, words, segment_by))
            continue
        drawn = segments(scorecard, kpi, segment_by, words) if segment_by != "variant" else Display("", "")
        blocks += [drawn, segment_table(scorecard, kpi, segment_by, words)]
    few = any(r["status"] == "low_n" and r["grade"] for r in cells.rows_of(rows, period="current"))
    for name in (n for n in tables if n.partition(".")[0] == kpi and not few and not _stands_before(tables, n)):
        variant = name.partition(".")[2]
        said = f"{title}: {words.segment('variant', variant)}" if variant else title
        own = {str(r["kpi"]): str(r["unit"]) for r in cells.rows_of(scorecard)}
        blocks.append(beside(tables[name], name, said, words, units=(units or {}).get(kpi), kpi_units=own))
    kept = [b for b in blocks if b.html]
    return stack([heading(3, title, f"kpi-{kpi}"), *kept]) if kept else Display("", "")


def _stands_before(tables: Mapping[str, pd.DataFrame], name: str) -> bool:
    """Another KPI put the very same table beside its figure, and stands first: it is read once."""
    earlier = list(tables)[: list(tables).index(name)]
    return any(e.partition(".")[0] != name.partition(".")[0] and tables[e].equals(tables[name]) for e in earlier)


def _is_total_again(rows: pd.DataFrame, segment_by: str) -> bool:
    """A breakdown whose only segment is everybody: it would repeat the figure under another name."""
    if segment_by == "variant" or segment_by in GRAINS:
        return False
    parts, total = cells.rows_of(rows, segment_by), cells.rows_of(rows)
    same = ("value", "low", "high", "n", "status")
    known = {r["period"]: [r[name] for name in same] for r in total}
    return len({r["segment"] for r in parts}) == 1 and all(
        known.get(r["period"]) == [r[name] for name in same] for r in parts
    )


def beside(table: pd.DataFrame, kpi: str, title: str, words: Words, **units: Mapping[str, str] | None) -> Display:
    """A curve (``time, survival``) or a matrix (``row, column, value``) of the current period; any other as given."""
    shown = table[table["period"] == "current"] if "period" in table else table
    if {"time", "survival"} <= set(shown.columns):
        return survival(shown, words, name=kpi, title=title)
    if {"row", "column", "value"} <= set(shown.columns):
        return matrix_table(shown, words, name=kpi, title=title)
    return side_table(shown, words, name=kpi, title=title, **units)


def data_quality(
    findings: Sequence[audit_tables.Finding],
    words: Words,
    notes: Sequence[str] = (),
    *,
    touched: Mapping[int, Sequence[str]] | None = None,
    spans: Sequence[audit_tables.Reconciled] = (),
) -> Display:
    """What is wrong with the data and what rests on it, after what the consultant says about them; the accounts."""
    said = [paragraph(words("quality.notes")), bullets(notes)] if notes else []
    table = audit_tables.findings_table(findings, words, touched)
    accounts = audit_tables.reconciliation_table(spans, words)
    return stack([heading(2, words("quality.heading"), "quality"), *said, table, accounts])


def computability(table: pd.DataFrame, words: Words) -> Display:
    """What could be computed from these data, and what to ask the client for."""
    title = heading(2, words("computability.heading"), "computability")
    return stack([title, reference_tables.computability_table(table, words)])


def definitions(table: pd.DataFrame, words: Words) -> Display:
    """What each figure means."""
    title = heading(2, words("definitions.heading"), "definitions")
    return stack([title, reference_tables.definitions_table(table, words)])


def _coverage(scorecard: pd.DataFrame, family: str, words: Words) -> list[Display]:
    """The share of sales traced to persons; that of receipts, and said to be, where sales are not known."""
    if family not in ABOUT_PERSONS:
        return []
    known = scorecard[(scorecard["kpi"] == "identified_sales_share") & (scorecard["status"] == "ok")]
    of_sales = cells.rows_of(known, "variant", segment="by_revenue", period="current")
    found = of_sales or cells.rows_of(known, period="current")
    if not found:
        return []
    share = found[0]["value"]
    extent = "partial" if share < 0.5 else "part" if share < 0.9995 else "full"
    said = f"section.coverage_{'sales' if of_sales else 'receipts'}_{extent}"
    return [paragraph(words(said, share=cells.value_text(found[0], words)))]
