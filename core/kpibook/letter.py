"""The letter that asks a client for what is missing: which tables and columns, and what each makes computable.

Markdown, in the report's language. It holds no client data but the title: examples show the form and are invented,
findings name rows by their number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kpibook.effects import touched
from kpibook.engine.computable import Computability
from kpibook.intake import Intake
from kpibook.model import TABLES, Column
from kpibook.params import Params
from kpibook.present.audit_tables import effect_text, finding_text
from kpibook.present.reference_tables import STATES
from kpibook.present.words import Words
from kpibook.tracing import Resolution

ASKED_TO_CORRECT = ("red", "amber")
#: Invented values that show a form.
EXAMPLES = {
    "str": "A-1001",
    "enum": "web",
    "int": "3",
    "float": "0.25",
    "decimal": "2.0000",
    "money": "12.50",
    "bool": "true",
    "date": "2024-03-15",
    "time": "09:30",
    "datetime": "2024-03-15 14:30:00",
    "list": "A-1001|A-1002",
}
MARKS = re.compile(r"([\\`*_\[\]<>#|~&])")


@dataclass(frozen=True)
class Item:
    """A table to ask for: ``columns`` of it, all of it when it is ``whole``; the KPIs that it unlocks or completes."""

    table: str
    whole: bool
    columns: tuple[str, ...]
    unlocks: tuple[str, ...]
    completes: tuple[str, ...]


def items(judged: Sequence[Computability], resolution: Resolution) -> list[Item]:
    """What to ask for, first what makes most KPIs computable together with what stands before it."""
    lacks = {c.kpi: {m.partition(".")[0] for m in c.missing} for c in judged if c.missing}
    state = {c.kpi: c.state for c in judged}
    found: list[Item] = []
    asked: set[str] = set()
    left = {table for tables in lacks.values() for table in tables}
    while left:
        table = max(sorted(left), key=lambda name: _worth(name, lacks, asked, state))
        asked.add(table)
        left.discard(table)
        done = [kpi for kpi, tables in lacks.items() if table in tables and tables <= asked]
        unlocks, completes = ([k for k in done if (state[k] == "not") == wanted] for wanted in (True, False))
        whole = any(table in c.missing for c in judged)
        columns = _columns(table, judged, resolution, whole=whole)
        found.append(Item(table, whole, columns, tuple(unlocks), tuple(completes)))
    return found


def _worth(
    table: str, lacks: Mapping[str, set[str]], asked: set[str], state: Mapping[str, str]
) -> tuple[int, int, int]:
    done = [kpi for kpi, tables in lacks.items() if table in tables and tables <= asked | {table}]
    unlocked = sum(state[kpi] == "not" for kpi in done)
    return unlocked, len(done), sum(table in tables for tables in lacks.values())


def _columns(table: str, judged: Iterable[Computability], resolution: Resolution, *, whole: bool) -> tuple[str, ...]:
    """In the order of the model; of a whole table its key and every column that a KPI reads of it."""
    wanted = {m.partition(".")[2] for c in judged for m in c.missing if m.startswith(f"{table}.")}
    if whole:
        wanted |= set(TABLES[table].key)
        for c in judged:
            if any(m.partition(".")[0] == table for m in c.missing):
                kpi = resolution.kpis[c.kpi]
                wanted |= {c for needs in (kpi.needs, *kpi.variant_needs.values()) for c in needs.get(table, ())}
    return tuple(name for name in TABLES[table].columns if name in wanted)


def letter(
    params: Params,
    data: Intake,
    judged: Sequence[Computability],
    resolution: Resolution,
    titles: Mapping[str, str],
) -> str:
    """The whole letter as Markdown."""
    words = Words(params.language, params.currency)
    counts = {s: sum(c.state == s for c in judged) for s in STATES}
    period = {"start": params.period.start, "end": params.period.last}
    asked = items(judged, resolution)
    parts = [
        f"# {_plain(words('letter.title', client=params.title))}",
        words("letter.greeting"),
        words("letter.intro", n=len(judged), **period, **counts),
    ]
    if asked:
        parts += [f"## {words('letter.missing')}", words("letter.missing_intro"), words("letter.privacy")]
        parts += [part for n, item in enumerate(asked, 1) for part in _item(n, item, titles, words)]
    elif not counts["not"] + counts["partly"]:
        parts.append(words("letter.nothing_missing"))
    parts += _corrections(data, judged, resolution, titles, words)
    parts.append(words("letter.closing"))
    return "\n\n".join(parts) + "\n"


def _item(number: int, item: Item, titles: Mapping[str, str], words: Words) -> Iterator[str]:
    head = "letter.table" if item.whole else "letter.columns_of"
    yield f"### {number}. " + words(head, table=f"`{item.table}`", what=words(f"table.{item.table}"))
    rows = [[words(f"letter.{c}") for c in ("column", "meaning", "format", "example")], ["---"] * 4]
    rows += [_row(item.table, TABLES[item.table].columns[name], words) for name in item.columns]
    yield "\n".join("| " + " | ".join(row) + " |" for row in rows)
    for message, kpis in (("letter.computable", item.unlocks), ("letter.completes", item.completes)):
        if kpis:
            yield words(message, n=len(kpis))
            yield "\n".join(f"- {_plain(titles[kpi])}" for kpi in kpis)
    if not item.unlocks and not item.completes:
        yield words("letter.later")


def _row(table: str, column: Column, words: Words) -> list[str]:
    name, meaning, form, example = described(table, column.name, words)
    return [f"`{name}`", _plain(meaning), _plain(form), "`" + example.replace("|", r"\|") + "`"]


def described(table: str, name: str, words: Words) -> tuple[str, str, str, str]:
    """A column as a client is asked for it: its name, what it means, in which form, and an invented value."""
    column = TABLES[table].columns[name]
    own = f"column.{table}.{name}"
    meaning = words(own if words.has(own) else f"column.{name}")
    kind = "word" if column.kind == "enum" and not column.values else column.kind
    values = {"values": " / ".join(column.values)} if column.values else {}
    form = words(f"format.{kind}", currency=words.currency, **values)
    if column.nullable:
        form = f"{form}; {words('letter.may_be_empty')}"
    return name, meaning, form, column.values[0] if column.values else EXAMPLES[column.kind]


def _corrections(
    data: Intake, judged: Sequence[Computability], resolution: Resolution, titles: Mapping[str, str], words: Words
) -> Iterator[str]:
    wrong = [f for f in data.findings if f.severity in ASKED_TO_CORRECT]
    if not wrong:
        return
    yield f"## {words('letter.corrections')}"
    yield words("letter.corrections_intro")
    lines = []
    for finding in wrong:
        said = [f"{_plain(finding_text(finding, words))}"]
        if finding.rows:
            said.append(f"({words('quality.of', rows=finding.rows, of_rows=finding.of_rows)})")
        if finding.examples:
            named = ", ".join(map(str, finding.examples))
            said.append(words("quality.examples", n=len(finding.examples), list=named) + ".")
        effect = effect_text([titles[kpi] for kpi in touched(finding, resolution, judged)], words)
        lines.append(f"- **{words(f'severity.{finding.severity}')}**, `{finding.place}`: {' '.join(said)}")
        if effect:
            lines.append(f"  {_plain(effect)}.")
    yield "\n".join(lines)


def _plain(text: str) -> str:
    """A text that Markdown shows as it is."""
    return MARKS.sub(r"\\\1", " ".join(text.split()))
