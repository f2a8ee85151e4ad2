"""Documents as data into tagged PDF (PDF/UA-1), by Typst and the fonts that come with it.

Under PDF/UA no letter may be left out: one that no font has is shown as the sign for it, and told.
"""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import TYPE_CHECKING, Any

from kpibook.errors import Problem, RunError
from kpibook.exports.extras import needed
from kpibook.unspoken import replaced

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: Fonts come with the typesetter, so that every machine sets the same pages.
FONT = "Libertinus Serif"
UNKNOWN = "\ufffd"
#: As Typst says it; a letter without a form it names by its code.
LACKING = re.compile(r'the text `"(.+?)"` could not be displayed', re.DOTALL)
CODE = re.compile(r"\\u\{([0-9a-f]+)\}")
ATTEMPTS = 4
MOST_NAMED = 12
REMEDY = "make the other forms, and tell the makers of kpibook this line"


def typeset(name: str, template: str, document: Mapping[str, Any]) -> tuple[bytes, list[str]]:
    """The PDF of a document, the same bytes for the same document, and the letters that no font has.

    RunError, with the file's ``name``, when it cannot be set.
    """
    typst = needed("typst", "pdf")
    parts = resources.files("kpibook.exports")
    source = b"\n".join(parts.joinpath(each).read_bytes() for each in ("parts.typ", template))
    text = json.dumps(_spoken(document), ensure_ascii=False)
    lacking: list[str] = []
    for _ in range(ATTEMPTS):
        try:
            given = {"document": text}
            made: bytes = typst.compile(source, sys_inputs=given, ignore_system_fonts=True, pdf_standards=["ua-1"])
        except typst.TypstError as error:
            message, found = error.message, LACKING.findall(f"{error.message}\n{error.diagnostic}")
        else:
            return made, lacking
        new = list(dict.fromkeys(CODE.sub(lambda code: chr(int(code[1], 16)), each) for each in found))
        if not new:
            break
        for each in sorted(new, key=len, reverse=True):
            text = text.replace(each, UNKNOWN)
        lacking += new
    raise RunError(Problem(name, f"cannot be set ({message})", REMEDY))


def notes(name: str, lacking: Collection[str]) -> list[str]:
    """What is told of a file in which letters are not shown."""
    if not lacking:
        return []
    letters = sorted(dict.fromkeys(letter for each in lacking for letter in each if letter != UNKNOWN))
    shown = ", ".join(f"U+{ord(letter):04X}" for letter in letters[:MOST_NAMED])
    more = f" and {len(letters) - MOST_NAMED} more" if len(letters) > MOST_NAMED else ""
    what = f"no font has {shown}{more}: shown as {UNKNOWN}"
    return [str(Problem(name, what, "take them out of names and titles, or hand over the page or the other forms"))]


def _spoken(value: Any) -> Any:
    if isinstance(value, str):
        return replaced(value)
    if isinstance(value, dict):
        return {key: _spoken(each) for key, each in value.items()}
    return [_spoken(each) for each in value] if isinstance(value, list) else value
