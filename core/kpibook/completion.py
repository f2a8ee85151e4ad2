"""Ids and settings that IPython offers inside of ``book.explain("``, ``book.rows("`` and ``book.with_settings(``."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

from kpibook.model import TABLES

#: A variable, a method that takes a KPI's id, an open string.
IN_STRING = re.compile(r"(\w+)\.(?:explain|why)\(\s*(?:kpi\s*=\s*)?[\"'](\w*)$")
#: Likewise of a method that takes a table's name.
IN_ROWS = re.compile(r"(\w+)\.rows\(\s*(?:table\s*=\s*)?[\"'](\w*)$")
#: A variable whose settings are changed: an argument is begun.
IN_SETTINGS = re.compile(r"(\w+)\.with_settings\((?:.*,)?\s*(\w*)$", re.DOTALL)
#: Within the settings of one KPI: a key is begun.
IN_KEYS = re.compile(r"(\w+)\.with_settings\((?:.*[,\s])?(\w+)\s*=\s*\{(?:[^{}]*,)?\s*[\"'](\w*)$", re.DOTALL)

NAME = "kpibook_completions"


def offered(before: str, names: Mapping[str, Any]) -> list[str]:
    """What may follow the text ``before`` the cursor, ``names`` being the variables of the notebook."""
    if found := IN_KEYS.search(before):
        book, kpi, begun = found.groups()
        known = _catalog(names.get(book))
        source = known.definitions.get(kpi) if known else None
        return _beginning(begun, source.definition.settings) if source else []
    if found := IN_STRING.search(before):
        known = _catalog(names.get(found[1]))
        return _beginning(found[2], known.kpis) if known else []
    if found := IN_ROWS.search(before):
        known = _catalog(names.get(found[1]))
        return _beginning(found[2], [*TABLES, *known.views]) if known else []
    if found := IN_SETTINGS.search(before):
        known = _catalog(names.get(found[1]))
        with_settings = [n for n, s in known.definitions.items() if s.definition.settings] if known else []
        return [f"{name}=" for name in _beginning(found[2], with_settings)]
    return []


def install() -> None:
    """Teach the running IPython, once; elsewhere nothing is done."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    matchers = getattr(getattr(shell, "Completer", None), "custom_matchers", None)
    if matchers is None or any(getattr(m, "__name__", "") == NAME for m in matchers):
        return
    matchers.append(_matcher(shell))


def _matcher(shell: Any) -> Callable[[Any], Any]:
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher(identifier=NAME, priority=200)  # type: ignore[untyped-decorator]
    def kpibook_completions(context: Any) -> Any:
        text = context.full_text[: _offset(context)]
        found = offered(text, shell.user_ns)
        begun = re.search(r"\w*$", text)
        completions = [SimpleCompletion(name, type="kpi") for name in found]
        return {"completions": completions, "matched_fragment": begun[0] if begun else "", "suppress": bool(found)}

    kpibook_completions.__name__ = NAME
    return kpibook_completions


def _offset(context: Any) -> int:
    """Where the cursor is in the whole text of the cell."""
    lines = context.full_text.split("\n")
    return sum(len(line) + 1 for line in lines[: context.cursor_line]) + int(context.cursor_position)


def _catalog(value: Any) -> Any:
    return getattr(value, "catalog", None)


def _beginning(begun: str, names: Any) -> list[str]:
    return [name for name in names if name.startswith(begun)]
