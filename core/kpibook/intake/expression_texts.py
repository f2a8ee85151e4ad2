"""Text columns inside an expression: SQL takes their numbers and dates one way, and nothing may say another.

A cast reads a decimal point and dates as ISO has them; min, max and comparisons see letters. Where the column's
values, or params, leave another reading open, the mapping is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from sqlglot import exp

from kpibook import expressions
from kpibook.errors import Problem
from kpibook.intake import sql
from kpibook.intake.cast_numbers import COMMA
from kpibook.intake.casting import shown
from kpibook.intake.number_forms import SORTS

if TYPE_CHECKING:
    from kpibook.intake.files import SourceFile
    from kpibook.intake.typed_text import Rows
    from kpibook.params_tables import SourceColumn

NUMBER, WHOLE, DAY, ORDER, ORDERED_DAYS = "number", "whole", "day", "order", "ordered days"
_WHOLES = {exp.DataType.Type[name] for name in ("TINYINT", "SMALLINT", "INT", "BIGINT", "INT128", "UTINYINT",
                                                 "USMALLINT", "UINT", "UBIGINT")}  # fmt: skip
NUMBERS = {*_WHOLES, *(exp.DataType.Type[name] for name in ("FLOAT", "DOUBLE", "DECIMAL"))}
_DAYS = {exp.DataType.Type[name] for name in ("DATE", "TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMPTZ")}
_ORDERING = (exp.Min, exp.Max, exp.Greatest, exp.Least)
_COMPARING = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between)
_ISO = r"\d{4}-\d{2}-\d{2}([T ].*)?"
_BY_NAME = "map the column by its name"
_CAST = "write cast(… as decimal(18, 4)), or as date, around it"


def uses(tree: exp.Expr, kind: str) -> Iterator[tuple[str, str]]:
    """Columns that ``tree`` takes for numbers or days, and how; ``kind`` is what the whole is read as afterwards."""
    for node in tree.walk():
        if isinstance(node, exp.Cast):  # TryCast is one too
            name, to = _column(node.this), node.to.this
            if name and to in NUMBERS | _DAYS:
                yield name, WHOLE if to in _WHOLES else NUMBER if to in NUMBERS else DAY
        elif isinstance(node, _ORDERING) and kind in {"money", "decimal", "float", "int", "date", "datetime"}:
            for operand in (node.this, *node.expressions):
                if name := _column(operand):
                    yield name, ORDERED_DAYS if kind in {"date", "datetime"} else ORDER
        elif isinstance(node, _COMPARING):
            yield from _compared([part for part in node.args.values() if isinstance(part, exp.Expr)])


def _compared(sides: list[exp.Expr]) -> Iterator[tuple[str, str]]:
    names = [name for side in sides if (name := _column(side))]
    for side in sides:
        if isinstance(side, exp.Literal) and side.is_string:
            if re.fullmatch(_ISO, side.name):
                yield from ((name, ORDERED_DAYS) for name in names)
            elif re.fullmatch(r"-?[\d.,]*\d[\d.,]*", side.name):
                yield from ((name, ORDER) for name in names)


def _column(node: exp.Expr | None) -> str:
    while isinstance(node, exp.Paren | exp.Trim):
        node = node.this
    return node.name if isinstance(node, exp.Column) else ""


def judged(rows: Rows, file: SourceFile, name: str, use: str, how: SourceColumn, where: str) -> Iterator[Problem]:
    """The problem with one use of one column, if there is one; ``how`` is what params say of it."""
    if use == ORDER:
        yield Problem(where, f"compares the texts of '{name}' letter by letter, not as numbers", _CAST)
    elif use == ORDERED_DAYS:
        odd = _first(rows, file, name, f"NOT regexp_full_match(v, {sql.text(_ISO)})")
        if odd:
            what = f"compares the texts of '{name}' letter by letter, and {odd} is no date that sorts so"
            yield Problem(where, what, _CAST)
    elif use == DAY:
        short = _first(rows, file, name, "regexp_matches(v, '^\\d{1,3}[-/]')")
        if short:
            yield Problem(where, f"cast takes {short} of '{name}' for a date in the first centuries", _BY_NAME)
    else:
        yield from _number(rows, file, name, use, how, where)


def _number(rows: Rows, file: SourceFile, name: str, use: str, how: SourceColumn, where: str) -> Iterator[Problem]:
    decimal = how.decimal or {".": ",", ",": "."}.get(how.thousands or "")
    point = f"regexp_full_match(v, {sql.text('[+-]?(' + SORTS['point'] + ')')})"
    either = f"regexp_full_match(v, {sql.text('[+-]?(' + SORTS['either_point'] + ')')})"
    if decimal == "," and (odd := _first(rows, file, name, point)):
        what = f"cast takes the point in {odd} of '{name}' for decimals, and params say decimal: ','"
        written = COMMA.format(expressions.shown_name(name), "decimal(18, 4)")
        yield Problem(where, what, f"{_BY_NAME}, or write {written}")
    proof = decimal is not None or _first(rows, file, name, f"{point} AND NOT {either}")
    if not proof and (odd := _first(rows, file, name, either)):
        what = f"ambiguous: {odd} of '{name}' has decimals or thousands, and no other number of the column tells"
        yield Problem(where, what, f"{_BY_NAME}, and say which it is: decimal: '.' or decimal: ','")
        return
    if use == WHOLE and (odd := _first(rows, file, name, f"{point} AND NOT regexp_full_match(v, '.*[.]0*')")):
        remedy = f"cast '{name}' to decimal(18, 4), and round() what may be rounded"
        yield Problem(where, f"cast to whole numbers would round {odd} of '{name}'", remedy)


def _first(rows: Rows, file: SourceFile, name: str, test: str) -> str:
    """The first value for which ``test`` holds, with its row; empty when there is none."""
    inner = f"SELECT {sql.ROW} AS r, trim({sql.name(name)}) AS v FROM ({file.numbered})"
    row, value = rows(f"SELECT min(r), arg_min(v, r) FROM ({inner}) WHERE {test}")[0]
    return f"{shown(value)} (row {row})" if row else ""
