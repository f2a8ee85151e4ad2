"""SQL text: names and values quoted, rows fetched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

ROW = '"__row"'


def name(text: str) -> str:
    """A quoted identifier."""
    return '"' + text.replace('"', '""') + '"'


def text(value: str) -> str:
    """A quoted literal."""
    return "'" + value.replace("'", "''") + "'"


def counted(number: int, what: str) -> str:
    """``1 row``, ``2 rows``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def rows(con: Backend, query: str) -> list[tuple[Any, ...]]:
    return con.raw_sql(query).fetchall()


def row(con: Backend, query: str) -> tuple[Any, ...]:
    """The only row of an aggregate."""
    return rows(con, query)[0]
