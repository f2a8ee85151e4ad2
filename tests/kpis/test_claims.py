"""What members have above others is an association: no message calls it uplift, lift or effect, in any language.

Every message of both catalogues is read. One that claims an effect must stand in ``CLAIMED``, with what allows it:
a control group, a design, or a subject that is no comparison of members with others.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from babel.messages.pofile import read_po

import loyalty_kpis
from kpibook import plugins
from kpibook.present import words
from kpibook.present.words import LANGUAGES

if TYPE_CHECKING:
    from kpibook.catalog import Kpi

PACK = Path(loyalty_kpis.__file__).parent / "locale"
CORE = Path(words.__file__).parent / "locale"
KPIS = [definition for definition in loyalty_kpis.DEFINITIONS if definition.kind == "kpi"]
CLAIMS = {
    "en": r"uplift|\blift(s|ed|ing)?\b|\beffects?\b|\bimpact|\bcaused\b",
    "es": r"uplift|\blift\b|\befectos?\b|\bimpact|\bcausad|\bprovocad",
    "de": r"uplift|\blift\b|effekt(?!iv)|wirkung|\bbewirk",
    "it": r"uplift|\blift\b|\beffett[oi]\b|\bimpatt|\bcausat|\bprovocat",
}
#: "association, not effect": the sentence that keeps the reader from the claim.
DENIED = r"\b(not|no|ningún|keine?|non)\s+$"
#: Words by which an English text tells that it sets members against others.
COMPARES = r"non-members?|never enrolled|with(out)? (a |the )?card|association|naive gap|members (with|and) others"

TRIAL = "control group drawn at random"
DESIGN = "each enroller against persons who enrol later or never, months before enrolment equal; graded"
STORES = "roll-out by stores, against stores whose turn comes later"
NO_MEMBERS = "no comparison of members with others"
CLAIMED = {
    "Campaign uplift vs control": TRIAL,
    "uplift": TRIAL,
    "uplift low": TRIAL,
    "uplift high": TRIAL,
    "Holdout lift": TRIAL,
    "The assignment hardly moved enrolment: an effect per enrolment is not identified.": TRIAL,
    "Margin effect of personalised discounts": TRIAL,
    (
        "area between the Qini curve of the predicted uplift and the random line, out of that of the perfect order, on "
        "cases assigned at random; 0 or less is no better than chance."
    ): TRIAL,
    (
        "margin caused minus cost, per cost; caused is the mean margin before the offer of the treated minus that of "
        "the random controls, times the number of treated, over the response window and the 60 days after it."
    ): TRIAL,
    (
        "purchases on offer per person of the random control group, out of purchases on offer per treated person, in "
        "the response window; one minus the part of these purchases that the campaign caused."
    ): TRIAL,
    "Subsidised baseline": "the German word for buying on offer what would have been bought: Mitnahmeeffekt",
    "A drift too small to be seen in these data could explain half of the effect.": DESIGN,
    "A drift after enrolment as large as the one before it could explain the effect.": DESIGN,
    "The effect can be seen for fewer than half of the members.": DESIGN,
    "For which part of the members can the effect be estimated at all?": DESIGN,
    "Identified member share": DESIGN,
    "identified members": DESIGN,
    "By what % did the programme lift total sales, and is the advertised +30% credible here?": DESIGN,
    "effect": DESIGN,
    "effect per member year": DESIGN,
    "all members same effect": DESIGN,
    (
        "1 less the effect of enrolling per member-year, out of the gap in net sales per person and year between "
        "members and identified persons who never enrolled, months without a purchase kept."
    ): "takes the effect of the design away from the gap, which is what it says the gap is not",
    "Break-even uplift": "what the programme would need to pay for itself, whether it has it or not",
    "Too few stores: no effect can be refuted by dealing out the launches in another way.": STORES,
    "A drift between stores too small to be seen in these data could explain half of the effect.": STORES,
    (
        "What the programme caused would need new customers of stores before and after their launch; not computed."
    ): "says that it is not computed",
    "Touchpoint effect on conversion": NO_MEMBERS,
    "Do staff stay (a promised effect of good experience)?": NO_MEMBERS,
}
#: KPIs that set members, or purchases with the card, against others; the last one against the effect of enrolling.
GAPS = ("avg_receipt_gap", "margin_gap_members", "programme_satisfaction_gap", "spend_per_customer", "selection_gap")


def _messages(path: Path, language: str) -> dict[str, str]:
    with path.open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file, locale=language) if m.id}


@cache
def spoken(language: str) -> list[tuple[str, str]]:
    """(English text, text) of every message of both catalogues and of every text of a KPI."""
    english = {key: text for path in CORE.glob("en*.po") for key, text in _messages(path, "en").items()}
    core = {key: text for path in CORE.glob(f"{language}*.po") for key, text in _messages(path, language).items()}
    found = [(english[key], text) for key, text in core.items()]
    if language == "en":
        pack = [text for path in (PACK / "es").glob("*.po") for text in _messages(path, "es")]
        own = [text for kpi in KPIS for text in (kpi.title, kpi.text, kpi.question)]
        return found + [(text, text) for text in {*pack, *own}]
    return found + [pair for path in (PACK / language).glob("*.po") for pair in _messages(path, language).items()]


@cache
def resolved() -> dict[str, Kpi]:
    return plugins.discover().catalog.resolve().kpis


def claims(text: str, language: str) -> list[str]:
    """The words that claim an effect, but those that are denied."""
    found = re.finditer(CLAIMS[language], text, re.IGNORECASE)
    return [each.group() for each in found if not re.search(DENIED, text[: each.start()], re.IGNORECASE)]


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("en", "Members spend 30 % more: the programme's uplift.", ["uplift"]),
        ("en", "association, not effect", []),
        ("en", "It is not known who joined; the effect is 3 %.", ["effect"]),
        ("en", "effective n, lifted by the programme", ["lifted"]),
        ("es", "el efecto del programa; respuestas efectivas", ["efecto"]),
        ("es", "asociación, no efecto", []),
        ("de", "Margeneffekt, Auswirkung; wirklich effektiv, keine Wirkung", ["effekt", "wirkung"]),
        ("it", "l'effetto della carta; n effettivo, non effetto", ["effetto"]),
    ],
)
def test_claims_are_found_and_denials_are_none(language: str, text: str, found: list[str]) -> None:
    assert claims(text, language) == found


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_message_claims_an_effect_that_is_not_listed_with_its_reason(language: str) -> None:
    assert len(spoken(language)) > 1000
    claiming = [(english, text) for english, text in spoken(language) if claims(text, language)]
    assert [pair for pair in claiming if pair[0] not in CLAIMED] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_compares_members_with_others_claims_nothing_even_if_listed(language: str) -> None:
    compares = [(english, text) for english, text in spoken(language) if re.search(COMPARES, english, re.IGNORECASE)]
    assert len(compares) > 10
    beside = [text for text, reason in CLAIMED.items() if reason.startswith("takes the effect of the design away")]
    assert [text for english, text in compares if claims(text, language) and english not in beside] == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("gap", GAPS)
def test_no_reading_of_such_a_kpi_is_named_so(language: str, gap: str) -> None:
    kpi = next(kpi for kpi in KPIS if kpi.id == gap)
    estimate = resolved()[gap].estimate
    names = list(estimate.variants) if estimate is not None else []
    read = dict(spoken(language))
    said = [kpi.title, kpi.question, *([] if gap == "selection_gap" else [kpi.text])]
    said += [name.replace("_", " ") for name in names]
    assert [text for text in said if claims(read.get(text, text), language)] == []


def test_every_reason_is_still_needed() -> None:
    used = {english for language in LANGUAGES for english, text in spoken(language) if claims(text, language)}
    assert CLAIMED.keys() - used == set()
