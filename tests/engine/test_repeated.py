"""Aggregates that several statements contain are made once, and give the same."""

from __future__ import annotations

import ibis

from kpibook.engine import repeated
from kpibook.lineage import Lineage

DAYS = ibis.table({"customer_id": "string", "day": "date", "amount": "float64"}, name="days")
PERIODS = ibis.table({"period_id": "int64", "start": "date", "end": "date"}, name="periods")


def spent():
    return DAYS.group_by("customer_id").agg(amount=DAYS.amount.sum())


def found(*tables):
    return repeated.aggregates([table.op() for table in tables], Lineage({}))


def test_an_aggregate_in_two_statements_is_made_once():
    large = spent().filter(lambda t: t.amount > 10)
    small = spent().filter(lambda t: t.amount <= 10)

    made = found(large, small)

    assert [(part.to_expr().equals(spent()), table.name) for part, table in made.items()] == [(True, "_part_0")]


def test_an_aggregate_in_one_statement_stays_where_it_is():
    assert found(spent().filter(lambda t: t.amount > 10), DAYS) == {}


def test_of_two_within_each_other_the_outer_one_when_all_contain_both():
    """A count of persons over their sums: both statements contain both, the sums need not be kept."""
    counted = spent().group_by("amount").agg(persons=lambda t: t.count())

    made = found(counted.filter(lambda t: t.persons > 1), counted.filter(lambda t: t.persons == 1))

    assert [part.to_expr().equals(counted) for part in made] == [True]


def test_the_inner_one_when_more_statements_contain_it_what_lies_around_it_is_cheap():
    counted = spent().group_by("amount").agg(persons=lambda t: t.count())

    made = found(counted.filter(lambda t: t.persons > 1), counted.filter(lambda t: t.persons == 1), spent())

    assert [part.to_expr().equals(spent()) for part in made] == [True]


def test_what_is_summed_over_periods_alone_costs_nothing():
    last = PERIODS.agg(last=PERIODS.end.max())

    assert found(DAYS.cross_join(last), PERIODS.cross_join(last.view())) == {}
