"""Excel's number formats for the scorecard's units: the number stays whole, only its look is rounded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.present.formats import SPELT, is_money

if TYPE_CHECKING:
    from kpibook.present.words import Words

#: Looks of the signs: a plus for growth, the minus that the report prints, none for nought.
SIGNED = "+{0};\u2212{0};{0}"
DAY = "yyyy-mm-dd"
WHOLE = "#,##0"


def value(unit: str, digits: int, words: Words) -> str:
    """Of a figure in ``unit``: percent, money with the client's sign, or with its unit in words."""
    if is_money(unit):
        return _both(money(digits, words))
    if unit == "percent":
        return _both(f"0{_decimals(digits)}{percent_sign(words)}")
    if unit in ("pp", *SPELT):
        return _both(f"{_number(digits)}{_after(unit, words)}")
    return _both(_number(digits))


def change(unit: str, digits: int, words: Words) -> str:
    """Of a difference, always signed; one of percentages stands in percentage points."""
    if is_money(unit):
        return SIGNED.format(money(digits, words))
    if unit in ("percent", "pp"):
        return SIGNED.format(f"{_number(digits)}{_after('pp', words)}")
    return SIGNED.format(_number(digits) + (_after(unit, words) if unit in SPELT else ""))


def money(digits: int, words: Words) -> str:
    """The currency's sign stands where the language puts it; Excel sets separators by the reader's own settings."""
    before, after = words.vega()["currency"]
    return f"{_quoted(before)}{_number(digits)}{_quoted(after)}"


def percent_sign(words: Words) -> str:
    """``%``, after a narrow space where the language has one; the sign itself multiplies by a hundred."""
    return "".join(c if c == "%" else f"\\{c}" for c in words.vega()["percent"])


def scale(unit: str) -> int:
    """A difference of shares is written in points, a hundred of them to one."""
    return 100 if unit in ("percent", "pp") else 1


def _number(digits: int) -> str:
    return WHOLE + _decimals(digits)


def _decimals(digits: int) -> str:
    return "." + "0" * digits if digits else ""


def _after(unit: str, words: Words) -> str:
    mark = "\x00"
    said = words(f"unit.{unit}", n=2, shown=mark) if unit in SPELT else words("unit.pp", shown=mark)
    before, _, after = said.partition(mark)
    return _quoted(before + after)


def _quoted(text: str) -> str:
    kept = text.replace('"', "")
    return f'"{kept}"' if kept else ""


def _both(pattern: str) -> str:
    """Negative figures bear the report's minus."""
    return f"{pattern};\u2212{pattern};{pattern}"
