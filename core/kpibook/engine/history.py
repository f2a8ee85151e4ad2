"""Whether the data reach back as far as a KPI looks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from kpibook import rules
from kpibook.definition import Definition
from kpibook.windows import Window

#: A shop may be closed on the first and last days of a period.
CLOSED_DAYS = timedelta(days=7)
FAILED = "kpi_failed"


def gap(definition: Definition, settings: Mapping[str, Any], window: Window) -> str:
    """The reason why ``window`` cannot be judged, or the empty string.

    A KPI that looks back needs its history; any other needs data in the window at all.
    """
    try:
        needed = _reach(definition, settings, window)
    except Exception as error:  # noqa: BLE001  an author's function fails its own KPI only
        return rules.reason(FAILED, error=f"{definition.id}: looks_back: {type(error).__name__}: {error} · mend it")
    if needed is None:
        needed = window.start
        if window.data_start < window.end:
            return ""
    if window.data_start - needed <= CLOSED_DAYS:
        return ""
    return rules.reason("history_not_covered", needed=str(needed), first=str(window.data_start))


def complete(window: Window) -> bool:
    """Whether the data cover the window from its start to its end, but for closed days: only then is it compared."""
    return window.data_start - window.start <= CLOSED_DAYS and window.end - window.data_end <= CLOSED_DAYS


def _reach(definition: Definition, settings: Mapping[str, Any], window: Window) -> date | None:
    rule = definition.looks_back
    if rule is None or callable(rule):
        return None if rule is None else rule(window, settings)
    return window.before if rule == "before" else min(window.start, window.end - timedelta(days=int(settings[rule])))
