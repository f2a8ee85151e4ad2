"""What reading a file assumed or left out: told in the terminal, in quality.json and in the report."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from kpibook.intake.facts import Finding, Severity

_LONGEST = 60


@dataclass(frozen=True)
class Note:
    """A finding that does not know its table yet."""

    rule: str
    severity: Severity
    column: str | None = None
    rows: int = 0
    of_rows: int = 0
    details: Mapping[str, str | int | float] = field(default_factory=dict)
    examples: tuple[int, ...] = ()

    def finding(self, table: str) -> Finding:
        return Finding(
            f"read_{self.rule}", self.severity, table, self.column, self.rows, self.of_rows, None, self.details,
            self.examples,
        )  # fmt: skip


def plain(text: str) -> str:
    """A name from a client's file (sheet, member, column) that may stand in a terminal: one line, nothing hidden."""
    shown = "".join(c if unicodedata.category(c)[0] != "C" else "\ufffd" for c in text)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def listed(numbers: list[int], most: int = 5) -> str:
    """``6``, ``6, 12``, or the first five and an ellipsis."""
    return ", ".join(map(str, numbers[:most])) + (", …" if len(numbers) > most else "")
