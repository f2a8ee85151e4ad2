"""The ways a number is written: its signs and currency around it, and what its separators prove."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kpibook.intake import sql
from kpibook.intake.currencies import CURRENCY, currency
from kpibook.intake.notes import Note
from kpibook.intake.typed_text import Asked, Seen, sorts

if TYPE_CHECKING:
    from kpibook.errors import Problem
    from kpibook.intake.typed_text import Rows

PLAIN = r"[+-]?([0-9][0-9.,]*|[.,][0-9]+)"
_NUMBER = r"[0-9][0-9 .,'_]*(?:[eE][+-]?[0-9]+)?|[.,][0-9]+"
_PARTS = (
    rf"^(\(?)\s*([-+]?)\s*({CURRENCY})?\s*([-+]?)\s*({_NUMBER})\s*([-+]?)\s*({CURRENCY})?\s*([-+]?)\s*(%?)\s*(\)?)$"
)
_NAMES = "['open', 's1', 'c1', 's2', 'num', 's3', 'c2', 's4', 'pct', 'close']"
_MINUS = "(p.open = '(' OR p.s1 = '-' OR p.s2 = '-' OR p.s3 = '-' OR p.s4 = '-')"
_SIGNS = "((p.open = '(')::INT + (p.s1 <> '')::INT + (p.s2 <> '')::INT + (p.s3 <> '')::INT + (p.s4 <> '')::INT)"
#: In ``49.-`` and ``49,-`` the sign stands for no cents, not for a minus.
_NO_CENTS = "((p.s3 <> '' OR p.s4 <> '') AND regexp_matches(p.num, '[.,] *$'))"
_FINE = (
    f"(p.num <> '' AND {_SIGNS} <= 1 AND NOT {_NO_CENTS} AND (p.open = '(') = (p.close = ')')"
    " AND (p.c1 = '' OR p.c2 = ''))"
)
_GROUPS = "([0-9]{1,3}( [0-9]{3})+|[0-9]{1,3}('[0-9]{3})+|[0-9]{1,3}(_[0-9]{3})+)"
#: ``either_``: cells that can be read in two ways, which are also counted by their separator.
SORTS = {
    "whole": "[0-9]+",
    "point": r"[0-9]+\.[0-9]*|\.[0-9]+",
    "comma": "[0-9]+,[0-9]*|,[0-9]+",
    "either_point": r"[1-9][0-9]{0,2}\.[0-9]{3}",
    "either_comma": "[1-9][0-9]{0,2},[0-9]{3}",
    "points": r"[0-9]{1,3}(\.[0-9]{3})+,[0-9]*|[0-9]{1,3}(\.[0-9]{3}){2,}",
    "commas": r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]*|[0-9]{1,3}(,[0-9]{3}){2,}",
    "group": _GROUPS,
    "group_point": _GROUPS + r"\.[0-9]+",
    "group_comma": _GROUPS + ",[0-9]+",
    "power": r"[0-9]+(\.[0-9]+)?[eE][+-]?[0-9]+",
    "power_comma": "[0-9]+,[0-9]+[eE][+-]?[0-9]+",
}
PLAIN_SORTS = ("whole", "point", "comma", "either_point", "either_comma", "points", "commas")


@dataclass(frozen=True)
class Form:
    """How a column's numbers stand in its cells: bare, or with signs around them that are taken apart first."""

    dressed: bool = False
    percent: bool = False

    def of(self, value: str, number: str) -> str:
        """SQL of ``number``, which speaks of digits and separators as {core} and of the minus as {sign}."""
        if not self.dressed:
            return number.replace("{core}", value).replace("{sign}", "''")
        made = number.replace("{core}", f"CASE WHEN {_FINE} THEN trim(p.num) END")
        made = made.replace("{sign}", f"CASE WHEN {_MINUS} THEN '-' ELSE '' END")
        return f"list_transform([{parts(value)}], lambda p: {made})[1]"


def parts(value: str) -> str:
    """SQL of a number's parts as a struct."""
    plain = f"translate({value}, '\u2212\u00a0\u202f\u2009\u2019', '-   ''')"
    return f"regexp_extract({plain}, {sql.text(_PARTS)}, {_NAMES})"


def one_of(value: str, names: tuple[str, ...], sign: str) -> str:
    """SQL condition: ``value`` is written in one of these sorts."""
    return f"regexp_full_match({value}, {sql.text(sign + '(' + '|'.join(SORTS[n] for n in names) + ')')})"


def seen(rows: Rows, asked: Asked, form: Form) -> dict[str, Seen]:
    """How many cells are of each sort; ``other`` are no numbers, ``all`` is every filled cell."""
    sign, core = ("", "c") if form.dressed else ("[+-]?", "v")
    names = tuple(SORTS)
    tests = {name: one_of(core, (name,), sign) for name in names}
    for separator in ("point", "comma"):
        tests[f"sure_{separator}"] = f"{tests[separator]} AND NOT {tests[f'either_{separator}']}"
    tests["other"] = f"v IS NOT NULL AND NOT coalesce({one_of(core, names, sign)}, false)"
    tests["all"] = "v IS NOT NULL"
    more = f"{form.of('v', '{core}')} AS c" if form.dressed else ""
    return sorts(rows, asked, asked.value, tests, more)


def undressed(rows: Rows, asked: Asked) -> tuple[Form, list[Note], list[Problem]]:
    """Currency, percent, brackets and minus signs behind: told, and refused where they are mixed."""
    tests = {
        "all": "v IS NOT NULL",
        "percent": f"{_FINE} AND p.pct = '%'",
        "bare": f"{_FINE} AND p.pct = ''",
        "brackets": f"{_FINE} AND p.open = '('",
        "behind": f"{_FINE} AND (p.s3 = '-' OR p.s4 = '-')",
        "signs": f"{_FINE} AND (p.c1 <> '' OR p.c2 <> '')",
    }
    found = sorts(rows, asked, asked.value, tests, f"{parts('v')} AS p")
    notes, problems = [], []
    percent = found["percent"]
    if percent and asked.column.kind not in {"float", "decimal"}:
        problems.append(asked.not_one(percent.row, percent.value, percent.count))
    elif percent and found["bare"]:
        what = f"percent signs on {percent.count} of {found['all'].count} numbers"
        problems.append(asked.problem(found["bare"].row, what, "write all of them alike"))
    if found["signs"]:
        inner = f"SELECT {sql.ROW} AS r, {asked.value} AS v FROM ({asked.untyped})"
        counts = rows(
            f"SELECT CASE WHEN p.c1 <> '' THEN p.c1 ELSE p.c2 END, count(*), min(r), arg_min(v, r) "
            f"FROM (SELECT *, {parts('v')} AS p FROM ({inner})) WHERE {tests['signs']} GROUP BY 1 ORDER BY 2 DESC, 1"
        )
        note, problem = currency(asked, counts, found["all"].count)
        notes += [note] if note else []
        problems += [problem] if problem else []
    if found["brackets"] or found["behind"]:
        count = found["brackets"].count + found["behind"].count
        first = tuple(sorted(s.row for s in (found["brackets"], found["behind"]) if s))
        notes.append(Note("negatives", "amber", asked.column.name, count, found["all"].count, examples=first))
    if percent:
        notes.append(Note("percent", "info", asked.column.name, percent.count, found["all"].count))
    return Form(True, bool(percent)), notes, problems
