"""One run of the engine for all references that share a params file, settings and changes; what each finds in it."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import ibis.expr.operations as ops
import pandas as pd
from ruamel.yaml import YAML

from kpibook import book, intake, params, plugins, sources
from kpibook.catalog import Catalog
from kpibook.engine import pipeline, views
from kpibook.engine.compute import Loaded, Results, compute, placer
from kpibook.engine.on_duckdb import DuckDB
from kpibook.params import Params
from kpibook.periods import Period
from kpibook.samples import cdnow

from . import PARAMS, Reference, references

#: The source of params files that is not part of the repository.
CDNOW = "../../../data/cdnow"
SUMS = ("sum", "mean", "median", "min", "max", "count", "distinct")


@dataclass(frozen=True)
class Run:
    """The results of one run, and what was asked of its views."""

    results: Results
    views: Mapping[str, Any]


def found(reference: Reference) -> Any:
    """What kpibook says: a number, a text, None, or a mapping from segment to number."""
    run, origin = _run(*reference.run), reference.origin
    if "kpi" in origin:
        value = _of_scorecard(run.results.scorecard, origin)
    elif "table" in origin:
        value = _of_table(run.results.tables[origin["table"]], origin)
    else:
        value = run.views[_name(origin)]
    return _each(value, lambda x: _plain(x, origin.get("times", 1)))


@cache
def _run(name: str, change: str, settings: str) -> Run:
    own = [r for r in references() if r.run == (name, change, settings) and not r.none]
    catalog = _only(r.origin.get("kpi") or r.origin.get("table") or r.origin["view"] for r in own)
    client, data = _client(name, change)
    chosen = {kpi: dict(given) for kpi, given in client.settings.items()}
    for kpi, given in own[0].settings.items():
        assert kpi in catalog.definitions, f"{own[0].id}: none of its figures rests on {kpi}"
        chosen[kpi] = {**chosen.get(kpi, {}), **given}
    known = {kpi: given for kpi, given in chosen.items() if kpi in catalog.definitions}
    broken_down = _broken_down(catalog, known)
    by = tuple(name for name in client.breakdowns if name in broken_down)
    client = client.model_copy(update={"settings": known, "targets": (), "breakdowns": by})
    results = compute(catalog, client, data)
    asked = {_name(r.origin): r.origin for r in own if "view" in r.origin}
    _make_views(results, data, {origin["view"] for origin in asked.values()}, catalog)
    return Run(results, {key: _of_view(data.backend.table(o["view"]), o) for key, o in asked.items()})


def _broken_down(catalog: Catalog, settings: Mapping[str, Any]) -> set[str]:
    return placer(catalog, catalog.resolve(settings)).breakdowns()


@cache
def _client(name: str, change: str) -> tuple[Params, Loaded]:
    """The params file with the changed keys, loaded as any other, and its data."""
    path = PARAMS / name
    yaml = YAML(typ="safe")
    written = _merged(yaml.load(path), YAML(typ="safe").load(change))
    generated = _cdnow() if written["source"] == CDNOW else None
    written["source"] = str(generated or sources.resolve(written["source"], path.parent))
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / name
        with copy.open("w", encoding="utf-8") as file:
            yaml.dump(written, file)
        client = params.load(copy)
    return client, book.loaded(intake.load(client))


def _merged(written: Any, change: Any) -> Any:
    if not (isinstance(written, Mapping) and isinstance(change, Mapping)):
        return change
    return {**written, **{key: _merged(written.get(key), value) for key, value in change.items()}}


@cache
def _cdnow() -> Path:
    """The folder that `make samples` makes, in a place of its own."""
    folder = Path(tempfile.mkdtemp(prefix="kpibook-cdnow-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    cdnow.write(folder)
    return folder


@cache
def _pack() -> Catalog:
    return plugins.discover().catalog


def _only(wanted: Iterable[str]) -> Catalog:
    """The catalogue with some KPIs and views, the views they rest on, and those that breakdowns ask about persons."""
    every, kept = _pack().definitions, set()
    waiting = [*wanted, *(name for name, s in _pack().views.items() if s.definition.describes)]
    while waiting:
        name = waiting.pop()
        if name in every and name not in kept:
            kept.add(name)
            waiting += every[name].definition.inputs
    return Catalog(tuple(s for s in _pack().sources if s.definition.id in kept))


def _make_views(results: Results, data: Loaded, wanted: set[str], catalog: Catalog) -> None:
    """Views with all of their columns."""
    resolution = results.resolution
    schemas = {name: resolution.views[name].schema() for name in wanted}
    nodes = [ops.Field(ops.UnboundTable(name, schema), c) for name, schema in schemas.items() for c in schema.names]
    used = views.used(resolution, nodes, (), {name: s.definition.date for name, s in catalog.views.items()})
    failures: dict[str, str] = {}
    pipeline.run(DuckDB(data.backend), views.tasks(resolution, used, failures))
    assert not failures, failures


def _of_scorecard(card: pd.DataFrame, origin: Mapping[str, Any]) -> Any:
    variant = origin.get("variant")
    by = origin.get("segment_by") or ("variant" if variant else "total")
    segment = origin.get("segment") or variant or ("total" if by == "total" else None)
    column, period = origin.get("column", "value"), origin.get("period", "current")
    rows = card[(card["kpi"] == origin["kpi"]) & (card["segment_by"] == by) & (card["period"] == period)]
    if segment is None:
        return dict(zip(rows["segment"], rows[column], strict=True))
    one = rows[rows["segment"] == str(segment)]
    less = _one(one, origin["less"], origin) if "less" in origin else 0
    value = _one(one, column, origin)
    return value - less if less else value


def _of_table(table: pd.DataFrame, origin: Mapping[str, Any]) -> Any:
    rows = table.reset_index() if any(table.index.names) else table
    for column, value in origin.get("where", {}).items():
        rows = rows[rows[column].map(_key).isin([_key(v) for v in (value if isinstance(value, list) else [value])])]
    if "at" in origin:
        return _at(rows, origin)
    if "by" not in origin:
        return rows[origin["sum"]].sum() if "sum" in origin else _one(rows, origin["column"], origin)
    names = rows[origin["by"]].map(_key)
    if "sum" in origin:
        return rows.groupby(names)[origin["sum"]].sum().to_dict()
    return dict(zip(names, rows[origin["column"]], strict=True))


def _at(rows: pd.DataFrame, origin: Mapping[str, Any]) -> Any:
    """The height of a curve of steps, which begins at 1, at a time."""
    assert len(rows), f"no curve for {dict(origin)}"
    reached = rows[rows["time"] <= origin["at"]].sort_values("time")
    return reached.iloc[-1][origin["column"]] if len(reached) else 1.0


def _of_view(table: Any, origin: Mapping[str, Any]) -> Any:
    for column, value in origin.get("where", {}).items():
        if isinstance(value, str) and "/" in value and not table[column].type().is_string():
            span = Period.parse(value)
            day = table[column].date() if table[column].type().is_timestamp() else table[column]
            table = table.filter(day.between(span.start, span.last))
        else:
            table = table.filter(table[column].isin(value) if isinstance(value, list) else table[column] == value)
    how = next(name for name in SUMS if name in origin)
    column = origin[how]
    if how == "count" and column == "rows":
        number = table.count()
    else:
        number = getattr(table[column], "nunique" if how == "distinct" else how)()
    if "by" not in origin:
        return number.to_pyarrow().as_py()
    by = origin["by"]
    month = by.startswith("month(")
    group = table[by[6:-1]].strftime("%Y-%m") if month else table[by]
    rows = table.group_by(_by=group).agg(_number=number).to_pyarrow().to_pandas()
    return dict(zip(rows["_by"].map(_key), rows["_number"], strict=True))


def _one(rows: pd.DataFrame, column: str, origin: Mapping[str, Any]) -> Any:
    assert len(rows) == 1, f"{len(rows)} rows of {dict(origin)}"
    return rows.iloc[0][column]


def _each(value: Any, plain: Any) -> Any:
    return {_key(k): plain(v) for k, v in value.items()} if isinstance(value, Mapping) else plain(value)


def _plain(value: Any, times: float) -> Any:
    if value is None or value is pd.NA or value != value:
        return None
    return str(value) if isinstance(value, (str, date)) else float(value) * times


def _key(value: Any) -> str:
    return str(value).removesuffix(" 00:00:00")


def _name(origin: Mapping[str, Any]) -> str:
    return repr(sorted(origin.items(), key=lambda item: item[0]))
