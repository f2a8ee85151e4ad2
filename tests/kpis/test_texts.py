"""The pack's titles and definitions in the report's other languages."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po

import loyalty_kpis
from kpibook import plugins
from kpibook.present.titles import sentences, translated
from kpibook.present.words import LANGUAGES, messages

if TYPE_CHECKING:
    from babel.messages.catalog import Catalog

    from kpibook.definition import Definition

LOCALE = Path(loyalty_kpis.__file__).parent / "locale"
KPIS = [definition for definition in loyalty_kpis.DEFINITIONS if definition.kind == "kpi"]
OTHERS = [language for language in LANGUAGES if language != "en"]
#: Family, question and titles of every KPI as the field's catalogue has them: clients compare reports by them.
OFFICIAL = json.loads(Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8"))
#: The catalogue of the names of readings, breakdowns and columns.
READINGS = "readings"
#: Translations that are the English words themselves.
SAME: set[str] = set()


def _catalogues(language: str) -> dict[str, Catalog]:
    """Catalogues of a language by the module whose texts they hold."""
    found = {}
    for path in sorted((LOCALE / language).glob("*.po")):
        with path.open("rb") as file:
            found[path.stem] = read_po(file)
    return found


def _module(kpi: Definition) -> str:
    return kpi.function.__module__.rpartition(".")[2]


def _texts(kpi: Definition) -> list[str]:
    return [kpi.title, kpi.text, kpi.question]


def _sentences_of(path: Path) -> set[str]:
    """Sentences that a module gives as reasons."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    named = [call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "because"]
    return {call.args[0].value for call in named if isinstance(call.args[0], ast.Constant)}


def _constants_of(path: Path) -> set[str]:
    found = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    return {node.value for node in found if isinstance(node, ast.Constant) and isinstance(node.value, str)}


#: What each module says in so many words.
CONSTANTS = {path.stem: _constants_of(path) for path in LOCALE.parent.glob("*.py")}
SAID = {text for said in CONSTANTS.values() for text in said}
#: Reasons in the pack's own words, by module.
REASONS = {path.stem: _sentences_of(path) for path in LOCALE.parent.glob("*.py")}


def _kept(text: str) -> list[str]:
    """Names of settings and variants, and numbers: no translation changes them."""
    return sorted(re.findall(r"[a-z]+(?:_[a-z]+)+|\d+", text))


def test_the_pack_is_the_catalogue():
    """133 KPIs under the catalogue's ids, families, titles and questions."""
    assert len(OFFICIAL) == 133
    assert {kpi.id: (kpi.family, kpi.title, kpi.question) for kpi in KPIS} == {
        name: (official["family"], official["en"], official["question"]) for name, official in OFFICIAL.items()
    }


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_of_every_kpi_is_translated(language: str):
    spoken = sentences(KPIS, language)
    assert [text for kpi in KPIS for text in _texts(kpi) if not spoken.get(text)] == []
    assert sorted(text for said in REASONS.values() for text in said if not spoken.get(text)) == []


@pytest.mark.parametrize("language", OTHERS)
def test_nothing_is_left_in_english(language: str):
    spoken = sentences(KPIS, language)
    said = [*(text for kpi in KPIS for text in _texts(kpi)), *(text for own in REASONS.values() for text in own)]
    same = {text for text in said if spoken.get(text) == text}
    assert same - SAME == set()


@pytest.mark.parametrize("language", OTHERS)
def test_no_entry_is_stale_fuzzy_or_in_another_modules_file(language: str):
    for name, catalogue in _catalogues(language).items():
        if name == READINGS:
            continue
        own = [kpi for kpi in KPIS if _module(kpi) == name]
        known = {text for kpi in own for text in _texts(kpi)} | SAID
        assert (name, sorted(m.id for m in catalogue if m.id and m.id not in known)) == (name, [])
        assert (name, sorted(m.id for m in catalogue if m.id and m.fuzzy)) == (name, [])
        assert list(catalogue.obsolete) == []


@pytest.mark.parametrize("language", OTHERS)
def test_names_of_readings_and_columns_are_translated(language: str):
    spoken = _catalogues(language)[READINGS]
    core = messages(language)
    known = plugins.discover().catalog.resolve().kpis.values()
    shown = {name for kpi in known if kpi.estimate is not None for name in kpi.estimate.variants}
    assert sorted(n for n in shown if f"variant.{n}" not in core and not _said(spoken, n)) == []
    assert [m.id for m in spoken if m.id and not m.string] == []
    assert {m.id for m in spoken} == {m.id for m in _catalogues(OTHERS[0])[READINGS]}


def test_english_names_stand_where_the_name_in_code_does_not_speak():
    """Only names that the other languages have; a name that says nothing new would be noise."""
    english = {m.id: m.string for m in _catalogues("en")[READINGS] if m.id}
    assert english.keys() - {m.id for m in _catalogues(OTHERS[0])[READINGS]} == set()
    assert [name for name, said in english.items() if said in ("", name)] == []
    assert sentences(KPIS, "en")["naive gap"] == "simple difference, not an effect"


def _said(catalogue: Catalog, name: str) -> str:
    message = catalogue.get(name.replace("_", " "))
    return str(message.string) if message else ""


@pytest.mark.parametrize("language", OTHERS)
def test_the_header_names_language_and_charset(language: str):
    found = {name: (str(c.locale), c.charset) for name, c in _catalogues(language).items()}
    assert found == dict.fromkeys(found, (language, "utf-8"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_kpis_share_a_title(language: str):
    titles = Counter(translated(kpi, language)[0] for kpi in KPIS)
    assert [title for title, n in titles.items() if n > 1] == []


@pytest.mark.parametrize("language", OTHERS)
def test_titles_are_the_catalogues(language: str):
    titles = {kpi.id: translated(kpi, language)[0] for kpi in KPIS}
    assert titles == {kpi: official[language] for kpi, official in OFFICIAL.items()}


@pytest.mark.parametrize("language", OTHERS)
def test_definitions_keep_names_and_numbers(language: str):
    texts = {kpi.id: _kept(translated(kpi, language)[1]) for kpi in KPIS}
    assert texts == {kpi.id: _kept(kpi.text) for kpi in KPIS}


@pytest.mark.parametrize(
    ("language", "association"),
    [("es", "asociación, no efecto"), ("de", "Zusammenhang, keine Wirkung"), ("it", "associazione, non effetto")],
)
def test_reservations_are_kept(language: str, association: str):
    assert association in translated(next(kpi for kpi in KPIS if kpi.id == "avg_receipt_gap"), language)[1]
