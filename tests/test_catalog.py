"""Uniqueness, unknown names, failures that stay alone, and hashes."""

import pandas as pd
import pytest

from kpibook import kpi, ratio, share, total, view
from kpibook.catalog import build
from kpibook.errors import PluginError
from kpibook.tracing import Source


@view(key="transaction_id", date="business_date")
def kept(transactions):
    """Kept: receipts that count."""
    return transactions.filter(~transactions.is_test)


@kpi(unit="percent", better="neutral")
def card_use(kept):
    """Card use: receipts on which the card was shown, out of all receipts."""
    return share(kept.member_id.notnull())


def sources(*definitions, origin="pack 1.0"):
    return [Source(d, origin) for d in definitions]


def refused(*found):
    with pytest.raises(PluginError) as caught:
        build(found)
    return str(caught.value)


def named(name, function, **facts):
    function.__name__ = name
    return kpi(**{"unit": "money", "better": "higher", **facts})(function)


def test_needs_are_read_off_the_expression():
    resolved = build(sources(kept, card_use)).resolve().kpis["card_use"]

    assert resolved.needs == {"transactions": {"is_test", "member_id"}}
    assert resolved.failure == ""
    assert len(resolved.hash) == 12


def test_duplicate_ids_name_both_origins():
    def other(transactions):
        """Card use: another reading."""
        return share(transactions.member_id.notnull())

    twin = named("card_use", other)
    assert refused(*sources(kept, card_use), *sources(twin, origin="plugins/own.py")) == (
        f"plugins/own.py: {twin.where}: 'card_use' is already defined by pack 1.0: {card_use.where}"
        " · give it another name"
    )


def test_a_definition_may_not_take_a_tables_name():
    def function(transactions):
        """Campaigns: a count."""
        return total(transactions.count())

    twin = named("campaigns", function)
    assert refused(*sources(twin)) == (
        f"pack 1.0: {twin.where}: 'campaigns' is the name of a table of the model · give it another name"
    )


def test_unknown_tables_get_a_suggestion():
    def function(transactionz):
        """Receipts: a count."""
        return total(transactionz.count())

    wrong = named("receipt_count", function)
    assert refused(*sources(kept, wrong)) == (
        f"pack 1.0: {wrong.where}: receipt_count: unknown table or view 'transactionz' · did you mean 'transactions'?"
    )


def test_unknown_columns_get_a_suggestion():
    def function(kept):
        """Receipts: a count."""
        return total(kept.count(where=kept.member.notnull()))

    wrong = named("receipt_count", function)
    assert refused(*sources(kept, wrong)) == (
        f"pack 1.0: {wrong.where}: receipt_count: 'kept' has no column 'member' · did you mean 'member_id'?"
    )


def test_unknown_columns_of_a_view():
    @view()
    def odd(transactions):
        """Odd: a view."""
        return transactions.filter(transactions.is_tset)

    assert refused(*sources(odd)) == (
        f"pack 1.0: {odd.where}: odd: 'transactions' has no column 'is_tset' · did you mean 'is_test'?"
    )


def test_unknown_columns_of_frames():
    def function(transactions: pd.DataFrame):
        """Receipts: a count."""

    wrong = named("receipt_count", function, columns={"transactions": ["customer"]})
    assert refused(*sources(wrong)) == (
        f"pack 1.0: {wrong.where}: receipt_count: table 'transactions' has no column 'customer'"
        " · did you mean 'customer_id'?"
    )


def test_a_definition_that_raises_fails_alone():
    def function(kept):
        """Broken: a KPI."""
        raise RuntimeError("no luck")

    broken = named("broken", function)
    found = build(sources(kept, broken, card_use)).resolve().kpis

    assert found["broken"].failure == f"broken ({broken.where}): RuntimeError: no luck · mend the function"
    assert found["card_use"].failure == ""


def test_what_is_no_estimate_fails_alone():
    def function(kept):
        """Broken: a KPI."""
        return 3

    broken = named("broken", function)
    assert build(sources(kept, broken)).resolve().kpis["broken"].failure == (
        f"broken ({broken.where}): it returns int, not an estimate"
        " · return one of total, share, mean, ratio, quantile, curve and matrix"
    )


def test_a_view_that_is_no_table_takes_its_kpis_along():
    @view()
    def sick(transactions):
        """Sick: a view."""
        return 3

    def function(sick):
        """Broken: a KPI."""
        return total(sick.count())

    found = build(sources(kept, sick, named("broken", function))).resolve().kpis
    assert found["broken"].failure == f"sick ({sick.where}): it returns int, not a table · return an Ibis table"


def test_a_view_that_raises_takes_its_kpis_along():
    @view()
    def sick(transactions):
        """Sick: a view."""
        raise RuntimeError("no luck")

    def function(sick):
        """Broken: a KPI."""
        return total(sick.count())

    broken = named("broken", function)
    found = build(sources(kept, card_use, sick, broken)).resolve().kpis
    assert found["broken"].failure == f"sick ({sick.where}): RuntimeError: no luck · mend the function"
    assert found["card_use"].failure == ""


def test_views_in_a_circle():
    @view()
    def one(two):
        """One: a view."""
        return two

    @view()
    def two(one):
        """Two: a view."""
        return one

    def function(two):
        """Broken: a KPI."""
        return total(two.count())

    broken = named("broken", function)
    assert build(sources(one, two, broken)).resolve().kpis["broken"].failure == (
        "view 'two' depends on itself · let one of the views that name each other do without"
    )


def test_settings_reach_the_hash_and_unknown_ones_are_refused():
    def function(kept, *, floor: int = 0):
        """Large receipts: share above a floor."""
        return share(kept.transaction_id.length() > floor)

    catalog = build(sources(kept, named("large", function)))
    hashes = {catalog.resolve({"large": {"floor": n}}).kpis["large"].hash for n in (0, 0, 7)}
    assert len(hashes) == 2
    with pytest.raises(PluginError) as caught:
        catalog.resolve({"lorge": {"floor": 1}, "large": {"flor": 1}}, lambda *keys: f"p.yaml:{2 + len(keys)}")
    assert str(caught.value).splitlines() == [
        "p.yaml:3: unknown KPI 'lorge' · did you mean 'large'?",
        "p.yaml:4: settings.large.flor: 'large' has no setting 'flor' · did you mean 'floor'?",
    ]


def test_parts_of_one_estimate_from_two_tables_fail_alone():
    def function(kept, order_lines):
        """Per receipt: lines per receipt."""
        return ratio(order_lines.count(), kept.count(), cluster=kept.customer_id)

    wrong = named("per_receipt", function)
    assert build(sources(kept, wrong)).resolve().kpis["per_receipt"].failure == (
        f"per_receipt ({wrong.where}): its parts come from 2 tables"
        " · join them in a view first, and use where= instead of filter()"
    )


def test_optional_frames_are_no_needs_but_belong_to_the_hash():
    def made(optional):
        def spread(kept: pd.DataFrame, tickets: pd.DataFrame):
            """Spread: a KPI."""
            return total(kept.count())

        columns = {"kept": ["member_id"], "tickets": ["channel"]}
        definition = named("spread", spread, columns=columns, optional=optional)
        return build(sources(kept, definition)).resolve().kpis["spread"]

    assert made([]).needs == {"transactions": {"is_test", "member_id"}, "tickets": {"channel"}}
    assert made(["tickets"]).needs == {"transactions": {"is_test", "member_id"}}
    assert made([]).hash == made(["tickets"]).hash


def test_a_function_is_called_once_for_the_same_tables_and_settings():
    """However many catalogues and clients: the expression is the same."""
    calls = []

    def late(transactions, *, hour: int = 20):
        """Late: receipts that count."""
        calls.append(("late", hour))
        return transactions.filter(transactions.ts.hour() >= hour)

    def late_share(late):
        """Late share: receipts with card, out of all late receipts."""
        calls.append(("late_share", [*late.schema()].index("ts")))
        return share(late.member_id.notnull())

    at = view(key="transaction_id", date="business_date")(late)
    wanted = named("late_share", late_share)
    first = build(sources(at, wanted))
    ts = [*first.resolve().views["late"].columns].index("ts")
    again = build(sources(kept, at, card_use, wanted))
    assert calls == [("late", 20), ("late_share", ts)]
    assert again.resolve().kpis["late_share"].hash == first.resolve().kpis["late_share"].hash

    at_six = again.resolve({"late": {"hour": 6}})
    assert calls == [("late", 20), ("late_share", ts), ("late", 6)]
    assert at_six.kpis["late_share"].hash != first.resolve().kpis["late_share"].hash


def test_a_function_that_failed_is_called_again():
    calls = []

    def fails(transactions):
        """Fails: what it does."""
        calls.append("fails")
        raise ValueError("no luck")

    broken = named("fails", fails)
    for _ in range(2):
        assert "ValueError: no luck" in build(sources(broken)).resolve().kpis["fails"].failure
    assert calls == ["fails", "fails"]
