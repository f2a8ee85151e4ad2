"""Shared steps about lines: what was sold of which product, what it left, and which lines can be used at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis

from kpibook import view
from loyalty_kpis.views import kept, lines_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

MONEY = (
    "gross_amount",
    "general_discount",
    "net_amount",
    "cogs",
    "variable_cost",
    "supplier_funding",
)


@view(date="business_date")
def sold_lines(transactions, order_lines):
    """Sold lines: one row per line of a kept receipt; a linked return has day, channel and buyer of its purchase.

    ``buyer`` is the person, or the receipt where nobody is known: what varies as a whole.
    """
    headers = kept(transactions).select(
        "transaction_id", "customer_id", "member_id", "business_date", "channel", "store_id"
    )
    return lines_of(headers, transactions, order_lines, "product_id", *MONEY).mutate(
        buyer=buyer,
        identification=lambda t: ibis.cases(
            (t.member_id.notnull(), "member"), (t.customer_id.notnull(), "identified"), else_="anonymous"
        ),
    )


@view(key="transaction_id", date="business_date")
def receipt_margins(sold_lines):
    """Receipt margins: per receipt, the margin of its lines with known costs before and after loyalty benefits.

    Before: shelf value less general discounts and costs, out of ``full_price``; after: net sales
    less costs plus what suppliers refund, out of ``paid``. ``is_costed`` when no line's cost is missing.
    """
    known = costs_known(sold_lines)
    sums = sold_lines.group_by("transaction_id", "customer_id", "business_date").agg(
        net_amount=sold_lines.net_amount.sum(),
        paid=sold_lines.net_amount.sum(where=known),
        full_price=(sold_lines.gross_amount - sold_lines.general_discount).sum(where=known),
        margin_after=margin(sold_lines).sum(where=known),
        margin_before=(
            sold_lines.gross_amount - sold_lines.general_discount - sold_lines.cogs - sold_lines.variable_cost
        ).sum(where=known),
        unknown=sold_lines.count(where=~known),
    )
    return sums.mutate(is_purchase=sums.net_amount > 0, is_costed=sums.unknown == 0)


@view(key="line_id", date="business_date")
def purchase_lines(transactions, order_lines, products):
    """Purchase lines: every line bought in a completed order, staff and tests included, and which rules it meets.

    Returns are no purchase lines; ``is_kept`` when something of the line's value is left after what came back
    within 30 days.
    """
    headers = transactions.filter(transactions.status == "completed").select(
        "transaction_id", "customer_id", "business_date", "ts", "channel", "store_id", "is_staff", "is_test"
    )
    bought = order_lines.filter(order_lines.return_of_line_id.isnull() & ~(order_lines.net_amount < 0).fill_null(False))
    lines = bought.select("line_id", "transaction_id", "product_id", "net_amount", "cogs").join(
        headers, "transaction_id"
    )
    known = products.select("product_id", "category_id", "points_eligible")
    rows = lines.left_join(_returned_in_time(lines, order_lines, headers), "line_id").left_join(known, "product_id")
    return rows.select(
        "line_id", "product_id", "customer_id", "business_date", "channel", "store_id", "net_amount",
        buyer=buyer(rows),
        has_customer=rows.customer_id.notnull(),
        has_category=rows.category_id.notnull(),
        has_cost=rows.cogs.notnull(),
        has_channel=rows.channel.notnull(),
        has_time=rows.ts.notnull(),
        is_kept=rows.came_back.isnull() | (rows.net_amount + rows.came_back > 0),
        is_regular=~(rows.is_staff | rows.is_test).fill_null(False),
        has_margin=(rows.net_amount > rows.cogs).fill_null(False),
        is_eligible=rows.points_eligible.fill_null(False),
    )  # fmt: skip


def buyer(lines: ir.Table) -> ir.StringValue:
    """The person who bought, or the receipt of an unknown one."""
    return lines.customer_id.coalesce(ibis.literal("receipt ").concat(lines.transaction_id))


def costs_known(lines: ir.Table) -> ir.BooleanValue:
    """Whether a line's margin can be told at all."""
    return lines.cogs.notnull() & lines.variable_cost.notnull()


def margin(lines: ir.Table) -> ir.NumericValue:
    """What a line leaves after its costs; a supplier's refund that nobody recorded is none."""
    return lines.net_amount - lines.cogs - lines.variable_cost + lines.supplier_funding.fill_null(0)


def _returned_in_time(lines: ir.Table, order_lines: ir.Table, headers: ir.Table) -> ir.Table:
    """Per line, the (negative) net amount of its returns of the following 30 days."""
    back = order_lines.filter(order_lines.return_of_line_id.notnull()).select(
        "transaction_id", _line=order_lines.return_of_line_id, _amount=order_lines.net_amount
    )
    days = headers.select("transaction_id", _back_on=headers.business_date)
    dated = back.join(days, "transaction_id").select("_line", "_amount", "_back_on")
    bought = lines.select("line_id", "business_date")
    matched = dated.join(bought, dated._line == bought.line_id)
    soon = matched.filter(matched._back_on < matched.business_date + ibis.interval(days=31))
    return soon.group_by("line_id").agg(came_back=soon._amount.sum())


DEFINITIONS = (sold_lines, receipt_margins, purchase_lines)
