"""Which KPIs a finding touches."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from kpibook.effects import READS, touched
from kpibook.engine.computable import Computability
from kpibook.intake import Finding

NEEDS = {
    "sales": {"order_lines": frozenset({"net_amount"}), "transactions": frozenset({"business_date"})},
    "persons": {"transactions": frozenset({"customer_id", "business_date"})},
    "points": {"points_ledger": frozenset({"points"})},
}
RESOLUTION: Any = SimpleNamespace(kpis={k: SimpleNamespace(needs=n) for k, n in NEEDS.items()})
JUDGED = [Computability(k, "f", "not" if k == "points" else "computable") for k in NEEDS]


@pytest.mark.parametrize(
    ("finding", "kpis"),
    [
        (Finding("empty", "red", "order_lines", "net_amount", 1), ("sales",)),
        (Finding("empty", "amber", "transactions", "customer_id", 1), ("persons",)),
        (Finding("other_currency", "red", "transactions", "currency", 1), ("sales",)),
        (Finding("month_without_data", "amber", "transactions", "business_date", 1), ("sales", "persons")),
        (Finding("receipt_without_lines", "amber", "transactions", None, 1), ("sales",)),
        (Finding("odd", "info", "transactions", None, 1), ("sales", "persons")),
        (Finding("points_below_zero", "amber", "points_ledger", "points", 1), ()),  # not computed
        (Finding("later_than_period", "info", "transactions", "business_date", 1), ()),
        (Finding("empty", "green", "order_lines", "net_amount"), ()),
    ],
)
def test_kpis_that_read_what_is_wrong(finding: Finding, kpis: tuple[str, ...]):
    assert touched(finding, RESOLUTION, JUDGED) == kpis


def test_every_rule_and_column_named_is_known():
    """A rule that was renamed would touch nothing."""
    from pathlib import Path

    import kpibook.intake
    from kpibook.model import TABLES

    text = "".join(p.read_text(encoding="utf-8") for p in Path(kpibook.intake.__file__).parent.glob("*.py"))
    odd = [r for r in READS if f'"{r}"' not in text and not (r.endswith(("_covered", "_without_data")))]
    assert odd == []
    assert all(p.partition(".")[2] in TABLES[p.partition(".")[0]].columns for places in READS.values() for p in places)
