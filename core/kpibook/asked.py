"""What a params file asks of the KPIs, against the KPIs that there are: told before any data are read."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from kpibook.catalog import Catalog
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
