"""Shared views, materialised once a run."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from kpibook.engine.backend import Database
from kpibook.engine.guards import guarded
from kpibook.tracing import Resolution


def used(resolution: Resolution, nodes: Iterable[ops.Node], always: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """``{view: columns}`` in building order; ``always`` columns are kept wherever a view has them."""
    wanted = resolution.lineage.reads(nodes)[1]
    return {
        name: tuple(c for c in table.columns if c in wanted[name] or c in always)
        for name, table in resolution.views.items()
        if name in wanted
    }


def expression(resolution: Resolution, view: str, columns: Iterable[str]) -> ir.Table:
    """The guarded table of one view; columns that nobody uses are typed nulls, so they cost nothing."""
    table, kept = resolution.views[view], set(columns)
    return guarded(table.select(**{c: table[c] if c in kept else ibis.null(table[c].type()) for c in table.columns}))


def materialise(resolution: Resolution, wanted: dict[str, tuple[str, ...]], database: Database) -> dict[str, str]:
    """Create every view of ``wanted``; returns ``{view: why}`` for those that failed or rest on one that did."""
    failures: dict[str, str] = {}
    below = {name: set(resolution.lineage.reads([resolution.views[name].op()])[1]) & set(wanted) for name in wanted}
    waiting = list(wanted)
    while waiting:
        ready = [name for name in waiting if not below[name] & set(waiting)]
        waiting = [name for name in waiting if name not in ready]
        for name in ready:
            broken = [failures[v] for v in sorted(below[name]) if v in failures]
            if broken:
                failures[name] = broken[0]
        sound = [name for name in ready if name not in failures]
        failures.update(
            dict(found for found in database.each(partial(_make, resolution, wanted, database), sound) if found)
        )
    return failures


def _make(
    resolution: Resolution, wanted: dict[str, tuple[str, ...]], database: Database, name: str
) -> tuple[str, str] | None:
    try:
        database.create(name, expression(resolution, name, wanted[name]))
    except Exception as error:  # noqa: BLE001  whatever the database says is reported by the view's name
        return name, f"view {name}: {type(error).__name__}: {error}".splitlines()[0]
    return None
