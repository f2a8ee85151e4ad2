"""The admission: every test on every KPI, what is to be mended all at once, and the record where nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from kpibook import admission
from kpibook.errors import Problem
from kpibook.kit import checks
from kpibook.kit.target import Target, no_queries, read
from kpibook.present.titles import reread, sentences

OTHERS = ("de", "es", "it")


@dataclass(frozen=True)
class Verdict:
    """``problems`` stand in the way; ``notes`` do not. ``admitted`` are the KPIs that passed."""

    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    admitted: tuple[str, ...]
    files: tuple[Path, ...] = field(default_factory=tuple)


def admit(path: Path) -> Verdict:
    """Test a file or pack; its KPIs that pass are recorded beside it. Raises what ``read`` raises."""
    reread()
    target = read(path)
    problems: list[Problem] = []
    notes: list[str] = []
    passed: list[str] = []
    if not target.kpis:
        problems.append(Problem(path.name, "it brings no KPI", "return at least one from kpibook_definitions()"))
    for kpi in target.kpis:
        found = _problems(kpi, target)
        problems += found
        notes += _texts(kpi, target)
        passed += [] if found else [kpi]
    return Verdict(tuple(problems), tuple(notes), tuple(passed), tuple(_record(passed, target)))


def _problems(kpi: str, target: Target) -> list[Problem]:
    with no_queries():
        resolved = target.catalog.resolve().kpis[kpi]
    if resolved.failure:
        what, _, remedy = resolved.failure.partition(" · ")
        return [Problem(kpi, what, remedy or "mend the function")]
    own = [case for case in target.cases if case.kpi == kpi]
    if not own:
        where = target.tests[0].name if target.tests else f"test_{target.path.stem}.py"
        return [
            Problem(kpi, f"no case worked by hand is in {where}", "add a Case to CASES, as kpibook new-kpi writes it")
        ]
    found = [p for case in own for check in checks.CHECKS.values() for p in check(case, target.catalog)]
    found = found or list(checks.budget(own[0], target.path))
    return [Problem(kpi, what, remedy) for what, remedy in dict.fromkeys(found)]


def _texts(kpi: str, target: Target) -> list[str]:
    """The languages in which the report falls back to the author's words."""
    definition = target.catalog.kpis[kpi].definition
    own = [text for text in (definition.title, definition.text, definition.question) if text]
    lacking = {lang: [text for text in own if text not in sentences([definition], lang)] for lang in OTHERS}
    languages = [lang for lang, texts in lacking.items() if texts]
    if not languages:
        return []
    texts = ", ".join(repr(text) for text in own if any(text in lacking[lang] for lang in languages))
    told = f"{kpi}: not all of its words are in {', '.join(languages)}: reports in these show the docstring's"
    return [f"{told} · add to locale/<language>/: {texts}"]


def _record(passed: list[str], target: Target) -> list[Path]:
    places: dict[Path, dict[str, Mapping[str, Any]]] = {}
    with no_queries():
        resolution = target.catalog.resolve()
    today = datetime.now(UTC).date().isoformat()
    for kpi in passed:
        entry = {"hash": resolution.kpis[kpi].hash, "on": today, "kpibook": version("kpibook")}
        places.setdefault(admission.folder(target.catalog.kpis[kpi].definition), {})[kpi] = entry
    return [admission.record(place, entries) for place, entries in places.items()]
