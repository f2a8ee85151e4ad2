"""What the decorators read off a function, and what they refuse."""

from typing import Literal

import pandas as pd
import pytest

from kpibook import intact, kpi, ratio, total, view
from kpibook.errors import PluginError


@kpi(unit="money", better="higher", breakdowns=["identification"])
def spend(receipts, *, days: int = 90, cap: float = 1.0, mode: str = "all"):
    """Spend per customer: net sales per identified person.

    More about it.
    """
    return ratio(receipts.net_amount.sum(), receipts.count(), cluster=receipts.customer_id)


def told(function, **facts):
    with pytest.raises(PluginError) as caught:
        kpi(**{"unit": "money", "better": "higher", **facts})(function)
    return str(caught.value)


def test_facts_of_a_kpi():
    assert (spend.id, spend.kind, spend.family) == ("spend", "kpi", "test_definition")
    assert (spend.title, spend.text) == ("Spend per customer", "net sales per identified person.")
    assert spend.inputs == ("receipts",)
    assert dict(spend.settings) == {"days": 90, "cap": 1.0, "mode": "all"}
    assert spend.breakdowns == ("identification",)
    assert spend.where == f"test_definition.py:{spend.function.__code__.co_firstlineno}"


def test_facts_of_a_view():
    @view(key="customer_id", date="first_day", describes="customer_id")
    def persons(customers):
        """Persons: one row each."""

    assert (persons.kind, persons.key, persons.date, persons.describes) == (
        "view",
        ("customer_id",),
        "first_day",
        "customer_id",
    )


def test_frames_are_seen_by_their_annotation():
    @kpi(unit="ratio", better="neutral", columns={"scorecard": ["kpi", "value"]})
    def spread(scorecard: pd.DataFrame):
        """Spread: largest over smallest value."""

    assert spread.frames == ("scorecard",)
    assert spread.columns == {"scorecard": ("kpi", "value")}


def test_title_and_definition_are_demanded():
    def silent(receipts):
        pass

    line = silent.__code__.co_firstlineno
    assert told(silent) == (
        f"test_definition.py:{line}: silent: the docstring does not begin with 'Title: definition in words'"
        " · write, for example, 'Average receipt: net sales per receipt.'"
    )


def test_all_problems_at_once():
    def odd(receipts, *, days):
        """Odd: a KPI."""

    where = f"test_definition.py:{odd.__code__.co_firstlineno}: odd"
    assert told(odd, unit="moneys", better="more", looks_back="weeks").splitlines() == [
        f"{where}: unknown unit 'moneys' · did you mean 'money'?",
        f"{where}: unknown better 'more' · use one of: higher, lower, neutral, target",
        f"{where}: setting 'days' has no default · write days: int = 90",
        f"{where}: looks_back 'weeks' is neither 'before' nor a setting · use one of: before, days",
    ]


def test_frames_need_columns_and_no_tables_beside_them():
    def mixed(receipts, scorecard: pd.DataFrame):
        """Mixed: a KPI."""

    where = f"test_definition.py:{mixed.__code__.co_firstlineno}: mixed"
    assert told(mixed).splitlines() == [
        f"{where}: 'scorecard' is a DataFrame without columns · add columns={{'scorecard': [...]}} to @kpi",
        f"{where}: it mixes DataFrames and tables · annotate all table parameters pd.DataFrame, or none",
    ]


def test_no_kpi_is_broken_down_by_single_persons():
    def each(receipts):
        """Each: a KPI."""

    assert told(each, breakdowns=["channel", "customer_id"]) == (
        f"test_definition.py:{each.__code__.co_firstlineno}: each: it is broken down by 'customer_id': single"
        " persons are not shown · name what they have in common"
    )


def test_settings_override_defaults():
    assert spend.with_settings({"days": 30, "cap": 2}, str) == {"days": 30, "cap": 2, "mode": "all"}


def test_a_literal_setting_is_a_choice():
    @kpi(unit="percent", better="higher")
    def again(receipts, *, basis: Literal["annual", "period"] = "annual"):
        """Again: a KPI."""

    assert again.with_settings({"basis": "period"}, str) == {"basis": "period"}
    with pytest.raises(PluginError) as caught:
        again.with_settings({"basis": "anual"}, lambda name: f"p.yaml:9: {name}")
    assert str(caught.value) == "p.yaml:9: basis: 'anual' is none of its choices · did you mean 'annual'?"


def test_a_kpi_without_settings_has_none_to_set():
    with pytest.raises(PluginError) as caught:
        kpi(unit="money", better="higher")(bare).with_settings({"days": 3}, lambda name: f"p.yaml:9: {name}")

    assert str(caught.value) == "p.yaml:9: days: 'bare' has no setting 'days' · remove it, it has no settings"


def bare(receipts):
    """Bare: the sum of all receipts."""
    return total(receipts.net_amount.sum())


def test_settings_are_checked():
    with pytest.raises(PluginError) as caught:
        spend.with_settings({"day": 30, "days": "x", "mode": 3, "cap": True}, lambda name: f"p.yaml:9: {name}")

    assert str(caught.value).splitlines() == [
        "p.yaml:9: day: 'spend' has no setting 'day' · did you mean 'days'?",
        "p.yaml:9: days: 'x' is not of type int · give a value of type int",
        "p.yaml:9: mode: 3 is not of type str · give a value of type str",
        "p.yaml:9: cap: True is not of type float · give a value of type float",
    ]


def test_optional_frames_are_frames_of_the_kpi():
    def settled(receipts: pd.DataFrame):
        """Settled: a KPI."""

    with pytest.raises(PluginError) as caught:
        kpi(unit="count", better="higher", columns={"receipts": ["net_amount"]}, optional=["receipt"])(settled)
    where = f"test_definition.py:{settled.__code__.co_firstlineno}: settled"
    assert str(caught.value) == f"{where}: optional 'receipt' is not one of its DataFrames · did you mean 'receipts'?"
    made = kpi(unit="count", better="higher", columns={"receipts": ["net_amount"]}, optional=["receipts"])(settled)
    assert made.optional == ("receipts",)


def test_what_cannot_be_known_by_a_column_is_said_of_kpis_in_pandas():
    def settled(receipts):
        """Settled: a KPI."""

    with pytest.raises(PluginError) as caught:
        kpi(unit="count", better="higher", not_by={"tier": "Unknown."})(settled)
    where = f"test_definition.py:{settled.__code__.co_firstlineno}: settled"
    assert str(caught.value) == (
        f"{where}: not_by is for KPIs in pandas, and its parameters are tables"
        " · remove it, or annotate the parameters pd.DataFrame"
    )


@kpi(unit="count", better="neutral")
def leaving(receipts):
    """Leaving: it does not come back."""
    raise SystemExit(0)


@kpi(unit="count", better="neutral")
def patching(receipts):
    """Patching: it takes pandas for its own."""
    pd.DataFrame.sum = lambda *_: 0
    return receipts


def test_a_function_that_asks_the_process_to_end_is_an_error():
    with pytest.raises(PluginError) as caught:
        leaving(None)
    assert str(caught.value) == (
        f"{leaving.where}: it asks the process to end (SystemExit) · raise another exception, or return"
    )


def test_a_function_that_replaces_a_part_of_pandas_is_an_error_and_the_part_comes_back():
    intact.keep()
    before = pd.DataFrame.sum
    with pytest.raises(PluginError) as caught:
        patching(None)
    assert str(caught.value) == (
        f"{patching.where}: it replaces pandas.DataFrame.sum · write a function of your own, and leave pandas as it is"
    )
    assert pd.DataFrame.sum is before
