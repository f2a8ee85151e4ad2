"""Our own statements, written for DuckDB, as PostgreSQL says them: the same rows, or an error of the server.

What params compute has passed ``in_place_gate`` before; the rest is text of the modules beside this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

BYTES = 'COLLATE "C"'
#: What DuckDB's trim() takes away.
_BLANKS = " \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000"
_DIGITS = 20


def translated(query: str, tables: Mapping[str, str], folding: str) -> str:
    """``tables`` says where the client's lie; ``folding`` is the collation that knows small and capital letters."""
    tree = sqlglot.parse_one(query, dialect="duckdb")
    _named(tree, tables)
    for group in tree.find_all(exp.Group):
        if group.args.get("all"):
            group.set("all", None)
            group.set("expressions", list(_plain(group.parent)))
    for node in list(tree.walk())[::-1]:  # what stands inside comes first
        made = _made(node, folding)
        if made is not None:
            where = node.parent if isinstance(node.parent, exp.Filter) and node.arg_key == "this" else node
            where = where if type(node) in _AGGREGATES or _is(node, "arg_min_null") else node
            if where is tree:
                return made
            where.replace(exp.Var(this=made))
    for i, query_inside in enumerate(_unnamed(tree)):
        query_inside.set("alias", exp.TableAlias(this=exp.to_identifier(f"_q{i}")))
    return tree.sql(dialect="postgres")


def _named(tree: exp.Expr, tables: Mapping[str, str]) -> None:
    for table in tree.find_all(exp.Table):
        if table.db == "source":
            table.set("db", None)
            table.set("this", exp.to_identifier(tables[table.name], quoted=True))


def _unnamed(tree: exp.Expr) -> Iterator[exp.Subquery]:
    """Queries in FROM without a name: servers before 16 want one."""
    for found in list(tree.find_all(exp.Subquery)):
        if isinstance(found.parent, exp.From | exp.Join) and not found.alias:
            yield found


def _plain(select: exp.Expr | None) -> Iterator[exp.Expr]:
    """Places of the columns that no aggregate makes."""
    for i, column in enumerate(select.expressions if select else (), start=1):
        if column.find(exp.AggFunc) is None:
            yield exp.Literal.number(i)


def _made(node: exp.Expr, folding: str) -> str | None:
    maker = _MAKERS.get(type(node))
    if maker is not None:
        return maker(node)
    if isinstance(node, exp.Lower | exp.Upper):
        return f'({node.key}(({_sql(node.this)}) COLLATE "{folding}") {BYTES})'
    if isinstance(node, exp.Anonymous):
        maker = _ANONYMOUS.get(node.name.lower())
        return None if maker is None else maker(node)
    return None


def _sql(node: exp.Expr) -> str:
    return node.sql(dialect="postgres")


def _is(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.lower() == name


def _filter(node: exp.Expr, *more: str) -> str:
    """FILTER with the condition that stands around an aggregate, and ``more``."""
    around = node.parent
    own = [f"({_sql(around.expression.this)})"] if isinstance(around, exp.Filter) else []
    return f" FILTER (WHERE {' AND '.join([*own, *more])})" if own or more else ""


def _least(node: exp.Expr) -> str | None:
    """``min(x, n)``: the n least, as a list."""
    if not node.expressions:
        return None
    value = _sql(node.this)
    return f"(array_agg({value} ORDER BY {value}){_filter(node)})[1:{_sql(node.expressions[0])}]"


def _text_at_least(node: exp.Expr) -> str:
    """``arg_min(text, row)`` without a list of all: the least of rows and texts put together."""
    row, value = _sql(node.expression), _sql(node.this)
    together = f"lpad(CAST({row} AS TEXT), {_DIGITS}, '0') || CAST({value} AS TEXT) {BYTES}"
    return f"substr(min({together}){_filter(node)}, {_DIGITS + 1})"


def _at_least(node: exp.Expr) -> str:
    value, row = map(_sql, node.expressions)
    return f"(array_agg({value} ORDER BY {row}){_filter(node)})[1]"


def _at_most(node: exp.Expr) -> str:
    value, by = _sql(node.this), node.expression
    order = by.expressions if isinstance(by, exp.Tuple) else [by]
    listed = ", ".join(f"{_sql(each)} DESC NULLS LAST" for each in order)
    places = f"1:{_sql(count)}" if (count := node.args.get("count")) else "1"
    return f"(array_agg({value} ORDER BY {listed}){_filter(node, f'{value} IS NOT NULL')})[{places}]"


def _tried(node: exp.Expr) -> str:
    """NULL for what is too large, or no number; PostgreSQL before 16 cannot try."""
    value, to = _sql(node.this), node.args["to"]
    kind = _kind(to)
    if to.is_type("decimal"):
        precision, scale = _digits(to)
        return f"CASE WHEN abs({value}) < 1e{precision - scale} THEN {_exact(value, to)} END"
    if to.is_type("bigint"):
        return f"CASE WHEN {value} > -9.2e18 AND {value} < 9.2e18 THEN CAST({value} AS {kind}) END"
    return _cast(node)


def _digits(to: exp.Expr) -> tuple[int, int]:
    """Precision and scale; those that DuckDB takes where none are written."""
    written = [int(each.name) for each in to.expressions]
    return (written[0], written[1] if len(written) > 1 else 0) if written else (18, 3)


def _exact(value: str, to: exp.Expr) -> str:
    """Inexact numbers are rounded as DuckDB does it: after they were multiplied, and halves away from zero."""
    unit = f"1e{_digits(to)[1]}"
    many = f"(CAST({value} AS DOUBLE PRECISION) * {unit})"
    half = f"CASE WHEN abs({many}) - floor(abs({many})) >= 0.5 THEN 1 ELSE 0 END"
    rounded = f"CAST(CAST(sign({many}) * (floor(abs({many})) + {half}) AS BIGINT) AS NUMERIC) / {unit}"
    inexact = f"pg_typeof({value}) = 'double precision'::regtype"
    return f"CAST(CASE WHEN {inexact} THEN {rounded} ELSE CAST({value} AS NUMERIC) END AS {_kind(to)})"


def _kind(to: exp.Expr) -> str:
    return f"DECIMAL({', '.join(map(str, _digits(to)))})" if to.is_type("decimal") else to.sql(dialect="postgres")


def _cast(node: exp.Expr) -> str:
    to = node.args["to"]
    if to.is_type("varchar", "text"):
        return f"(CAST({_sql(node.this)} AS TEXT) {BYTES})"
    if to.is_type("decimal"):
        return _exact(_sql(node.this), to)
    return f"CAST({_sql(node.this)} AS {_kind(to)})"


def _trimmed(node: exp.Expr) -> str | None:
    blanks = "".join(map(_escaped, _BLANKS))
    return f"btrim({_sql(node.this)}, U&'{blanks}')" if node.expression is None else None


def _escaped(sign: str) -> str:
    return f"\\{ord(sign):04X}"


def _matched(node: exp.Expr) -> str:
    pattern = exp.Literal.string(f"^(?:{node.expression.name})$")
    return f"({_sql(node.this)} ~ {_sql(pattern)})"


def _part(node: exp.Expr) -> str:
    return f"substring({_sql(node.this)} from {_sql(node.expression)})"


def _no_texts(node: exp.Expr) -> str | None:
    return None if node.expressions else "CAST(ARRAY[] AS TEXT[])"


def _whole(node: exp.Expr) -> str:
    return f"CAST(EXTRACT({node.key} FROM {_sql(node.this)}) AS BIGINT)"


def _hashed(node: exp.Expr) -> str:
    return f"md5(CAST(ROW({', '.join(map(_sql, node.expressions))}) AS TEXT))"


def _finite(node: exp.Expr) -> str:
    return f"({_sql(node.expressions[0])} NOT IN ('NaN', 'Infinity', '-Infinity'))"


_AGGREGATES = {exp.Min, exp.ArgMin, exp.ArgMax}
_MAKERS: dict[type[exp.Expr], Callable[[exp.Expr], str | None]] = {
    exp.Min: _least,
    exp.ArgMin: _text_at_least,
    exp.ArgMax: _at_most,
    exp.TryCast: _tried,
    exp.Cast: _cast,
    exp.Trim: _trimmed,
    exp.RegexpFullMatch: _matched,
    exp.RegexpExtract: _part,
    exp.Array: _no_texts,
    exp.IsNan: lambda node: f"({_sql(node.this)} = 'NaN')",
    **dict.fromkeys((exp.Year, exp.Month, exp.Day, exp.Hour), _whole),
}
_ANONYMOUS: dict[str, Callable[[exp.Expr], str | None]] = {
    "arg_min_null": _at_least,
    "hash": _hashed,
    "isfinite": _finite,
}
