"""Values moved from one relation to another."""

from __future__ import annotations

import ibis
import ibis.expr.operations as ops

from kpibook.engine.rebinding import rebound, used

SALES = ibis.table({"customer_id": "string", "amount": "float64", "paid": "boolean"}, name="sales")
OTHER = ops.UnboundTable("_base_0", SALES.schema())


def test_every_column_comes_from_the_other_relation():
    value = SALES.amount.sum(where=SALES.paid & (SALES.customer_id != "x"))

    moved = rebound(value, SALES.op(), OTHER)

    other = OTHER.to_expr()
    assert moved.equals(other.amount.sum(where=other.paid & (other.customer_id != "x")))


def test_a_count_of_rows_counts_those_of_the_other_relation():
    assert rebound(SALES.count(), SALES.op(), OTHER).equals(OTHER.to_expr().count())


def test_what_lies_below_the_relation_is_left_alone():
    """The relation moved from is a filter of the other one: below it the other one stays."""
    paid = SALES.filter(SALES.paid)

    moved = rebound(paid.amount.sum(), paid.op(), SALES.op())

    assert moved.equals(SALES.amount.sum())


def test_columns_used_are_those_of_the_relation_itself():
    """``paid`` is asked of the table below only."""
    paid = SALES.filter(SALES.paid)
    values = [paid.amount.sum().op(), paid.customer_id.op()]

    assert used(values, paid.op()) == {"amount", "customer_id"}
