"""The pack's titles and definitions in the report's other languages."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po

import loyalty_kpis
from kpibook.present.titles import is_translated, translated
from kpibook.present.words import LANGUAGES

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

LOCALE = Path(loyalty_kpis.__file__).parent / "locale"
KPIS = [definition for definition in loyalty_kpis.DEFINITIONS if definition.kind == "kpi"]
OTHERS = [language for language in LANGUAGES if language != "en"]
#: The catalogue's titles, in the order of ``OTHERS``: clients compare reports by them.
OFFICIAL = {
    "net_sales": ("Ventas netas agregadas", "Aggregierter Nettoumsatz", "Vendite nette aggregate"),
    "avg_receipt": ("Ticket medio", "Durchschnittsbon", "Scontrino medio"),
    "avg_receipt_card": ("Ticket medio con tarjeta", "Durchschnittsbon mit Karte", "Scontrino medio con carta"),
    "avg_receipt_no_card": ("Ticket medio sin tarjeta", "Durchschnittsbon ohne Karte", "Scontrino medio senza carta"),
    "avg_receipt_gap": (
        "Diferencial de ticket con/sin tarjeta",
        "Bon-Differenz mit/ohne Karte",
        "Differenziale scontrino con/senza carta",
    ),
    "avg_receipt_change": (
        "Incremento/decremento del ticket medio",
        "Veränderung des Durchschnittsbons",
        "Incremento/decremento scontrino medio",
    ),
    "spend_per_customer": ("Gasto medio por cliente", "Umsatz je Kunde", "Spesa media per cliente"),
    "member_revenue_share": (
        "Peso de los miembros en la facturación",
        "Umsatzanteil der Mitglieder",
        "Incidenza fatturato clienti fedeltà",
    ),
    "identified_sales_share": (
        "Ventas identificadas (uso de tarjeta)",
        "Identifizierter Umsatzanteil (Kartenquote)",
        "Vendite tracciate (incidenza carta)",
    ),
    "cross_sell_rate": ("Tasa de venta cruzada", "Cross-Selling-Quote", "Tasso di cross-selling"),
    "active_customers": ("Clientes activos", "Aktive Kunden", "Clienti attivi"),
    "customer_base_growth": (
        "Crecimiento del número de clientes",
        "Wachstum der Kundenbasis",
        "Crescita del numero di clienti",
    ),
    "growth_accounting": (
        "Balance retención/conquista",
        "Bilanz Bindung/Neugewinnung",
        "Bilancio fidelizzazione/conquista",
    ),
    "purchase_frequency": ("Frecuencia de compra", "Kauffrequenz", "Frequenza d'acquisto"),
    "retention_rate": ("Tasa de retención por período", "Bindungsrate je Periode", "Tasso di retention per periodo"),
    "repeat_purchase_rate": ("Tasa de repetición de compra", "Wiederkaufsrate", "Tasso di riacquisto"),
    "second_purchase_rate": ("Tasa de segunda compra", "Zweitkaufsrate", "Tasso di secondo acquisto"),
    "interpurchase_time": ("Intervalo entre compras", "Kaufabstand", "Tempo tra acquisti"),
    "cohort_retention": (
        "Curva de retención por cohortes",
        "Kohorten-Bindungskurve",
        "Curva di retention per coorte",
    ),
    "churn_rate": ("Tasa de abandono", "Abwanderungsrate", "Tasso di abbandono"),
    "usage_class_share": (
        "Mezcla heavy/medium/low users",
        "Heavy-/Medium-/Low-User-Mix",
        "Mix heavy/medium/low user",
    ),
    "pareto_share": ("Cuota Pareto (20% superior)", "Pareto-Anteil (Top 20 %)", "Quota Pareto (top 20%)"),
    "rfm_segments": ("Segmentos RFM", "RFM-Segmente", "Segmenti RFM"),
    "campaign_response_rate": (
        "Tasa de respuesta a las campañas",
        "Rücklaufquote auf Kampagnen",
        "Tasso di risposta alle campagne",
    ),
    "target_attainment": ("Cumplimiento de objetivos", "Zielerreichung", "Raggiungimento obiettivi"),
}
#: Titles that say something else than the catalogue's on purpose.
OWN = {"low_to_heavy_conversion"}  # gross; the catalogue's is net of chance
#: Translations that are the English words themselves.
SAME: set[str] = set()


def _catalogue(language: str) -> Catalog:
    with (LOCALE / f"{language}.po").open("rb") as file:
        return read_po(file)


def _kept(text: str) -> list[str]:
    """Names of settings and variants, and numbers: no translation changes them."""
    return sorted(re.findall(r"[a-z]+(?:_[a-z]+)+|\d+", text))


@pytest.mark.parametrize("language", OTHERS)
def test_every_kpi_has_title_and_definition(language: str):
    assert [kpi.id for kpi in KPIS if not is_translated(kpi, language)] == []


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language: str):
    pairs = {kpi.id: zip(translated(kpi, language), (kpi.title, kpi.text), strict=True) for kpi in KPIS}
    same = {english for texts in pairs.values() for text, english in texts if text == english}
    assert same - SAME == set()


@pytest.mark.parametrize("language", OTHERS)
def test_no_entry_is_stale_or_fuzzy(language: str):
    catalogue = _catalogue(language)
    known = {text for kpi in KPIS for text in (kpi.title, kpi.text)}
    assert sorted(m.id for m in catalogue if m.id and m.id not in known) == []
    assert sorted(m.id for m in catalogue if m.id and m.fuzzy) == []
    assert list(catalogue.obsolete) == []


@pytest.mark.parametrize("language", OTHERS)
def test_entries_stand_in_the_order_of_the_report_under_their_kpi(language: str):
    entries = [(m.auto_comments, m.id) for m in _catalogue(language) if m.id]
    assert entries == [([kpi.id], text) for kpi in KPIS for text in (kpi.title, kpi.text)]


@pytest.mark.parametrize("language", OTHERS)
def test_the_header_names_language_and_charset(language: str):
    catalogue = _catalogue(language)
    assert (str(catalogue.locale), catalogue.charset) == (language, "utf-8")


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_kpis_share_a_title(language: str):
    titles = Counter(translated(kpi, language)[0] for kpi in KPIS)
    assert [title for title, n in titles.items() if n > 1] == []


@pytest.mark.parametrize("language", OTHERS)
def test_titles_are_the_catalogues(language: str):
    titles = {kpi.id: translated(kpi, language)[0] for kpi in KPIS if kpi.id not in OWN}
    assert titles == {kpi: names[OTHERS.index(language)] for kpi, names in OFFICIAL.items()}


@pytest.mark.parametrize("language", OTHERS)
def test_definitions_keep_names_and_numbers(language: str):
    texts = {kpi.id: _kept(translated(kpi, language)[1]) for kpi in KPIS}
    assert texts == {kpi.id: _kept(kpi.text) for kpi in KPIS}


@pytest.mark.parametrize(
    ("language", "title", "association"),
    [
        ("es", "(bruta)", "asociación, no efecto"),
        ("de", "(brutto)", "Zusammenhang, keine Wirkung"),
        ("it", "(lorda)", "associazione, non effetto"),
    ],
)
def test_reservations_are_kept(language: str, title: str, association: str):
    words = {kpi.id: translated(kpi, language) for kpi in KPIS}
    assert words["low_to_heavy_conversion"][0].endswith(title)
    assert association in words["avg_receipt_gap"][1]
