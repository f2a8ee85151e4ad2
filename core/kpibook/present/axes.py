"""Axes and points that the charts share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kpibook.present.formats import COUNTED, is_missing, is_money

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from kpibook.present.cells import Row

FIELDS = {"value": "y", "low": "lo", "high": "hi"}


def number_format(unit: str, values: Iterable[float]) -> str:
    """A d3 format with as many digits as the ticks of these values need."""
    known = [v for v in values if not is_missing(v)]
    span = max(known) - min(known) if known else 0.0
    if unit in ("percent", "pp"):
        return ".0%" if span >= 0.05 else ".1%" if span >= 0.005 or not span else ".2%"
    counted = unit in COUNTED and all(v == round(v) for v in known)
    digits = 0 if span >= 5 or (counted and span >= 2) else 1 if span >= 0.5 else 2 if span >= 0.05 or not span else 3
    if is_money(unit):
        return f"$,.{2 if digits else 0}f"
    return f",.{digits}f"


def quantitative(field: str, unit: str, values: Iterable[float], **axis: Any) -> dict[str, Any]:
    """A channel for figures: few grid lines, no baseline forced."""
    shown = {
        "format": number_format(unit, values),
        "tickCount": 5,
        "title": None,
        "domain": False,
        "labelSeparation": 14,
        **axis,
    }
    return {"field": field, "type": "quantitative", "axis": shown, "scale": {"zero": False, "nice": True}}


def point(row: Row) -> dict[str, float]:
    """A figure and its interval; an unknown end is the figure itself."""
    y = float(row["value"])
    return {"y": y} | {k: y if is_missing(row[c]) else float(row[c]) for c, k in FIELDS.items() if c != "value"}


def ends(points: Iterable[Mapping[str, Any]]) -> list[float]:
    return [p[k] for p in points for k in FIELDS.values()]
