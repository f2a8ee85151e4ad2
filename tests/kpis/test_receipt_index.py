"""The card receipt index, worked by hand."""

from __future__ import annotations

import pytest

from kpis.sales_cases import KNOWN, PERIOD, SHOP, reason, sale, tables
from tiny_client import only, row, run

KPI = "avg_receipt_index_total"


def test_index() -> None:
    """With card 60, 30 and 10: 100/3. All: 60, 70, 20, 30, 10: 190/5 = 38. 100 x 33.33 / 38 = 87.72.
    The card's side rests on one person.
    """
    found = row(run(SHOP, PERIOD, data=KNOWN, catalog=only(KPI)), KPI)
    assert (found["value"], found["unit"], found["status"]) == (pytest.approx(100 * (100 / 3) / 38), "index", "low_n")
    assert reason(found) == {"id": "reason.too_few_customers", "n": 1, "minimum": 100}


def test_index_of_enough_persons() -> None:
    """100 persons with a card and a receipt of 30, 50 without either and one of 60: 30 per 40."""
    shop = tables(
        *(sale(f"r{i}", "2024-01-10", 30, by=f"c{i}", card=f"m{i}") for i in range(100)),
        *(sale(f"s{i}", "2024-01-10", 60) for i in range(50)),
    )
    found = row(run(shop, PERIOD, data=KNOWN, catalog=only(KPI)), KPI)
    assert (found["value"], found["n"], found["status"]) == (pytest.approx(75), 100, "ok")
    assert found["low"] < found["value"] < found["high"]


def test_when_everybody_shows_a_card_it_is_100_exactly() -> None:
    """The card receipts are the total: numerator and denominator vary together, and the interval is a point."""
    shop = tables(*(sale(f"r{i}", "2024-01-10", 10 + i, by=f"c{i}", card=f"m{i}") for i in range(120)))
    found = row(run(shop, PERIOD, data=KNOWN, catalog=only(KPI)), KPI)
    assert (found["value"], found["status"]) == (pytest.approx(100), "ok")
    assert (found["low"], found["high"]) == (pytest.approx(100), pytest.approx(100))


def test_without_a_card() -> None:
    found = row(run(tables(sale("r", "2024-01-10", 10, by="c")), PERIOD, data=KNOWN, catalog=only(KPI)), KPI)
    assert (found["value"], found["status"], reason(found)) == (None, "undefined", {"id": "reason.zero_denominator"})
