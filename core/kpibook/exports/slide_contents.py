"""What the slides say, from a finished report: texts, tables and charts in their order, before any slide is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpibook.exports import opening
from kpibook.exports.figure_sheets import families
from kpibook.exports.slide_charts import Chart, charts_of
from kpibook.present import cells
from kpibook.present.formats import NONE, is_missing
from kpibook.present.tables import is_association
from kpibook.present.verdict import five

if TYPE_CHECKING:
    from kpibook.exports.finished import Finished
    from kpibook.present.words import Words

#: Charts of a family: those of page one first, then those that moved.
MOST_CHARTS = 6
#: Parts of the width: KPI, value, interval, n, before, change, target.
SHARES = (3.5, 1.7, 2.1, 1.1, 1.6, 2.2, 1.9)
Pair = tuple[cells.Row, cells.Row | None]


@dataclass(frozen=True)
class Said:
    """A slide of paragraphs; the first is the one that matters."""

    title: str
    texts: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table: its title, its head, rows of texts, the parts of the width that its columns take, a note below."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    shares: Sequence[float]
    note: str = ""


Content = Said | Table | Chart


def cover(report: Finished) -> list[str]:
    """What stands below the title: subject, periods, and then warnings."""
    words = report.words
    said = [words("cover.subtitle"), report.period()]
    said += [f"{words('cover.compared')}: {report.period('compare')}"] if report.frame["compare"] else []
    return said


def contents(report: Finished) -> Iterator[Content]:
    """The verdict, its figures, then each family: a table of its figures, and charts."""
    words = report.words
    said = opening.said(report)
    if said:
        yield Said(words("verdict.title"), said)
    chosen = five(report.card)
    if chosen:
        yield _figures(words("slides.key_figures"), chosen, words)
    first = {row["kpi"] for row, _ in chosen}
    for family in families(report):
        pairs = cells.with_previous(cells.rows_of(report.card, family=family))
        shown = [pair for pair in pairs if cells.is_shown(pair[0])]
        if shown:
            left = len(pairs) - len(shown)
            notes = [words("slides.not_shown", n=left)] if left else []
            notes += [words("note.association")] if any(is_association(row) for row, _ in shown) else []
            yield _figures(words.family(family), shown, words, " ".join(notes))
            yield from _charts(report, shown, first)


def _charts(report: Finished, shown: Sequence[Pair], first: set[str]) -> Iterator[Chart]:
    ranked = sorted(shown, key=lambda pair: (pair[0]["kpi"] not in first, not cells.moved(*pair)))
    every = (chart for row, _ in ranked for chart in charts_of(report, row["kpi"]))
    yield from (chart for chart, _ in zip(every, range(MOST_CHARTS), strict=False))


def _figures(title: str, pairs: Sequence[Pair], words: Words, note: str = "") -> Table:
    compared = any(before is not None for _, before in pairs)
    aimed = any(not is_missing(row["target"]) for row, _ in pairs)
    head = ["table.kpi", "table.value", "table.interval", "table.n"]
    head += (["table.previous", "table.change"] if compared else []) + (["table.target"] if aimed else [])
    rows = []
    for row, before in pairs:
        interval = cells.interval_text(row, words) if row["status"] == "ok" else NONE
        line = [row["title"], cells.value_text(row, words), interval, cells.n_cell(row, words)]
        line += [_before(before, words), _change(row, before, words)] if compared else []
        rows.append([*line, _target(row, words)] if aimed else line)
    chosen = [i for i in range(len(SHARES)) if i < 4 or (i < 6 and compared) or (i == 6 and aimed)]
    return Table(title, [words(h) for h in head], rows, [SHARES[i] for i in chosen], note)


def _before(before: cells.Row | None, words: Words) -> str:
    return NONE if before is None else cells.value_text(before, words)


def _change(row: cells.Row, before: cells.Row | None, words: Words) -> str:
    if row["status"] != "ok" or before is None or before["status"] != "ok" or is_missing(row["change"]):
        return NONE
    text, windows = cells.change_text(row, words), cells.unequal(row, before)
    if windows:
        return f"{text} ({words('change.not_comparable', current=windows[0], previous=windows[1])})"
    sign = cells.moved(row)
    return f"{text} ({words('change.up' if sign == 1 else 'change.down')})" if sign else text


def _target(row: cells.Row, words: Words) -> str:
    if is_missing(row["target"]):
        return NONE
    state = row["target_state"] if row["status"] == "ok" and row["target_state"] else "none"
    return f"{words.value(row['target'], row['unit'])}, {words(f'target.{state}')}"
