"""Aggregates that several statements contain, made once and read by all of them.

Two KPIs may each sum a year's spend of every person on the way to what they are about.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import ibis.expr.operations as ops

from kpibook.lineage import Lineage

#: What is summed over these alone costs nothing.
SMALL = frozenset({"periods"})


def aggregates(statements: Collection[ops.Relation], lineage: Lineage) -> dict[ops.Relation, ops.Relation]:
    """``{aggregate: the table to make of it}`` for those that more than one of the ``statements`` contain.

    In building order. Of aggregates one within another the outer one is taken, unless more
    statements contain the inner one; then what lies around it is cheap and stays where it is.
    """
    holders: dict[ops.Relation, set[int]] = {}
    for number, statement in enumerate(statements):
        for found in statement.find(ops.Aggregate):
            holders.setdefault(found, set()).add(number)
    often = {found: numbers for found, numbers in holders.items() if len(numbers) > 1}
    outer = [found for found in often if not _within_another(found, often)]
    made: dict[ops.Relation, ops.Relation] = {}
    for found in _inner_first(outer):
        tables, views = lineage.reads([found.replace(made)])
        if {*tables, *views} - SMALL - {table.name for table in made.values()}:
            made[found] = ops.UnboundTable(f"_part_{len(made)}", found.schema)
    return made


def _within_another(found: ops.Relation, often: Mapping[ops.Relation, Collection[int]]) -> bool:
    """Whether every statement that contains it contains a larger one around it, the same in all."""
    others = (other for other in often if other != found and often[other] == often[found])
    return any(found in other.find(ops.Aggregate) for other in others)


def _inner_first(found: Sequence[ops.Relation]) -> list[ops.Relation]:
    return sorted(found, key=lambda one: len(one.find(ops.Aggregate)))
