"""Which days the data cover, against the days the report speaks about."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from kpibook.intake import sql
from kpibook.intake.facts import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from kpibook.intake.checks import Checks
    from kpibook.periods import Period

#: A shop may be closed on the first and last days of a period.
CLOSED_DAYS = 7
#: So large a part of the period missing, and its totals are not the period's.
MOST_MISSING = 0.1


def coverage(checks: Checks) -> Iterator[Finding]:
    """First and last day of the data against period and comparison.

    Only the period is serious: what is compared with days that the data do not cover is not computed.
    """
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
        serious: Severity = "red" if name == "period" else "amber"
        if not inside:
            yield Finding(f"{name}_without_data", serious, "transactions", None, 0, facts.rows, details=details)
            continue
        severity: Severity = "green" if not missing else "info" if missing <= CLOSED_DAYS else "amber"
        if severity == "amber" and missing > MOST_MISSING * span.days:
            severity = serious
        yield Finding(f"{name}_covered", severity, "transactions", None, inside, facts.rows, details=details)


def months(checks: Checks) -> Iterator[Finding]:
    """Months without a purchase between the first and the last day looked at.

    Serious are months of the period, unless the shop had none in that month of any other year either: it closes then.
    """
    facts = checks.loaded["transactions"].facts
    if facts.date_min is None or facts.date_max is None:
        return
    spans = [span for span in (checks.params.period, checks.params.compare) if span is not None]
    first, last = max(facts.date_min, min(s.start for s in spans)), min(facts.date_max, max(s.last for s in spans))
    found = sql.rows(
        checks.con,
        f"SELECT strftime(business_date, '%Y-%m'), bool_or(business_date BETWEEN DATE '{first}' AND DATE '{last}') "
        "FROM transactions WHERE business_date IS NOT NULL GROUP BY 1 ORDER BY 1",
    )
    seen = {month for month, inside in found if inside}
    wanted = [m for m in _months(first, last) if any(_touches(span, m) for span in spans)]
    lacking = [m for m in wanted if m not in seen]
    closed = _closed([month for month, _ in found])
    lost = [m for m in lacking if _touches(checks.params.period, m) and not closed(m)]
    of_months = len([*_months(checks.params.period.start, checks.params.period.last)])
    severity: Severity = "red" if len(lost) > MOST_MISSING * of_months else "amber" if lacking else "green"
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


def _closed(seen: Sequence[str]) -> Callable[[str], bool]:
    """Whether the data have other years of a month, and no purchase in any.

    A year with one month of purchases is no year of the shop's, such as the 1900 of a date not known.
    """
    counts = Counter(month[:4] for month in seen)
    sold = [month for month in seen if counts[month[:4]] > 1]
    years = sorted({month[:4] for month in sold})

    def closed(month: str) -> bool:
        others = [f"{year}{month[4:]}" for year in years if year != month[:4]]
        known = [other for other in others if sold[0] <= other <= sold[-1]]
        return bool(known) and not set(known) & set(sold)

    return closed


def _touches(span: Period, month: str) -> bool:
    return f"{span.start:%Y-%m}" <= month <= f"{span.last:%Y-%m}"


RULES = (coverage, months, later)
