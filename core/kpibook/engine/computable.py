"""The computability matrix: which KPIs this client's tables and columns allow, and why not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kpibook import rules
from kpibook.tracing import Resolved

FREE = ("periods", "scorecard")


@dataclass(frozen=True)
class Computability:
    """``state``: computable, partly or not; ``missing``: table.column of the headline or, if partly, of ``lost``."""

    kpi: str
    family: str
    state: str
    missing: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    reason: str = ""


def judge(kpi: Resolved, supplied: Mapping[str, frozenset[str]], rows: Mapping[str, int]) -> Computability:
    """``supplied`` are a client's columns by table, assumed ones included; ``rows`` the tables' sizes."""
    family = kpi.definition.family
    if kpi.failure:
        return Computability(kpi.id, family, "not", reason=rules.reason("kpi_failed", error=kpi.failure))
    absent = _absent(kpi.needs, supplied, rows)
    if absent:
        tables = sorted({a.partition(".")[0] for a in absent})
        if all("." not in a for a in absent):
            why = rules.reason("missing_table", tables=", ".join(tables))
        else:
            why = rules.reason("missing_columns", columns=", ".join(absent))
        return Computability(kpi.id, family, "not", absent, reason=why)
    lost = {name: _absent(needs, supplied, rows) for name, needs in kpi.variant_needs.items()}
    gone = {name: columns for name, columns in lost.items() if columns}
    if gone:
        missing = tuple(sorted({c for columns in gone.values() for c in columns}))
        why = rules.reason("missing_columns", columns=", ".join(missing))
        return Computability(kpi.id, family, "partly", missing, tuple(gone), why)
    return Computability(kpi.id, family, "computable")


def _absent(
    needs: Mapping[str, frozenset[str]], supplied: Mapping[str, frozenset[str]], rows: Mapping[str, int]
) -> tuple[str, ...]:
    """table.column for each missing column; the table alone when all of it is missing."""
    found: list[str] = []
    for table, columns in needs.items():
        if table in FREE:
            continue
        if not rows.get(table):
            found.append(table)
        else:
            found += [f"{table}.{c}" for c in sorted(columns - supplied[table])]
    return tuple(found)
