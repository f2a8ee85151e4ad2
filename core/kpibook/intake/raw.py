"""An expression made soft: a cast that fails yields NULL and a probe that says on which value."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from kpibook import expressions
from kpibook.intake import sql
from kpibook.intake.expression_texts import NUMBERS

_GUARDS = (exp.Case, exp.If, exp.Coalesce)


@dataclass(frozen=True)
class Probe:
    """``operand`` and ``made`` are columns of the untyped SELECT: NULL made of an operand is a failure.

    ``number`` is what a cast to a number casts, and to what, as an author writes them.
    """

    operand: str
    made: str
    expected: str
    number: tuple[str, str] | None = None


@dataclass(frozen=True)
class RawValue:
    """One value of the untyped SELECT: the column ``alias`` and its probes."""

    alias: str
    selected: str
    probes: tuple[Probe, ...] = ()


def probes(tree: exp.Expr, alias: str, *, grouped: bool) -> RawValue:
    """``tree`` as a column. Casts the author guards (CASE, COALESCE), and casts inside aggregates, stay strict."""
    if grouped:
        return RawValue(alias, f"{expressions.to_sql(tree)} AS {sql.name(alias)}")
    soft = tree.copy()
    selected, found = [], []
    inner_first = [n for n in soft.walk() if _strict(n)][::-1]
    for i, node in enumerate(inner_first):
        softened, expected = _softened(node)
        if node is soft:
            soft = softened
        else:
            node.replace(softened)
        operand, made = f"{alias}p{i}", f"{alias}m{i}"
        text = expressions.to_sql(softened.this if isinstance(softened, exp.TryCast) else softened.expressions[0])
        selected += [f"{text} AS {sql.name(operand)}", f"{expressions.to_sql(softened)} AS {sql.name(made)}"]
        found.append(Probe(sql.name(operand), sql.name(made), expected, _number(node)))
    selected.insert(0, f"{expressions.to_sql(soft)} AS {sql.name(alias)}")
    return RawValue(alias, ", ".join(selected), tuple(found))


def _strict(node: exp.Expr) -> bool:
    if node.find_ancestor(*_GUARDS) is not None:
        return False
    if isinstance(node, exp.StrToTime):
        return True
    return type(node) is exp.Cast and not isinstance(node.this, exp.Literal)


def _softened(node: exp.Expr) -> tuple[exp.Expr, str]:
    if isinstance(node, exp.Cast):
        return exp.TryCast(this=node.this.copy(), to=node.to.copy()), f"a value for {_cast(node)}"
    arguments = [node.this.copy(), node.args["format"].copy()]
    said = f"a value for strptime({', '.join(map(_shown, arguments))})"
    return exp.Anonymous(this="try_strptime", expressions=arguments), said


def _cast(node: exp.Cast) -> str:
    return f"cast({_shown(node.this)} as {_shown(node.to).lower()})"


def _number(node: exp.Expr) -> tuple[str, str] | None:
    if isinstance(node, exp.Cast) and node.to.this in NUMBERS:
        return _shown(node.this), _shown(node.to).lower()
    return None


def _shown(node: exp.Expr) -> str:
    """As an author writes it: functions in small letters, quotes around names that need them."""
    plain = node.copy()
    for column in plain.find_all(exp.Column):
        column.set("table", None)
        column.this.set("quoted", not expressions.is_plain(column.name))
    return plain.sql(dialect=expressions.DIALECT, normalize_functions="lower")
