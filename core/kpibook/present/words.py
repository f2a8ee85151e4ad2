"""Every word of a report, in the report's language.

Messages are gettext catalogues with dotted ids; English is a catalogue like the
others. A message that is missing is an error, never an English word in another
language's report.
"""

from __future__ import annotations

import json
import re
from functools import cache
from importlib import resources
from string import Formatter
from typing import TYPE_CHECKING, Any

from babel.messages.pofile import read_po

from kpibook.present.formats import COUNTED, GRAINS, NBSP, NONE, SPELT, Formats, is_missing, is_money

if TYPE_CHECKING:
    from collections.abc import Mapping

LANGUAGES = ("en", "es", "de", "it")


class MissingMessageError(LookupError):
    """A message, or a value that it speaks of, is not there."""


@cache
def messages(language: str) -> Mapping[str, str]:
    """All messages of a language by id."""
    if language not in LANGUAGES:
        raise MissingMessageError(f"no messages for language '{language}': use one of {', '.join(LANGUAGES)}")
    found: dict[str, str] = {}
    for name in (f"{language}.po", f"{language}.data.po", f"{language}.workbench.po"):
        with resources.files("kpibook.present").joinpath(f"locale/{name}").open("rb") as file:
            found |= {str(m.id): str(m.string) for m in read_po(file, locale=language) if m.id}
    return found


class Words(Formats):
    """``w("id", n=3)`` is a message with its values; the other methods write numbers, dates and names."""

    def __init__(self, language: str, currency: str = "EUR", sentences: Mapping[str, str] | None = None) -> None:
        """``sentences`` translate what packs say in their own words, such as a KPI's reason."""
        self._messages = messages(language)
        self._sentences = sentences or {}
        super().__init__(language, currency)

    def __call__(self, message: str, **values: Any) -> str:
        """The message; with ``.one`` and ``.other`` forms, the one that the value ``n`` asks for."""
        text = self._messages.get(message) or self._messages.get(f"{message}.{self._form(values.get('n'))}")
        if not text:
            raise MissingMessageError(f"no message '{message}' in {self.language}.po")
        try:
            return _Filler(self).vformat(text, (), values)
        except KeyError as missing:
            what = f"message '{message}' in {self.language}.po speaks of {{{missing.args[0]}}}, which was not given"
            raise MissingMessageError(what) from missing

    def has(self, message: str) -> bool:
        return message in self._messages or f"{message}.other" in self._messages

    def _form(self, n: Any) -> str:
        plural = "other" if is_missing(n) or isinstance(n, str) else self.locale.plural_form(n)
        return "one" if plural == "one" else "other"

    def value(self, x: Any, unit: str, digits: int | None = None) -> str:
        """A figure with its unit. A unit that is not known is printed as it is named."""
        if is_missing(x):
            return NONE
        digits = self.digits(unit, x) if digits is None else digits
        if unit in SPELT:
            return self(f"unit.{unit}", n=x, shown=self.number(x, digits))
        if unit == "pp":
            return self.change(x, unit, digits)
        number = self.bare(x, unit, digits)
        return number if _speaks(unit) else f"{number}{NBSP}{unit.replace('_', NBSP)}"

    def bare(self, x: Any, unit: str, digits: int | None = None) -> str:
        """A figure whose unit is clear from its neighbour: only money and percent keep their sign."""
        if is_missing(x):
            return NONE
        digits = self.digits(unit, x) if digits is None else digits
        if is_money(unit):
            return self.money(x, digits)
        return self.percent(x, digits) if unit == "percent" else self.number(x, digits)

    def axis(self, unit: str) -> str | None:
        """The title of an axis of figures in ``unit``; none where ticks have a sign or the chart's title says it."""
        return self(f"axis.{unit}") if unit in SPELT else None

    def unit_name(self, unit: str) -> str:
        """The unit itself in a word: ``months``, ``%``, the currency's code; one that is not known as it is named."""
        if is_money(unit):
            return self.currency
        if self.has(f"unit_name.{unit}"):
            return self(f"unit_name.{unit}")
        return unit

    def change(self, x: Any, unit: str, digits: int | None = None) -> str:
        """A difference, always signed; differences of percentages are percentage points."""
        if is_missing(x):
            return NONE
        digits = self.digits(unit, x) if digits is None else digits
        if is_money(unit):
            return self.money(x, digits, signed=True)
        if unit in ("percent", "pp"):
            return self("unit.pp", shown=self.number(100 * float(x), digits, signed=True))
        shown = self.number(x, digits, signed=True)
        if unit in SPELT:
            return self(f"unit.{unit}", n=x, shown=shown)
        return shown if _speaks(unit) else f"{shown}{NBSP}{unit.replace('_', NBSP)}"

    def interval(
        self, low: Any, high: Any, unit: str, digits: int | None = None, *, signed: bool = False, exact: bool = False
    ) -> str:
        """``[40.1; 42.6]`` beside a value, without its unit; the word for it when the value is ``exact``."""
        if is_missing(low) and is_missing(high):
            return NONE
        if exact:
            return self("interval.exact")
        scale = 100 if unit in ("percent", "pp") else 1
        digits = self.digits(unit, low, high) if digits is None else digits
        ends = [NONE if is_missing(e) else self.number(scale * float(e), digits, signed=signed) for e in (low, high)]
        return f"[{ends[0]};{NBSP}{ends[1]}]"

    def between(self, low: Any, high: Any, unit: str, digits: int | None = None, *, change: bool = False) -> str:
        """The interval within a sentence, with its unit; an end that is not known leaves it open on that side."""
        digits = self.digits(unit, low, high) if digits is None else digits
        write = self.change if change else self.value
        if is_missing(high):
            return self("interval.from", low=write(low, unit, digits))
        if is_missing(low):
            return self("interval.up_to", high=write(high, unit, digits))
        return self("interval.between", low=write(low, unit, digits), high=write(high, unit, digits))

    def segment(self, segment_by: str, segment: str) -> str:
        """A segment's name: times and the model's own names are translated, the client's stay as they are."""
        if segment_by in GRAINS:
            return self.span(segment_by, segment)
        if is_month(segment):
            return self.month(segment)
        if is_quarter(segment):
            return self.span("quarter", segment)
        if segment_by == "variant":
            return self(f"variant.{segment}") if self.has(f"variant.{segment}") else self.own(segment)
        if self.has(f"segment.{segment}"):
            return self(f"segment.{segment}")
        return self._sentences.get(segment) or self._sentences.get(segment.replace("_", " ")) or segment

    def dimension(self, segment_by: str) -> str:
        """What a breakdown is by."""
        known = f"dimension.{segment_by}"
        return self(known) if self.has(known) else self.own(segment_by)

    def own(self, name: str) -> str:
        """A name that a pack gave, such as ``by_value``: as the pack translates it, else with spaces."""
        spaced = name.replace("_", " ")
        return self._sentences.get(spaced) or spaced

    def family(self, family: str) -> str:
        """A family's name; that of a foreign pack as it is given."""
        return self(f"family.{family}") if self.has(f"family.{family}") else family

    def reason(self, encoded: str, unit: str = "") -> str:
        """The sentence of a scorecard's ``reason`` for a figure in ``unit``; plain text is printed as it is."""
        if is_missing(encoded) or not encoded:
            return ""
        if not encoded.startswith("{"):
            return encoded
        values = json.loads(encoded)
        if "trimmed" in values:
            values["trimmed"] = self.value(values["trimmed"], unit)
        values = {name: self.reason(v, unit) if _is_reason(v) else v for name, v in values.items()}
        if "text" in values:
            sentence = values.pop("text")
            return _Filler(self).vformat(self._sentences.get(sentence) or sentence, (), values).strip()
        return self(values.pop("id"), **values)


class _Filler(Formatter):
    """``{n}`` is written in the report's language; ``{n:percent}``, ``:money``, ``:points``, ``:date`` choose how.

    ``{name:own}`` is a name of the pack's own, such as that of a dimension, as the pack translates it.
    """

    def __init__(self, words: Words) -> None:
        self.words = words

    def format_field(self, value: Any, format_spec: str) -> str:
        words = self.words
        if format_spec == "percent":
            return words.percent(value)
        if format_spec == "money":
            return words.money(value)
        if format_spec == "own":
            return words.segment("", str(value))
        if format_spec == "points":
            return words("unit.pp", shown=words.number(100 * value, 1))
        if hasattr(value, "isoformat") or (format_spec == "date" and _is_day(value)):
            return words.date(value)
        if format_spec == "date" and is_month(value):
            return words.month(value)
        if isinstance(value, str):
            return value
        if isinstance(value, list | tuple | set | frozenset):
            return ", ".join(sorted(map(str, value)))
        return words.number(value, 0 if float(value).is_integer() else words.digits("ratio", value))


def _is_reason(value: Any) -> bool:
    """A reason within a reason."""
    return isinstance(value, str) and value.startswith('{"')


def _speaks(unit: str) -> bool:
    """The figure needs no unit beside it: it has a sign of its own, or its title says what is counted."""
    return is_money(unit) or unit in COUNTED or unit in ("percent", "ratio", "index", "points", "number", "")


def _is_day(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None


def is_quarter(text: str) -> bool:
    return re.fullmatch(r"\d{4}-Q[1-4]", text) is not None


def is_month(text: str) -> bool:
    return re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text) is not None
