"""What a notebook talks to: one client's data, figures and chapters.

``open`` reads the params file, loads the data, finds the KPIs and computes all of
them; every method then shows a part of what was found and computes nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd

from kpibook import admission, asked, completion, glossary, periods, progress, results, rules
from kpibook import intake as intake_of
from kpibook import letter as letters
from kpibook import params as params_of
from kpibook.cache import environment
from kpibook.cache.store import Store, size
from kpibook.catalog import Catalog
from kpibook.effects import touched
from kpibook.engine import compute as engine
from kpibook.engine.computable import Computability
from kpibook.intake import Intake
from kpibook.params import Params
from kpibook.plugins import Discovered, discover
from kpibook.present import chapters
from kpibook.present.display import Display, bullets, paragraph, stack, style_tag
from kpibook.present.titles import reread, sentences, translated
from kpibook.present.verdict import verdict
from kpibook.present.words import Words
from kpibook.workbench import Workbench, loaded

#: Set by a run: the folder into which the notebook's last cell saves its results.
RUN_FOLDER = "KPIBOOK_RUN_DIR"


def open(params: Path | str, *, only: Sequence[str] = ()) -> Book:  # noqa: A001  the public name is kpibook.open
    """Load a client's data and compute every KPI, or those of ``only``. Raises KpibookError with all problems.

    ``only=["churn_rate"]`` is for whoever is at work on a KPI and does not want to wait for the others.
    """
    client = params_of.load(params, periods.day_of_run())
    discovered = discover(client.plugins)
    asked.resolved(discovered.catalog, client)
    if only:
        few, client = asked.of(discovered.catalog, client, only)
        discovered = replace(discovered, catalog=few)
    completion.install()
    reread()
    store, folder = _store(client), os.environ.get(RUN_FOLDER)
    scratch = Path(folder) if folder else None
    with progress.told(Words(client.language, client.currency)) as step:
        step("reading")
        data = intake_of.load(client, scratch=scratch, store=store, tell=progress.reading(step))
        step("computing", n=len(discovered.catalog.kpis))
        figures = None if os.environ.get(environment.USE) == "inputs" else store
        computed = engine.compute(discovered.catalog, client, loaded(data), client.privacy.min_persons, figures)
    if store is not None:
        store.trim()
    return Book(client, data, discovered, computed, store)


@dataclass(frozen=True, repr=False)
class Book(Workbench):
    """One client's report in parts. ``scorecard`` and ``tables`` are pandas; the other methods return displays."""

    params: Params
    intake: Intake
    discovered: Discovered
    results: engine.Results
    store: Store | None = None

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

    def cover(self) -> Display:
        """Title, period and how the report was made. First cell: it brings the page's style."""
        words, params = self._words, self.params
        facts = {
            "cover.period": words.period(params.period.start, params.period.last),
            "cover.compared": words.period(params.compare.start, params.compare.last) if params.compare else "",
            "cover.currency": params.currency,
            "cover.timezone": params.timezone,
        }
        serious = sum(finding.severity == "red" for finding in self.intake.findings)
        known = {k: v for k, v in facts.items() if words.has(k)}
        page = chapters.cover(words, title=params.title, facts=known, serious=serious)
        return stack([Display(style_tag(), ""), page])

    def verdict(self) -> Display:
        """Page one in words, with five figures and the consultant's notes."""
        compare = self.params.compare
        compared = self._words.period(compare.start, compare.last) if compare else ""
        rules = [f.rule for f in self.intake.findings if f.severity != "green"]
        page = verdict(self._shown, self._words, facts=self.intake.facts, findings=rules, compared=compared)
        notes = [paragraph(self._words("quality.notes")), bullets(self.params.notes)] if self.params.notes else []
        return stack([page, *notes, *self._privacy()])

    def section(self, family: str) -> Display:
        """One chapter: the family's figures, trends, breakdowns and tables."""
        return chapters.section(self._shown, self.tables, family, self._words, self._table_units)

    def other_sections(self, *shown: str) -> Display:
        """Chapters of the families not named, such as those of other packs."""
        return chapters.other_sections(self._shown, self.tables, shown, self._words, self._table_units)

    def data_quality(self) -> Display:
        """What is wrong with the data, and what was assumed."""
        titles = {i: [self._titles[kpi][0] for kpi in kpis] for i, kpis in enumerate(self._touched)}
        spans = self.intake.reconciled
        return chapters.data_quality(self.intake.findings, self._words, touched=titles, spans=spans)

    def computability_table(self) -> Display:
        """Which KPIs these data allow, and what to ask the client for."""
        return chapters.computability(self.computability, self._words)

    def definitions(self) -> Display:
        """Every KPI's definition, inputs, hash and origin; packs that could not be loaded are named."""
        broken = [paragraph(self._words("definitions.broken_pack", problem=str(p))) for p in self.discovered.broken]
        strangers = sum(not admission.is_admitted(self.catalog, kpi) for kpi in self.catalog.kpis)
        note = [paragraph(self._words("admission.note", n=strangers), "note")] if strangers else []
        return stack([chapters.definitions(self._definitions, self._words), *note, *broken])

    def save(self) -> Display:
        """Save scorecard, tables and quality where a run asked for them; elsewhere nothing is written."""
        folder = os.environ.get(RUN_FOLDER)
        if folder:
            results.save(Path(folder), self.scorecard, self.tables)
            text = json.dumps(self._quality(), ensure_ascii=False, indent=1, sort_keys=True)
            (Path(folder) / "quality.json").write_text(text + "\n", encoding="utf-8")
            if self.store is not None and (note := Path(folder) / environment.NOTE).parent.is_dir():
                note.write_text(json.dumps(self._from_cache(self.store)), encoding="utf-8")
            text = json.dumps(self._glossary(), ensure_ascii=False, indent=1, sort_keys=True)
            (Path(folder) / glossary.NAME).write_text(text + "\n", encoding="utf-8")
        kpis, rows = self.scorecard["kpi"].nunique(), len(self.scorecard)
        return paragraph(self._words("save.done", kpis=kpis, rows=rows), "note")

    @cached_property
    def _touched(self) -> list[tuple[str, ...]]:
        """The KPIs that each finding touches."""
        known = self.results.resolution, self.results.computability
        return [touched(finding, *known) for finding in self.intake.findings]

    def _quality(self) -> dict[str, Any]:
        judged = [vars(c) | {"missing": list(c.missing), "lost": list(c.lost)} for c in self.results.computability]
        document = intake_of.quality_document(self.intake)
        found = [f | {"kpis": list(kpis)} for f, kpis in zip(document["findings"], self._touched, strict=True)]
        return {
            **document,
            "findings": found,
            "fingerprints": dict(sorted(self.intake.fingerprints.items())),
            "computability": judged,
            "definitions": {
                k.id: {"hash": k.hash, "origin": k.origin, "settings": dict(k.settings)}
                | {"admitted": admission.is_admitted(self.catalog, k.id)}
                for k in self.results.resolution.kpis.values()
            },
            "failed_kpis": self._failures(),
            "broken_packs": [str(p) for p in self.discovered.broken],
            "privacy": {"min_persons": self.params.privacy.min_persons, "note": self.params.privacy.note},
        }

    def _from_cache(self, store: Store) -> dict[str, Any]:
        """What an earlier run had made: the tables, and how many of the pieces that the figures were computed in."""
        pieces = {"taken": self.results.taken, "computed": self.results.computed}
        return {"inputs": "taken" if self.intake.taken else "read", "pieces": pieces, "notes": store.notes}

    def _glossary(self) -> dict[str, Any]:
        """What exports need that only the packs know."""
        found = glossary.document(self.params, self.catalog, self.results.resolution, self._told)
        return {**found, "sentences": glossary.spoken(self._sentences, self.scorecard, self.tables)}

    def _privacy(self) -> list[Display]:
        """That figures on few persons are shown, and why they may be."""
        least, note = self.params.privacy.min_persons, self.params.privacy.note
        if least >= rules.PRIVACY_MINIMUM:
            return []
        return [paragraph(self._words("privacy.lowered", n=least, minimum=rules.PRIVACY_MINIMUM, note=note), "note")]

    def _failures(self) -> list[str]:
        card = self.scorecard
        reasons = card[(card["status"] == "failed") & (card["period"] == "current")]["reason"]
        return [json.loads(reason)["error"] for reason in dict.fromkeys(reasons)]

    @cached_property
    def _words(self) -> Words:
        titles = {name: title for name, (title, _) in self._titles.items()}
        return Words(self.params.language, self.params.currency, titles | self._sentences)

    @cached_property
    def _sentences(self) -> dict[str, str]:
        return sentences((s.definition for s in self.catalog.sources), self.params.language)

    @cached_property
    def _titles(self) -> dict[str, tuple[str, str]]:
        sources = self.catalog.kpis.items()
        return {name: translated(source.definition, self.params.language) for name, source in sources}

    @cached_property
    def _told(self) -> dict[str, tuple[str, str]]:
        return glossary.told(self.results.resolution, self._titles, self._words)

    @cached_property
    def _shown(self) -> pd.DataFrame:
        titles = {name: title for name, (title, _) in self._titles.items()}
        card = self.scorecard
        named = card["segment"].where(card["segment_by"] != "kpi", card["segment"].map(titles))
        shown = {"title": card["kpi"].map(titles), "segment": named}
        named_card = card.assign(**{name: column.astype(card[name].dtype) for name, column in shown.items()})
        return named_card.assign(looks_back=card["kpi"].map(self._windows))

    @property
    def _table_units(self) -> dict[str, Mapping[str, str]]:
        return {name: source.definition.table_units for name, source in self.catalog.kpis.items()}

    @property
    def _windows(self) -> dict[str, str]:
        """By KPI: ``before`` where the window before the period counts, ``own`` for one of its own, else empty."""
        return {name: glossary.window(source.definition.looks_back) for name, source in self.catalog.kpis.items()}

    @property
    def _definitions(self) -> pd.DataFrame:
        rows = []
        figures = set(self.scorecard.loc[self.scorecard["status"] != "missing_data", "kpi"])
        for kpi in self.results.resolution.kpis.values():
            title, text = self._told[kpi.id]
            needs = [f"{table}.{c}" for table, columns in kpi.needs.items() for c in sorted(columns)]
            chosen = ", ".join(f"{name} = {value}" for name, value in sorted(kpi.settings.items()))
            text = f"{text} ({chosen})" if chosen else text
            asked_for = kpi.definition.question
            question = self._sentences.get(asked_for) or asked_for
            own = admission.is_admitted(self.catalog, kpi.id)
            origin = kpi.origin if own else f"{kpi.origin} · {self._words('admission.not_admitted')}"
            facts = {"definition_hash": kpi.hash, "origin": origin, "unit": kpi.definition.unit}
            rows.append(
                {"kpi": kpi.id, "title": title, "text": text, "question": question, "needs": needs}
                | {"shown": kpi.id in figures, **facts}
            )
        return pd.DataFrame(rows)


def computability(catalog: Catalog, data: Intake, params: Params) -> pd.DataFrame:
    """The computability matrix without computing anything."""
    resolution = asked.resolved(catalog, params)
    judged = engine.computability(catalog, resolution, params, loaded(data))
    titles = {name: translated(s.definition, params.language) for name, s in catalog.kpis.items()}
    return _computability_frame(judged, titles)


def letter(catalog: Catalog, data: Intake, params: Params) -> str:
    """The letter that asks the client for what is missing, in the report's language."""
    resolution = asked.resolved(catalog, params)
    judged = engine.computability(catalog, resolution, params, loaded(data))
    titles = {name: translated(s.definition, params.language)[0] for name, s in catalog.kpis.items()}
    return letters.letter(params, data, judged, resolution, titles)


def _computability_frame(judged: Iterable[Computability], titles: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    rows = [(c.kpi, titles[c.kpi][0], c.family, c.state, list(c.missing), c.reason) for c in judged]
    return pd.DataFrame(rows, columns=["kpi", "title", "family", "state", "missing", "reason"])


def _store(client: Params) -> Store | None:
    """Where the run has one for its client."""
    folder, limit = os.environ.get(environment.FOLDER), client.limits.cache
    return Store(Path(folder), client.client, size(limit)) if folder and limit != "none" else None
