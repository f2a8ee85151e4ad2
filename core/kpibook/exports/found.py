"""What was found in a report's data, as its ``quality.json`` has it."""

from __future__ import annotations

from dataclasses import fields as fields_of
from typing import TYPE_CHECKING

from kpibook.intake.facts import Finding
from kpibook.present.audit_tables import SEVERITIES

if TYPE_CHECKING:
    from kpibook.exports.finished import Finished

GRAVE = ("red", "amber")


def findings(report: Finished) -> list[tuple[Finding, list[str]]]:
    """Each finding with the KPIs it touches, the gravest first; columns that nobody needs are left out."""
    known = [field.name for field in fields_of(Finding) if field.name != "examples"]
    found = [
        (Finding(**{name: f[name] for name in known}), list(f.get("kpis", ())))
        for f in report.quality.get("findings", ())
        if not (f["rule"] == "assumed" and f["details"].get("value") == "null")
    ]
    return sorted(found, key=lambda f: SEVERITIES.index(f[0].severity))
