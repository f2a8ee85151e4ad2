"""Scorecard rows for tests, in a line each."""

from __future__ import annotations

from calendar import monthrange
from datetime import date
from typing import Any

SPANS = {"current": (date(2017, 7, 1), date(2017, 12, 31)), "previous": (date(2017, 1, 1), date(2017, 6, 30))}
HOSTILE = '<script>alert("x")</script> & Söhne'


def figure(
    kpi: str, value: float | None, low: float | None = None, high: float | None = None, **cells: Any
) -> dict[str, Any]:
    """A scorecard row: a share of 2,469 customers in the current period unless said otherwise."""
    start, end = SPANS[cells.get("period", "current")]
    given = {"kpi": kpi, "value": value, "low": low, "high": high, "period_start": start, "period_end": end}
    usual = {
        "family": "customers",
        "title": kpi.replace("_", " ").capitalize(),
        "segment_by": "total",
        "segment": "total",
        "period": "current",
        "n": 2469,
        "unit": "percent",
        "better": "neutral",
        "status": "ok",
        "reason": "",
        "target_state": "none",
        "definition_hash": "0123456789abcdef",
        "origin": "loyalty_kpis 0.1.0",
    }
    return usual | given | cells


def moving(kpi: str, change: tuple[float, float | None, float | None], **cells: Any) -> list[dict[str, Any]]:
    """A share of 60.0% (58.0 to 62.0) now, with its change against the period before."""
    now, low, high = change
    moved = {"change": now, "change_low": low, "change_high": high}
    return [
        figure(kpi, 0.6, 0.58, 0.62, **moved, **cells),
        figure(kpi, 0.6 - now, 0.5, 0.7, period="previous", **{k: v for k, v in cells.items() if "target" not in k}),
    ]


def whole(segment: str, period: str) -> dict[str, Any]:
    """The place of a whole month's figure."""
    year, month = int(segment[:4]), int(segment[5:])
    days = {"period_start": date(year, month, 1), "period_end": date(year, month, monthrange(year, month)[1])}
    return {"segment_by": "month", "segment": segment, "period": period, **days}


def months(kpi: str, first: str = "2017", **cells: Any) -> list[dict[str, Any]]:
    """Twelve months: six before, six now; the third has too few cases."""
    rows = []
    for month in range(1, 13):
        period = "current" if month > 6 else "previous"
        few = {"status": "low_n", "reason": '{"id": "reason.too_few_customers", "n": 12, "minimum": 100}'}
        value = 27 + month / 4
        place = whole(f"{first}-{month:02d}", period)
        rows.append(figure(kpi, value, value - 1, value + 1, **place, **(few if month == 3 else {}), **cells))
    return rows
