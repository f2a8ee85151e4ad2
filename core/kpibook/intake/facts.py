"""What intake found: tables, findings, and the connection that holds the data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from ibis.backends.duckdb import Backend

    from kpibook.intake.reconciliation import Reconciled

Severity = Literal["red", "amber", "green", "info"]
SEVERITIES: tuple[Severity, ...] = ("red", "amber", "info", "green")


@dataclass(frozen=True)
class TableFacts:
    """One canonical table. ``sql`` runs in the source folder; ``assumed`` maps a column to the value taken."""

    name: str
    rows: int = 0
    supplied: frozenset[str] = frozenset()
    assumed: Mapping[str, str] = field(default_factory=dict)
    date_min: date | None = None
    date_max: date | None = None
    sql: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Finding:
    """One rule's outcome: ``rows`` of ``of_rows``; ``examples`` are row numbers of the source file, never data."""

    rule: str
    severity: Severity
    table: str
    column: str | None = None
    rows: int = 0
    of_rows: int = 0
    value_share: float | None = None
    details: Mapping[str, str | int | float] = field(default_factory=dict)
    examples: tuple[int, ...] = ()

    @property
    def place(self) -> str:
        """``table.column``, or the table."""
        return f"{self.table}.{self.column}" if self.column else self.table

    @property
    def is_reading(self) -> bool:
        """Whether it tells how a file was read and what was assumed, and finds nothing wrong with the data."""
        return self.rule.startswith("read_")

    @property
    def order(self) -> tuple[int, str, str, str, str]:
        place = SEVERITIES.index(self.severity)
        return (place, self.table, self.rule, self.column or "", str(sorted(self.details.items())))


@dataclass(frozen=True)
class Intake:
    """``con`` holds all canonical tables; ``data_end`` is the last business date seen.

    ``digests`` say what is in each table; none without a store.
    """

    con: Backend
    facts: Mapping[str, TableFacts]
    findings: tuple[Finding, ...]
    fingerprints: Mapping[str, str]
    data_start: date | None
    data_end: date | None
    reconciled: tuple[Reconciled, ...] = ()
    digests: Mapping[str, str] = field(default_factory=dict)
    taken: bool = False

    @property
    def is_draft(self) -> bool:
        """Something is so wrong with the data that no figure may leave the house yet."""
        return any(finding.severity == "red" for finding in self.findings)


def quality_document(intake: Intake) -> dict[str, Any]:
    """The findings and table facts as plain JSON values."""
    return {
        "data_start": _day(intake.data_start),
        "data_end": _day(intake.data_end),
        "files": dict(sorted(intake.fingerprints.items())),
        "tables": [_table(facts) for facts in intake.facts.values()],
        "findings": [_finding(finding) for finding in intake.findings],
        "draft": intake.is_draft,
        "reconciliation": [
            {
                "start": _day(span.start),
                "end": _day(span.end),
                "accounts": span.accounts,
                "sales": span.ours,
                "deviation": round(span.deviation, 6),
                "agrees": span.agrees,
                "whole_period": span.whole,
            }
            for span in intake.reconciled
        ],
    }


def _table(facts: TableFacts) -> dict[str, Any]:
    return {
        "name": facts.name,
        "rows": facts.rows,
        "supplied": sorted(facts.supplied),
        "assumed": dict(sorted(facts.assumed.items())),
        "date_min": _day(facts.date_min),
        "date_max": _day(facts.date_max),
        "files": list(facts.files),
        "sql": facts.sql,
    }


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "rule": finding.rule,
        "severity": finding.severity,
        "table": finding.table,
        "column": finding.column,
        "rows": finding.rows,
        "of_rows": finding.of_rows,
        "value_share": finding.value_share,
        "details": dict(sorted(finding.details.items())),
        "examples": list(finding.examples),
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
