"""Own channels against marketplaces, worked by hand."""

from __future__ import annotations

import pytest

from kpis.sales_cases import back, copies, reason, sale, tables, values
from tiny_client import only, row, run

KPI = "own_channel_share"
PERIOD, KNOWN = "2024-01-01/2024-01-31", "2023-01-01/2024-03-31"
SHOP = tables(
    sale("r0", "2023-11-10", 10, by="c1", channel="store"),
    sale("r1", "2023-12-10", 50, by="c1", channel="marketplace"),
    sale("r2", "2023-12-11", 50, by="c2", channel="marketplace"),
    sale("r3", "2023-12-12", 50, by="c2", channel="web"),
    sale("r4", "2024-01-10", 30, by="c1", channel="store"),
    sale("r5", "2024-01-11", 20, by="c2", channel="web"),
    sale("r6", "2024-01-12", 40, channel="marketplace"),
    sale("r7", "2024-02-02", back("r6.1", 10), channel="store"),
    sale("r8", "2024-01-13", 10, by="c3", channel="store"),
    sale("r9", "2024-01-14", 25, by="c4", channel=None),
)


def test_share() -> None:
    """Own: 30 + 20 + 10 = 60. Marketplace: 40 less the 10 that came back to a shop. 60 of 90; the receipt without a
    channel is in neither. Of the 60, c1's 30 moved over: c1 last bought on the marketplace, c2 on the web.
    """
    results = run(SHOP, PERIOD, data=KNOWN, catalog=only(KPI))
    found = row(results, KPI)
    assert (found["value"], found["numerator"], found["denominator"]) == (pytest.approx(2 / 3), 60, 90)
    assert (found["status"], reason(found)) == ("low_n", {"id": "reason.too_few_customers", "n": 4, "minimum": 100})
    moved = row(results, KPI, "shifted")
    assert (moved["value"], moved["numerator"], moved["denominator"]) == (0.5, 30, 60)


def test_share_by_category_and_identification() -> None:
    shop = copies(SHOP, 12) | {"products": [{"product_id": "p", "category_id": "P"}]}
    results = run(shop, PERIOD, data=KNOWN, catalog=only(KPI), breakdowns=("category_id",))
    assert values(results, KPI, "category_id") == {"P": pytest.approx(2 / 3)}
    assert values(results, KPI, "identification") == {"identified": 1, "anonymous": 0}


def test_no_channel_known() -> None:
    found = row(run(tables(sale("r", "2024-01-10", 9, channel=None)), PERIOD, data=KNOWN, catalog=only(KPI)), KPI)
    assert (found["value"], found["status"], reason(found)) == (None, "undefined", {"id": "reason.zero_denominator"})
