"""What a params file asks of the KPIs, against the KPIs that there are: told before any data are read."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from math import inf
from typing import Any

from kpibook.catalog import Catalog, only
from kpibook.engine import breakdowns
from kpibook.engine import compute as engine
from kpibook.errors import ParamsError, PluginError, Problem, did_you_mean
from kpibook.estimates import Curve, Linear
from kpibook.params import Params
from kpibook.tracing import Resolution

#: Growth of more than this is no target.
MOST_PERCENT = 10


def resolved(catalog: Catalog, params: Params) -> Resolution:
    """The KPIs under this client's settings.

    Raises ParamsError with every problem of settings, targets and breakdowns: unknown ones, values of the wrong
    type, two targets for one figure, a percentage written as 97 instead of 0.97.
    """
    problems: list[Problem] = []
    resolution = None
    try:
        resolution = catalog.resolve(params.settings, lambda *keys: params.where("settings", *keys))
    except PluginError as error:
        problems += error.problems
    problems += _targets(catalog, params, resolution)
    if resolution is not None:
        problems += breakdowns.unknown(params, engine.placer(catalog, resolution))
    if problems or resolution is None:
        raise ParamsError(problems)
    return resolution


def of(catalog: Catalog, params: Params, kpis: Collection[str]) -> tuple[Catalog, Params]:
    """These KPIs alone, and what the params say of them: for whoever is at work on one.

    Raises ParamsError for a KPI that there is not, and for one that reads the figures of others.
    """
    problems = []
    for kpi in kpis:
        if kpi not in catalog.kpis:
            problems.append(Problem("only", f"there is no KPI '{kpi}'", did_you_mean(kpi, catalog.kpis)))
        elif "scorecard" in catalog.kpis[kpi].definition.inputs:
            problems.append(Problem("only", f"'{kpi}' reads the figures of others", "open the book without only="))
    if problems:
        raise ParamsError(problems)
    few = only(catalog, kpis)
    settings = {name: own for name, own in params.settings.items() if name in few.definitions}
    known = engine.placer(few, few.resolve(settings)).breakdowns()
    said = {
        "settings": settings,
        "targets": tuple(target for target in params.targets if target.kpi in few.kpis),
        "breakdowns": tuple(name for name in params.breakdowns if name in known),
    }
    return few, params.model_copy(update=said)


def _targets(catalog: Catalog, params: Params, resolution: Resolution | None) -> Iterator[Problem]:
    first: dict[tuple[str, str], int] = {}
    for i, target in enumerate(params.targets):
        where = params.where("targets", i)
        if target.kpi not in catalog.kpis:
            yield Problem(where, f"unknown KPI '{target.kpi}'", did_you_mean(target.kpi, catalog.kpis))
            continue
        if first.setdefault((target.kpi, target.segment), i) != i:
            what = f"a second target for '{target.kpi}' ({target.segment})"
            yield Problem(where, what, "keep the one that holds")
        most = _most(catalog.kpis[target.kpi].definition.unit, resolution and resolution.kpis[target.kpi].estimate)
        if abs(target.value) > most:
            what = f"targets[{i}].value: {target.value:g} for '{target.kpi}', which is told in percent"
            yield Problem(
                params.where("targets", i, "value"), what, f"write {target.value / 100:g} for {target.value:g} %"
            )


def _most(unit: str, estimate: Any) -> float:
    """The largest target that can be meant: 1 of a share, 10 (1,000 %) of growth and other percentages."""
    if unit != "percent":
        return inf
    shares = isinstance(estimate, Curve) or (isinstance(estimate, Linear) and estimate.kind == "share")
    return 1 if shares else MOST_PERCENT
