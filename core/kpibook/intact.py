"""pandas stays as it is: a plugin that replaces a part of it is found out, and the part put back.

What others add (accessors, new methods) is left alone. Parts are compared by identity with
those that stood when ``keep`` was first called, before any plugin was loaded.
"""

from __future__ import annotations

import sys
from operator import is_
from typing import Any

_OWNERS = ("DataFrame", "Series", "Index", "DatetimeIndex", "Categorical", "Timestamp")
_kept: dict[Any, dict[str, Any]] = {}


def keep() -> None:
    """Take stock of pandas, once in a process that has loaded it."""
    pandas = sys.modules.get("pandas")
    if pandas is None or _kept:
        return
    groups = sys.modules["pandas.core.groupby.groupby"]
    for owner in (pandas, groups.GroupBy, *(getattr(pandas, name) for name in _OWNERS)):
        for each in owner.__mro__ if isinstance(owner, type) else (owner,):
            if each is pandas or each.__module__.partition(".")[0] == "pandas":
                _kept[each] = {name: part for name, part in vars(each).items() if _counts(part)}


def put_back() -> list[str]:
    """The names of what was replaced or removed since ``keep``, all of it in its place again."""
    found = []
    for owner, parts in _kept.items():
        there = vars(owner)
        if all(map(is_, map(there.get, parts), parts.values())):  # asked after every call of a definition
            continue
        for name in [name for name, part in parts.items() if there.get(name) is not part]:
            setattr(owner, name, parts[name])
            found.append(f"{'pandas' if owner is sys.modules.get('pandas') else f'pandas.{owner.__name__}'}.{name}")
    return sorted(set(found))


def _counts(part: Any) -> bool:
    return callable(part) or isinstance(part, property | classmethod | staticmethod)
