"""Targets and costs written in the params file itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kpibook.intake import sql
from kpibook.model import SQL_TYPES, TABLES

if TYPE_CHECKING:
    from kpibook.params import Params


def given_tables(params: Params) -> dict[str, str]:
    """SELECTs for ``targets`` and ``programme_costs``; dates in them are first and last day."""
    first, last = params.period.start, params.period.last
    targets: list[dict[str, Any]] = [
        {
            "target_id": i,
            "kpi_id": t.kpi,
            "segment": t.segment,
            "period_start": first,
            "period_end": last,
            "baseline_value": t.baseline,
            "target_value": t.value,
            "comparator": t.comparator,
            "set_at": t.set_at,
            "superseded_at": None,
        }
        for i, t in enumerate(params.targets, start=1)
    ]
    costs: list[dict[str, Any]] = [
        {
            "cost_id": i,
            "programme_id": c.programme_id,
            "period_start": c.period_start or first,
            "period_end": c.period_end or last,
            "cost_type": c.cost_type,
            "amount": c.amount,
            "is_in_transactions": c.is_in_transactions,
            "is_estimate": c.is_estimate,
        }
        for i, c in enumerate(params.costs, start=1)
    ]
    found = {"targets": targets, "programme_costs": costs}
    return {table: _select(table, rows) for table, rows in found.items() if rows}


def _select(table: str, rows: list[dict[str, Any]]) -> str:
    columns = TABLES[table].columns.values()
    values = ", ".join("(" + ", ".join(_literal(row[c.name]) for c in columns) + ")" for row in rows)
    names = ", ".join(sql.name(c.name) for c in columns)
    typed = ", ".join(f"CAST({sql.name(c.name)} AS {SQL_TYPES[c.kind]}) AS {sql.name(c.name)}" for c in columns)
    return f"SELECT {typed} FROM (VALUES {values}) AS given({names})"


def _literal(value: Any) -> str:
    return "NULL" if value is None else sql.text(str(value))
