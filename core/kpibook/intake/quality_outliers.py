"""A handful of rows that make most of a column: a slip in writing is the likelier the fewer and the farther off."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from kpibook.intake.facts import Finding, Severity
from kpibook.model import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from decimal import Decimal

    from kpibook.intake.checks import Checks

#: Tables of many like events. Costs and accounts are few rows, unequal by nature: one licence may be most of a year.
COLUMNS = {
    "order_lines": ("quantity", *(c.name for c in TABLES["order_lines"].columns.values() if c.kind == "money")),
    "redemptions": ("points_used", "face_value", "cost"),
    "points_ledger": ("points",),
}
#: Values other than zero below which one large purchase is no rarity (to check), or nothing can be said.
ENOUGH, FEWEST = 100, 10
#: A handful: three rows, or one in a thousand, and never more than ten; one where a table has not enough.
SOME_ROWS, ONE_IN, MOST_ROWS = 3, 1000, 10
#: They carry more than half of the column.
MOST_OF_VALUE = 0.5
#: Each is so many times the largest of all others: heavy tails have no such gap.
FAR = 10


def outlying_values(checks: Checks) -> Iterator[Finding]:
    """Values far above all others that carry most of their column; not one with its cancellation: that is nothing."""
    for table, columns in COLUMNS.items():
        given = [column for column in columns if checks.has(table, column)]
        if not given:
            continue
        parts = ", ".join(
            f"count(*) FILTER ({c} <> 0), sum(abs({c})), max_by({c}, abs({c}), {MOST_ROWS + 1})" for c in given
        )
        found = checks.one(f"SELECT {parts} FROM {table}")
        judged = clean = 0
        for i, column in enumerate(given):
            count, total, largest = found[3 * i : 3 * i + 3]
            if count < FEWEST:
                continue
            judged += 1
            apart = _apart(largest, 1 if count < ENOUGH else max(SOME_ROWS, min(MOST_ROWS, count // ONE_IN)))
            carried = abs(sum(largest[:apart]))
            rest = total - sum(abs(x) for x in largest[:apart])
            if not apart or carried <= MOST_OF_VALUE * float(carried + rest):
                clean += 1
                continue
            least, next_one = abs(largest[apart - 1]), abs(largest[apart])
            severity: Severity = "red" if count >= ENOUGH else "amber"
            yield Finding(
                "outlying_values",
                severity,
                table,
                column,
                apart,
                checks.rows(table),
                float(carried) / float(carried + rest),
                {"times": int(least / next_one)},
                checks.examples(table, f"abs({column}) >= {least}"),
            )
        if judged and judged == clean:
            yield Finding("outlying_values", "green", table, None, 0, checks.rows(table))


def _apart(largest: Sequence[Decimal], most: int) -> int:
    """How many of the ``largest`` values, at most so many, stand far above the next one; the more the better."""
    gaps = [i for i, (one, next_one) in enumerate(pairwise(map(abs, largest)), start=1) if one >= FAR * next_one]
    return max((i for i in gaps if i <= most), default=0)


RULES = (outlying_values,)
