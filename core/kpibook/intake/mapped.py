"""A table's mapping as one SELECT, with the tests of its values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kpibook.intake.notes import plain
from kpibook.model import TABLES, Column

if TYPE_CHECKING:
    from kpibook.errors import Problem
    from kpibook.intake.notes import Note


def model_column(table: str, column: str) -> Column:
    """The column of a table, or the header's that is given with the lines."""
    own = TABLES[table].columns
    return own[column] if column in own else TABLES["transactions"].columns[column]


@dataclass(frozen=True)
class Mapped:
    """``select`` yields ``__row`` and the mapped canonical columns; ``tests`` are conditions on ``untyped``.

    ``sources`` names the source column of those that are mapped by a name; ``notes`` say what was assumed of the
    values, ``problems`` what has to be settled first.
    """

    table: str
    files: tuple[str, ...]
    select: str
    untyped: str
    columns: tuple[str, ...]
    tests: tuple[ValueTest, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()

    def where(self, column: str) -> str:
        """A canonical column in a message, with the client's own name for it."""
        return place(self.files[0], self.table, column, self.sources.get(column))


@dataclass(frozen=True)
class ValueTest:
    """Rows of ``untyped`` where ``bad`` holds have a ``value`` that is not what the column expects.

    ``number`` is what a cast to a number casts, and to what.
    """

    column: str
    bad: str
    value: str
    expected: str
    number: tuple[str, str] | None = None


def place(file: str, table: str, column: str, source: str | None) -> str:
    """``lines.csv: order_lines.net_amount (Betrag)``."""
    return f"{file}: {table}.{column}" + (f" ({plain(source)})" if source and source != column else "")
