"""Which KPIs a finding in the data touches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from kpibook.engine.computable import Computability
from kpibook.intake import Finding
from kpibook.tracing import Resolution

#: Rules about something else than the column they name: what is wrong with the figures that read these.
READS: Mapping[str, tuple[str, ...]] = {
    "duplicate_lines": ("order_lines.net_amount", "order_lines.gross_amount", "order_lines.quantity"),
    "financials_differ": ("order_lines.net_amount",),
    "other_currency": ("order_lines.net_amount", "order_lines.gross_amount"),
    "receipt_not_positive": ("order_lines.net_amount",),
    "receipt_without_lines": ("order_lines.net_amount",),
    "returns_not_linked": ("order_lines.quantity", "order_lines.net_amount"),
    "return_without_original": ("order_lines.return_of_line_id",),
    "provisional_returns": ("order_lines.return_of_line_id",),
    "no_customers": ("transactions.customer_id",),
    "period_covered": ("transactions.business_date",),
    "period_without_data": ("transactions.business_date",),
    "comparison_covered": ("transactions.business_date",),
    "comparison_without_data": ("transactions.business_date",),
    "later_than_period": (),
}


def touched(finding: Finding, resolution: Resolution, judged: Iterable[Computability]) -> tuple[str, ...]:
    """Ids of the computed KPIs that read what is wrong, in the order of the catalogue; none of a check that passed."""
    if finding.severity == "green":
        return ()
    places = READS.get(finding.rule, (finding.place,))
    computed = [c.kpi for c in judged if c.state != "not"]
    return tuple(kpi for kpi in computed if any(_reads(resolution.kpis[kpi].needs, place) for place in places))


def _reads(needs: Mapping[str, frozenset[str]], place: str) -> bool:
    table, _, column = place.partition(".")
    if not column:
        return table in needs
    return bool({*column.split("+")} & needs.get(table, frozenset()))
