"""Numbers written as text: which sign is the decimal one is decided from the whole column, or has to be said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.intake import sql
from kpibook.intake.casting import Cast, shown
from kpibook.intake.notes import Note
from kpibook.intake.number_forms import PLAIN, PLAIN_SORTS, SORTS, Form, one_of, seen, undressed
from kpibook.intake.typed_text import Asked, Decided, Seen, sorts
from kpibook.model import SQL_TYPES

if TYPE_CHECKING:
    from kpibook.errors import Problem
    from kpibook.intake.facts import Severity
    from kpibook.intake.typed_text import Rows

_SAY = "say in params which it is: decimal: '.' or decimal: ','"
#: So few proofs among so many cells that could be read either way deserve a look.
_FEW = 100
_NONE = Cast("NULL")


def decide(rows: Rows, asked: Asked) -> Decided:
    """What is ambiguous, mixed or no number comes back as ``problems``."""
    if asked.kinds.get("number"):
        return _cells(rows, asked)
    odd = sorts(rows, asked, asked.value, {"odd": _odd()})["odd"]
    form, notes, problems = undressed(rows, asked) if odd else (Form(), [], [])
    if problems:
        return Decided(_NONE, (), tuple(problems))
    found = seen(rows, asked, form)
    decimal, problems = _decimal(asked, found)
    other = found["other"]
    if other and not _lenient(asked):
        problems.insert(0, asked.not_one(other.row, other.value, other.count))
    if problems:
        return Decided(_NONE, (), tuple(problems))
    if other:
        notes.append(Note("no_answer", "amber", asked.column.name, other.count, found["all"].count, {}, (other.row,)))
    notes += _told(asked, found, decimal)
    text = _digits(found, decimal)
    made = _typed(asked, "{sign} || " + text if form.dressed else text, percent=form.percent)
    if other:
        sign, names = ("", tuple(SORTS)) if form.dressed else ("[+-]?", PLAIN_SORTS)
        made = f"CASE WHEN {one_of('{core}', names, sign)} THEN {made} END"
    return _in_range(rows, asked, form.of(f"({asked.value})", made), tuple(notes))


def _odd() -> str:
    return f"v IS NOT NULL AND NOT regexp_full_match(v, {sql.text(PLAIN)})"


def _lenient(asked: Asked) -> bool:
    """An answer that is no number is one answer less, and not a file less."""
    return asked.table == "survey_responses" and asked.column.name == "score"


def _cells(rows: Rows, asked: Asked) -> Decided:
    """A sheet's column with number cells: texts among them are no numbers, whatever they look like."""
    empty = sorts(rows, asked, asked.filled, {"token": asked.token_of("v")})["token"].count
    strange = sum(count for kind, count in asked.kinds.items() if kind != "number") - empty
    if strange > 0:
        odd = sorts(rows, asked, asked.value, {"odd": _odd()})["odd"]
        what = f"numbers, and {sql.counted(strange, 'cell')} written as text"
        return Decided(_NONE, (), (asked.problem(odd.row or None, what, "make every cell a number"),))
    return _in_range(rows, asked, _typed(asked, f"({asked.value})", percent=False), ())


def _decimal(asked: Asked, found: dict[str, Seen]) -> tuple[str, list[Problem]]:
    """The decimal sign, and what speaks against it."""
    proofs = {
        ".": [s for name in ("sure_point", "commas", "group_point") if (s := found[name])],
        ",": [s for name in ("sure_comma", "points", "group_comma", "power_comma") if (s := found[name])],
    }
    named = asked.how.decimal
    if named is None and asked.how.thousands in {".", ","}:
        named = "," if asked.how.thousands == "." else "."
    if named is not None:
        return named, _against(asked, found, named, proofs["," if named == "." else "."])
    if proofs["."] and proofs[","]:
        one, two = (min(proofs[sign], key=lambda s: s.row) for sign in ".,")
        what = f"mixed decimal signs: {shown(one.value)} (row {one.row}) and {shown(two.value)} (row {two.row})"
        return ".", [asked.problem(None, what, "write all numbers alike")]
    if proofs["."] or proofs[","]:
        return ("." if proofs["."] else ","), []
    either = [s for name in ("either_point", "either_comma") if (s := found[name])]
    if either:
        first = min(either, key=lambda s: s.row)
        what = f"ambiguous: {shown(first.value)} has decimals or thousands, and no other number of the column tells"
        return ".", [asked.problem(first.row, what, _SAY)]
    return ".", []


def _against(asked: Asked, found: dict[str, Seen], named: str, proofs: list[Seen]) -> list[Problem]:
    """Cells that the decimal sign in params cannot read."""
    against = list(proofs)
    thousands = asked.how.thousands
    if thousands in {"", "'", " ", "_"}:
        other = found["either_comma" if named == "." else "either_point"]
        against += [other] if other else []
    if not against:
        return []
    first = min(against, key=lambda s: s.row)
    what = f"{shown(first.value)} is no number with the decimal sign '{named}'"
    return [asked.problem(first.row, what, "correct decimal: and thousands: in params, or the file")]


def _told(asked: Asked, found: dict[str, Seen], decimal: str) -> list[Note]:
    either = found["either_point"].count + found["either_comma"].count
    grouped = sum(found[name].count for name in ("points", "commas", "group", "group_point", "group_comma"))
    named = asked.how.decimal is not None or asked.how.thousands is not None
    if decimal == "." and not either and not grouped and not named:
        return []
    sure = found["all"].count - either - found["whole"].count
    few = sure * _FEW < either or (asked.column.kind == "money" and found[f"either_{_NAMES[decimal]}"].count > 0)
    severity: Severity = "amber" if either and few and not named else "info"
    details: dict[str, str | int | float] = {"grouped": grouped, "either": either}
    return [Note(f"decimal_{_NAMES[decimal]}", severity, asked.column.name, 0, found["all"].count, details)]


_NAMES = {".": "point", ",": "comma"}


def _digits(found: dict[str, Seen], decimal: str) -> str:
    """SQL text of the number as DuckDB reads it."""
    text, other = "{core}", "," if decimal == "." else "."
    if any(found[name] for name in ("points", "commas", f"either_{_NAMES[other]}")):
        text = f"replace({text}, '{other}', '')"
    if any(found[name] for name in ("group", "group_point", "group_comma")):
        text = f"translate({text}, ' ''_', '')"
    return text if decimal == "." else f"replace({text}, ',', '.')"


def _typed(asked: Asked, text: str, *, percent: bool) -> str:
    kind = asked.column.kind
    if percent:
        return f"CAST(TRY_CAST({text} AS DECIMAL(38, 12)) / 100 AS {SQL_TYPES[kind]})"
    if kind == "int":
        whole = f"TRY_CAST({text} AS DECIMAL(38, 4))"
        return f"CASE WHEN {whole} = floor({whole}) THEN TRY_CAST({whole} AS BIGINT) END"
    if kind == "float":
        number = f"TRY_CAST({text} AS DOUBLE)"
        return f"CASE WHEN isfinite({number}) THEN {number} END"
    return f"TRY_CAST({text} AS {SQL_TYPES[kind]})"


def _in_range(rows: Rows, asked: Asked, made: str, notes: tuple[Note, ...]) -> Decided:
    """Numbers too large for their column: no amount is dropped, anything else is left empty and told."""
    number = f"TRY_CAST(regexp_replace({asked.value}, '[^0-9]', '', 'g') AS DOUBLE)"
    inner = f"SELECT {sql.ROW} AS r, {asked.value} AS v, {made} AS m, {number} AS n FROM ({asked.untyped})"
    lost = "v IS NOT NULL AND m IS NULL"
    count, row, value, large, total = rows(
        f"SELECT count(*) FILTER ({lost}), min(r) FILTER ({lost}), arg_min(v, r) FILTER ({lost}), "
        f"count(*) FILTER ({lost} AND n >= 1e14), count(*) FROM ({inner})"
    )[0]
    told = sum(n.rows for n in notes if n.rule == "no_answer")
    if count <= told:
        return Decided(Cast(made), notes)
    if asked.column.kind == "money" and large:
        return Decided(_NONE, (), (asked.problem(row, f"{shown(value)} is too large for an amount"),))
    if large < count - told:
        return Decided(_NONE, (), (asked.not_one(row, value, count),))
    examples = () if told else (row,)
    return Decided(Cast(made), (*notes, Note("out_of_range", "amber", asked.column.name, large, total, {}, examples)))
