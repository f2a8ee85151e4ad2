"""Values that do not fit their canonical column: found in one pass, told with row and value."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.errors import DataError, Problem
from kpibook.intake import sql
from kpibook.intake.cast_numbers import remedy_for
from kpibook.intake.casting import shown
from kpibook.intake.mapped import model_column
from kpibook.intake.typed_text import MEND

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb
    from ibis.backends.duckdb import Backend

    from kpibook.intake.mapped import Mapped

_MOST_NAMED = 5


def misfits(con: Backend, mapped: Mapped) -> list[Problem]:
    """A Problem for every column with values of a wrong type or outside its list."""
    try:
        return [*_wrong_types(con, mapped), *_unlisted(con, mapped)]
    except DataError as error:
        return list(error.problems)


def run(con: Backend, query: str, table: str) -> list[tuple]:
    """Rows of a query over client files. Raises DataError without any of their content."""
    import duckdb

    try:
        return sql.rows(con, query)
    except duckdb.Error as error:
        raise DataError(refusal(error, table)) from error


def refusal(error: duckdb.Error, place: str) -> Problem:
    """What a failed query says to the user."""
    import duckdb

    if isinstance(error, duckdb.ConversionException):
        what = "a cast inside CASE, COALESCE or an aggregate met a value it cannot read"
        return Problem(place, what, "use try_cast there")
    if isinstance(error, duckdb.OutOfMemoryException):
        return Problem(place, "the data do not fit into the memory allowed", "raise limits: memory")
    kind = type(error).__name__.removesuffix("Exception")
    return Problem(place, f"the files could not be read ({kind})", "check files and expressions")


def _wrong_types(con: Backend, mapped: Mapped) -> Iterator[Problem]:
    if not mapped.tests:
        return
    parts = ", ".join(
        f"count(*) FILTER ({t.bad}), min({sql.ROW}) FILTER ({t.bad}), "
        f"arg_min(CAST({t.value} AS VARCHAR), {sql.ROW}) FILTER ({t.bad})"
        for t in mapped.tests
    )
    found = run(con, f"SELECT {parts} FROM ({mapped.untyped})", mapped.table)[0]
    for i, test in enumerate(mapped.tests):
        count, first, value = found[3 * i : 3 * i + 3]
        if count:
            where = f"{mapped.where(test.column)}: row {first}"
            more = f", {count} rows in all" if count > 1 else ""
            remedy = remedy_for(value, *test.number) if test.number else ""
            yield Problem(where, f"{shown(value)} is not {test.expected}{more}", remedy or MEND)


def _unlisted(con: Backend, mapped: Mapped) -> Iterator[Problem]:
    for column in mapped.columns:
        known = model_column(mapped.table, column).values
        if not known:
            continue
        listed = ", ".join(sql.text(v) for v in known)
        quoted = sql.name(column)
        found = run(
            con,
            f"SELECT {quoted}, count(*), min({sql.ROW}) FROM ({mapped.select}) WHERE {quoted} NOT IN ({listed}) "
            f"GROUP BY ALL ORDER BY 2 DESC, 1",
            mapped.table,
        )
        if found:
            names = ", ".join(shown(value) for value, _, _ in found[:_MOST_NAMED])
            more = f" and {sql.counted(len(found) - _MOST_NAMED, 'more value')}" if len(found) > _MOST_NAMED else ""
            where = f"{mapped.where(column)}: row {min(row for _, _, row in found)}"
            remedy = f"map it with an expression onto: {', '.join(known)}"
            yield Problem(
                where, f"{sql.counted(sum(n for _, n, _ in found), 'row')} outside the list: {names}{more}", remedy
            )
