"""What one author's KPI does wrong stays with that KPI."""

import json

import pandas as pd
import pytest

from kpibook import change, kpi, modelled, share, total, view
from kpibook.catalog import build
from kpibook.tracing import Source
from tiny_client import receipt, row, run, shop

SPAN = {"data": "2024-01-01/2024-12-31"}
PERIODS = ("2024-07-01/2024-12-31", "2024-01-01/2024-06-30")


@view(key="transaction_id", date="business_date")
def kept(transactions):
    """Kept: receipts."""
    return transactions


@kpi(unit="receipts", better="higher")
def receipts_kept(kept):
    """Receipts kept: number of receipts."""
    return total(kept.count(), cluster=kept.customer_id)


def catalog(*definitions):
    return build(Source(d, "tests") for d in (kept, receipts_kept, *definitions))


def made(name, function, **facts):
    function.__name__ = name
    return kpi(**{"unit": "count", "better": "neutral", **facts})(function)


def purchases():
    return shop(receipt(1, "2024-07-01", 10, "A"), receipt(2, "2024-03-01", 20, "B"))


def error(results, name, period="current"):
    found = row(results, name, period=period)
    assert found["status"] == "failed"
    assert row(results, "receipts_kept")["value"] == 1
    return json.loads(found["reason"])["error"]


def test_a_looks_back_that_raises():
    def function(kept):
        """Broken: a KPI."""
        return total(kept.count(), cluster=kept.customer_id)

    broken = made("broken", function, looks_back=lambda window, settings: settings["days"])
    results = run(purchases(), *PERIODS, catalog=catalog(broken), **SPAN)

    assert error(results, "broken") == "broken: looks_back: KeyError: 'days' · mend it"


def test_what_an_error_quotes_of_the_data_is_told_to_nobody():
    """The name of a person stands where a KPI, a view, a function in pandas and its own ``raise`` take a number."""

    @view(key="transaction_id", date="business_date")
    def numbered(transactions):
        """Numbered: receipts with the number of their store."""
        return transactions.mutate(store=transactions.store_id.cast("int64"))

    def by_store(kept):
        return total(kept.store_id.cast("int64").sum(), cluster=kept.customer_id)

    def by_view(numbered):
        return total(numbered.store.sum(), cluster=numbered.customer_id)

    def in_pandas(kept: pd.DataFrame):
        return modelled(float(kept.store_id.iloc[0]))

    def by_raise(kept: pd.DataFrame):
        raise LookupError(f"no store {kept.store_id.iloc[0]} in the list")

    def by_key(kept: pd.DataFrame):
        return modelled({}[kept.store_id.iloc[0]])

    for function in (by_store, by_view, in_pandas, by_raise, by_key):
        function.__doc__ = f"{function.__name__}: a KPI."
    columns = {"columns": {"kept": ["store_id"]}}
    sql = [made("by_store", by_store), made("by_view", by_view)]
    frames = [made(f.__name__, f, **columns) for f in (in_pandas, by_raise, by_key)]
    bought = shop(*(receipt(n, "2024-07-01", 10, "A", store_id="Maria Rossi") for n in (1,)))
    results = run(bought, PERIODS[0], catalog=catalog(numbered, *sql, *frames), **SPAN)

    casts = "ConversionException: Conversion Error: Could not convert string … to INT64"
    told = {d.id: error(results, d.id).partition(" · ") for d in (*sql, *frames)}
    assert {name: what for name, (what, _, _) in told.items()} == {
        "by_store": f"by_store: {casts} when casting from source column store_id",
        "by_view": f"view numbered: {casts} when casting from source column store_id",
        "in_pandas": "in_pandas: ValueError: could not convert string to float: …",
        "by_raise": "by_raise: LookupError: no store … in the list",
        "by_key": "by_key: KeyError",
    }
    remedies = {d.id: f"mend the function ({d.where})" for d in (*sql, *frames)} | {"by_view": "mend the view"}
    assert {name: remedy for name, (_, _, remedy) in told.items()} == remedies
    assert "Maria" not in results.scorecard.to_csv()


def test_a_relation_that_lost_its_date():
    def function(kept):
        """Broken: a KPI."""
        by_person = kept.group_by("customer_id").agg(n=kept.count())
        return total(by_person.n.sum(), cluster=by_person.customer_id)

    results = run(purchases(), *PERIODS, catalog=catalog(made("broken", function)), **SPAN)

    assert error(results, "broken") == (
        "broken: PluginError: placing: nothing says which period a row belongs to"
        " · use a view with a date, such as receipts, or join periods and keep period_id"
    )
    assert error(results, "broken", "previous").startswith("broken: PluginError: placing")


def test_a_change_without_a_comparison_period():
    def function(kept):
        """Growth: change of receipts."""
        return change(total(kept.count(), cluster=kept.customer_id))

    results = run(purchases(), PERIODS[0], catalog=catalog(made("growth", function)), **SPAN)

    assert (row(results, "growth")["status"], row(results, "growth")["reason"]) == (
        "missing_data",
        '{"id": "reason.no_comparison"}',
    )


def test_a_share_without_cluster_still_has_an_interval_for_its_change():
    """Card on 56 of 70 receipts now and 48 of 80 before: Newcombe's published example, 0.0524 to 0.3339."""

    def function(kept):
        """Card use: receipts with card, out of all receipts."""
        return share(kept.member_id.notnull())

    now = [receipt(n, "2024-07-01", 1, f"c{n}", member_id="m" if n < 56 else None) for n in range(70)]
    before = [receipt(100 + n, "2024-01-05", 1, f"d{n}", member_id="m" if n < 48 else None) for n in range(80)]
    results = run(shop(*now, *before), *PERIODS, catalog=catalog(made("card_use", function)), **SPAN)
    found = row(results, "card_use")

    assert found["change"] == pytest.approx(0.2)
    assert (found["change_low"], found["change_high"]) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_no_change_is_stated_against_a_period_that_the_data_cut():
    """Data end on 30 November: the half-year is not over, 2024-12 is missing."""
    results = run(purchases(), *PERIODS, catalog=catalog(), breakdowns=("month",), data="2024-01-01/2024-11-20")
    found = row(results, "receipts_kept")

    assert (found["value"], found["change"], found["status"]) == (1, None, "ok")
    assert json.loads(found["reason"]) == {
        "id": "reason.period_partly_covered",
        "first": "2024-07-01",
        "last": "2024-11-20",
    }


def test_a_month_that_the_data_cut_is_no_point():
    purchases_of_may = shop(receipt(1, "2024-05-02", 10, "A"), receipt(2, "2024-04-02", 10, "A"))
    data = "2024-01-01/2024-05-15"
    results = run(purchases_of_may, "2024-01-01/2024-06-30", catalog=catalog(), breakdowns=("month",), data=data)

    assert json.loads(row(results, "receipts_kept", "2024-05")["reason"]) == {"id": "reason.part_not_over"}
    assert row(results, "receipts_kept", "2024-04")["status"] == "ok"


@pytest.mark.parametrize("breakdown", ["customer_id", "net_amount", "transaction_id", "household_id"])
def test_persons_and_amounts_are_no_breakdowns(breakdown):
    from kpibook.errors import ParamsError

    with pytest.raises(ParamsError) as caught:
        run(purchases(), *PERIODS, catalog=catalog(), breakdowns=(breakdown,), **SPAN)

    assert str(caught.value).startswith(f"tiny.yaml:1: breakdowns: no KPI can be broken down by '{breakdown}' · ")


def test_a_kpi_that_ranks_everybody_is_broken_down_by_time_only():
    def function(kept):
        """Top: a KPI."""
        return total(kept.count(), cluster=kept.customer_id)

    ranked = made("ranked", function, by_columns=False)
    shown = run(purchases(), *PERIODS, catalog=catalog(ranked), breakdowns=("month", "channel"), **SPAN)
    card = shown.scorecard

    assert set(card[card.kpi == "ranked"].segment_by) == {"total", "month"}
    assert set(card[card.kpi == "receipts_kept"].segment_by) == {"total", "month", "channel"}


def test_order_lines_alone_belong_to_no_period():
    """They have a receipt, and only that has a date: counting them whole in every period would look right."""

    def function(order_lines):
        """Lines: number of lines."""
        return total(order_lines.count(), cluster=order_lines.transaction_id)

    results = run(purchases(), *PERIODS, catalog=catalog(made("lines", function)), **SPAN)

    assert error(results, "lines") == (
        "lines: PluginError: placing: nothing says which period a row belongs to"
        " · use a view with a date, such as receipts, or join periods and keep period_id"
    )
