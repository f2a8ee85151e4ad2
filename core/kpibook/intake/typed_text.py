"""A text column of a file as a canonical type: decided from the whole column, told, and refused while in doubt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from kpibook.errors import Problem
from kpibook.intake import casting, sql
from kpibook.intake.casting import Cast, shown
from kpibook.model import Column

if TYPE_CHECKING:
    from kpibook.intake.notes import Note
    from kpibook.params_tables import SourceColumn

MEND = "correct the file, or map it with an expression"
#: Written for "nothing" by programs and people; whole cells, in any case.
NOTHING = (
    "null", "(null)", "#null!", "\\n", "n/a", "#n/a", "<na>", "nan", "na", "none", "nil", "-", "--", "\u2013", "\u2014",
    "?", "#nv", "n.a.", "n.d.", "nd", "s/d", "k.a.", "keine angabe", "n.v.",
)  # fmt: skip
#: Of these, the ones that no word of a text can be.
NOTHING_IN_TEXT = NOTHING[:8]
#: Stand-ins for a person nobody knows.
NOBODY = (
    "0", "00", "000", "0000", "00000", "000000", "0000000", "00000000", "000000000", "0000000000", "anonymous",
    "anonym", "an\u00f3nimo", "anonimo", "unknown", "unbekannt", "desconocido", "sconosciuto", "guest", "gast",
    "invitado", "ospite",
)  # fmt: skip
_BLANKS = " \t\u00a0\u202f\ufeff\u200b\u200e\u200f\u2060"

Rows = Callable[[str], list[tuple[Any, ...]]]


@dataclass(frozen=True)
class Asked:
    """A column to be decided: ``raw`` is its name in the SELECT ``untyped``, ``how`` what params say of it."""

    table: str
    column: Column
    where: str
    raw: str
    untyped: str
    how: SourceColumn
    shop: str
    currency: str
    kinds: Mapping[str, int] = field(default_factory=dict)
    clean: bool = False

    @property
    def filled(self) -> str:
        """The value without blanks around it, NULL when nothing is left; ``clean`` columns have none."""
        if self.clean:
            return self.raw
        return f"NULLIF(trim({self.raw}, {sql.text(_BLANKS)}), '')"

    @property
    def tokens(self) -> tuple[str, ...]:
        """What counts as empty, in small letters."""
        if self.how.missing is not None:
            return tuple(word.strip().lower() for word in self.how.missing if word.strip())
        if self.column.kind in {"str", "enum", "list"} and not is_id(self.column):
            return NOTHING_IN_TEXT
        return NOTHING + (NOBODY if is_person(self.column) else ())

    @property
    def value(self) -> str:
        """``filled``, NULL for what counts as empty."""
        return f"CASE WHEN {self.is_token} THEN NULL ELSE {self.filled} END" if self.tokens else self.filled

    @property
    def is_token(self) -> str:
        return self.token_of(self.filled)

    def token_of(self, value: str) -> str:
        """SQL condition: ``value`` counts as empty."""
        longest = max(map(len, self.tokens), default=0)
        listed = ", ".join(map(sql.text, self.tokens))
        return f"(length({value}) <= {longest} AND lower({value}) IN ({listed}))" if listed else "false"

    def problem(self, row: int | None, what: str, remedy: str = MEND) -> Problem:
        return Problem(self.where + (f": row {row}" if row else ""), what, remedy)

    def not_one(self, row: int, value: str, count: int) -> Problem:
        """The commonest refusal: a value that is none of its kind."""
        more = f", {count} rows in all" if count > 1 else ""
        return self.problem(row, f"{shown(value)} is not {casting.EXPECTED[self.column.kind]}{more}")


@dataclass(frozen=True)
class Decided:
    cast: Cast
    notes: tuple[Note, ...] = ()
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True)
class Seen:
    """How many rows are of a sort, and the first of them."""

    count: int
    row: int = 0
    value: str = ""

    def __bool__(self) -> bool:
        return self.count > 0


def sorts(rows: Rows, asked: Asked, value: str, tests: Mapping[str, str], more: str = "") -> dict[str, Seen]:
    """One pass over the column: for each test over ``v``, a Seen. ``more`` are columns made from ``v`` beside it."""
    names = [f"t{i}" for i in range(len(tests))]
    parts = ", ".join(f"count(*) FILTER ({t}), min(r) FILTER ({t}), arg_min(v, r) FILTER ({t})" for t in names)
    inner = f"SELECT {sql.ROW} AS r, {value} AS v FROM ({asked.untyped})"
    if more:
        inner = f"SELECT *, {more} FROM ({inner})"
    made = ", ".join(f"({test}) AS {name}" for name, test in zip(names, tests.values(), strict=True))
    inner = f"SELECT r, v, {made} FROM ({inner})"
    found = rows(f"SELECT {parts} FROM ({inner})")[0]
    return {name: Seen(found[3 * i], found[3 * i + 1] or 0, found[3 * i + 2] or "") for i, name in enumerate(tests)}


def _simplest(rows: Rows, asked: Asked) -> Asked:
    """Most columns have neither blanks nor words for nothing: every later pass is then the cheaper."""
    tokens, blanks = rows(
        f"SELECT count(*) FILTER ({asked.is_token}), count(*) FILTER ({asked.raw} IS DISTINCT FROM {asked.filled}) "
        f"FROM ({asked.untyped})"
    )[0]
    how = asked.how if tokens else asked.how.model_copy(update={"missing": ()})
    return replace(asked, how=how, clean=not blanks)


def is_id(column: Column) -> bool:
    return column.kind == "str" and (column.name.endswith("_id") or column.key)


def is_person(column: Column) -> bool:
    """Somebody who may be nobody: never the key of a table of persons."""
    return not column.key and column.name in {"customer_id", "member_id"}


def decide(rows: Rows, asked: Asked) -> Decided:
    """The column's cast, what was assumed, and what has to be said in params first."""
    from kpibook.intake import dates, identifiers, numbers

    asked = _simplest(rows, asked)
    kind = asked.column.kind
    if kind in {"money", "decimal", "float", "int"}:
        return numbers.decide(rows, asked)
    if kind in {"date", "datetime"}:
        return dates.decide(rows, asked)
    if kind in {"str", "enum"}:
        return identifiers.decide(rows, asked)
    value = f"CASE WHEN {asked.is_token} THEN NULL ELSE {asked.raw} END"
    made = casting.cast(asked.column, f"({value})", "VARCHAR", asked.how.timezone, asked.shop)
    return Decided(made or Cast(casting.nothing(asked.column)))
