"""One KPI explained to whoever has to trust its figure: what it means and read, how it was asked, why it is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from kpibook import admission
from kpibook import letter as letters
from kpibook.engine import compute as engine
from kpibook.engine.script import script
from kpibook.intake import sql
from kpibook.model import TABLES
from kpibook.present import cells
from kpibook.present.display import Display, heading, paragraph, stack
from kpibook.present.formats import NONE
from kpibook.present.grid import Column, Grid
from kpibook.present.titles import sentences

if TYPE_CHECKING:
    from kpibook.catalog import Catalog
    from kpibook.intake import Intake
    from kpibook.params import Params
    from kpibook.periods import Period
    from kpibook.present.words import Words
    from kpibook.tracing import Resolved


def explained(
    kpi: str,
    params: Params,
    intake: Intake,
    results: engine.Results,
    catalog: Catalog,
    loaded: engine.Loaded,
    words: Words,
    named: tuple[str, str],
) -> Display:
    """Title, definition, question; figure, settings, origin and hash; tables with columns and rows; the query."""
    resolved, (title, text) = results.resolution.kpis[kpi], named
    definition = resolved.definition
    asked = sentences([definition], words.language).get(definition.question) or definition.question
    origin = f"{resolved.origin}, {definition.where}"
    if not admission.is_admitted(catalog, kpi):
        origin = f"{origin} · {words('admission.not_admitted')}"
    facts = {
        "explain.question": asked,
        "explain.figure": _figure(kpi, results, words),
        "explain.settings": _settings(resolved, words),
        "explain.origin": origin,
        "explain.hash": resolved.hash,
    }
    window = engine.reporting_windows(params, loaded)
    sources = {name: table.sql for name, table in intake.facts.items() if table.sql}
    query = script(resolved, results.resolution, engine.placer(catalog, results.resolution), window, sources)
    return stack(
        [
            heading(3, title, f"explain-{kpi}"),
            paragraph(text),
            _facts({words(label): said for label, said in facts.items() if said}),
            _inputs(resolved, params, intake, words),
            _query(query, words),
        ]
    )


def why(kpi: str, results: engine.Results, words: Words, title: str) -> Display:
    """The state of a KPI's figure, the reason, and what would mend it; the columns to ask for as a table."""
    judged = next(c for c in results.computability if c.kpi == kpi)
    figures = cells.rows_of(results.scorecard, kpi=kpi, period="current")
    row = figures[0] if figures else None
    status = "failed" if results.resolution.kpis[kpi].failure else str(row["status"]) if row else "missing_data"
    said = [words(f"why.{status}", title=title)]
    reason = (cells.why_text(row, words) if row else "") or words.reason(judged.reason)
    private = bool(row and row["reason"] and "reason.privacy" in row["reason"])
    helps = "privacy" if private else "history" if "history" in judged.reason else status
    blocks = [heading(3, title, f"why-{kpi}"), *(paragraph(line) for line in (*said, reason) if line)]
    if judged.state == "partly":
        lost = ", ".join(words.segment("variant", name) for name in judged.lost)
        blocks.append(paragraph(words("why.lost", list=lost)))
    if judged.missing:
        blocks.append(paragraph(words("why.ask")))
        blocks += [_to_ask(item, words) for item in letters.items([judged], results.resolution)]
    elif words.has(f"why.helps.{helps}"):
        blocks.append(paragraph(words(f"why.helps.{helps}")))
    return stack(blocks)


def _figure(kpi: str, results: engine.Results, words: Words) -> str:
    rows = cells.rows_of(results.scorecard, kpi=kpi, period="current")
    if not rows:
        return words("status.missing_data")
    row = rows[0]
    if row["status"] != "ok":
        return ": ".join(t for t in (cells.value_text(row, words), cells.why_text(row, words)) if t)
    values = {"value": cells.value_text(row, words), "interval": cells.interval_text(row, words)}
    return words("explain.figure_text", **values, cases=words.number(row["n"]))


def _settings(resolved: Resolved, words: Words) -> str:
    defaults = resolved.definition.settings
    return "; ".join(
        f"{name} = {value}"
        + ("" if value == defaults[name] else f" ({words('explain.default', value=str(defaults[name]))})")
        for name, value in sorted(resolved.settings.items())
    )


def _facts(facts: Mapping[str, str]) -> Display:
    html = "".join(f"<dt>{escape(label)}</dt><dd>{escape(text)}</dd>" for label, text in facts.items())
    return Display(f'<dl class="kb-facts">{html}</dl>', "\n".join(f"{label}: {text}" for label, text in facts.items()))


def _inputs(resolved: Resolved, params: Params, intake: Intake, words: Words) -> Display:
    """Canonical tables that the headline reads, the columns, and how many rows there are: in all and in each period."""
    spans: list[Period] = [params.period, *([params.compare] if params.compare else [])]
    labels = ["explain.table", "explain.columns", "explain.rows", "explain.rows_now", "explain.rows_before"]
    heads = [Column(escape(words(label)), numeric=i > 1) for i, label in enumerate(labels[: 3 + len(spans)])]
    rows, lines = [], []
    for table, columns in sorted(resolved.needs.items()):
        if table not in TABLES:
            continue
        counts = [words.number(n, 0) for n in (intake.facts[table].rows, *_counted(table, intake, spans))]
        counts += [NONE] * (len(spans) + 1 - len(counts))
        rows.append([escape(table), escape(", ".join(sorted(columns))), *counts])
        lines.append(f"{table}: {', '.join(sorted(columns))} ({counts[0]})")
    if not rows:
        return Display("", "")
    grid = Grid(f"explain-{resolved.id}-inputs", words("explain.inputs"), heads, rows)
    return Display(grid.html(), "\n".join([words("explain.inputs"), *lines]))


def _counted(table: str, intake: Intake, spans: Sequence[Period]) -> list[int]:
    """Rows of a dated table in each period; a table without a date has none to count by."""
    date = TABLES[table].date
    if date is None:
        return []
    day = f"CAST({sql.name(date)} AS DATE)"
    parts = (f"count(*) FILTER ({day} >= DATE '{s.start}' AND {day} < DATE '{s.end}')" for s in spans)
    return list(sql.row(intake.con, f"SELECT {', '.join(parts)} FROM {sql.name(table)}"))


def _query(query: str, words: Words) -> Display:
    label = words("explain.query")
    html = f"<details><summary>{escape(label)}</summary><pre>{escape(query)}</pre></details>"
    return Display(html, f"{label}\n{query}".rstrip())


def _to_ask(item: letters.Item, words: Words) -> Display:
    """A table to ask for, column by column, as the letter to the client has it."""
    what = words(f"table.{item.table}")
    head = words("letter.table" if item.whole else "letter.columns_of", table=item.table, what=what)
    heads = [Column(escape(words(f"letter.{c}"))) for c in ("column", "meaning", "format", "example")]
    cells_of: list[list[Any]] = [list(letters.described(item.table, name, words)) for name in item.columns]
    rows = [[escape(text) for text in row] for row in cells_of]
    lines = [f"{head}: {', '.join(item.columns)}"]
    return Display(Grid(f"why-{item.table}", head, heads, rows).html(), "\n".join(lines))
