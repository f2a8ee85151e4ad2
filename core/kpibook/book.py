"""What a notebook talks to: one client's data, figures and chapters.

``open`` reads the params file, loads the data, finds the KPIs and computes all of
them; every method then shows a part of what was found and computes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from kpibook import intake as intake_of
from kpibook import params as params_of
from kpibook import results
from kpibook.catalog import Catalog
from kpibook.engine import compute as engine
from kpibook.engine.computable import Computability
from kpibook.engine.script import script
from kpibook.errors import ParamsError, Problem, did_you_mean
from kpibook.intake import Intake
from kpibook.params import Params
from kpibook.plugins import Discovered, discover
from kpibook.present import chapters
from kpibook.present.display import Display, bullets, paragraph, stack, style_tag
from kpibook.present.titles import sentences, translated
from kpibook.present.verdict import verdict
from kpibook.present.words import Words
from kpibook.tracing import Resolution

#: Set by a run: the folder into which the notebook's last cell saves its results.
RUN_FOLDER = "KPIBOOK_RUN_DIR"


def open(params: Path | str) -> Book:  # noqa: A001  the public name is kpibook.open
    """Load a client's data and compute every KPI. Raises KpibookError with all problems."""
    client = params_of.load(params)
    discovered = discover(client.plugins)
    resolution = discovered.catalog.resolve(client.settings, lambda *keys: client.where("settings", *keys))
    _refuse_unknown_targets(client, resolution)
    data = intake_of.load(client, scratch=_scratch())
    return Book(client, data, discovered, engine.compute(discovered.catalog, client, loaded(data)))


@dataclass(frozen=True)
class Book:
    """One client's report in parts. ``scorecard`` and ``tables`` are pandas; the other methods return displays."""

    params: Params
    intake: Intake
    discovered: Discovered
    results: engine.Results

    @property
    def catalog(self) -> Catalog:
        return self.discovered.catalog

    @property
    def scorecard(self) -> pd.DataFrame:
        """The results table: one row per KPI, period and segment."""
        return self.results.scorecard

    @property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Curves and matrices by KPI."""
        return self.results.tables

    @property
    def computability(self) -> pd.DataFrame:
        """Every KPI against this client's columns: computable, partly or not, and what is missing."""
        return _computability_frame(self.results.computability, self._titles)

    @property
    def families(self) -> list[str]:
        """The chapters that have KPIs, in the order of the catalogue."""
        return list(dict.fromkeys(self.scorecard["family"]))

    def cover(self) -> Display:
        """Title, period and how the report was made. First cell: it brings the page's style."""
        words, params = self._words, self.params
        facts = {
            "cover.period": words.period(params.period.start, params.period.last),
            "cover.compared": words.period(params.compare.start, params.compare.last) if params.compare else "",
            "cover.currency": params.currency,
            "cover.timezone": params.timezone,
        }
        page = chapters.cover(words, title=params.title, facts={k: v for k, v in facts.items() if words.has(k)})
        return stack([Display(style_tag(), ""), page])

    def verdict(self) -> Display:
        """Page one in words, with five figures and the consultant's notes."""
        compare = self.params.compare
        compared = self._words.period(compare.start, compare.last) if compare else ""
        rules = [f.rule for f in self.intake.findings if f.severity != "green"]
        page = verdict(self._shown, self._words, facts=self.intake.facts, findings=rules, compared=compared)
        notes = [paragraph(self._words("quality.notes")), bullets(self.params.notes)] if self.params.notes else []
        return stack([page, *notes])

    def section(self, family: str) -> Display:
        """One chapter: the family's figures, trends, breakdowns and tables."""
        return chapters.section(self._shown, self.tables, family, self._words)

    def other_sections(self, *shown: str) -> Display:
        """Chapters of the families not named, such as those of other packs."""
        return chapters.other_sections(self._shown, self.tables, shown, self._words)

    def data_quality(self) -> Display:
        """What is wrong with the data, and what was assumed."""
        return chapters.data_quality(self.intake.findings, self._words)

    def computability_table(self) -> Display:
        """Which KPIs these data allow, and what to ask the client for."""
        return chapters.computability(self.computability, self._words)

    def definitions(self) -> Display:
        """Every KPI's definition, inputs, hash and origin; packs that could not be loaded are named."""
        broken = [paragraph(self._words("definitions.broken_pack", problem=str(p))) for p in self.discovered.broken]
        return stack([chapters.definitions(self._definitions, self._words), *broken])

    def save(self) -> Display:
        """Save scorecard, tables and quality where a run asked for them; elsewhere nothing is written."""
        folder = os.environ.get(RUN_FOLDER)
        if folder:
            results.save(Path(folder), self.scorecard, self.tables)
            text = json.dumps(self._quality(), ensure_ascii=False, indent=1, sort_keys=True)
            (Path(folder) / "quality.json").write_text(text + "\n", encoding="utf-8")
        kpis, rows = self.scorecard["kpi"].nunique(), len(self.scorecard)
        return paragraph(self._words("save.done", kpis=kpis, rows=rows), "note")

    def _quality(self) -> dict[str, Any]:
        judged = [vars(c) | {"missing": list(c.missing), "lost": list(c.lost)} for c in self.results.computability]
        return {
            **intake_of.quality_document(self.intake),
            "fingerprints": dict(sorted(self.intake.fingerprints.items())),
            "computability": judged,
            "definitions": {
                k.id: {"hash": k.hash, "origin": k.origin, "settings": dict(k.settings)}
                for k in self.results.resolution.kpis.values()
            },
            "failed_kpis": self._failures(),
            "broken_packs": [str(p) for p in self.discovered.broken],
        }

    def _failures(self) -> list[str]:
        card = self.scorecard
        reasons = card[(card["status"] == "failed") & (card["period"] == "current")]["reason"]
        return [json.loads(reason)["error"] for reason in dict.fromkeys(reasons)]

    @cached_property
    def _words(self) -> Words:
        spoken = sentences((s.definition for s in self.catalog.sources), self.params.language)
        return Words(self.params.language, self.params.currency, spoken)

    @cached_property
    def _titles(self) -> dict[str, tuple[str, str]]:
        sources = self.catalog.kpis.items()
        return {name: translated(source.definition, self.params.language) for name, source in sources}

    @cached_property
    def _shown(self) -> pd.DataFrame:
        titles = {name: title for name, (title, _) in self._titles.items()}
        card = self.scorecard
        named = card["segment"].where(card["segment_by"] != "kpi", card["segment"].map(titles))
        shown = {"title": card["kpi"].map(titles), "segment": named}
        return card.assign(**{name: column.astype(card[name].dtype) for name, column in shown.items()})

    @property
    def _definitions(self) -> pd.DataFrame:
        rows = []
        for kpi in self.results.resolution.kpis.values():
            title, text = self._titles[kpi.id]
            needs = [f"{table}.{c}" for table, columns in kpi.needs.items() for c in sorted(columns)]
            chosen = ", ".join(f"{name} = {value}" for name, value in sorted(kpi.settings.items()))
            text = f"{text} ({chosen})" if chosen else text
            facts = {"definition_hash": kpi.hash, "origin": kpi.origin, "needs": needs}
            rows.append({"kpi": kpi.id, "title": title, "text": text, **facts})
        return pd.DataFrame(rows)


def loaded(data: Intake) -> engine.Loaded:
    """What the engine needs of an intake: assumed columns count as supplied."""
    supplied = {name: facts.supplied | frozenset(facts.assumed) for name, facts in data.facts.items()}
    rows = {name: facts.rows for name, facts in data.facts.items()}
    assert data.data_start is not None and data.data_end is not None  # noqa: S101  intake refuses empty sales
    return engine.Loaded(data.con, supplied, rows, data.data_start, data.data_end)


def computability(catalog: Catalog, data: Intake, params: Params) -> pd.DataFrame:
    """The computability matrix without computing anything."""
    resolution = catalog.resolve(params.settings, lambda *keys: params.where("settings", *keys))
    _refuse_unknown_targets(params, resolution)
    judged = engine.computability(catalog, resolution, params, loaded(data))
    titles = {name: translated(s.definition, params.language) for name, s in catalog.kpis.items()}
    return _computability_frame(judged, titles)


def sql(kpi: str, params: Params) -> str:
    """The queries behind one KPI for this client, as a script for DuckDB."""
    catalog = discover(params.plugins).catalog
    resolution = catalog.resolve(params.settings, lambda *keys: params.where("settings", *keys))
    if kpi not in resolution.kpis:
        raise ParamsError(Problem("command line", f"there is no KPI '{kpi}'", did_you_mean(kpi, resolution.kpis)))
    data = intake_of.load(params)
    sources = {name: facts.sql for name, facts in data.facts.items() if facts.sql}
    table = engine.reporting_windows(params, loaded(data))
    return script(resolution.kpis[kpi], resolution, engine.placer(catalog, resolution), table, sources)


def _computability_frame(judged: Any, titles: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    rows = [_row(c) | {"title": titles[c.kpi][0]} for c in judged]
    return pd.DataFrame(rows, columns=["kpi", "title", "family", "state", "missing", "reason"])


def _row(verdict: Computability) -> dict[str, Any]:
    return {
        "kpi": verdict.kpi,
        "family": verdict.family,
        "state": verdict.state,
        "missing": list(verdict.missing),
        "reason": verdict.reason,
    }


def _refuse_unknown_targets(params: Params, resolution: Resolution) -> None:
    problems = [
        Problem(params.where("targets", i), f"unknown KPI '{t.kpi}'", did_you_mean(t.kpi, resolution.kpis))
        for i, t in enumerate(params.targets)
        if t.kpi not in resolution.kpis
    ]
    first: dict[tuple[str, str], int] = {}
    for i, t in enumerate(params.targets):
        if first.setdefault((t.kpi, t.segment), i) != i:
            what = f"a second target for '{t.kpi}' ({t.segment})"
            problems.append(Problem(params.where("targets", i), what, "keep the one that holds"))
    if problems:
        raise ParamsError(problems)


def _scratch() -> Path | None:
    folder = os.environ.get(RUN_FOLDER)
    return Path(folder) if folder else None
