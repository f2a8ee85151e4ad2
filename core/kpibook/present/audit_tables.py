"""Tables about the data: what is wrong with them, and how they agree with the accounts."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from kpibook.present.cells import name_cell
from kpibook.present.display import Display, paragraph, stack
from kpibook.present.formats import NONE
from kpibook.present.grid import Column, Grid
from kpibook.present.reference_tables import breakable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from kpibook.present.words import Words

#: KPIs that are named where a finding touches more.
NAMED = 5
SEVERITIES = ("red", "amber", "info", "green")


class Finding(Protocol):
    """What intake found; see ``kpibook.intake``."""

    @property
    def rule(self) -> str: ...
    @property
    def severity(self) -> str: ...
    @property
    def table(self) -> str: ...
    @property
    def column(self) -> str | None: ...
    @property
    def place(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def of_rows(self) -> int: ...
    @property
    def value_share(self) -> float | None: ...
    @property
    def details(self) -> Mapping[str, Any]: ...
    @property
    def examples(self) -> tuple[int, ...]: ...


class Reconciled(Protocol):
    """A span of the accounts beside net sales; see ``kpibook.intake``."""

    @property
    def start(self) -> date: ...
    @property
    def end(self) -> date: ...
    @property
    def accounts(self) -> float: ...
    @property
    def ours(self) -> float: ...
    @property
    def deviation(self) -> float: ...
    @property
    def tolerance(self) -> float: ...
    @property
    def agrees(self) -> bool: ...
    @property
    def whole(self) -> bool: ...


def finding_text(finding: Finding, words: Words) -> str:
    """The finding as a sentence."""
    share = finding.rows / finding.of_rows if finding.of_rows else None
    known = {
        "n": finding.rows,
        "rows": finding.rows,
        "of_rows": finding.of_rows,
        "share": words.percent(share),
        "value_share": words.percent(finding.value_share),
        "table": finding.table,
        "column": finding.column or NONE,
    }
    fine = finding.severity == "green" or (not finding.rows and words.has(f"finding.{finding.rule}.ok"))
    return words(f"finding.{finding.rule}{'.ok' if fine else ''}", **(known | dict(finding.details)))


def findings_table(
    findings: Sequence[Finding], words: Words, touched: Mapping[int, Sequence[str]] | None = None
) -> Display:
    """Data quality findings, the gravest first; checks that passed are listed below them, one line a rule.

    ``touched`` has the titles of the KPIs that each rests on, by the finding's place. Columns that nobody needs and
    that were taken as empty are left to ``quality.json``.
    """
    effects = {id(f): (touched or {}).get(i, ()) for i, f in enumerate(findings)}
    told = [f for f in findings if not (f.rule == "assumed" and f.details.get("value") == "null")]
    given = sorted(told, key=lambda f: SEVERITIES.index(f.severity))
    found = [f for f in given if f.severity != "green"]
    passed = _passed([f for f in given if f.severity == "green"], words)
    title = words("quality.title")
    if not found:
        return stack([paragraph(words("quality.none")), passed])
    columns = ["quality.severity", "quality.place", "quality.finding", "quality.rows", "quality.value_share"]
    body = []
    for f in found:
        severity = f'<span class="kb-bar kb-bar-{f.severity}">{escape(words(f"severity.{f.severity}"))}</span>'
        place = breakable(f.place)
        where = words("quality.examples", n=len(f.examples), list=_numbers(f.examples)) if f.examples else ""
        rows = words("quality.of", rows=f.rows, of_rows=f.of_rows) if f.of_rows else NONE
        text = name_cell(finding_text(f, words), where, effect_text(effects[id(f)], words))
        body.append([severity, f"<code>{place}</code>", text, escape(rows), words.percent(f.value_share)])
    grid = Grid("quality", title, [Column(escape(words(c)), i > 2) for i, c in enumerate(columns)], body)
    lines = [f"{words(f'severity.{f.severity}')}: {finding_text(f, words)}" for f in found]
    return stack([Display(grid.html(), "\n".join([title, *lines])), passed])


def effect_text(titles: Sequence[str], words: Words) -> str:
    """Which KPIs a finding touches: all of them by number, the first by name; nothing when there are none."""
    if not titles:
        return ""
    named = "; ".join(titles[:NAMED])
    return words("quality.touches_more" if len(titles) > NAMED else "quality.touches", n=len(titles), list=named)


def reconciliation_table(spans: Sequence[Reconciled], words: Words) -> Display:
    """Net sales beside the accounts, span by span, the report's period last; nothing without accounts."""
    if not spans:
        return Display("", "")
    title = words("reconciliation.title", tolerance=words.percent(spans[0].tolerance, 0))
    columns = ["reconciliation.span", "reconciliation.accounts", "reconciliation.sales", "reconciliation.deviation"]
    body, lines = [], [title]
    for span in spans:
        name = words.period(span.start, span.end)
        name = words("reconciliation.whole", period=name) if span.whole else name
        said = words("reconciliation.agrees" if span.agrees else "reconciliation.differs")
        deviation = words.percent(span.deviation, 2, signed=True)
        amounts = [words.money(span.accounts, 0), words.money(span.ours, 0)]
        body.append([escape(name), *map(escape, amounts), name_cell(deviation, said)])
        lines.append(f"{name}: {' | '.join(amounts)} {deviation} {said}")
    grid = Grid("reconciliation", title, [Column(escape(words(c)), i > 0) for i, c in enumerate(columns)], body)
    return Display(grid.html(), "\n".join(lines))


def _passed(findings: Sequence[Finding], words: Words) -> Display:
    places: dict[str, list[str]] = {}
    for f in findings:
        places.setdefault(finding_text(f, words), []).append(f.place)
    if not places:
        return Display("", "")
    body = [[escape(text), ", ".join(f"<code>{breakable(p)}</code>" for p in where)] for text, where in places.items()]
    heads = [Column(escape(words(c))) for c in ("quality.check", "quality.place")]
    grid = Grid("quality-passed", words("quality.passed"), heads, body)
    said = words("quality.passed_n", n=len(findings))
    return Display(grid.html(), said)


def _numbers(examples: Sequence[int]) -> str:
    return ", ".join(str(e) for e in examples[:5])
