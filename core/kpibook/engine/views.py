"""Shared views, materialised once a run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from kpibook import withheld
from kpibook.engine.pipeline import Create, Task, Work
from kpibook.tracing import Resolution


def used(
    resolution: Resolution, nodes: Iterable[ops.Node], always: Iterable[str], dates: Mapping[str, str | None]
) -> dict[str, tuple[str, ...]]:
    """``{view: columns}`` in building order; ``always`` columns and a view's date are kept wherever it has them."""
    wanted = resolution.lineage.reads(nodes)[1]
    return {
        name: tuple(c for c in table.columns if c in wanted[name] or c in always or c == dates[name])
        for name, table in resolution.views.items()
        if name in wanted
    }


def expression(resolution: Resolution, view: str, columns: Iterable[str]) -> ir.Table:
    """The table of one view; columns that nobody uses are typed nulls, so they cost nothing."""
    table, kept = resolution.views[view], set(columns)
    return table.select(
        **{c: table[c] if c in kept else ibis.null(table[c].type()(nullable=True)) for c in table.columns}
    )


def tasks(resolution: Resolution, wanted: Mapping[str, tuple[str, ...]], failures: dict[str, str]) -> list[Task]:
    """One task a view, after those it rests on; ``failures`` gets ``{view: why}`` for those that could not be made."""
    made = []
    for name, columns in wanted.items():
        below = [v for v in resolution.lineage.reads([resolution.views[name].op()])[1] if v in wanted]
        work = _make(name, expression(resolution, name, columns), below, failures)
        made.append(Task(name, work, frozenset(below)))
    return made


def _make(name: str, table: ir.Table, below: Iterable[str], failures: dict[str, str]) -> Work:
    try:
        yield Create(name, table)
    except Exception as error:  # noqa: BLE001  whatever the database says is reported by the view's name
        broken = [failures[v] for v in sorted(below) if v in failures]
        failures[name] = broken[0] if broken else f"view {name}: {withheld.told(error)} · mend the view"
