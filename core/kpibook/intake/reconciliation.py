"""Net sales against the accounts, span by span and for the period of the report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from kpibook.intake import sql
from kpibook.intake.facts import Finding, Severity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from kpibook.intake.checks import Checks
    from kpibook.periods import Period

TOLERANCE = 0.01


@dataclass(frozen=True)
class Reconciled:
    """Both days are inside. ``whole`` is the report's period, added up from the spans of the accounts."""

    start: date
    end: date
    accounts: float
    ours: float
    whole: bool = False

    @property
    def deviation(self) -> float:
        return self.ours / self.accounts - 1

    @property
    def tolerance(self) -> float:
        return TOLERANCE

    @property
    def agrees(self) -> bool:
        return abs(self.deviation) <= TOLERANCE


def reconciled(checks: Checks) -> tuple[Reconciled, ...]:
    """Every span of ``company_financials`` that lies inside the data; a span without sales counts as zero sales."""
    facts = checks.loaded["transactions"].facts
    if not checks.has("company_financials", "net_revenue") or checks.value("transactions") is None:
        return ()
    found = sql.rows(
        checks.con,
        "SELECT f.period_start, f.period_end, f.net_revenue, coalesce(sum(t.value), 0) FROM company_financials f "
        f"LEFT JOIN {checks.relation('transactions')} t ON t.business_date BETWEEN f.period_start AND f.period_end "
        "AND t.status = 'completed' AND NOT t.is_test "
        f"WHERE f.net_revenue > 0 AND f.period_start >= DATE '{facts.date_min}' "
        f"AND f.period_end <= DATE '{facts.date_max}' GROUP BY ALL ORDER BY 1, 2",
    )
    spans = [Reconciled(start, end, float(accounts), float(ours)) for start, end, accounts, ours in found]
    return (*spans, *_whole(spans, checks.params.period))


def financials(checks: Checks) -> Iterator[Finding]:
    """Red where the period does not agree, or, where no spans make it up, any of them; amber where parts only shift."""
    spans = reconciled(checks)
    if not spans:
        return
    parts = [span for span in spans if not span.whole]
    beyond = [span for span in parts if not span.agrees]
    whole = [span for span in spans if span.whole]
    worst = max(whole if whole and not whole[0].agrees else parts, key=lambda span: abs(span.deviation))
    severity: Severity = "green" if not beyond else "amber" if whole and whole[0].agrees else "red"
    if whole and not whole[0].agrees:
        severity = "red"
    details: dict[str, str | int | float] = {
        "deviation": round(worst.deviation, 6),
        "start": str(worst.start),
        "end": str(worst.end),
        "tolerance": TOLERANCE,
    }
    rows = len(beyond) or int(severity == "red")
    yield Finding("financials_differ", severity, "company_financials", "net_revenue", rows, len(parts), details=details)


def _whole(spans: Sequence[Reconciled], period: Period) -> Iterator[Reconciled]:
    """The period's sum when several spans make it up without a gap or an overlap."""
    inside = [span for span in spans if period.start <= span.start and span.end <= period.last]
    days = [period.start, *(span.end + timedelta(days=1) for span in inside)]
    if len(inside) > 1 and days == [*(span.start for span in inside), period.end]:
        accounts, ours = (sum(getattr(span, side) for span in inside) for side in ("accounts", "ours"))
        yield Reconciled(period.start, period.last, accounts, ours, whole=True)
