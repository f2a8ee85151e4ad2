"""What a definition says by name stands in a report with its value."""

from __future__ import annotations

import pytest

from kpibook.present.definition_texts import told
from kpibook.present.words import Words

DAYS = {
    "en": ("in the window_days before, within at_days days", "in the 365 days before, within 1,000 days"),
    "de": ("in den window_days vor, binnen at_days Tagen", "in den 365 Tagen vor, binnen 1.000 Tagen"),
    "es": ("en los window_days anteriores, at_days días", "en los 365 días anteriores, 1000 días"),
    "it": ("nei window_days precedenti, entro at_days giorni", "nei 365 giorni precedenti, entro 1000 giorni"),
}


@pytest.mark.parametrize("language", DAYS)
def test_days_are_numbers_with_their_word_once(language: str) -> None:
    text, expected = DAYS[language]
    words = Words(language, "EUR", {})
    assert told(text, {"window_days": 365, "at_days": 1000}, words).replace(".", "").replace(",", "").replace(
        "\u202f", ""
    ).replace("\xa0", "") == expected.replace(".", "").replace(",", "")


def test_values_of_other_kinds() -> None:
    words = Words("en", "EUR", {})
    settings = {"yearly_rate": 0.08, "offline_channels": ("store", "phone"), "at_month": 12, "base_kind": "gross"}
    text = "discounted at yearly_rate, outside offline_channels, month at_month, by base_kind"
    assert told(text, settings, words) == "discounted at 8.0%, outside store, phone, month 12, by gross"


def test_a_setting_without_value_and_a_column_stay() -> None:
    words = Words("en", "EUR", {})
    settings = {"launched_on": None, "same_base": True, "churn_days": 0}
    text = "before launched_on, offer_value, same_base, longer than churn_days"
    assert told(text, settings, words) == text


def test_a_reading_is_named_as_the_pack_names_it() -> None:
    words = Words("de", "EUR", {"cash only": "Nur Ausgaben"})
    assert (
        told("die Variante cash_only lässt Rabatte weg", {}, words) == "die Variante „Nur Ausgaben“ lässt Rabatte weg"
    )
