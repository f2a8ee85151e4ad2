"""Tables beside a figure: the units of their columns, each table once, none where nothing may be shown."""

# ruff: noqa: RUF001  the dashes and minus signs are what is tested
from __future__ import annotations

import pandas as pd
import pytest

from kpibook import results
from kpibook.definition import kpi
from kpibook.errors import PluginError
from kpibook.present.chapters import kpi_details, section
from kpibook.present.side_tables import side_table
from kpibook.present.words import Words
from present.cards import figure
from present.markup import rows

CAMPAIGNS = pd.DataFrame(
    {"campaign": ["K1", "K2"], "spend": [1234.5, 12.0], "answered": [0.4934, None], "uplift": [0.061, -0.0123]}
)
UNITS = {"spend": "money", "answered": "percent", "uplift": "pp"}


def test_columns_are_written_in_their_units_and_in_the_language():
    """A column has one number of decimals, money without cents from thousands on."""
    shown = {
        language: rows(side_table(CAMPAIGNS, Words(language, "EUR"), name="x", title="X", units=UNITS).html)
        for language in ("en", "de", "es", "it")
    }
    assert shown["en"]["K1"] == ["€1,235", "49.3%", "+6.1 pp"]
    assert shown["en"]["K2"] == ["€12", "–", "−1.2 pp"]
    assert shown["de"]["K1"] == ["1.235 €", "49,3 %", "+6,1 PP"]
    assert shown["es"]["K1"] == ["1.235 €", "49,3 %", "+6,1 pp"]
    assert shown["it"]["K1"] == ["1.235 €", "49,3%", "+6,1 p.p."]


def test_a_row_may_name_the_kpi_whose_unit_it_is_in():
    table = pd.DataFrame({"kpi": ["avg_receipt", "csat", "nps"], "gap": [-1.5, 0.0726, -1.686]})
    units = {"avg_receipt": "money", "csat": "percent"}
    shown = rows(side_table(table, Words("en"), name="x", title="X", units={"gap": "of_kpi"}, kpi_units=units).html)
    assert [shown[k][0] for k in ("avg receipt", "csat", "nps")] == ["−€1.50", "7.3%", "−1.69"]


def test_small_shares_keep_a_second_decimal():
    table = pd.DataFrame({"usage_class": ["low", "heavy"], "rate": [0.00865, 0.0057]})
    shown = rows(side_table(table, Words("en"), name="x", title="X", units={"rate": "percent"}).html)
    assert sorted(cells[0] for name, cells in shown.items() if cells[0].endswith("%")) == ["0.57%", "0.87%"]


def test_a_table_that_two_kpis_share_stands_once():
    table = pd.DataFrame({"line": ["margin"], "amount": [20.0]})
    card = results.scorecard([figure("roi", 0.5, 0.4, 0.6), figure("net", 0.5, 0.4, 0.6)])
    tables = {"roi": table, "net": table.copy()}
    html = section(card, tables, card["family"].iloc[0], Words("en")).html
    assert html.count('id="kb-roi-beside"') == 1
    assert "kb-net-beside" not in html


@pytest.mark.parametrize(("status", "stands"), [("low_n", False), ("bounded", True)])
def test_an_effect_on_too_few_persons_has_no_table(status: str, stands: bool):
    table = pd.DataFrame({"event_month": [1], "effect": [20.0]})
    card = results.scorecard([figure("roi", None, 0.4, 0.6, status=status, grade="C")])
    assert ("beside" in kpi_details(card, {"roi": table}, "roi", "ROI", Words("en")).html) == stands


def test_an_unknown_unit_of_a_column_is_refused():
    with pytest.raises(PluginError) as refused:

        @kpi(unit="money", better="higher", table_units={"effect": "mony"})
        def worth(receipts):
            """Worth: what it is worth."""

    assert str(refused.value).partition(": ")[2] == (
        "worth: unknown unit 'mony' of the table's column 'effect' · did you mean 'money'?"
    )
