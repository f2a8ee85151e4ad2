"""Data that no report can be built on: empty, doubled or outside the period."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.errors import DataError, Problem
from kpibook.intake import sql
from kpibook.intake.casting import shown
from kpibook.model import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibis.backends.duckdb import Backend

    from kpibook.intake.loading import Loaded
    from kpibook.params import Params

_NAMED = 5


def refuse(con: Backend, params: Params, loaded: Mapping[str, Loaded]) -> None:
    """Raise DataError with every reason, if there is one."""
    problems = [*_empty(loaded)]
    for name, table in loaded.items():
        problems.extend(_keys(con, name, table))
    if not problems:
        problems.extend(_no_period(con, params))
    if problems:
        raise DataError(problems)


def _empty(loaded: Mapping[str, Loaded]) -> Iterator[Problem]:
    lifted = loaded["transactions"].facts.files == loaded["order_lines"].facts.files
    for name in ("order_lines",) if lifted else ("transactions", "order_lines"):
        if loaded[name].facts.rows == 0:
            where = f"{', '.join(loaded[name].facts.files)}: {name}"
            yield Problem(where, "no rows", "check the file, and where: in the mapping")


def _keys(con: Backend, name: str, table: Loaded) -> Iterator[Problem]:
    facts = table.facts
    key = TABLES[name].key
    if not key or not facts.files or (len(key) == 1 and key[0] in facts.assumed):
        return
    columns = ", ".join(sql.name(c) for c in key)
    where = f"{', '.join(facts.files)}: {name}.{'+'.join(key)}"
    empty = " OR ".join(f"{sql.name(c)} IS NULL" for c in key)
    distinct = sql.name(key[0]) if len(key) == 1 else f"({columns})"
    filled = f"count(*) FILTER (NOT ({empty}))"
    nulls, doubled = sql.row(
        con,
        f"SELECT count(*) FILTER ({empty}), {filled} - count(DISTINCT {distinct}) FILTER (NOT ({empty})) FROM {name}",
    )
    if nulls:
        found = sql.rows(con, f"SELECT {sql.ROW} FROM ({table.numbered}) WHERE {empty} ORDER BY 1 LIMIT {_NAMED}")
        yield Problem(
            where,
            f"{sql.counted(nulls, 'row')} without a key, first {_rows(found)}",
            "fill the key, or leave it out by where:",
        )
    if doubled:
        yield from _doubled(con, name, table, columns, where)


def _doubled(con: Backend, name: str, table: Loaded, columns: str, where: str) -> Iterator[Problem]:
    every = ", ".join(sql.name(c) for c in TABLES[name].columns)
    copies = f"count(*) OVER (PARTITION BY {columns})"
    same = f"count(*) OVER (PARTITION BY {every})"
    found = sql.rows(
        con,
        f"SELECT {sql.ROW}, same, copies FROM (SELECT {sql.ROW}, {same} AS same, {copies} AS copies "
        f"FROM ({table.numbered})) WHERE copies > 1 ORDER BY 1",
    )
    if all(same == copies for _, same, copies in found):
        what = f"{len(found)} rows are exact copies of each other, first {_rows(found)}"
        yield Problem(where, what, "deliver every row once")
    else:
        values = sql.rows(con, f"SELECT {columns} FROM ({table.numbered}) WHERE {sql.ROW} = {found[0][0]}")[0]
        key = " + ".join(shown(value) for value in values)
        what = f"{len(found)} rows have a duplicate key, first {_rows(found)}: {key}"
        yield Problem(where, what, "deliver every key once, map another key, or say duplicates: first")


def _rows(found: list[tuple]) -> str:
    named = ", ".join(str(row[0]) for row in found[:_NAMED])
    return f"row {named}" if len(found) == 1 else f"rows {named}"


def _no_period(con: Backend, params: Params) -> Iterator[Problem]:
    inside, first, last = sql.row(
        con,
        f"SELECT count(*) FILTER (business_date >= DATE '{params.period.start}' AND business_date < DATE "
        f"'{params.period.end}'), min(business_date), max(business_date) FROM transactions",
    )
    if not inside:
        what = f"no purchase between {params.period.start} and {params.period.last}"
        told = f"{what}: the data go from {first} to {last}" if first else f"{what}: no purchase has a date"
        yield Problem(
            f"{params.where('period')}: period", told, "choose a period inside the data, or deliver later data"
        )
