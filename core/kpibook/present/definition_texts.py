"""A definition as its reader needs it: the settings' values for their names, and readings by their own names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kpibook.present.words import Words

NAME = re.compile(r"\b[a-z]+(?:_[a-z0-9]+)+\b")
SHARES = ("rate", "discount", "share")


def told(text: str, settings: Mapping[str, Any], words: Words) -> str:
    """``text`` with what stands in it by name: a setting's value, and a reading's name in quotation marks.

    A setting without a value, and a name that is neither, such as a column's, stay as they are.
    """

    def instead(found: re.Match[str]) -> str:
        name = found[0]
        if name in settings:
            return _value(name, settings[name], text[found.end() :], words) or name
        reading = words.segment("variant", name)
        return name if reading == name.replace("_", " ") else words("definitions.reading", name=reading)

    return NAME.sub(instead, text)


def _value(name: str, value: Any, after: str, words: Words) -> str:
    if isinstance(value, (tuple, list)):
        return ", ".join(map(str, value))
    if isinstance(value, float) and name.endswith(SHARES):
        return words.value(value, "percent")
    if name.endswith("_days") and value == 0:  # of each person's own, as the definition goes on to say
        return ""
    if name.endswith("_days") and isinstance(value, int):
        days, number = words("definitions.days"), words.number(value)
        return number if after.lstrip().startswith(days[:3]) else f"{number} {days}"
    if value is None or isinstance(value, bool):
        return ""
    return words.number(value) if isinstance(value, (int, float)) else str(value)
