"""What params may compute inside PostgreSQL: what gives there, to the last digit, what it gives in DuckDB.

The list is shorter than what a params file may compute over a copy: patterns, dates put together and text read as
numbers or dates are not the same in both.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlglot import exp

from kpibook import expressions
from kpibook.errors import Problem
from kpibook.intake import casting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REMEDY = "let a view of the database compute it and name its column, or write extract: true"
#: A family of DuckDB types, as ``casting.family`` has them.
Family = str

_SAME: tuple[type[exp.Expr], ...] = (
    exp.Add, exp.Sub, exp.Mul, exp.Neg, exp.Paren, exp.DPipe, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE,
    exp.NullSafeEQ, exp.NullSafeNEQ, exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Case, exp.If,
    exp.DataType, exp.DataTypeParam, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Abs,
    exp.Coalesce, exp.Nullif, exp.Greatest, exp.Least, exp.Lower, exp.Length, exp.Replace, exp.Left, exp.Right,
    exp.Year, exp.Month, exp.Day, exp.Hour, exp.Floor, exp.Ceil, exp.Sign, exp.Min, exp.Max, exp.Sum, exp.Count,
    exp.Distinct,
)  # fmt: skip
_COMPARING = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ, exp.Between, exp.In)
_CLOCKS = ("date", "moment", "instant")
_ISO = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?)?"
_NUMBERS = ("whole", "decimal", "real")
#: Into what a cast may turn which families; text stays text.
_CASTS = {
    "text": ("text", "whole", "bool", "date", "moment"),
    "whole": ("whole",),
    "decimal": ("whole", "decimal"),
    "real": _NUMBERS,
    "bool": ("bool",),
    "date": ("date", "moment"),
    "moment": ("date", "moment"),
}


def refused(tree: exp.Expr, family: Callable[[exp.Expr], Family], where: str) -> Iterator[Problem]:
    """The first part of ``tree`` that cannot be computed in place; ``family`` tells the type of a part."""
    for node in tree.walk():
        what = _why(node, family)
        if what is not None:
            yield Problem(where, f"{what} in the database itself", REMEDY)
            return


def _why(node: exp.Expr, family: Callable[[exp.Expr], Family]) -> str | None:
    if isinstance(node, exp.Cast):  # TryCast is one too
        here, to = family(node.this), casting.family(_duckdb(node))
        return None if here in _CASTS.get(to, ()) else f"a cast from {_called(here)} to {_called(to)} is not computed"
    if isinstance(node, exp.Column):
        return "a number of single precision is not read" if family(node) == "single" else None
    if isinstance(node, exp.Div):
        return None if _never_zero(node.expression) else "a division by what may be 0 is not computed"
    if isinstance(node, exp.Round):
        exact = family(node.this) in ("whole", "decimal")
        return None if exact else "rounding an inexact number is not computed"
    if isinstance(node, exp.Left | exp.Right):
        return None if _counted(node.expression) else f"{node.key}() without a number is not computed"
    if isinstance(node, exp.DPipe) and {"real", "instant"} & {family(node.this), family(node.expression)}:
        return "a text put together with an inexact number or a zoned time is not made"
    if isinstance(node, _COMPARING) and (odd := _odd_date(node, family)):
        return f"the date {odd} is not written as 2017-07-01, and is not read"
    if isinstance(node, _SAME):
        return None
    return f"{_spoken(node)} is not computed"


def _odd_date(node: exp.Expr, family: Callable[[exp.Expr], Family]) -> str:
    sides = [part for value in node.args.values() for part in (value if isinstance(value, list) else [value])]
    texts = [side for side in sides if isinstance(side, exp.Literal) and side.is_string]
    if texts and any(family(side) in _CLOCKS for side in sides if isinstance(side, exp.Expr)):
        return next((repr(text.name) for text in texts if not re.fullmatch(_ISO, text.name)), "")
    return ""


def _duckdb(node: exp.Cast) -> str:
    return {"TEXT": "VARCHAR", "INT": "INTEGER"}.get(kind := node.to.sql(dialect="duckdb"), kind)


def _never_zero(divisor: exp.Expr) -> bool:
    plain = divisor.unnest()
    if isinstance(plain, exp.Literal):
        return not plain.is_string and float(plain.name) != 0
    return isinstance(plain, exp.Nullif) and isinstance(plain.expression, exp.Literal) and plain.expression.name == "0"


def _counted(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string


def _called(family: Family) -> str:
    return {"whole": "a whole number", "decimal": "a number", "real": "an inexact number", "bool": "true or false",
            "moment": "a date and time", "instant": "a date and time with a zone", "date": "a date", "time": "a time"
            }.get(family, family)  # fmt: skip


def _spoken(node: exp.Expr) -> str:
    if isinstance(node, exp.Func):
        return expressions.called(node)
    return f"'{node.key}'"
