"""Shared views, materialised once a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

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


def materialise(
    resolution: Resolution, wanted: dict[str, tuple[str, ...]], create: Callable[[str, ir.Table], Any]
) -> dict[str, str]:
    """Create every view of ``wanted``; returns ``{view: why}`` for those that failed or rest on one that did."""
    failures: dict[str, str] = {}
    for name, columns in wanted.items():
        below = resolution.lineage.reads([resolution.views[name].op()])[1]
        broken = [failures[v] for v in below if v in failures]
        if broken:
            failures[name] = broken[0]
            continue
        try:
            create(name, expression(resolution, name, columns))
        except Exception as error:  # noqa: BLE001  whatever the database says is reported by the view's name
            failures[name] = f"view {name}: {type(error).__name__}: {error}".splitlines()[0]
    return failures
