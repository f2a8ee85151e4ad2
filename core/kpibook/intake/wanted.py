"""Which columns of a file the params speak of: by them its header is found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from kpibook import expressions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kpibook.params import Params
    from kpibook.params_tables import TableMapping

#: The columns that ``unpivot:`` makes.
ITEM, ANSWER = "item", "answer"
_RANGE = re.compile(r"(?P<stem>.*?)(?P<first>\d+)\.\.(?P=stem)(?P<last>\d+)")
_MOST = 500
_MADE = {"row_id", ITEM, ANSWER}


def wanted_columns(params: Params, file: str, sheet: str | None) -> frozenset[str]:
    """Names of every mapping that reads ``file`` (and ``sheet`` of it)."""
    found: set[str] = set()
    for mapping in params.tables.values():
        if file == mapping.from_ and mapping.sheet == sheet:
            found |= set(_of(mapping))
        if file in mapping.join:
            found |= {*mapping.keys_of(file), *_of(mapping)}
    return frozenset(found)


def spread(names: Iterable[str]) -> tuple[str, ...]:
    """``E1..E3`` as E1, E2, E3."""
    found: list[str] = []
    for name in names:
        run = _RANGE.fullmatch(name)
        first, last = (int(run["first"]), int(run["last"])) if run else (0, 0)
        if run and first <= last < first + _MOST:
            found += [f"{run['stem']}{number}" for number in range(first, last + 1)]
        else:
            found.append(name)
    return tuple(dict.fromkeys(found))


def _of(mapping: TableMapping) -> Iterator[str]:
    values = [v if isinstance(v, str) else v.column for v in mapping.columns.values()]
    made = _MADE if mapping.unpivot else {"row_id"}
    for text in [*values, *([f"={mapping.where.strip().removeprefix('=')}"] if mapping.where else [])]:
        names: tuple[str, ...] = (text,)
        if text.lstrip().startswith("="):
            names = expressions.columns_of(expressions.parse(text.lstrip()[1:], aggregates=True))
        yield from (name for name in names if name not in made)
    yield from mapping.one_row_per
    yield from spread(mapping.unpivot)
    for file in mapping.join:
        yield from mapping.keys_of(file)
