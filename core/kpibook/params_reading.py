"""Words of a params file that say how text is read: encoding, delimiter, numbers, dates."""

from __future__ import annotations

import codecs
import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from kpibook.errors import did_you_mean
from kpibook.params_fields import refusal

ENCODINGS = (
    "utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1", "iso-8859-15", "cp850", "cp437",
    "cp1250", "cp1251", "cp1253", "cp1254", "iso-8859-2", "mac_roman", "cp858",
)  # fmt: skip
DELIMITERS = {",": ",", ";": ";", "\t": "\t", "|": "|", "tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
DECIMALS = {".": ".", ",": ",", "point": ".", "comma": ","}
THOUSANDS = {
    ".": ".", ",": ",", "'": "'", " ": " ", "_": "_", "none": "",
    "point": ".", "comma": ",", "apostrophe": "'", "space": " ",
}  # fmt: skip
#: Numbers that stand for dates.
NUMBERED = ("excel", "excel-1904", "unix", "unix-ms")
_DIRECTIVES = frozenset("YymdBbHIMSfpjzAa-")
_LETTERS = {"yyyy": "%Y", "yy": "%y", "mm": "%m", "dd": "%d", "jjjj": "%Y", "tt": "%d", "aaaa": "%Y", "gg": "%d"}


def _encoding(value: str) -> str:
    try:
        found = codecs.lookup(value)
        known = found._is_text_encoding  # noqa: SLF001  the only place where Python says so
        found.incrementaldecoder()
    except (LookupError, TypeError, ValueError):
        known = False
    if not known or found.name in {"idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"}:
        raise refusal(f"'{value}' is no encoding", did_you_mean(value, ENCODINGS))
    return value


def _one_of(known: dict[str, str], what: str) -> BeforeValidator:
    def check(value: Any) -> Any:
        if not isinstance(value, str) or value not in known:
            named = [f"'{name}'" for name in known if name.strip()]
            raise refusal(f"'{value}' is no {what}", f"write one of {', '.join(named)}")
        return known[value]

    return BeforeValidator(check)


def _date_format(value: str) -> str:
    if value in NUMBERED:
        return value
    if "%" not in value:
        meant = re.sub("|".join(_LETTERS), lambda m: _LETTERS[m[0]], value.lower())
        remedy = f"write '{meant}'" if "%" in meant else did_you_mean(value, (*NUMBERED, "%d/%m/%Y"))
        raise refusal(f"'{value}' is no date format", remedy)
    unknown = [f"%{d}" for d in re.findall("%(.?)", value) if d not in _DIRECTIVES]
    if unknown:
        raise refusal(f"'{unknown[0]}' in '{value}' is not known", "write one such as '%d/%m/%Y %H:%M'")
    if not ({"%Y", "%y"} & set(re.findall("%-?.", value.replace("%-", "%")))):
        raise refusal(f"'{value}' has no year", "write one such as '%d/%m/%Y'")
    return value.replace("%-", "%")


Encoding = Annotated[
    str, AfterValidator(_encoding), Field(description="of text files", json_schema_extra={"examples": [*ENCODINGS]})
]
Delimiter = Annotated[
    str, _one_of(DELIMITERS, "delimiter"), WithJsonSchema({"enum": [*DELIMITERS], "description": "between columns"})
]
DecimalSign = Annotated[
    str, _one_of(DECIMALS, "decimal sign"), WithJsonSchema({"enum": [*DECIMALS], "description": "before the decimals"})
]
ThousandsSign = Annotated[
    str,
    _one_of(THOUSANDS, "thousands sign"),
    WithJsonSchema({"enum": [*THOUSANDS], "description": "between groups of three digits"}),
]
DateFormat = Annotated[
    str,
    AfterValidator(_date_format),
    Field(
        description=f"such as %d/%m/%Y %H:%M, or one of {', '.join(NUMBERED)}",
        json_schema_extra={"examples": ["%d/%m/%Y"]},
    ),
]
