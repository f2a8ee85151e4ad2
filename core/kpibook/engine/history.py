"""Whether the data reach back as far as a KPI looks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from kpibook import rules
from kpibook.definition import Definition
from kpibook.windows import Window

#: A shop may be closed on the first days of its data; the data chapter tells what is missing.
CLOSED_DAYS = timedelta(days=7)
PART = 10


def gap(definition: Definition, settings: Mapping[str, Any], window: Window) -> str:
    """The reason why ``window`` cannot be judged, or the empty string."""
    needed = min(window.start, _reach(definition, settings, window))
    if window.data_start - needed <= max(CLOSED_DAYS, (window.end - window.start) / PART):
        return ""
    return rules.reason("history_not_covered", needed=str(needed), first=str(window.data_start))


def _reach(definition: Definition, settings: Mapping[str, Any], window: Window) -> date:
    rule = definition.looks_back
    if rule is None:
        return window.start
    if callable(rule):
        return rule(window, settings) or window.start
    return window.before if rule == "before" else window.end - timedelta(days=int(settings[rule]))
