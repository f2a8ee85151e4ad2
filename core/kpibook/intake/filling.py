"""What a client left out: whole columns, and single values of columns that must have one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kpibook.intake import sql, values
from kpibook.model import SQL_TYPES, TABLES, Column

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibis.backends.duckdb import Backend

_EXAMPLES = 5


@dataclass(frozen=True)
class Filled:
    """Empty values of a supplied column that became ``value``; ``examples`` are the first row numbers."""

    value: str
    rows: int
    examples: tuple[int, ...]


@dataclass(frozen=True)
class Completed:
    """``select`` has every canonical column; in ``before``, the empty values of ``defaults`` are still empty."""

    select: str
    supplied: frozenset[str]
    assumed: Mapping[str, str] = field(default_factory=dict)
    before: str = ""
    defaults: Mapping[str, str] = field(default_factory=dict)


def completed(table: str, select: str, given: tuple[str, ...], currency: str) -> Completed:
    """``select`` with every canonical column: derived, assumed, or NULL.

    A null that no KPI expects would drop its row from every figure: it becomes what is assumed of a whole column.
    """
    parts, supplied, assumed, defaults = [sql.ROW], set(given), {}, {}
    for column in TABLES[table].columns.values():
        quoted = sql.name(column.name)
        taken = column.assumed.replace("{currency}", currency) if column.assumed is not None else None
        if column.name in given:
            if taken is None or taken == "null" or column.nullable:
                parts.append(quoted)
                continue
            defaults[column.name] = taken
            value = f"COALESCE({quoted}, {_literal(column, taken)})"
        elif column.name == "business_date" and "ts" in given:
            value = "CAST(ts AS DATE)"
            supplied.add(column.name)
        elif column.key:
            value = f"CAST({sql.ROW} AS VARCHAR)"
            assumed[column.name] = "row number"
            supplied.add(column.name)
        elif taken is not None:
            assumed[column.name] = taken
            value = _literal(column, taken)
        else:
            value = f"CAST(NULL AS {SQL_TYPES[column.kind]})"
        parts.append(f"{value} AS {quoted}")
    return Completed(f"SELECT {', '.join(parts)} FROM ({select})", frozenset(supplied), assumed, select, defaults)


def filled(con: Backend, whole: Completed, table: str) -> dict[str, Filled]:
    """How many values were filled, by column; columns without an empty value are left out."""
    if not whole.defaults:
        return {}
    tests = [f"FILTER ({sql.name(column)} IS NULL)" for column in whole.defaults]
    parts = ", ".join(f"count(*) {test}, min({sql.ROW}, {_EXAMPLES}) {test}" for test in tests)
    found = values.run(con, f"SELECT {parts} FROM ({whole.before})", table)[0]
    return {
        column: Filled(value, found[2 * i], tuple(found[2 * i + 1]))
        for i, (column, value) in enumerate(whole.defaults.items())
        if found[2 * i]
    }


def _literal(column: Column, value: str) -> str:
    if value == "null":
        return f"CAST(NULL AS {SQL_TYPES[column.kind]})"
    return f"CAST({sql.text(value)} AS {SQL_TYPES[column.kind]})"
