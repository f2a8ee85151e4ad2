"""Numbers as each language writes them, whole strings, worked out by hand.

``_`` stands for the non-breaking space, ``-`` in a result for the true minus sign.
"""

# ruff: noqa: RUF001  the dashes and minus signs are what is tested
from __future__ import annotations

from datetime import date, datetime

import pandas as pd
import pytest

from kpibook.present.formats import as_day
from kpibook.present.words import Words


def plain(text: str) -> str:
    return text.replace("\u00a0", "_").replace("\u2212", "-").replace("\u2009", " ").replace("\u202f", " ")


def said(method: str, *args: object, currency: str = "EUR", **named: object) -> list[str]:
    return [plain(getattr(Words(language, currency), method)(*args, **named)) for language in ("en", "es", "de", "it")]


def test_money_from_a_thousand_on_has_no_decimals():
    assert said("money", 1234567.891) == ["€1,234,568", "1.234.568_€", "1.234.568_€", "1.234.568_€"]


def test_money_below_a_thousand_has_two_decimals():
    assert said("money", -28.305) == ["-€28.31", "-28,31_€", "-28,31_€", "-28,31_€"]


def test_money_that_rounds_to_a_thousand_is_a_thousand():
    assert said("money", 999.996) == ["€1,000", "1.000_€", "1.000_€", "1.000_€"]


def test_money_of_a_currency_without_decimals():
    assert said("money", 12.7, currency="JPY") == ["¥13", "13_JPY", "13_¥", "13_JPY"]


def test_percent_has_one_decimal():
    assert said("percent", 0.4125) == ["41.3%", "41,3_%", "41,3_%", "41,3%"]


def test_zero_is_never_minus_zero():
    assert said("percent", -0.0001) == ["0.0%", "0,0_%", "0,0_%", "0,0%"]


def test_changes_of_percent_are_points_with_their_sign():
    assert said("change", 0.0213, "percent") == ["+2.1_pp", "+2,1_pp", "+2,1_PP", "+2,1_p.p."]
    assert said("change", -0.5, "money") == ["-€0.50", "-0,50_€", "-0,50_€", "-0,50_€"]
    assert said("change", 0.0, "days") == ["0.0_days", "0,0_días", "0,0_Tage", "0,0_giorni"]


@pytest.mark.parametrize(
    ("unit", "x", "shown"),
    [
        ("money_per_person", 51.2, "€51.20"),
        ("ratio", 1.2345, "1.23"),
        ("count", 12345.0, "12,345"),
        ("persons", 2401, "2,401"),
        ("purchases", 5.368, "5.37"),
        ("purchases", 153.68, "153.7"),
        ("index", 103.44, "103.4"),
        ("points", 42.35, "42.4"),
        ("pp", 0.05, "+5.0_pp"),
        ("days", 1.0, "1.0_day"),
        ("days", 4.0, "4.0_days"),
        ("months", 9.0, "9_months"),
        ("months", 1.0, "1_month"),
        ("months", 9.5, "9.5_months"),
        ("waves", 12.0, "12_waves"),
        ("minutes", 57.0, "57.0_minutes"),
        ("crates_each", 3.14159, "3.14_crates_each"),
        ("percent", float("nan"), "\u2013"),
        ("money", pd.NA, "\u2013"),
        ("money", float("inf"), "\u2013"),
    ],
)
def test_units(unit: str, x: float, shown: str):
    assert plain(Words("en", "EUR").value(x, unit)) == shown


def test_a_missing_number_is_a_dash_everywhere():
    words = Words("en", "EUR")
    shown = [words.number(None), words.money(None), words.percent(None), words.change(None, "days"), words.date(None)]
    assert [*shown, words.bare(None, "days"), words.interval(None, None, "days")] == ["\u2013"] * 7


def test_intervals_leave_the_unit_to_the_value_beside_them():
    assert said("interval", 0.4012, 0.4255, "percent") == [
        "[40.1;_42.6]",
        "[40,1;_42,6]",
        "[40,1;_42,6]",
        "[40,1;_42,6]",
    ]
    assert said("interval", 5, 5, "money", exact=True) == ["exact", "exacto", "exakt", "esatto"]
    assert said("interval", 5, 5, "days") == ["[5.0;_5.0]", "[5,0;_5,0]", "[5,0;_5,0]", "[5,0;_5,0]"]
    assert said("interval", 3, None, "days") == ["[3.0;_\u2013]", "[3,0;_\u2013]", "[3,0;_\u2013]", "[3,0;_\u2013]"]


def test_both_ends_of_an_interval_have_the_same_digits():
    assert plain(Words("en", "EUR").interval(998.5, 1003.2, "money")) == "[999;_1,003]"


@pytest.mark.parametrize(
    ("unit", "values", "digits"),
    [
        ("percent", (0.0241, 0.0240, 0.0243), 2),  # 2.4 to 2.4 would be a point
        ("percent", (0.02412, 0.02411, 0.02413), 3),  # 2.411 and 2.413 are told apart by the third decimal only
        ("percent", (0.5, 0.5, 0.5), 1),
        ("percent", (0.5, 0.4, 0.6), 1),
        ("index", (1.1, 1.08, 1.13), 2),
        ("money", (91461.0, 91460.9, 91461.2), 0),  # thousands have no cents
        ("days", (53.0, None, 57.0), 1),
    ],
)
def test_an_interval_is_not_shown_as_a_point(unit: str, values: tuple[float, ...], digits: int):
    assert Words("en", "EUR").digits(unit, *values) == digits


def test_intervals_in_a_sentence():
    found = said("between", -0.004, 0.018, "percent", change=True)
    assert found == [
        "-0.4_pp to +1.8_pp",
        "de -0,4_pp a +1,8_pp",
        "-0,4_PP bis +1,8_PP",
        "da -0,4_p.p. a +1,8_p.p.",
    ]


def test_an_interval_may_be_open_on_one_side():
    assert said("between", 9, None, "count") == ["9 or more", "9 o más", "9 oder mehr", "9 o più"]
    assert said("between", None, 9, "count") == ["9 or less", "9 o menos", "9 oder weniger", "9 o meno"]


def test_dates():
    assert said("date", date(2017, 7, 1)) == ["July 1, 2017", "1 de julio de 2017", "1. Juli 2017", "1 luglio 2017"]
    moment = datetime(2017, 7, 1, 13, 5)  # noqa: DTZ001  wall-clock time of the shop
    assert said("datetime", moment)[2] == "1. Juli 2017, 13:05"


def test_periods_are_named_by_what_they_are():
    half = said("period", date(2017, 7, 1), date(2017, 12, 31))
    assert half == ["July – December 2017", "julio–diciembre de 2017", "Juli–Dezember 2017", "luglio–dicembre 2017"]
    assert said("period", date(2017, 1, 1), date(2017, 12, 31)) == ["2017"] * 4
    assert said("period", date(2016, 1, 1), date(2017, 12, 31)) == ["2016–2017"] * 4
    assert said("period", date(2017, 2, 1), date(2017, 2, 28))[3] == "febbraio 2017"
    assert said("period", date(2017, 7, 1), date(2017, 7, 14))[2] == "1.–14. Juli 2017"


@pytest.mark.parametrize(
    ("segment_by", "segment", "shown"),
    [
        ("month", "2017-07", ["July 2017", "julio de 2017", "Juli 2017", "luglio 2017"]),
        ("quarter", "2017-Q3", ["Q3 2017", "T3 2017", "Q3 2017", "T3 2017"]),
        ("year", "2017", ["2017"] * 4),
        ("channel", "store", ["Store", "Tienda", "Filiale", "Negozio"]),
        ("channel", "Kiosk 7", ["Kiosk 7"] * 4),
        ("variant", "by_hand", ["by hand"] * 4),
        ("cohort", "2023-Q1", ["Q1 2023", "T1 2023", "Q1 2023", "T1 2023"]),
    ],
)
def test_segments(segment_by: str, segment: str, shown: list[str]):
    assert said("segment", segment_by, segment) == shown


def test_a_week_is_named_by_its_days():
    assert said("span", "week", "2017-W27")[2] == "3.–9. Juli 2017"
    assert as_day("2017-W27") == date(2017, 7, 3)


def test_chart_axes_speak_the_language():
    german = Words("de", "EUR").vega()
    assert german == {
        "decimal": ",",
        "thousands": ".",
        "grouping": [3],
        "currency": ["", "\u00a0€"],
        "percent": "\u00a0%",
        "minus": "\u2212",
    }
    assert Words("en", "USD").vega()["currency"] == ["$", ""]
