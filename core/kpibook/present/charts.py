"""Charts across segments: dots with intervals, members beside others, shares, a matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kpibook.present import cells
from kpibook.present.axes import ends, point, quantitative
from kpibook.present.display import Display, figure
from kpibook.present.formats import is_missing
from kpibook.present.lines import survival, trend
from kpibook.present.matrices import key, ordered
from kpibook.present.palette import BAR, INK, LINE, NOW, OTHER, SOFT, shade
from kpibook.present.svg import draw
from kpibook.present.tables import ASSOCIATED_BY, MOST_SEGMENTS, in_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from kpibook.present.words import Words

__all__ = ["bars", "drawn_segments", "dumbbell", "heatmap", "segments", "survival", "trend"]
ROW = 30
#: The reader's own fonts may be wider than the one in which the drawing was measured.
ROOM = {"left": 28, "right": 28, "top": 5, "bottom": 5}


def drawn_segments(scorecard: pd.DataFrame, kpi: str, segment_by: str) -> list[dict[str, Any]]:
    """The rows that ``segments`` draws, in order; none where there are too few, too many, or several units."""
    rows = cells.rows_of(scorecard, segment_by, kpi=kpi, period="current")
    shown = [r for r in rows if r["status"] == "ok" and not is_missing(r["value"])]
    return in_order(shown) if 2 <= len(shown) <= MOST_SEGMENTS and len({r["unit"] for r in shown}) == 1 else []


def segments(scorecard: pd.DataFrame, kpi: str, segment_by: str, words: Words) -> Display:
    """One dot a segment with its interval, beside the total; what has too few cases is left out, and said to be."""
    rows = cells.rows_of(scorecard, segment_by, kpi=kpi, period="current")
    shown = drawn_segments(scorecard, kpi, segment_by)
    if not shown:
        return Display("", "")
    title, unit = shown[0]["title"], shown[0]["unit"]
    names = [words.segment(segment_by, str(r["segment"])) for r in shown]
    points = [{"x": n, "t": cells.value_text(r, words), **point(r)} for n, r in zip(names, shown, strict=True)]
    total = [r for r in cells.rows_of(scorecard, kpi=kpi, period="current") if r["status"] == "ok"]
    exact = all(cells.is_total(r) for r in shown)
    alone = "chart.segments_exact" if exact else "chart.segments_alone"
    said = "chart.segments" if any(p["lo"] != p["hi"] for p in points) else alone
    lead = words(said, title=title, by=words.dimension(segment_by))
    caption = [lead]
    layers: list[dict[str, Any]] = []
    if total and _between(total[0]["value"], ends(points)):
        line = {"type": "rule", "strokeDash": [3, 3], "color": SOFT}
        place = {"x": quantitative("y", unit, ends(points), title=words.axis(unit))}
        layers.append({"data": {"values": [{"y": float(total[0]["value"])}]}, "mark": line, "encoding": place})
        caption.append(words("chart.total_line", value=cells.value_text(total[0], words)).replace("..", "."))
    layers += _dots(quantitative("y", unit, ends(points), title=words.axis(unit)), names)
    few = sum(r["status"] == "low_n" for r in rows)
    caption += [words("chart.left_out_segments", n=few)] if few else []
    others = len(rows) - len(shown) - few
    caption += [words("chart.not_known_segments", n=others)] if others else []
    if segment_by in ASSOCIATED_BY:
        caption.append(words("note.association"))
    spec = {"height": {"step": ROW}, "padding": ROOM, "data": {"values": points}, "layer": layers}
    alt = _alt(lead, names, points)
    return figure(draw(spec, words, name=f"segments-{kpi}-{segment_by}", title=title, alt=alt), " ".join(caption))


def dumbbell(pairs: pd.DataFrame, words: Words, *, name: str, title: str, unit: str, left: str, right: str) -> Display:
    """Members beside others: ``label, left, right``, if known ``left_low … right_high``. Labelled an association."""
    rows = [
        {"left_low": None, "left_high": None, "right_low": None, "right_high": None, **r} for r in cells.records(pairs)
    ]
    rows = [r for r in rows if not is_missing(r["left"]) and not is_missing(r["right"])]
    if not rows:
        return Display("", "")
    names = [str(r["label"]) for r in rows]
    points = []
    for row in rows:
        for side, said in (("left", left), ("right", right)):
            one = {"value": row[side], "low": row[f"{side}_low"], "high": row[f"{side}_high"]}
            points.append({"x": str(row["label"]), "s": said, "t": words.value(row[side], unit), **point(one)})
    y = {"field": "x", "type": "nominal", "sort": names, "axis": {"title": None, "domain": False}}
    x = quantitative("y", unit, ends(points))
    series = [left, right]
    colour = {"field": "s", "type": "nominal", "scale": {"domain": series, "range": [NOW, OTHER]}}
    shape = {"field": "s", "type": "nominal", "scale": {"domain": series, "range": ["circle", "diamond"]}}
    layers = [
        {
            "mark": {"type": "line", "color": LINE, "strokeWidth": 5},
            "encoding": {"x": x, "y": y, "detail": {"field": "x"}},
        },
        {
            "mark": {"type": "rule", "strokeWidth": 1.5},
            "encoding": {"x": {**x, "field": "lo"}, "x2": {"field": "hi"}, "y": y, "color": colour},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": colour, "shape": shape},
        },
        {
            "mark": {"type": "text", "dy": -13, "fontSize": 11},
            "encoding": {"x": x, "y": y, "text": {"field": "t"}},
        },
    ]
    spec = {"height": {"step": ROW + 16}, "padding": ROOM, "data": {"values": points}, "layer": layers}
    caption = f"{words('chart.dumbbell', title=title, left=left, right=right)} {words('note.association')}"
    alt = _alt(
        words("chart.dumbbell", title=title, left=left, right=right), [f"{p['x']}, {p['s']}" for p in points], points
    )
    return figure(draw(spec, words, name=f"dumbbell-{name}", title=title, alt=alt), caption)


def bars(shares: pd.DataFrame, words: Words, *, name: str, title: str, unit: str = "percent") -> Display:
    """Shares of a whole: ``label, value`` and, if known, ``low``, ``high``, ``status``; intervals as whiskers."""
    rows = [{"low": None, "high": None, "status": "ok", **r} for r in cells.records(shares)]
    shown = [r for r in rows if r["status"] == "ok" and not is_missing(r["value"])]
    if not shown:
        return Display("", "")
    names = [str(r["label"]) for r in shown]
    points = [{"x": n, "t": words.value(r["value"], unit), **point(r)} for n, r in zip(names, shown, strict=True)]
    y = {"field": "x", "type": "nominal", "sort": names, "axis": {"title": None, "domain": False}}
    x = quantitative("y", unit, [0, *ends(points)])
    x["scale"] = {"zero": True, "nice": True}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "bar", "color": BAR, "height": 16}, "encoding": {"x": x, "y": y}},
        {
            "mark": {"type": "rule", "color": INK},
            "encoding": {"x": {**x, "field": "lo"}, "x2": {"field": "hi"}, "y": y},
        },
        _labels({"x": {**x, "field": "hi"}, "y": y}),
    ]
    caption = [words("chart.bars", title=title)]
    if len(rows) > len(shown):
        caption.append(words("chart.left_out_segments", n=len(rows) - len(shown)))
    spec = {"height": {"step": ROW}, "padding": ROOM, "data": {"values": points}, "layer": layers}
    svg = draw(spec, words, name=f"bars-{name}", title=title, alt=_alt(title, names, points))
    return figure(svg, " ".join(caption))


def heatmap(
    matrix: pd.DataFrame,
    words: Words,
    *,
    name: str,
    title: str,
    unit: str = "percent",
    rows: str = "row",
    columns: str = "column",
) -> Display:
    """A long table of ``row, column, value`` as tiles, dark for high; the figure stands in each tile."""
    known = [r for r in cells.records(matrix) if not is_missing(r["value"]) and r.get("status", "ok") == "ok"]
    if not known:
        return Display("", "")
    highest = max(abs(float(r["value"])) for r in known) or 1.0
    tiles = []
    for r in known:
        back, front = shade(abs(float(r["value"])) / highest)
        down, across = words.segment(rows, key(r[rows])), words.segment(columns, key(r[columns]))
        tiles.append({"r": down, "c": across, "b": back, "f": front, "t": words.bare(r["value"], unit)})
    axis = {"title": None, "domain": False, "labelAngle": 0}
    downs, acrosses = ([words.segment(c, x) for x in ordered(matrix[c])] for c in (rows, columns))
    place = {
        "x": {"field": "c", "type": "ordinal", "sort": acrosses, "axis": {**axis, "orient": "top"}},
        "y": {"field": "r", "type": "ordinal", "sort": downs, "axis": axis},
    }
    raw = {"type": "nominal", "scale": None, "legend": None}
    layers = [
        {"mark": {"type": "rect", "stroke": "#ffffff"}, "encoding": {**place, "color": {"field": "b", **raw}}},
        {"mark": "text", "encoding": {**place, "text": {"field": "t"}, "color": {"field": "f", **raw}}},
    ]
    spec = {"width": {"step": 52}, "height": {"step": 28}, "data": {"values": tiles}, "layer": layers}
    alt = words("chart.heatmap.alt", title=title, n=len(tiles))
    return figure(draw(spec, words, name=f"heatmap-{name}", title=title, alt=alt), words("chart.heatmap", title=title))


def _dots(x: dict[str, Any], names: list[str]) -> list[dict[str, Any]]:
    y = {"field": "x", "type": "nominal", "sort": names, "axis": {"title": None, "domain": False}}
    return [
        {
            "mark": {"type": "rule", "color": NOW, "strokeWidth": 2},
            "encoding": {"x": {**x, "field": "lo"}, "x2": {"field": "hi"}, "y": y},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 70, "color": NOW, "opacity": 1},
            "encoding": {"x": x, "y": y},
        },
        _labels({"x": {**x, "field": "hi"}, "y": y}),
    ]


def _labels(place: dict[str, Any]) -> dict[str, Any]:
    return {"mark": {"type": "text", "align": "left", "dx": 8}, "encoding": {**place, "text": {"field": "t"}}}


def _between(value: Any, among: Sequence[float]) -> bool:
    """A total of sums lies far outside its parts and would squeeze them."""
    return not is_missing(value) and min(among) <= float(value) <= max(among)


def _alt(lead: str, names: Sequence[str], points: Sequence[dict[str, Any]]) -> str:
    return f"{lead} " + "; ".join(f"{n}: {p['t']}" for n, p in zip(names, points, strict=True))
