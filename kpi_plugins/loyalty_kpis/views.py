"""Shared steps: what a receipt is, and who bought in which period."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from kpibook import view

if TYPE_CHECKING:
    import ibis.expr.types as ir

AMOUNTS = (
    "quantity",
    "gross_amount",
    "general_discount",
    "loyalty_discount",
    "personal_discount",
    "net_amount",
    "cogs",
    "variable_cost",
)


def kept(transactions: ir.Table) -> ir.Table:
    """Completed receipts, without tests and staff."""
    return transactions.filter((transactions.status == "completed") & ~transactions.is_test & ~transactions.is_staff)


def netted_lines(transactions: ir.Table, order_lines: ir.Table, *columns: str) -> ir.Table:
    """Lines of kept receipts: ``transaction_id`` (of a linked return, that of the original purchase) and ``columns``.

    A return whose original line is not known stays in its own receipt.
    """
    used = order_lines.select("line_id", "transaction_id", "return_of_line_id", *columns)
    lines = used.semi_join(kept(transactions).select("transaction_id"), "transaction_id")
    plain = lines.filter(lines.return_of_line_id.isnull()).select("transaction_id", *columns)
    return plain.union(_returned(lines, order_lines, columns))


def lines_of(headers: ir.Table, transactions: ir.Table, order_lines: ir.Table, *columns: str) -> ir.Table:
    """Netted lines of the receipts ``headers``, all of them kept: ``columns``, and those of ``headers``.

    The same rows as ``netted_lines`` joined with ``headers``, without asking of every line whether its receipt is kept.
    """
    return every_line(transactions, order_lines, *columns).join(headers, "transaction_id")


def every_line(transactions: ir.Table, order_lines: ir.Table, *columns: str) -> ir.Table:
    """Netted lines of all receipts, for a join with kept ones: of those not kept it has the lines that were bought."""
    plain = order_lines.filter(order_lines.return_of_line_id.isnull()).select("transaction_id", *columns)
    returns = order_lines.filter(order_lines.return_of_line_id.notnull())
    back = returns.semi_join(kept(transactions).select("transaction_id"), "transaction_id")
    return plain.union(_returned(back, order_lines, columns))


def _returned(lines: ir.Table, order_lines: ir.Table, columns: tuple[str, ...]) -> ir.Table:
    """Returned lines in the receipt of their original purchase."""
    bought = order_lines.select(original_line=order_lines.line_id, original_receipt=order_lines.transaction_id)
    returned = lines.filter(lines.return_of_line_id.notnull())
    return returned.left_join(bought, returned.return_of_line_id == bought.original_line).select(
        transaction_id=lambda t: t.original_receipt.coalesce(t.transaction_id), **{name: name for name in columns}
    )


def purchases(receipts: ir.Table) -> ir.Table:
    """Receipts with a positive amount left after returns."""
    return receipts.filter(receipts.is_purchase)


def whole(periods: ir.Table) -> ir.Table:
    """The current and the comparison period without their months: all that a further reading is shown for."""
    return periods.filter(periods.segment_by == "total")


def in_periods(rows: ir.Table, periods: ir.Table) -> ir.Table:
    """Each row once for every window that holds its business date, with that window's period_id, start and end."""
    windows = periods.select("period_id", "start", "end")
    return rows.join(windows, (rows.business_date >= windows.start) & (rows.business_date < windows.end))


@view(key="transaction_id", date="business_date")
def receipts(transactions, order_lines, *, zero_is_purchase: bool = False):
    """Receipts: one row per completed receipt, without tests and staff; returns netted into the original purchase.

    A purchase has a positive amount left; with ``zero_is_purchase`` a receipt of amount zero is one as well, be it a
    gift or returned as a whole.
    """
    lines = netted_lines(transactions, order_lines, *AMOUNTS)
    sums = lines.group_by("transaction_id").agg(**{name: lines[name].sum() for name in AMOUNTS})
    return (
        kept(transactions)
        .join(sums, "transaction_id")
        .mutate(
            is_purchase=lambda t: (t.net_amount >= 0) if zero_is_purchase else (t.net_amount > 0),
            identification=lambda t: ibis.cases(
                (t.member_id.notnull(), "member"), (t.customer_id.notnull(), "identified"), else_="anonymous"
            ),
            with_card=lambda t: t.member_id.notnull().ifelse("with_card", "without_card"),
        )
    )


@view(key=("customer_id", "business_date"), date="business_date")
def purchase_days(receipts):
    """Purchase days: one row per identified person and day with a kept purchase."""
    bought = purchases(receipts).filter(lambda t: t.customer_id.notnull())
    return bought.group_by("customer_id", "business_date").agg(
        receipts=bought.count(), net_amount=bought.net_amount.sum(), cogs=bought.cogs.sum()
    )


@view(key=("customer_id", "period_id"))
def buyers(purchase_days, periods):
    """Buyers: one row per identified person and period in which the person bought."""
    inside = in_periods(purchase_days, periods)
    return inside.group_by("period_id", "customer_id").agg(
        purchase_days=inside.count(),
        net_amount=inside.net_amount.sum(),
        first_day=inside.business_date.min(),
        last_day=inside.business_date.max(),
    )


DEFINITIONS = (receipts, purchase_days, buyers)
