"""The catalogue: definitions by id, each with its origin. Every rule of uniqueness lives here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from kpibook import model, tracing
from kpibook.errors import PluginError, Problem, did_you_mean
from kpibook.tracing import FRAMES, Failure, Resolution, Source

Where = Callable[..., str]


@dataclass(frozen=True)
class Catalog:
    """Sources in registration order."""

    sources: tuple[Source, ...]
    _known: dict[str, Resolution] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def definitions(self) -> dict[str, Source]:
        return {s.definition.id: s for s in self.sources}

    @property
    def kpis(self) -> dict[str, Source]:
        return {name: s for name, s in self.definitions.items() if s.definition.kind == "kpi"}

    @property
    def views(self) -> dict[str, Source]:
        return {name: s for name, s in self.definitions.items() if s.definition.kind == "view"}

    def resolve(
        self, settings: Mapping[str, Mapping[str, Any]] | None = None, where: Where | None = None
    ) -> Resolution:
        """Call every definition on empty typed tables under ``settings``; ``where(id, name)`` cites the params file."""
        place = where or (lambda *keys: ".".join(["settings", *keys]))
        given = settings or {}
        problems = [
            Problem(place(name), f"unknown KPI '{name}'", did_you_mean(name, self.definitions))
            for name in given
            if name not in self.definitions
        ]
        chosen: dict[str, dict[str, Any]] = {}
        for name, source in self.definitions.items():
            try:
                chosen[name] = source.definition.with_settings(given.get(name, {}), partial(_key, where, name))
            except PluginError as error:
                problems += error.problems
        if problems:
            raise PluginError(problems)
        key = repr(chosen)
        if key not in self._known:
            self._known[key] = tracing.resolve(self.definitions, chosen)
        return self._known[key]


def _key(where: Where | None, kpi: str, setting: str) -> str:
    """The place of a setting, and its key."""
    key = f"settings.{kpi}.{setting}"
    return f"{where(kpi, setting)}: {key}" if where else key


def build(sources: Iterable[Source]) -> Catalog:
    """A catalogue of sources in registration order.

    Raises PluginError with all problems: duplicate ids, names of tables, unknown tables or columns.
    """
    found = tuple(sources)
    problems = [*_duplicates(found), *_unknown_inputs(found)]
    if problems:
        raise PluginError(problems)
    catalog = Catalog(found)
    resolution = catalog.resolve()
    unknown = {f: None for f in resolution.failures.values() if f.column}
    if unknown:
        raise PluginError([_unknown_column(catalog, resolution, failure) for failure in unknown])
    return catalog


def only(catalog: Catalog, kpis: Iterable[str]) -> Catalog:
    """These KPIs and the views that they rest on, with those that describe persons, for breakdowns."""
    every = catalog.definitions
    wanted: set[str] = set()
    waiting = [*kpis, *(name for name, source in catalog.views.items() if source.definition.describes)]
    while waiting:
        name = waiting.pop()
        if name in every and name not in wanted:
            wanted.add(name)
            waiting += every[name].definition.inputs
    return build(source for name, source in every.items() if name in wanted)


def _duplicates(sources: tuple[Source, ...]) -> list[Problem]:
    problems = []
    first: dict[str, str] = {}
    for source in sources:
        name = source.definition.id
        if name in first:
            problems.append(
                Problem(source.where, f"'{name}' is already defined by {first[name]}", "give it another name")
            )
        elif name in {*model.TABLES, *FRAMES, "periods"}:
            what = f"'{name}' is the name of a table of the model"
            problems.append(Problem(source.where, what, "give it another name"))
        first.setdefault(name, source.where)
    return problems


def _unknown_inputs(sources: tuple[Source, ...]) -> list[Problem]:
    views = {s.definition.id for s in sources if s.definition.kind == "view"}
    known = {*model.TABLES, *views, "periods"}
    problems = []
    for source in sources:
        definition = source.definition
        where = f"{source.where}: {definition.id}"
        for name in definition.inputs:
            allowed = known | set(FRAMES) if definition.frames else known
            if name not in allowed:
                problems.append(Problem(where, f"unknown table or view '{name}'", did_you_mean(name, allowed)))
            elif name in definition.columns and name not in views:
                columns = model.TABLES[name].columns if name in model.TABLES else FRAMES[name]
                problems += [
                    Problem(where, f"table '{name}' has no column '{column}'", did_you_mean(column, columns))
                    for column in definition.columns[name]
                    if column not in columns
                ]
    return problems


def _unknown_column(catalog: Catalog, resolution: Resolution, failure: Failure) -> Problem:
    source = catalog.definitions[failure.definition]
    inputs = source.definition.inputs
    known = {c for name in inputs if name in model.TABLES for c in model.TABLES[name].columns}
    known |= {c for name in inputs if name in resolution.views for c in resolution.views[name].columns}
    names = ", ".join(f"'{name}'" for name in inputs)
    where = f"{source.where}: {failure.definition}"
    return Problem(where, f"{names} has no column '{failure.column}'", did_you_mean(failure.column, known))
