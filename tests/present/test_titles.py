"""A pack's sentences, beside its modules."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from kpibook.present.titles import reread, sentences, translated

if TYPE_CHECKING:
    from pathlib import Path

KPI = '''from kpibook import kpi, total
@kpi(unit="money", better="higher", question="How much do we sell?")
def sales(order_lines):
    """Sales: everything sold."""
    return total(order_lines.net_amount.sum())
'''
HEADER = 'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\n'


def loaded(folder: Path):
    path = folder / "shop_kpis.py"
    path.write_text(KPI, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("shop_kpis", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.sales


def entry(english: str, other: str) -> str:
    return f'msgid "{english}"\nmsgstr "{other}"\n\n'


def test_one_file_for_a_language_or_several_in_its_folder(tmp_path: Path):
    sales = loaded(tmp_path)
    (tmp_path / "locale" / "de").mkdir(parents=True)
    (tmp_path / "locale" / "de.po").write_text(HEADER + entry("Sales", "Umsatz"), encoding="utf-8")
    more = HEADER + entry("everything sold.", "alles Verkaufte.") + entry("Only {n}.", "Nur {n}.")
    (tmp_path / "locale" / "de" / "shop.po").write_text(more, encoding="utf-8")

    assert translated(sales, "de") == ("Umsatz", "alles Verkaufte.")
    assert sentences([sales], "de")["Only {n}."] == "Nur {n}."


def test_what_is_not_translated_stays_english(tmp_path: Path):
    sales = loaded(tmp_path)
    assert translated(sales, "it") == ("Sales", "everything sold.")
    assert sentences([sales], "it") == {}


def test_a_question_goes_with_the_definition(tmp_path: Path):
    assert loaded(tmp_path).question == "How much do we sell?"


def test_a_catalogue_that_its_author_goes_on_writing_is_read_again(tmp_path: Path):
    """What stands there empty is not translated yet."""
    sales = loaded(tmp_path)
    (tmp_path / "locale").mkdir()
    path = tmp_path / "locale" / "es.po"
    path.write_text(HEADER + entry("Sales", ""), encoding="utf-8")
    assert (translated(sales, "es")[0], sentences([sales], "es")) == ("Sales", {})
    path.write_text(HEADER + entry("Sales", "Ventas"), encoding="utf-8")
    assert translated(sales, "es")[0] == "Sales"
    reread()
    assert translated(sales, "es")[0] == "Ventas"
