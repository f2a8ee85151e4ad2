"""The one hook."""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from kpibook.definition import Definition

PROJECT = "kpibook"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def kpibook_definitions() -> Sequence[Definition]:  # type: ignore[empty-body]
    """Return the KPIs and views this plugin offers, as decorated by ``@kpi`` and ``@view``.

    Called once when plugins are discovered; it must compute nothing and read nothing.
    Every id must be unique over all plugins. A plugin is a module named by an entry
    point of group ``kpibook``, or a loose file in the params file's plugin folder.
    """
