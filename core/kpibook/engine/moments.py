"""Sums, squares and products over clusters, as text around a compiled query.

A group of estimates may need hundreds of products. Ibis would build, rewrite and
validate five nodes for each; nothing in them depends on the client.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ibis.expr.types as ir


@dataclass(frozen=True)
class Moments:
    """Aggregates by ``keys`` over ``inner``: SQL text by name of the resulting column.

    ``ranks`` are columns added to ``inner`` before: text over windows of the same ``keys``.
    """

    inner: ir.Table
    keys: Sequence[str]
    columns: Mapping[str, str]
    ranks: Mapping[str, str] = field(default_factory=dict)

    def around(self, sql: str) -> str:
        """The whole statement, ``sql`` being that of ``inner``; rows in the order of the keys."""
        keys = ", ".join(f'"{key}"' for key in self.keys)
        chosen = ", ".join(f'{text} AS "{name}"' for name, text in self.columns.items())
        if self.ranks:
            added = ", ".join(f'{text} AS "{name}"' for name, text in self.ranks.items())
            sql = f"SELECT *, {added} FROM ({sql}) AS unranked"
        return f"SELECT {keys}, {chosen} FROM ({sql}) AS clusters GROUP BY {keys} ORDER BY {keys}"


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
    within = ", ".join(f'"{key}"' for key in keys)
    return f'ROW_NUMBER() OVER (PARTITION BY {within}, "{counted}" > 0 ORDER BY "{column}" DESC NULLS LAST)'


def number(counted: str, keys: Sequence[str]) -> str:
    """How many clusters have some of ``counted``, beside each cluster."""
    within = ", ".join(f'"{key}"' for key in keys)
    return f'COUNT(*) FILTER (WHERE "{counted}" > 0) OVER (PARTITION BY {within})'


def largest(column: str, counted: str, place: str, persons: str, part: float) -> str:
    """The sum of the largest ``part`` of those clusters, by their ``place`` and number."""
    return f'SUM("{column}") FILTER (WHERE "{counted}" > 0 AND "{place}" <= CEIL("{persons}" * {part}))'
