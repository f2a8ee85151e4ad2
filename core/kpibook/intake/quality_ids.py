"""Ids of persons that are probably one: they differ only in what a spreadsheet takes away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.intake.facts import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpibook.intake.checks import Checks

_TABLES = ("transactions", "customers", "memberships")
#: So large a part of the receipts is no accident of two ids that happen to be alike.
MANY = 0.05


def alike(checks: Checks) -> Iterator[Finding]:
    """``00123`` and ``123``, ``c7`` and ``C7``, in one table or between those that are looked up in each other."""
    for column in ("customer_id", "member_id"):
        tables = [table for table in _TABLES if checks.has(table, column)]
        if "transactions" not in tables:
            continue
        ids = " UNION ALL ".join(f"SELECT {column} AS id FROM {table}" for table in tables)
        distinct_ids = f"SELECT DISTINCT id FROM ({ids}) WHERE id IS NOT NULL"
        twins = f"SELECT id FROM ({distinct_ids}) QUALIFY count(*) OVER (PARTITION BY lower(ltrim(id, '0'))) > 1"
        distinct = checks.one(f"SELECT count(*) FROM ({twins})")[0]
        if distinct:
            test = f"{column} IN ({twins})"
            rows, of_rows = checks.one(f"SELECT count(*) FILTER ({test}), count({column}) FROM transactions")
            severity: Severity = "red" if rows > MANY * of_rows else "amber"
            yield Finding("ids_alike", severity, "transactions", column, rows, of_rows, details={"distinct": distinct})


RULES = (alike,)
