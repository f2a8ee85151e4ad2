"""Breakdowns that no KPI has: told with those that a client's own columns make, the grains first."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from kpibook import model, windows
from kpibook.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from kpibook.engine.placing import Placer
    from kpibook.params import Params

#: Tables whose columns are told by name; those of views are too many for a message.
_TOLD = ("transactions", "products", "customers", "memberships")


def unknown(params: Params, place: Placer) -> list[Problem]:
    """A problem for each breakdown of the params by which nothing can be shown."""
    known = place.breakdowns()
    what = "no KPI can be broken down by '{}'"
    return [
        Problem(params.where("breakdowns"), what.format(name), _remedy(name, known))
        for name in params.breakdowns
        if name not in known
    ]


def _remedy(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, sorted(known), n=1)
    if near:
        return f"did you mean '{near[0]}'?"
    told = [g for g in windows.GRAINS if g in known]
    told += [c for table in _TOLD for c in model.TABLES[table].columns if c in known and c not in told]
    more = len(known) - len(told)
    return f"use one of: {', '.join(told)}" + (f"; docs/views.md has {more} more" if more else "")
