"""A shop whose persons come, stay, leave and return; and a catalogue of single KPIs with all views."""

from __future__ import annotations

from typing import Any

from kpibook.catalog import Catalog
from loyalty_kpis import campaigns, customers, customers_views, governance, retention, usage
from tiny_client import only, receipt, row, run, shop

MODULES = (customers_views, customers, retention, usage, campaigns, governance)
#: Tried with the campaigns.
ELSEWHERE = ("initiative_continuity", "on_target_response_rate")
KPIS = {d.id: d for module in MODULES for d in module.DEFINITIONS if d.kind == "kpi" and d.id not in ELSEWHERE}


def catalog_of(*kpis: str) -> Catalog:
    """These KPIs, the views they rest on, and those that persons are broken down by."""
    return only(*kpis, "first_purchases", "customer_usage")


def compute(kpi: str, tables: dict[str, Any], period: str, compare: str | None = None, **more: Any) -> Any:
    """Results of one KPI; ``setting=value`` keywords in ``settings`` belong to it."""
    settings = {kpi: more.pop("settings")} if "settings" in more else {}
    return run(tables, period, compare, catalog=catalog_of(kpi), settings=settings, **more)


def figure(kpi: str, results: Any, segment: str = "total", period: str = "current") -> tuple[Any, ...]:
    """(value, numerator, denominator, status)."""
    found = row(results, kpi, segment, period)
    return found["value"], found["numerator"], found["denominator"], found["status"]


def bought(*days: str, customer: str | None, amount: float = 10, first: int = 1) -> list[tuple[dict, dict]]:
    """One receipt a day; ``first`` keeps receipt numbers apart."""
    return [receipt(first * 1000 + i, day, amount, customer) for i, day in enumerate(days)]


def people(**days: list[str]) -> dict[str, Any]:
    """A shop of persons with their purchase days, 10 a day, and one anonymous buyer on the first day of them all."""
    receipts = [r for i, (name, own) in enumerate(days.items(), 1) for r in bought(*own, customer=name, first=i)]
    return shop(*receipts, *bought(min(min(own) for own in days.values()), customer=None, first=99))


def spenders(*years: tuple[str, dict[str, float]]) -> dict[str, Any]:
    """A shop in which persons spend one amount on one day of a year: ``("2024-06-01", {"anna": 10})``."""
    receipts = []
    for i, (day, spends) in enumerate(years, 1):
        receipts += [receipt(i * 100 + j, day, amount, name) for j, (name, amount) in enumerate(spends.items())]
    return shop(*receipts)


FULL_RETURN = {
    "transactions": [{"transaction_id": "back", "ts": "2024-09-03 10:00:00", "customer_id": "emil"}],
    "order_lines": [{"transaction_id": "back", "net_amount": -25, "line_id": "back", "return_of_line_id": "sold"}],
}

#: 2022: anna, bea. 2023: anna, dora, emil. 2024: anna (two receipts on one day), bea, carl (twice);
#: emil's purchase of 2024 was returned in full, fay is staff. Two anonymous receipts in 2023, one in 2024.
SHOP = shop(
    receipt(1, "2022-03-01", 10, "anna"),
    receipt(2, "2023-05-01", 20, "anna"),
    receipt(3, "2024-02-01", 30, "anna"),
    receipt(4, "2024-02-01", 5, "anna"),
    receipt(5, "2022-04-01", 10, "bea"),
    receipt(6, "2024-06-01", 40, "bea"),
    receipt(7, "2024-03-01", 50, "carl"),
    receipt(8, "2024-05-10", 20, "carl"),
    receipt(9, "2023-07-01", 60, "dora"),
    receipt(10, "2023-08-01", 15, "emil"),
    receipt(11, "2024-09-01", 25, "emil", line_id="sold"),
    receipt(12, "2024-10-01", 12, "fay", is_staff=True),
    receipt(13, "2024-04-01", 99),
    receipt(14, "2023-04-01", 1),
    receipt(15, "2023-04-02", 1),
)
SHOP = {name: [*rows, *FULL_RETURN[name]] for name, rows in SHOP.items()}
YEARS = {"period": "2024-01-01/2024-12-31", "compare": "2023-01-01/2023-12-31", "data": "2022-01-01/2024-12-31"}
