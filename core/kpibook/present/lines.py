"""Charts along time: a KPI month by month, and how long people stay."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from kpibook.present import cells
from kpibook.present.axes import ends, point, quantitative
from kpibook.present.display import Display, figure
from kpibook.present.formats import as_day, part_of_calendar
from kpibook.present.palette import BEFORE, NOW
from kpibook.present.svg import draw

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kpibook.present.words import Words

FEWEST_POINTS = 3
#: More labels than these stand too close in the usual size.
MOST_WIDE = 16
MOST_STEPS = 240
AT_RISK = 30


@dataclass(frozen=True)
class Trend:
    """What a trend draws: rows of the current period, a label for each part of the axis, a name for each period."""

    title: str
    unit: str
    rows: Sequence[cells.Row]
    labels: Mapping[str, list[str]]
    names: Mapping[str, str]
    points: Sequence[Mapping[str, Any]]
    lead: str
    left_out: Sequence[str]

    @property
    def caption(self) -> str:
        return " ".join([self.lead, *self.left_out])


def trend_of(scorecard: pd.DataFrame, kpi: str, words: Words, segment_by: str = "month") -> Trend | None:
    """A KPI along time, as far as there is enough to draw.

    A comparison period with the same months, a year before, lies under them; any other stands before them.
    """
    rows = sorted(cells.rows_of(scorecard, segment_by, kpi=kpi), key=lambda r: r["segment"])
    shown = [r for r in rows if _is_drawn(r)]
    current = [r for r in shown if r["period"] == "current"]
    if len(current) < FEWEST_POINTS:
        return None
    overlaid, title = _same_parts(rows), current[0]["title"]
    names = _period_names(rows, words)
    points = _points(rows, names, overlaid=overlaid)
    labels = _labels(rows, words, segment_by, overlaid=overlaid)
    banded = any(p["lo"] < p["hi"] for p in points)
    exact = all(cells.is_total(r) for r in shown)
    said = "chart.trend" if banded else "chart.trend_exact" if exact else "chart.trend_alone"
    lead = words(said, title=title, by=words.dimension(segment_by))
    cut = sum(map(_is_cut, rows))
    few = sum(r["status"] == "low_n" and not _is_cut(r) for r in rows)
    left_out = [words("chart.left_out", n=few)] if few else []
    others = len(rows) - len(shown) - cut - few
    left_out += [words("chart.not_known", n=others)] if others else []
    left_out += [words("chart.cut", n=cut)] if cut else []
    return Trend(title, current[0]["unit"], current, labels, names, points, lead, left_out)


def trend(scorecard: pd.DataFrame, kpi: str, words: Words, segment_by: str = "month") -> Display:
    """Month by month (or another grain) with the interval as a band."""
    drawn = trend_of(scorecard, kpi, words, segment_by)
    if drawn is None:
        return Display("", "")
    labels = drawn.labels
    axis = {"title": None, "labelAngle": 0, "grid": False, "labelExpr": f"{json.dumps(labels)}[datum.label]"}
    if len(labels) > MOST_WIDE:
        axis["labelFontSize"] = 9
    x = {"field": "x", "type": "ordinal", "scale": {"domain": list(labels)}, "axis": axis}
    spec = _banded(drawn.points, drawn.unit, x, list(drawn.names.values()), title=words.axis(drawn.unit))
    alt = _trend_alt(drawn.title, drawn.rows, words)
    svg = draw(spec, words, name=f"trend-{kpi}-{segment_by}", title=drawn.title, alt=alt)
    return figure(svg, drawn.caption)


def survival(
    curve: pd.DataFrame, words: Words, *, name: str, title: str, unit: str = "days", value: str = "survival"
) -> Display:
    """A curve of ``time``, the share in ``value``, ``low``, ``high`` and ``at_risk``, as far as 30 are at risk."""
    kept = curve.sort_values("time")
    if "at_risk" in kept:
        kept = kept[kept["at_risk"] >= AT_RISK]
    if len(kept) < FEWEST_POINTS:
        return Display("", "")
    kept = pd.concat([kept.iloc[: -1 : max(1, len(kept) // MOST_STEPS)], kept.iloc[-1:]])
    points = [
        {"x": float(r["time"]), "s": "", "run": 0, **point({**r, "value": r[value]})} for r in cells.records(kept)
    ]
    axis = {"title": words.axis(unit), "grid": False, "format": ",.0f", "tickCount": 8}
    x = {"field": "x", "type": "quantitative", "axis": axis, "scale": {"nice": False}}
    spec = _banded(points, "percent", x, [""], step=True)
    for layer in spec["layer"]:
        layer["encoding"]["y"]["scale"] = {"domain": [0, 1]}
    last = points[-1]
    at = words.value(last["x"], unit, 0)
    alt = words("chart.survival.alt", title=title, share=words.percent(last["y"]), at=at)
    svg = draw(spec, words, name=f"survival-{name}", title=title, alt=alt)
    return figure(svg, words("chart.survival", title=title, minimum=AT_RISK))


def _is_cut(row: cells.Row) -> bool:
    """The period or the data hold only some days of this month, week ...: as a point it would look like a fall."""
    first, last = part_of_calendar(row["segment_by"], str(row["segment"]))
    inside = as_day(row["period_start"]) <= first and last <= as_day(row["period_end"])
    return not inside or "reason.part_not_over" in (row["reason"] or "")


def _is_drawn(row: cells.Row) -> bool:
    return row["status"] == "ok" and row["value"] is not None and not _is_cut(row)


def _points(rows: Sequence[cells.Row], names: Mapping[str, str], *, overlaid: bool) -> list[dict[str, Any]]:
    """What is drawn; a line breaks (``run``) where a month is left out or a period begins."""
    found: list[dict[str, Any]] = []
    run = 0
    for period, series in names.items():
        run += 1
        for row in (r for r in rows if r["period"] == period):
            if _is_drawn(row):
                found.append({"x": _part(row, overlaid=overlaid), "s": series, "run": run, **point(row)})
            else:
                run += 1
    return found


def _banded(
    points: Sequence[Mapping[str, Any]],
    unit: str,
    x: dict[str, Any],
    series: list[str],
    *,
    step: bool = False,
    title: str | None = None,
) -> dict[str, Any]:
    y = quantitative("y", unit, ends(points), title=title)
    legend = {"symbolType": "stroke", "symbolSize": 260} if len(series) > 1 else None
    colour = {"domain": series, "range": [NOW, BEFORE][: len(series)]}
    dashes = {"domain": series, "range": [[1, 0], [5, 3]][: len(series)]}
    shared = {
        "x": x,
        "color": {"field": "s", "type": "nominal", "scale": colour, "legend": legend},
        "detail": {"field": "run"},
    }
    dashed = {"field": "s", "type": "nominal", "scale": dashes, "legend": legend}
    curve = {"interpolate": "step-after"} if step else {}
    band = {**shared, "y": {**y, "field": "lo"}, "y2": {"field": "hi"}}
    layers = [
        {"mark": {"type": "area", "opacity": 0.16, **curve}, "encoding": band},
        {"mark": {"type": "line", "strokeWidth": 2, **curve}, "encoding": {**shared, "y": y, "strokeDash": dashed}},
    ]
    if not step:
        dots = {"mark": {"type": "point", "filled": True, "size": 38, "opacity": 1}, "encoding": {**shared, "y": y}}
        layers.append(dots)
    return {"height": 220, "data": {"values": list(points)}, "layer": layers}


def _same_parts(rows: Sequence[cells.Row]) -> bool:
    parts = {p: {_part(r, overlaid=True) for r in rows if r["period"] == p} for p in ("current", "previous")}
    return bool(parts["previous"]) and parts["previous"] == parts["current"] and not parts["current"] <= {""}


def _part(row: cells.Row, *, overlaid: bool) -> str:
    segment = str(row["segment"])
    return segment[5:] if overlaid else segment


def _labels(rows: Sequence[cells.Row], words: Words, segment_by: str, *, overlaid: bool) -> dict[str, list[str]]:
    """Axis labels by part; the year stands under the first part of each year."""
    labels: dict[str, list[str]] = {}
    year = ""
    for row in rows if not overlaid else [r for r in rows if r["period"] == "current"]:
        segment = str(row["segment"])
        if segment_by == "month":
            below = [] if overlaid or segment[:4] == year else [segment[:4]]
            labels[_part(row, overlaid=overlaid)] = [words.month_of_year(segment), *below]
        else:
            labels[_part(row, overlaid=overlaid)] = [words.span(segment_by, segment, short=True)]
        year = segment[:4]
    return labels


def _period_names(rows: Sequence[cells.Row], words: Words) -> dict[str, str]:
    names = {}
    for period in ("current", "previous"):
        spans = [(r["period_start"], r["period_end"]) for r in rows if r["period"] == period]
        if spans:
            names[period] = words.period(min(s for s, _ in spans), max(e for _, e in spans))
    return names


def _trend_alt(title: str, current: Sequence[cells.Row], words: Words) -> str:
    low, high = min(current, key=lambda r: r["value"]), max(current, key=lambda r: r["value"])
    named = {"start": current[0], "end": current[-1], "low_at": low, "high_at": high}
    figures = {"first": current[0], "last": current[-1], "low": low, "high": high}
    return words(
        "chart.trend.alt",
        title=title,
        **{k: words.span(r["segment_by"], r["segment"]) for k, r in named.items()},
        **{k: words.value(r["value"], r["unit"]) for k, r in figures.items()},
    )
