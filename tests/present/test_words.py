"""Every message in four languages, and every message that the code asks for."""

from __future__ import annotations

import re
from pathlib import Path
from string import Formatter

import pytest

import kpibook
from kpibook import because
from kpibook.present import words as module
from kpibook.present.words import LANGUAGES, MissingMessageError, Words, messages

CORE = Path(kpibook.__file__).parent
#: What the languages share: loanwords of the field and international words.
SHARED = { "letter.format", "definitions.hash", "definitions.text", "segment.app", "segment.b2b", "segment.marketplace",
    "segment.total", "segment.web", "table.benchmark", "table.kpi", "table.n", "unit.pp", "unit_name.percent",
    "variant.median", "variant.mix",
}  # fmt: skip


HEAVY = (
    "The top 1% of persons make up 41.2% of the sum: the interval is bootstrapped; "
    "without the extremes the mean is €38.51."
)


def test_all_languages_hold_the_same_messages():
    known = {language: set(messages(language)) for language in LANGUAGES}
    assert all(ids == known["en"] for ids in known.values())
    assert len(known["en"]) > 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_is_empty_and_none_ends_in_a_space(language: str):
    assert [i for i, text in messages(language).items() if not text.strip() or text != text.strip()] == []


@pytest.mark.parametrize("language", ["es", "de", "it"])
def test_messages_speak_of_the_same_values(language: str):
    def values(text: str) -> list[tuple[str, str]]:
        return sorted((name, spec or "") for _, name, spec, _ in Formatter().parse(text) if name)

    english = messages("en")
    assert [i for i, text in messages(language).items() if values(text) != values(english[i])] == []


@pytest.mark.parametrize("language", ["es", "de", "it"])
def test_no_english_in_other_languages(language: str):
    english = messages("en")
    same = {i for i, text in messages(language).items() if text == english[i]}
    bare = {i for i in same if not re.sub(r"\{[^}]*\}", "", english[i]).strip(" .:;,\u00a0")}
    assert same - bare - SHARED == set()


def test_what_is_said_to_be_shared_is():
    english = messages("en")
    others = [messages(language) for language in LANGUAGES[1:]]
    assert [i for i in SHARED if not any(o[i] == english[i] for o in others)] == []


def test_a_missing_message_names_id_and_language():
    with pytest.raises(MissingMessageError) as error:
        Words("de")("no.such", n=1)
    assert str(error.value) == "no message 'no.such' in de.po"


def test_a_missing_value_names_message_and_value():
    with pytest.raises(MissingMessageError) as error:
        Words("it")("reason.privacy")
    assert str(error.value) == "message 'reason.privacy' in it.po speaks of {minimum}, which was not given"


def test_an_unknown_language_is_refused():
    with pytest.raises(MissingMessageError) as error:
        Words("fr")
    assert str(error.value) == "no messages for language 'fr': use one of en, es, de, it"


def test_plurals_follow_the_number():
    words = Words("de")
    assert words("chart.left_out", n=1) == "Ein Punkt hat zu wenige Fälle und ist nicht gezeichnet."
    assert words("chart.left_out", n=2000) == "2.000 Punkte haben zu wenige Fälle und sind nicht gezeichnet."


@pytest.mark.parametrize(
    ("encoded", "text"),
    [
        ("", ""),
        ("plain words of a plugin", "plain words of a plugin"),
        (
            '{"id": "reason.too_few_customers", "n": 1012, "minimum": 10000}',
            "Too few customers: 1,012; at least 10,000 are needed.",
        ),
        ('{"id": "reason.interval_too_wide", "width": 0.312}', "The interval is 31.2 pp wide: too uncertain to show."),
        (
            '{"id": "reason.relative_error_too_large", "maximum": 0.3}',
            "The standard error exceeds 30.0% of the value: too uncertain to show.",
        ),
        (
            '{"id": "reason.history_not_covered", "needed": "2016-07-01", "first": "2017-01-01"}',
            "Needs data from July 1, 2016 on; they begin on January 1, 2017.",
        ),
        (
            '{"id": "reason.missing_columns", "columns": ["b.y", "a.x"]}',
            "Not supplied, to be asked of the company: a.x, b.y.",
        ),
        (
            '{"id": "reason.heavy_tail", "share": 0.412, "trimmed": 38.514}',
            HEAVY,
        ),
        (
            '{"id": "reason.period_partly_covered", "first": "2017-02-01", "last": "2017-06-30"}',
            "The data cover only February 1, 2017 to June 30, 2017 of this period: no change is stated.",
        ),
        ('{"id": "reason.part_not_over"}', "The data end before this part does."),
        (
            '{"id": "reason.privacy", "minimum": 10}',
            "Withheld for the privacy of persons: it rests on fewer than 10 of them, or would give such a figure away.",
        ),
        ('{"id": "reason.kpi_failed", "error": "x {n} <b>"}', "The computation stopped: x {n} <b>"),
    ],
)
def test_reasons_in_words(encoded: str, text: str):
    assert Words("en").reason(encoded, "money").replace("\u00a0", " ") == text


def test_a_reason_in_an_authors_words_is_translated_where_the_pack_translates_it():
    reason = because("Only {n} shops.", n=1200)
    spoken = Words("de", sentences={"Only {n} shops.": "Nur {n} Läden."})
    assert (Words("en").reason(reason), Words("de").reason(reason)) == ("Only 1,200 shops.", "Only 1.200 shops.")
    assert spoken.reason(reason) == "Nur 1.200 Läden."


def test_a_foreign_family_is_printed_as_given(english: Words):
    assert english.family("Zeta & Pack") == "Zeta & Pack"
    assert english.dimension("loyalty_band") == "loyalty band"


def sources(folder: str = "") -> str:
    found = sorted((CORE / folder).rglob("*.py"))
    assert found
    return "\n".join(path.read_text("utf-8") for path in found if path.parent.name != "present")


def test_every_reason_of_the_code_has_a_message():
    used = set(re.findall(r'\breason\(\s*"([a-z_]+)"', sources()))
    assert len(used) > 8
    assert sorted(r for r in used if not Words("en").has(f"reason.{r}")) == []


VARIANTS = {"decimal": ("point", "comma"), "duplicates": ("first", "last")}


def test_every_rule_of_intake_has_a_message():
    text = sources("intake")
    rules = set(re.findall(r'Finding\(\s*"([a-z_]+)"', text))
    rules |= {
        f"{span}{rest}" for rest in re.findall(r'f"\{name\}(_[a-z_]+)"', text) for span in ("period", "comparison")
    }
    rules |= set(re.findall(r'\("([a-z_]+)", c\): f', text))
    noted = set(re.findall(r'Note\(\s*"([a-z_]+)"', text)) | set(re.findall(r'_note\(asked, "([a-z_]+)"', text))
    noted |= {f"encoding_{why}" for why in ("guess", "zeros", "named", "mark")} | {"nobody", "missing"}
    noted |= {f"{rule}_{way}" for rule, ways in VARIANTS.items() for way in ways}
    rules |= {f"read_{rule}" for rule in noted}
    assert len(rules) > 50
    words = Words("en")
    assert sorted(r for r in rules if not words.has(f"finding.{r}") and not words.has(f"finding.{r}.ok")) == []


def test_every_message_that_is_asked_for_is_there():
    text = sources() + "\n".join(path.read_text("utf-8") for path in Path(module.__file__).parent.glob("*.py"))
    asked = set(re.findall(r'\b(?:words|self)\(\s*f?"([a-z_]+\.[a-z_.]+)"', text))
    assert len(asked) > 60
    assert sorted(i for i in asked if not Words("en").has(i)) == []


def test_a_name_within_a_reason_is_said_in_the_language():
    words = Words("de", sentences={"Worst is {what:own}.": "Am schlechtesten: {what:own}.", "post sale": "Nachkauf"})
    assert words.reason('{"text": "Worst is {what:own}.", "what": "post_sale"}') == "Am schlechtesten: Nachkauf."
    assert words.segment("stage", "post_sale") == "Nachkauf"
    assert words.segment("stage", "pre_sale") == "pre_sale"
