"""Which days the data cover, against the days the report speaks about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.intake import sql
from kpibook.intake.facts import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from kpibook.intake.checks import Checks
    from kpibook.periods import Period

_CLOSED_DAYS = 7


def coverage(checks: Checks) -> Iterator[Finding]:
    """First and last day of the data against period and comparison."""
    facts = checks.loaded["transactions"].facts
    if facts.date_min is None or facts.date_max is None:
        return
    spans: dict[str, Period | None] = {"period": checks.params.period, "comparison": checks.params.compare}
    for name, span in spans.items():
        if span is None:
            continue
        inside = checks.one(f"SELECT count(*) FROM transactions WHERE {_within(span)}")[0]
        missing = max(0, (facts.date_min - span.start).days) + max(0, (span.last - facts.date_max).days)
        details: dict[str, str | int | float] = {
            "first": str(facts.date_min),
            "last": str(facts.date_max),
            "start": str(span.start),
            "end": str(span.last),
            "missing_days": min(missing, span.days),
        }
        if not inside:
            yield Finding(f"{name}_without_data", "amber", "transactions", None, 0, facts.rows, details=details)
            continue
        severity: Severity = "green" if not missing else "info" if missing <= _CLOSED_DAYS else "amber"
        yield Finding(f"{name}_covered", severity, "transactions", None, inside, facts.rows, details=details)


def months(checks: Checks) -> Iterator[Finding]:
    """Months without a purchase between the first and the last day looked at."""
    facts = checks.loaded["transactions"].facts
    if facts.date_min is None or facts.date_max is None:
        return
    spans = [span for span in (checks.params.period, checks.params.compare) if span is not None]
    first, last = max(facts.date_min, min(s.start for s in spans)), min(facts.date_max, max(s.last for s in spans))
    seen = {
        row[0]
        for row in sql.rows(
            checks.con,
            "SELECT DISTINCT strftime(business_date, '%Y-%m') FROM transactions "
            f"WHERE business_date BETWEEN DATE '{first}' AND DATE '{last}'",
        )
    }
    wanted = [m for m in _months(first, last) if any(_touches(span, m) for span in spans)]
    lacking = [m for m in wanted if m not in seen]
    severity: Severity = "amber" if lacking else "green"
    details: dict[str, str | int | float] = {"months": len(wanted), "first": lacking[0] if lacking else ""}
    yield Finding(
        "month_without_data", severity, "transactions", "business_date", len(lacking), len(wanted), details=details
    )


def later(checks: Checks) -> Iterator[Finding]:
    """Purchases after the period: not in the report, and no mistake."""
    end = checks.params.period.end
    rows = checks.one(f"SELECT count(*) FROM transactions WHERE business_date >= DATE '{end}'")[0]
    if rows:
        of_rows = checks.rows("transactions")
        details: dict[str, str | int | float] = {"end": str(checks.params.period.last)}
        yield Finding("later_than_period", "info", "transactions", "business_date", rows, of_rows, details=details)


def _within(span: Period) -> str:
    return f"business_date >= DATE '{span.start}' AND business_date < DATE '{span.end}'"


def _months(first: date, last: date) -> Iterator[str]:
    for index in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        yield f"{index // 12:04d}-{index % 12 + 1:02d}"


def _touches(span: Period, month: str) -> bool:
    return f"{span.start:%Y-%m}" <= month <= f"{span.last:%Y-%m}"


RULES = (coverage, months, later)
