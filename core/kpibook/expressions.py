"""What a params file may compute: one scalar SQL expression, from an allowlist.

The text is parsed, checked node by node, and only ever executed as the SQL that is
written back from the checked tree. What is not on the lists below does not run.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from kpibook.errors import ParamsError, Problem, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

DIALECT = "duckdb"
LONGEST = 2000
_WRITE = "write one scalar expression over the columns of the source, such as '= price * quantity'"
_WRITE_NAMES = f'{_WRITE}; a name with spaces stands in double quotes: "unit price"'
_LISTED = "docs/params.md lists all functions"
_CAST = "cast to text, a number, a date or a time"

_OPERATORS: tuple[type[exp.Expr], ...] = (
    exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Paren, exp.DPipe,
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.NullSafeEQ, exp.NullSafeNEQ,
    exp.And, exp.Or, exp.Not, exp.Is, exp.In, exp.Between, exp.Like, exp.ILike, exp.RegexpFullMatch,
    exp.Case, exp.If, exp.Cast, exp.TryCast, exp.DataType, exp.DataTypeParam, exp.Interval, exp.Var,
    exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.AtTimeZone,
)  # fmt: skip

_FUNCTIONS: dict[type[exp.Expr], str] = {
    exp.Abs: "abs", exp.Round: "round", exp.Floor: "floor", exp.Ceil: "ceil", exp.Sign: "sign",
    exp.Greatest: "greatest", exp.Least: "least", exp.Coalesce: "coalesce", exp.Nullif: "nullif",
    exp.Lower: "lower", exp.Upper: "upper", exp.Trim: "trim", exp.Substring: "substr", exp.Left: "left",
    exp.Right: "right", exp.Length: "length", exp.Replace: "replace", exp.RegexpReplace: "regexp_replace",
    exp.RegexpExtract: "regexp_extract", exp.RegexpLike: "regexp_matches", exp.SplitPart: "split_part",
    exp.Pad: "lpad", exp.Concat: "concat", exp.ConcatWs: "concat_ws", exp.StartsWith: "starts_with",
    exp.Contains: "contains", exp.StrPosition: "strpos", exp.Split: "string_split", exp.MD5: "md5",
    exp.SHA2: "sha256", exp.StrToTime: "strptime", exp.TimeToStr: "strftime", exp.TimestampTrunc: "date_trunc",
    exp.DateTrunc: "date_trunc", exp.DateDiff: "date_diff", exp.DateAdd: "date_add", exp.ToDays: "to_days",
    exp.Extract: "extract", exp.Year: "year", exp.Month: "month", exp.Day: "day", exp.Hour: "hour",
    exp.DateFromParts: "make_date", exp.TimestampFromParts: "make_timestamp", exp.UnixToTime: "to_timestamp",
    exp.LastDay: "last_day", exp.Date: "date",
}  # fmt: skip

_NAMED = ("try_strptime", "date_part", "strip_accents", "timezone", "rpad", "cast", "try_cast", "if", "ifnull")
_NAMED_CALLS = frozenset({"try_strptime", "date_part", "strip_accents", "timezone"})

_AGGREGATES: dict[type[exp.Expr], str] = {
    exp.Min: "min", exp.Max: "max", exp.Sum: "sum", exp.Count: "count", exp.AnyValue: "any_value",
}  # fmt: skip
_INSIDE_AGGREGATES = (exp.IgnoreNulls, exp.Distinct)

_TYPE_NAMES = (
    "TEXT", "VARCHAR", "CHAR", "TINYINT", "SMALLINT", "INT", "BIGINT", "INT128", "UTINYINT", "USMALLINT", "UINT",
    "UBIGINT", "FLOAT", "DOUBLE", "DECIMAL", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "TIMESTAMPNTZ", "TIMESTAMPTZ",
)  # fmt: skip
_TYPES = frozenset(exp.DataType.Type[name] for name in _TYPE_NAMES)

FUNCTIONS: tuple[str, ...] = tuple(sorted({*_FUNCTIONS.values(), *_NAMED}))
AGGREGATES: tuple[str, ...] = tuple(sorted(_AGGREGATES.values()))


def parse(
    text: str, columns: Collection[str] | None = None, *, aggregates: bool = False, where: str = "expression"
) -> exp.Expr:
    """The checked tree of ``text`` (without its ``=``).

    ``columns`` are the names the expression may use (None: any); ``aggregates`` allows
    min, max, sum, count and any_value. Raises ParamsError with every problem found.
    """
    tree = _one_expression(text, where)
    found = dict.fromkeys(_refused(tree, columns, aggregates))
    if found:
        raise ParamsError([Problem(where, what, remedy) for what, remedy in found])
    return tree


def columns_of(tree: exp.Expr) -> tuple[str, ...]:
    """Column names an expression uses, sorted."""
    return tuple(sorted({column.name for column in tree.find_all(exp.Column)}))


def bare_columns_of(tree: exp.Expr) -> tuple[str, ...]:
    """Column names an expression uses outside every aggregate, sorted."""
    kinds = tuple(_AGGREGATES)
    return tuple(sorted({c.name for c in tree.find_all(exp.Column) if c.find_ancestor(*kinds) is None}))


def is_plain(name: str) -> bool:
    """Whether a column's name needs no double quotes."""
    return re.fullmatch(r"[^\W\d]\w*", name) is not None


def shown_name(name: str) -> str:
    """A column's name as an expression has it."""
    return name if is_plain(name) else exp.to_identifier(name, quoted=True).sql(dialect=DIALECT)


def to_sql(tree: exp.Expr) -> str:
    """SQL for DuckDB, every name quoted."""
    return tree.sql(dialect=DIALECT, identify=True, comments=False)


def called(node: exp.Func) -> str:
    """A function as a params file writes it: ``upper()``."""
    known = node.name if isinstance(node, exp.Anonymous) else _FUNCTIONS.get(type(node)) or _AGGREGATES.get(type(node))
    return f"{(known or node.sql_name()).lower()}()"


def _one_expression(text: str, where: str) -> exp.Expr:
    if not text.strip():
        raise ParamsError(Problem(where, "the expression is empty", _WRITE))
    if len(text) > LONGEST:
        raise ParamsError(
            Problem(where, f"the expression has {len(text)} characters, at most {LONGEST} are read", "shorten it")
        )
    try:
        if any(token.comments for token in sqlglot.tokenize(text, dialect=DIALECT)):
            raise ParamsError(Problem(where, "the expression holds a comment", "write it above the line, after a '#'"))
        statements = sqlglot.parse(f"SELECT {text}", dialect=DIALECT)
        for statement in statements:  # '@' alone is read, and cannot be written
            again = statement.sql(dialect=DIALECT, unsupported_level=sqlglot.ErrorLevel.IGNORE) if statement else ""
            sqlglot.parse(again, dialect=DIALECT)
    except (sqlglot.errors.SqlglotError, RecursionError) as error:
        raise ParamsError(Problem(where, f"not an SQL expression: {_first_line(error)}", _WRITE_NAMES)) from error
    tree = statements[0] if len(statements) == 1 else None
    if not isinstance(tree, exp.Select):
        raise ParamsError(Problem(where, "more than one expression, or a whole query", _WRITE))
    parts = {name for name, value in tree.args.items() if value}
    if parts != {"expressions"} or len(tree.expressions) != 1 or isinstance(tree.expressions[0], exp.Alias):
        raise ParamsError(Problem(where, "more than one expression, or a whole query", _WRITE))
    only: exp.Expr = tree.expressions[0].pop()
    return only


def _first_line(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    plain = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).splitlines()[0]
    return re.sub(r"\.? Line \d+, Col: \d+\.?$|\. Required.*$| for <class.*$", "", plain).rstrip(".: ").lower()


def _refused(tree: exp.Expr, columns: Collection[str] | None, aggregates: bool) -> Iterator[tuple[str, str]]:
    told: set[int] = set()
    for node in tree.walk():
        if id(node.parent) in told:
            told.add(id(node))
            continue
        found = _refused_node(node, columns, aggregates)
        if found is not None:
            told.add(id(node))
            yield found


def _refused_node(node: exp.Expr, columns: Collection[str] | None, aggregates: bool) -> tuple[str, str] | None:
    if isinstance(node, exp.Query | exp.Subquery | exp.Exists):
        return "queries inside an expression are not allowed", _WRITE
    if isinstance(node, exp.Column):
        return _refused_column(node, columns)
    if isinstance(node, tuple(_AGGREGATES)):
        return _refused_aggregate(node, aggregates)
    if isinstance(node, exp.Star):
        return "'*' is not allowed", "name the column"
    if isinstance(node, exp.Anonymous):
        return None if node.name.lower() in _NAMED_CALLS else _no_function(node.name.lower(), aggregates)
    if isinstance(node, exp.DataType):
        fine = node.this in _TYPES
        return None if fine else (f"the type {node.sql(dialect=DIALECT)} is not allowed", _CAST)
    if isinstance(node, _INSIDE_AGGREGATES):
        fine = isinstance(node.parent, exp.Count) or isinstance(node.this, exp.AnyValue)
        return None if fine else (f"{_spoken(node)} is not allowed here", _WRITE)
    if isinstance(node, (*_OPERATORS, *_FUNCTIONS)):
        return None
    if isinstance(node, exp.Func) and node.key not in _SPOKEN:
        return _no_function(node.sql_name().lower(), aggregates)
    return f"{_spoken(node)} is not allowed", _WRITE


def _refused_column(node: exp.Column, columns: Collection[str] | None) -> tuple[str, str] | None:
    if node.table:
        return f"'{node.sql(dialect=DIALECT)}' names a table", "write the column's name alone"
    if columns is not None and node.name not in columns:
        return f"unknown column '{node.name}'", nearest(node.name, columns)
    return None


def _refused_aggregate(node: exp.Expr, aggregates: bool) -> tuple[str, str] | None:
    name = _AGGREGATES[type(node)]
    if not aggregates:
        return f"{name}() joins several rows", "give one_row_per, or take the aggregate away"
    if node.expressions:
        return f"{name}() takes one value", f"write {name}(column)"
    if node.find_ancestor(*_AGGREGATES) is not None:
        return f"{name}() stands inside another aggregate", "use one aggregate"
    return None


def _no_function(name: str, aggregates: bool) -> tuple[str, str]:
    known = sorted(FUNCTIONS + AGGREGATES if aggregates else FUNCTIONS)
    near = get_close_matches(name, known, n=1)
    remedy = f"did you mean '{near[0]}'? {_LISTED}" if near else f"use one of: {', '.join(known)}"
    return f"the function {name}() is not allowed", remedy


def nearest(name: str, known: Collection[str]) -> str:
    """did_you_mean, but a name that differs in capitals only comes first."""
    same = [other for other in sorted(known) if other.casefold() == name.casefold()]
    return f"did you mean '{same[0]}'?" if same else did_you_mean(name, known)


_SPOKEN = {
    "jsonextract": "'->'", "bracket": "'[ ]'", "array": "a list", "struct": "a struct", "tuple": "a list of values",
    "placeholder": "a parameter", "parameter": "a parameter", "window": "a window", "lambda": "a lambda",
    "filter": "a filter", "where": "a filter", "order": "an order", "ordered": "an order", "alias": "a name (AS)",
    "distinct": "DISTINCT", "ignorenulls": "IGNORE NULLS", "positionalcolumn": "a column's position",
}  # fmt: skip


def _spoken(node: exp.Expr) -> str:
    return _SPOKEN.get(node.key, f"'{node.key}'")
