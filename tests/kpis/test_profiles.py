"""Buyers who are customers, and what is known of them: worked by hand."""

from __future__ import annotations

import json

import pytest

from kpis.customer_cases import bought, figure, people, results
from tiny_client import row, shop

KPI = "buyers_who_are_customers"
CARD_X, CARD_Y, CARD_Z = ({"payment_token_hash": name} for name in "xyz")


def _buyers(*more: list) -> dict:
    """2024: anna on two days and with three receipts, bea on one, but also in March 2023, carl on one and in December
    2022; six anonymous receipts.
    """
    return shop(
        *bought("anna", "2024-02-01", "2024-02-01", "2024-05-01", first=1),
        *bought("bea", "2023-03-01", "2024-03-01", first=2),
        *bought("carl", "2022-12-01", "2024-03-01", first=3),
        *bought(None, *["2024-04-01"] * 6, first=4),
        *(receipt for part in more for receipt in part),
    )


def test_buyers_who_are_customers() -> None:
    """Within 730 days anna and bea bought on two days or more, carl's other day is too long ago: 2 customers of 3
    identified, who left 5 receipts. Buyers: at most 3 + 6; at least 3 + 6 / (5/3) = 6.6. So from 2/9 to 2/6.6, and 2/3
    if every anonymous receipt is one of theirs.
    """
    found = results(KPI, _buyers())
    headline = row(found, KPI)
    assert (headline["value"], headline["status"]) == (None, "low_n")
    assert (headline["low"], headline["high"]) == (pytest.approx(2 / 9), pytest.approx(2 / 6.6))
    assert json.loads(headline["reason"]) == {"id": "reason.too_few_customers", "n": 3, "minimum": 100}
    values = {
        name: (row(found, KPI, name)["value"], row(found, KPI, name)["denominator"])
        for name in ("at_most_one_receipt", "as_often_as_identified", "outer_limit")
    }
    assert values == {
        "at_most_one_receipt": (pytest.approx(2 / 9), 9),
        "as_often_as_identified": (pytest.approx(2 / 6.6), pytest.approx(6.6)),
        "outer_limit": (pytest.approx(2 / 3), 3),
    }


def test_payment_tokens_count_once() -> None:
    """Four more anonymous receipts paid with two cards: at most 3 + 6 + 2 buyers; a returned one is nobody's."""
    cards = bought(None, "2024-06-01", "2024-06-02", "2024-06-03", first=5, **CARD_X)
    cards += bought(None, "2024-06-04", first=6, **CARD_Y)
    cards += bought(None, "2024-06-05", first=7, line_id="sold", **CARD_Z)
    cards += bought(None, "2024-06-06", first=8, amount=-10, return_of_line_id="sold")
    found = figure(KPI, _buyers(cards))
    assert found["low"] == pytest.approx(2 / 11)
    assert found["high"] == pytest.approx(2 / (3 + 8 / (5 / 3)))


def test_enough_buyers_are_bounded_never_a_point() -> None:
    """100 persons with two days each, 50 strangers: from 100/150 to 100/(100 + 50 / 2)."""
    regulars = people(**{f"p{i:03d}": ["2024-02-01", "2024-03-01"] for i in range(100)})
    strangers = shop(*bought(None, *["2024-04-01"] * 50, first=900))
    found = results(KPI, {name: [*regulars[name], *strangers[name]] for name in regulars})
    headline = row(found, KPI)
    assert (headline["value"], headline["status"], headline["n"]) == (None, "bounded", 100)
    assert (headline["low"], headline["high"]) == (pytest.approx(2 / 3), pytest.approx(0.8))
    often = row(found, KPI, "as_often_as_identified")
    assert (often["low"], often["value"], often["high"]) == pytest.approx((0.8, 0.8, 0.8))


def test_a_shorter_memory() -> None:
    """Within 100 days before the end nobody of the four bought twice."""
    found = figure(KPI, _buyers(), settings={KPI: {"customer_days": 100}})
    assert (found["low"], found["high"]) == (0, 0)


def test_buyers_by_channel() -> None:
    """Ten web buyers with one receipt each and ten anonymous receipts there: 0 of 10 to 20; no other channel."""
    web = [r for i in range(10) for r in bought(f"p{i}", "2024-02-01", first=i + 1, channel="web")]
    strangers = bought(None, *["2024-03-01"] * 10, first=50, channel="web")
    found = results(KPI, shop(*web, *strangers), breakdowns=("channel",))
    own = found.scorecard[found.scorecard["segment_by"] == "channel"]
    assert own[["segment", "n", "numerator"]].to_numpy().tolist() == [["web", 10, 0]]


def test_only_strangers() -> None:
    assert figure(KPI, shop(*bought(None, "2024-02-01")))["status"] == "undefined"


def _person(name: str, **known: object) -> dict:
    full = {
        "birth_year": 1980,
        "postal_area": "28",
        "socio_economic_band": "B",
        "interests": ["a"],
        "household_id": "h",
    }
    return {"customer_id": name, "consent_profiling": True} | full | known


PROFILED = [
    _person("anna"),
    _person("bea", birth_year=2015, postal_area=" ", interests=[]),
    _person("carl", birth_year=1900, socio_economic_band="Unknown", household_id=None),
    _person("dora", consent_profiling=False),
    _person("gone", birth_year=None),
]
ACTIVE = {"anna": ["2023-06-01", "2024-06-01"], "bea": ["2024-01-02"], "carl": ["2024-06-01"], "gone": ["2023-12-31"]}
ACTIVE |= {"dora": ["2023-01-01", "2024-06-01"], "nemo": ["2024-06-01"]}


def test_profile_completeness() -> None:
    """Active in the 365 days up to 31 December 2024: all but gone. Anna has all 6 fields. Bea is 9 years old, without
    area and interests, and bought first on 2 January 2024, 365 days before: band, household and history, 3. Carl has a
    default year, area and interests: 2. Dora did not consent, nobody knows nemo: 0. (1 + 3/6 + 2/6) / 5.
    """
    found = results("profile_completeness", people(**ACTIVE) | {"customers": PROFILED})
    headline = row(found, "profile_completeness")
    assert (headline["value"], headline["n"]) == (pytest.approx((1 + 3 / 6 + 2 / 6) / 5), 5)
    assert headline["status"] == "low_n"
    complete, consenting = (row(found, "profile_completeness", name) for name in ("complete", "with_consent"))
    assert (complete["numerator"], complete["denominator"]) == (1, 5)
    assert (consenting["value"], consenting["n"]) == (pytest.approx((1 + 3 / 6 + 2 / 6) / 3), 3)


@pytest.mark.parametrize(("year", "counts"), [(2010, 1), (2011, 0), (1919, 1), (1918, 0)])
def test_ages_from_14_to_105(year: int, counts: int) -> None:
    """On 31 December 2024 who was born in 2010 is 14, in 1919 is 105 (the period ends with the first day of 2025)."""
    tables = people(anna=["2024-06-01"]) | {"customers": [_person("anna", birth_year=year + 1)]}
    found = figure("profile_completeness", tables, settings={"profile_completeness": {"fields": "age"}})
    assert found["value"] == counts


def test_only_the_agreed_fields() -> None:
    """Area and history alone, of those active: anna both, bea history, carl area: 2 of 5; no other column is needed."""
    settings = {"profile_completeness": {"fields": "area history"}}
    columns = ("birth_year", "socio_economic_band", "interests")
    found = figure(
        "profile_completeness",
        people(**ACTIVE) | {"customers": PROFILED},
        settings=settings,
        without=[f"customers.{name}" for name in columns],
    )
    assert found["value"] == pytest.approx((1 + 1 / 2 + 1 / 2) / 5)
