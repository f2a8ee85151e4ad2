"""What every quality rule works with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kpibook.intake import sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ibis.backends.duckdb import Backend

    from kpibook.intake.loading import Loaded
    from kpibook.params import Params

_EXAMPLES = 5
#: Receipts, each with the ``value`` of its lines, and whether it ``sold`` anything; made once, as joins are dear.
RECEIPTS = '"__weighed"'
#: Columns whose sum says how much a row weighs.
VALUE_COLUMNS = {"order_lines": "net_amount", "redemptions": "cost", "programme_costs": "amount"}


@dataclass(frozen=True)
class Checks:
    con: Backend
    params: Params
    loaded: Mapping[str, Loaded]

    def has(self, table: str, *columns: str) -> bool:
        """The table came with rows, and with these columns."""
        if table not in self.loaded or not self.loaded[table].facts.files:
            return False
        facts = self.loaded[table].facts
        return facts.rows > 0 and set(columns) <= facts.supplied

    def rows(self, table: str) -> int:
        return self.loaded[table].facts.rows

    def rows_of(self, table: str) -> int:
        """Rows of a table that may not have come."""
        return self.loaded[table].facts.rows if table in self.loaded else 0

    def one(self, query: str) -> tuple[Any, ...]:
        return sql.row(self.con, query)

    def value(self, table: str) -> str | None:
        """SQL for a row's value, when the client supplied it; receipts weigh their lines' net amount."""
        if table == "transactions":
            return "value" if self.has("order_lines", "net_amount") else None
        column = VALUE_COLUMNS.get(table)
        return column if column and self.has(table, column) else None

    def relation(self, table: str) -> str:
        """The table, receipts with their ``value``."""
        if table == "transactions" and self.value(table):
            return RECEIPTS
        return table

    def examples(self, table: str, condition: str) -> tuple[int, ...]:
        """The first rows of the source file for which ``condition`` holds."""
        query = (
            f"SELECT {sql.ROW} FROM ({self.loaded[table].numbered}) AS t WHERE {condition} ORDER BY 1 LIMIT {_EXAMPLES}"
        )
        return tuple(row[0] for row in sql.rows(self.con, query))


def share(part: Any, whole: Any) -> float | None:
    """``part`` of ``whole`` as a float; None without a positive whole."""
    if part is None or whole is None or whole <= 0:
        return None
    return float(part) / float(whole)
