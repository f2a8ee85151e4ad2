"""For the tests of a KPI: a case worked by hand, and whether the engine agrees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kpibook.kit.case import Case
from kpibook.kit.checks import worked
from kpibook.kit.target import read

__all__ = ["Case", "check"]


def check(cases: Sequence[Case], plugin: Path) -> None:
    """Compute every case with the KPIs of a file or of a pack's folder. Raises AssertionError with what differs."""
    catalog = read(plugin).catalog
    wrong = [f"{case.kpi}: {what} · {remedy}" for case in cases for what, remedy in worked(case, catalog)]
    if wrong or not cases:
        raise AssertionError("\n".join(wrong) or "there is no case")
