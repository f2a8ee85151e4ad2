"""Which views a run makes."""

from typing import Any

from kpibook import kpi, total, view
from kpibook.catalog import build
from kpibook.engine.compute import compute
from kpibook.periods import Period
from kpibook.tracing import Source
from tiny_client import TinyParams, load, receipt, shop


@view(key="transaction_id", date="business_date")
def sold(transactions: Any) -> Any:
    """Sold: receipts."""
    return transactions


@view(key="transaction_id", date="business_date")
def aside(transactions: Any) -> Any:
    """Aside: it has the column of a breakdown, and nobody reads it."""
    return transactions


@view(describes="customer_id")
def ages(below: Any) -> Any:
    """Ages: persons by the year in which they were born."""
    return below.select("customer_id", age=below.kind)


@view(key="customer_id")
def below(customers: Any) -> Any:
    """Below: what the breakdown rests on."""
    return customers.select("customer_id", kind=(customers.birth_year < 1980).ifelse("old", "young"))


@kpi(unit="receipts", better="higher")
def receipts_sold(sold: Any) -> Any:
    """Receipts sold: all of them."""
    return total(sold.count())


def test_a_view_with_the_column_of_a_breakdown_is_made_only_if_somebody_reads_it() -> None:
    catalog = build(Source(each, "tests") for each in (sold, aside, ages, below, receipts_sold))
    rows = [receipt(n, "2024-07-01", 10, person, channel="web") for n, person in enumerate("ABB")]
    born = [{"customer_id": "A", "birth_year": 1970}, {"customer_id": "B", "birth_year": 1990}]
    loaded = load(shop(*rows, customers=born))
    params = TinyParams(Period.parse("2024-07-01/2024-12-31"), breakdowns=("channel", "age"))
    card = compute(catalog, params, loaded).scorecard  # type: ignore[arg-type]

    made = {name for (name,) in loaded.backend.con.execute("SHOW TABLES").fetchall()}
    assert made & {"sold", "aside", "ages", "below"} == {"sold", "ages", "below"}
    by_age = card[card.segment_by == "age"]
    assert dict(zip(by_age.segment, by_age.value, strict=True)) == {"old": 1, "young": 2}
