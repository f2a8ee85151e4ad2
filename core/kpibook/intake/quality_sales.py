"""Receipts and lines: amounts, returns, currency, who bought."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from kpibook.intake import sql
from kpibook.intake.checks import RECEIPTS, share
from kpibook.intake.facts import Finding, Severity
from kpibook.model import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpibook.intake.checks import Checks

_CENT = "0.01"
MANY_NOT_POSITIVE = 0.05
MOST_DELIVERED_TWICE = 0.05
_RETURN_WINDOW = timedelta(days=30)
_DISCOUNTS = ("general_discount", "loyalty_discount", "personal_discount")


def duplicate_lines(checks: Checks) -> Iterator[Finding]:
    """Lines equal in everything but their key.

    A till may print an article twice, but hardly every line of a receipt: many such receipts were delivered twice.
    """
    facts = checks.loaded["order_lines"].facts
    columns = [c for c in TABLES["order_lines"].columns if c in facts.supplied and c != "line_id"]
    hashed = f"hash({', '.join(columns)})"
    rows = facts.rows - checks.one(f"SELECT count(DISTINCT {hashed}) FROM order_lines")[0]
    severity: Severity = "amber" if rows else "green"
    if rows > MOST_DELIVERED_TWICE * facts.rows:
        receipts = f"SELECT transaction_id, count(*) AS n FROM order_lines GROUP BY transaction_id, {hashed}"
        twice = checks.one(
            "SELECT sum(surplus) FROM (SELECT sum(n - 1) AS surplus, min(n) AS least "
            f"FROM ({receipts}) GROUP BY transaction_id) WHERE least > 1"
        )[0]
        severity = "red" if twice and twice > MOST_DELIVERED_TWICE * facts.rows else "amber"
    yield Finding("duplicate_lines", severity, "order_lines", None, rows, facts.rows)


def header_differs(checks: Checks) -> Iterator[Finding]:
    """Header columns that came with the lines, and are not what the receipt's first line says."""
    if "transactions" in checks.params.tables:
        return
    given = checks.params.tables["order_lines"].columns
    facts = checks.loaded["transactions"].facts
    columns = [c for c in TABLES["transactions"].columns if c in given and c != "transaction_id"]
    if not columns:
        return
    parts = ", ".join(f"count(*) FILTER (l.{sql.name(c)} IS DISTINCT FROM t.{sql.name(c)})" for c in columns)
    firsts = f'SELECT min({sql.ROW}) FROM "__lines" WHERE transaction_id IS NOT NULL GROUP BY transaction_id'
    first_lines = f'(SELECT * FROM "__lines" WHERE {sql.ROW} IN ({firsts}))'
    counts = checks.one(f'SELECT {parts} FROM "__lines" l JOIN {first_lines} t USING (transaction_id)')
    of_rows = checks.rows("order_lines")
    for column, rows in zip(columns, counts, strict=True):
        yield Finding("header_differs", "amber" if rows else "green", facts.name, column, rows, of_rows)


def amounts(checks: Checks) -> Iterator[Finding]:
    """gross - discounts = net, to the cent, line by line."""
    if not checks.has("order_lines", "gross_amount", "net_amount"):
        return
    given = [c for c in _DISCOUNTS if checks.has("order_lines", c)]
    discounts = "".join(f" - COALESCE({c}, 0)" for c in given)
    test = f"abs(gross_amount{discounts} - net_amount) > {_CENT}"
    rows, part, total = checks.one(
        f"SELECT count(*) FILTER ({test}), sum(net_amount) FILTER ({test}), sum(net_amount) FROM order_lines"
    )
    yield Finding(
        "amounts_differ",
        "amber" if rows else "green",
        "order_lines",
        "net_amount",
        rows,
        checks.rows("order_lines"),
        share(part, total),
        examples=checks.examples("order_lines", test) if rows else (),
    )


def receipts_not_positive(checks: Checks) -> Iterator[Finding]:
    """Receipts that sum to zero or less, but for those that only take back what another receipt sold."""
    if checks.value("transactions") is None:
        return
    of_rows = checks.rows("transactions")
    rows = checks.one(f"SELECT count(*) FROM {RECEIPTS} WHERE value <= 0 AND sold")[0]
    severity: Severity = "green" if not rows else "amber" if rows > MANY_NOT_POSITIVE * of_rows else "info"
    yield Finding("receipt_not_positive", severity, "transactions", None, rows, of_rows)


def receipts_without_lines(checks: Checks) -> Iterator[Finding]:
    test = "transaction_id NOT IN (SELECT transaction_id FROM order_lines WHERE transaction_id IS NOT NULL)"
    rows = checks.one(f"SELECT count(*) FROM transactions WHERE {test}")[0]
    if rows:
        examples = checks.examples("transactions", test)
        yield Finding(
            "receipt_without_lines", "amber", "transactions", None, rows, checks.rows("transactions"), examples=examples
        )


def currency(checks: Checks) -> Iterator[Finding]:
    """Receipts in another currency: their amounts would be added as if they were in ours."""
    if not checks.has("transactions", "currency"):
        return
    ours = checks.params.currency
    test = f"upper(currency) <> {sql.text(ours)}"
    weight = checks.value("transactions")
    sums = f"sum({weight}) FILTER ({test}), sum({weight})" if weight else "NULL, NULL"
    rows, part, total = checks.one(f"SELECT count(*) FILTER ({test}), {sums} FROM {checks.relation('transactions')}")
    yield Finding(
        "other_currency",
        "red" if rows else "green",
        "transactions",
        "currency",
        rows,
        checks.rows("transactions"),
        share(part, total),
        {"currency": ours},
        checks.examples("transactions", test) if rows else (),
    )


def anonymous(checks: Checks) -> Iterator[Finding]:
    """Receipts of nobody known: inside totals, outside every figure per person."""
    of_rows = checks.rows("transactions")
    weight = checks.value("transactions")
    sums = f"sum({weight}) FILTER (customer_id IS NULL), sum({weight})" if weight else "NULL, NULL"
    rows, persons, part, total = checks.one(
        "SELECT count(*) FILTER (customer_id IS NULL), count(DISTINCT customer_id), "
        f"{sums} FROM {checks.relation('transactions')}"
    )
    severity: Severity = "red" if rows == of_rows else "info"
    if persons == 0:
        yield Finding("no_customers", "red", "transactions", "customer_id", rows, of_rows)
    value = share(part, total) if rows else 0.0
    yield Finding("anonymous_sales", severity, "transactions", "customer_id", rows, of_rows, value)


def returns(checks: Checks) -> Iterator[Finding]:
    """Returns against what was bought, and the last days in which more of them may come."""
    of_rows = checks.rows("order_lines")
    if not checks.has("order_lines", "return_of_line_id"):
        if checks.has("order_lines", "quantity"):
            rows = checks.one("SELECT count(*) FROM order_lines WHERE quantity < 0")[0]
            if rows:
                yield Finding("returns_not_linked", "info", "order_lines", "return_of_line_id", rows, of_rows)
        return
    lost = "return_of_line_id IS NOT NULL AND return_of_line_id NOT IN (SELECT line_id FROM order_lines)"
    rows, linked = checks.one(f"SELECT count(*) FILTER ({lost}), count(return_of_line_id) FROM order_lines")
    yield Finding(
        "return_without_original",
        "amber" if rows else "green",
        "order_lines",
        "return_of_line_id",
        rows,
        linked,
        examples=checks.examples("order_lines", lost) if rows else (),
    )
    if checks.has("order_lines", "quantity"):
        rows = checks.one(
            "SELECT count(*) FROM (SELECT return_of_line_id AS line_id, -sum(quantity) AS back "
            "FROM order_lines WHERE return_of_line_id IS NOT NULL GROUP BY 1) JOIN order_lines b USING (line_id) "
            "WHERE back > b.quantity"
        )[0]
        yield Finding("return_above_bought", "amber" if rows else "green", "order_lines", "quantity", rows, linked)
    yield from _provisional(checks, linked)


def _provisional(checks: Checks, linked: int) -> Iterator[Finding]:
    last = checks.loaded["transactions"].facts.date_max
    since = last - _RETURN_WINDOW + timedelta(days=1) if last else None
    if linked and since and since < checks.params.period.end:
        rows = checks.one(
            f"SELECT count(*) FROM transactions WHERE business_date >= DATE '{since}' "
            f"AND business_date < DATE '{checks.params.period.end}'"
        )[0]
        details: dict[str, str | int | float] = {"since": str(since), "days": _RETURN_WINDOW.days}
        of_rows = checks.rows("transactions")
        yield Finding("provisional_returns", "info", "transactions", "business_date", rows, of_rows, details=details)


RULES = (
    duplicate_lines, header_differs, amounts, receipts_not_positive, receipts_without_lines, currency, anonymous,
    returns,
)  # fmt: skip
