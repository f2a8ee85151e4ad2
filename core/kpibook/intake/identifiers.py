"""Ids stay text with all their digits; what a spreadsheet or a data frame did to them is undone or refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.intake import casting, sql
from kpibook.intake.casting import Cast, shown
from kpibook.intake.notes import Note
from kpibook.intake.typed_text import Asked, Decided, is_id, is_person, sorts

if TYPE_CHECKING:
    from kpibook.intake.facts import Severity
    from kpibook.intake.typed_text import Rows

_FLOAT = r"[+-]?[0-9]+[.,]0+"
_WHOLE = r"[+-]?[0-9]+"
_SCIENTIFIC = r"[+-]?[0-9]([.,][0-9]+)?[eE][+]?[0-9]{1,3}"
_FORMULA = '="[^"]*"'
_MOST_TOKENS = 8


def decide(rows: Rows, asked: Asked) -> Decided:
    """Ids are trimmed, and ``123.0``, ``="00123"``, ``'00123`` undone where the whole column is so; texts stay."""
    if not is_id(asked.column):
        value = f"CASE WHEN {asked.is_token} THEN NULL ELSE {asked.raw} END"
        made = casting.cast(asked.column, f"({value})", "VARCHAR", None, asked.shop)
        return Decided(made or Cast(casting.nothing(asked.column)))
    tests = {
        "blank": "v IS NULL",
        "token": asked.token_of("v"),
        "float": f"regexp_full_match(v, {sql.text(_FLOAT)})",
        "whole": f"regexp_full_match(v, {sql.text(_WHOLE)})",
        "lost": f"regexp_full_match(v, {sql.text(_SCIENTIFIC)})",
        "formula": f"regexp_full_match(v, {sql.text(_FORMULA)})",
        "quoted": "starts_with(v, '''')",
        "all": "v IS NOT NULL",
    }
    seen = sorts(rows, asked, asked.filled, tests)
    total = seen["all"].count + seen["blank"].count
    real = seen["all"].count - seen["token"].count
    if seen["lost"]:
        what = f"{shown(seen['lost'].value)} is an id that lost its digits in a spreadsheet"
        more = f", {seen['lost'].count} rows in all" if seen["lost"].count > 1 else ""
        remedy = "export the column as text"
        return Decided(Cast(asked.value), (), (asked.problem(seen["lost"].row, what + more, remedy),))
    value, notes = asked.value, []
    wholes = seen["whole"].count - _zeros(rows, asked) if is_person(asked.column) else seen["whole"].count
    if real and seen["float"] and seen["float"].count + wholes == real:
        value = f"regexp_replace({value}, '[.,]0+$', '')"
        notes.append(_note(asked, "ids_float", "amber", seen["float"].count, total))
    elif real and seen["formula"].count == real:
        value = f"regexp_extract({value}, '^=\"(.*)\"$', 1)"
        notes.append(_note(asked, "ids_formula", "info", real, total))
    elif real and seen["quoted"].count == real:
        value = f"substr({value}, 2)"
        notes.append(_note(asked, "ids_quoted", "info", real, total))
    if seen["token"]:
        notes.append(_empty(rows, asked, seen["token"].count + seen["blank"].count, total))
    padded = rows(f"SELECT count(*) FILTER ({asked.raw} <> {asked.filled}) FROM ({asked.untyped})")[0][0]
    if padded:
        notes.append(_note(asked, "ids_trimmed", "info", padded, total))
    return Decided(Cast(value), tuple(notes))


def _zeros(rows: Rows, asked: Asked) -> int:
    """Whole numbers among the stand-ins for nobody."""
    test = f"{asked.is_token} AND regexp_full_match({asked.filled}, {sql.text(_WHOLE)})"
    count: int = rows(f"SELECT count(*) FILTER ({test}) FROM ({asked.untyped})")[0][0]
    return count


def _empty(rows: Rows, asked: Asked, count: int, total: int) -> Note:
    """The words are those of our list, or of params: no data of a client."""
    found = rows(
        f"SELECT {asked.filled} AS word, count(*) FROM ({asked.untyped}) WHERE {asked.is_token} "
        f"GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {_MOST_TOKENS}"
    )
    words = ", ".join(f"'{word}' ({number})" for word, number in found)
    rule = "nobody" if is_person(asked.column) else "missing"
    return Note(rule, "amber", asked.column.name, count, total, {"words": words})


def _note(asked: Asked, rule: str, severity: Severity, count: int, total: int) -> Note:
    return Note(rule, severity, asked.column.name, count, total)
