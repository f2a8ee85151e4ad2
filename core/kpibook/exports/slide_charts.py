"""Charts of a report as native charts of a presentation: the rows, labels and captions of its drawings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpibook.exports import number_formats
from kpibook.present import cells
from kpibook.present.axes import number_format
from kpibook.present.charts import drawn_segments
from kpibook.present.formats import GRAINS, NONE
from kpibook.present.lines import trend_of
from kpibook.present.tables import ASSOCIATED_BY

if TYPE_CHECKING:
    from kpibook.exports.finished import Finished
    from kpibook.present.words import Words

Numbers = Sequence[float | None]
#: Parts of the width of the table beside bars: segment, value, interval, n.
SHARES = (2.4, 1.5, 1.9, 1.0)


@dataclass(frozen=True)
class Series:
    """A line or a set of bars; ``look`` is ``now``, ``before``, or ``end-…`` for an end of an interval."""

    name: str
    values: Numbers
    look: str


@dataclass(frozen=True)
class Chart:
    """Lines along time, or bars with a ``table`` of head and rows beside them."""

    title: str
    caption: str
    categories: Sequence[str]
    series: Sequence[Series]
    format: str
    lines: bool
    table: Sequence[Sequence[str]] = ()
    shares: Sequence[float] = SHARES


def charts_of(report: Finished, kpi: str) -> Iterator[Chart]:
    """The trends and breakdowns of a KPI that can be drawn natively."""
    rows = report.card[report.card["kpi"] == kpi]
    for segment_by in dict.fromkeys(rows["segment_by"]):
        if segment_by in GRAINS:
            yield from _trend(report, kpi, segment_by)
        elif segment_by not in ("total", "variant"):
            yield from _segments(report, kpi, segment_by)


def _trend(report: Finished, kpi: str, segment_by: str) -> Iterator[Chart]:
    """A line a period, the ends of the interval as two thin ones."""
    words = report.words
    drawn = trend_of(report.card, kpi, words, segment_by)
    if drawn is None:
        return
    parts = list(drawn.labels)
    series: list[Series] = []
    banded = any(p["lo"] < p["hi"] for p in drawn.points)
    for period, name in drawn.names.items():
        points = {p["x"]: p for p in drawn.points if p["s"] == name}
        look = "now" if period == "current" else "before"
        series.append(Series(name, [points[x]["y"] if x in points else None for x in parts], look))
        for end, said in (("lo", "sheet.low"), ("hi", "sheet.high")) if banded else ():
            values = [points[x][end] if x in points else None for x in parts]
            series.append(Series(f"{name}, {words(said)}", values, f"end-{look}"))
    labels = [" ".join(drawn.labels[x]) for x in parts]
    left_out = drawn.left_out
    caption = " ".join([*([words("slides.interval")] if banded else []), *left_out])
    shown = _format(drawn.unit, [p["y"] for p in drawn.points], words)
    by = words("table.by", title=drawn.title, by=words.dimension(segment_by))
    yield Chart(by, caption, labels, series, shown, True)


def _segments(report: Finished, kpi: str, segment_by: str) -> Iterator[Chart]:
    """Bars, with value, interval and n of each segment in a table beside them."""
    words = report.words
    shown = drawn_segments(report.card, kpi, segment_by)
    if not shown:
        return
    names = [words.segment(segment_by, str(r["segment"])) for r in shown]
    by = words.dimension(segment_by)
    head = [by[:1].upper() + by[1:], words("table.value"), words("table.interval"), words("table.n")]
    texts = (cells.value_text, cells.interval_text, cells.n_cell)
    rows = [[name, *(write(r, words) for write in texts)] for name, r in zip(names, shown, strict=True)]
    values = [float(r["value"]) for r in shown]
    kept = [i for i in range(len(head)) if i < 2 or any(row[i] != NONE for row in rows)]
    table = [[row[i] for i in kept] for row in (head, *rows)]
    caption = words("note.association") if segment_by in ASSOCIATED_BY else ""
    title = words("table.by", title=shown[0]["title"], by=by)
    series = [Series(shown[0]["title"], values, "now")]
    shown_as = _format(shown[0]["unit"], values, words)
    yield Chart(title, caption, names, series, shown_as, False, table, [SHARES[i] for i in kept])


def _format(unit: str, values: Sequence[float], words: Words) -> str:
    """The number format of an axis, with as many decimals as its ticks need."""
    decimals = number_format(unit, values).rstrip("f%").rpartition(".")[2]
    return number_formats.value("percent" if unit == "pp" else unit, int(decimals or 0), words)
