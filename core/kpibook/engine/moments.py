"""Sums, squares and products over clusters, as text around a compiled query.

A group of estimates may need hundreds of products. Ibis would build, rewrite and
validate five nodes for each; nothing in them depends on the client.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ibis.expr.types as ir
import sqlglot
import sqlglot.expressions as sge

#: Stands for the statement of the rows while what is around it is translated.
INNER = "SELECT * FROM _inner"
WITHOUT_MATERIALIZED = ("spark", "databricks")


@dataclass(frozen=True)
class Moments:
    """Aggregates by ``keys`` over ``inner``: SQL text by name of the resulting column.

    ``ranked`` are aggregates of ``inner`` with the further columns ``ranks``, text over windows, beside ``columns``.
    Where ``spread`` is given, each cluster has a row a period in ``inner``: one row is made of them, ``spread`` its
    columns besides ``keys`` and ``groups``.
    """

    inner: ir.Table
    keys: Sequence[str]
    columns: Mapping[str, str]
    ranks: Mapping[str, str] = field(default_factory=dict)
    ranked: Mapping[str, str] = field(default_factory=dict)
    groups: Sequence[str] = ()
    spread: Mapping[str, str] = field(default_factory=dict)

    def clusters(self, sql: str) -> str:
        """The statement of one row a cluster, ``sql`` being that of ``inner``."""
        if not self.spread:
            return sql
        names = _listed([*self.keys, *self.groups])
        return f"SELECT {names}, {_named(self.spread)} FROM ({sql}) GROUP BY {names}"

    def around(self, sql: str, dialect: str = "duckdb") -> str:
        """The whole statement, ``sql`` being that of ``inner``; rows in the order of the keys."""
        if dialect != "duckdb":
            return translated(self.around(INNER), dialect).replace(INNER, sql)
        keys, sql = _listed(self.keys), self.clusters(sql)
        sums = f"SELECT {keys}, {_named(self.columns)} FROM clusters GROUP BY {keys}"
        if not self.ranked:
            return f"WITH clusters AS ({sql}) {sums} ORDER BY {keys}"
        # Windows carry every column of their rows along: what is summed alone stays out of them.
        places = f"SELECT *, {_named(self.ranks)} FROM clusters"
        largest = f"SELECT {keys}, {_named(self.ranked)} FROM ranked JOIN sums USING ({keys}) GROUP BY {keys}"
        steps = f"WITH clusters AS MATERIALIZED ({sql}), sums AS ({sums}), ranked AS ({places}), largest AS ({largest})"
        return f"{steps} SELECT * FROM sums JOIN largest USING ({keys}) ORDER BY {keys}"


def translated(text: str, dialect: str) -> str:
    """Our text in another dialect; any value of a number that there is once is its largest, which all engines know."""
    tree = sqlglot.parse_one(text.replace("ANY_VALUE(", "MAX("), dialect="duckdb")
    if dialect in WITHOUT_MATERIALIZED:
        for step in tree.find_all(sge.CTE):
            step.set("materialized", None)
    return str(tree.sql(dialect))


def _listed(columns: Sequence[str]) -> str:
    return ", ".join(f'"{column}"' for column in columns)


def _named(columns: Mapping[str, str]) -> str:
    return ", ".join(f'{text} AS "{name}"' for name, text in columns.items())


def within(column: str, period: str, name: str) -> str:
    """The one value of a column that has a row a period, in the period of that name (``name`` is its column)."""
    return f"""ANY_VALUE("{column}") FILTER (WHERE "{name}" = '{period}')"""


def total(column: str) -> str:
    """Its sum."""
    return f'SUM("{column}")'


def product(one: str, other: str) -> str:
    """The sum of its products with another, in floating point."""
    return f'SUM(CAST("{one}" AS DOUBLE) * CAST("{other}" AS DOUBLE))'


def positive(column: str) -> str:
    """How many clusters have more than nothing of it."""
    return f'COUNT(*) FILTER (WHERE "{column}" > 0)'


def present(column: str) -> str:
    """How many clusters have some of it."""
    return f'COUNT(*) FILTER (WHERE "{column}" <> 0)'


def rank(column: str, counted: str, keys: Sequence[str]) -> str:
    """Place of a cluster by size, the largest 1, among those that have some of ``counted``."""
    return f'ROW_NUMBER() OVER (PARTITION BY {_listed(keys)}, "{counted}" > 0 ORDER BY "{column}" DESC NULLS LAST)'


def largest(column: str, counted: str, place: str, persons: str, part: float) -> str:
    """The sum of the largest ``part`` of those clusters, by their ``place`` and the column that counts them."""
    return f'SUM("{column}") FILTER (WHERE "{counted}" > 0 AND "{place}" <= CEIL("{persons}" * {part}))'
