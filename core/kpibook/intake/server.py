"""A PostgreSQL session that answers our statements as DuckDB would; nothing but temporary tables is written.

Each statement has a savepoint of its own that may read only: a table is made empty first and filled then. What is
fetched are counts, sums and a few row numbers; the rows stay where they are.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import sqlglot
from sqlglot import exp

from kpibook.errors import DataError, Problem
from kpibook.intake import database_errors, sql
from kpibook.intake.server_sql import translated
from kpibook.model import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from kpibook.params import Params

Result = TypeVar("Result")
_KINDS = {
    "str": 'text COLLATE "C"',
    "enum": 'text COLLATE "C"',
    "int": "bigint",
    "float": "double precision",
    "decimal": "numeric(18, 4)",
    "money": "numeric(18, 4)",
    "bool": "boolean",
    "date": "date",
    "time": "time",
    "datetime": "timestamp",
    "list": 'text[] COLLATE "C"',
}
_ROW = f"{sql.ROW} bigint"
#: Collations that know the small letters of every script, the surest first.
_FOLDING = ("pg_c_utf8", "C.utf8", "C.UTF-8", "und-x-icu")


class Answer:
    """The rows of a statement."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


class Server:
    """Stands where a DuckDB connection stands. ``tables`` are our copies of the client's, by the client's names."""

    def __init__(self, backend: Any, params: Params) -> None:
        self.backend, self.params = backend, params
        self.tables: dict[str, str] = {}
        self.doing = "while the session began"
        self.folding = self._folding()
        self.ask('CREATE TEMPORARY TABLE "__mine" (may boolean)', reading=False)

    def raw_sql(self, query: str) -> Answer:
        """Execute a statement written for DuckDB. Raises DataError in our words."""
        tree = sqlglot.parse_one(query, dialect="duckdb")
        if isinstance(tree, exp.Drop):
            return self.drop(tree.this.name)
        if not isinstance(tree, exp.Create):
            return self.ask(self.said(query))
        if tree.expression is None:
            return self.make(tree.this.this.name)
        name, select = tree.this.name, self.said(tree.expression.sql(dialect="duckdb"))
        self.drop(name)
        self.ask(f"CREATE TEMPORARY TABLE {sql.name(name)} AS {select} WITH NO DATA", reading=False)
        return self.fill(name, select)

    def said(self, query: str) -> str:
        """The statement as the server gets it."""
        return translated(query, self.tables, self.folding)

    def make(self, name: str, *, numbered: bool = False) -> Answer:
        """An empty canonical table; numbered ones are ``__name`` and have ``__row`` first."""
        made = f"__{name}" if numbered else name
        columns = [f"{sql.name(c.name)} {_KINDS[c.kind]}" for c in TABLES[name].columns.values()]
        self.drop(made)
        listed = ", ".join([_ROW, *columns] if numbered else columns)
        return self.ask(f"CREATE TEMPORARY TABLE {sql.name(made)} ({listed})", reading=False)

    def fill(self, name: str, select: str) -> Answer:
        """Put the rows of a statement of the server's into a table of ours."""
        self.ask(f"INSERT INTO pg_temp.{sql.name(name)} {select}")
        return self.ask(f"ANALYZE pg_temp.{sql.name(name)}", reading=False)

    def show(self, name: str, source: str) -> Answer:
        """The canonical table ``name``, seen in another one that holds its rows."""
        columns = ", ".join(sql.name(c) for c in TABLES[name].columns)
        self.ask(f"DROP VIEW IF EXISTS pg_temp.{sql.name(name)}", reading=False)
        view = f"CREATE TEMPORARY VIEW {sql.name(name)} AS SELECT {columns} FROM pg_temp.{sql.name(source)}"
        return self.ask(view, reading=False)

    def drop(self, name: str) -> Answer:
        return self.ask(f"DROP TABLE IF EXISTS pg_temp.{sql.name(name)}", reading=False)

    def ask(self, statement: str, *, reading: bool = True) -> Answer:
        """Execute a statement of the server's. Raises DataError without any of the driver's words."""
        return self._heard(lambda cursor: _answer(cursor, statement), reading=reading)

    def columns(self, query: str) -> dict[str, int]:
        """The type, by its number there, of each column of a statement written for DuckDB. Raises DataError."""
        statement = f"SELECT * FROM ({self.said(query)}) AS asked LIMIT 0"
        return self._heard(lambda cursor: _kinds(cursor, statement), reading=True)

    def _heard(self, work: Callable[[Any], Result], *, reading: bool) -> Result:
        try:
            with self.step(reading=reading) as cursor:
                return work(cursor)
        except Exception as error:  # noqa: BLE001  the driver's; it may hold the URL, or values
            told = database_errors.unanswered(error, self.where, self.params, self.doing)
        raise DataError(told)  # outside of the handler: the driver's error must not hang on to ours

    @property
    def where(self) -> str:
        return f"{self.params.where('source')}: source"

    @contextmanager
    def step(self, *, reading: bool = True) -> Iterator[Any]:
        """A cursor inside a savepoint of its own."""
        with self.backend.con.transaction(), self.backend.con.cursor() as cursor:
            if reading:
                cursor.execute("SET TRANSACTION READ ONLY")  # till the end of the savepoint
            yield cursor

    def _folding(self) -> str:
        listed = ", ".join(map(sql.text, _FOLDING))
        here = "collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))"
        found = {
            row[0]
            for row in self.ask(f"SELECT collname FROM pg_collation WHERE collname IN ({listed}) AND {here}").fetchall()
        }
        known = [name for name in _FOLDING if name in found]
        utf8 = self.ask("SHOW server_encoding").fetchall() == [("UTF8",)]
        if not known or not utf8:
            what = "the database does not keep its texts as UTF-8 with a collation for all letters"
            raise DataError(Problem(self.where, what, "write extract: true"))
        return known[0]


def _answer(cursor: Any, statement: str) -> Answer:
    cursor.execute(statement)
    return Answer(cursor.fetchall() if cursor.description else [])


def _kinds(cursor: Any, statement: str) -> dict[str, int]:
    cursor.execute(statement)
    return {column.name: column.type_code for column in cursor.description}
