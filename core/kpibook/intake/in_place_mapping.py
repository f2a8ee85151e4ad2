"""A table's mapping where the rows stay on their server: typed columns, and expressions that mean the same there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kpibook import expressions
from kpibook.errors import DataError, Problem
from kpibook.intake import casting, in_place_gate, sql
from kpibook.intake.mapped import model_column, place
from kpibook.intake.mapping import Mapper
from kpibook.intake.typed_text import Decided

if TYPE_CHECKING:
    from sqlglot import exp

    from kpibook.intake.raw import RawValue
    from kpibook.intake.server import Server

#: Kinds that a text is not read as in place: how a client writes them is found by looking at all of them.
_WRITTEN = {"money", "decimal", "float", "int", "date", "datetime", "time", "list"}
_REMEDY = "give the column such a type, in a view, or write extract: true"
#: Types of the server by what DuckDB calls the same; an exact number may be whole here and there not.
_FAMILIES = {
    16: "bool", 20: "whole", 21: "whole", 23: "whole", 1700: "whole", 700: "real", 701: "real", 25: "text",
    1043: "text", 1082: "date", 1083: "time", 1114: "moment", 1184: "instant", 1009: "list", 1007: "list",
    1016: "list", 1005: "list", 1015: "list",
}  # fmt: skip


class InPlaceMapper(Mapper):
    """Checks types on the twin ``con``, then on the server, and refuses what is not the same on both."""

    server: Server

    def _parsed(
        self, text: str, where: str, owners: dict[str, tuple[str, ...]], *, aggregates: bool
    ) -> exp.Expr | None:
        tree = super()._parsed(text, where, owners, aggregates=aggregates)
        if tree is not None and not self.problems:
            self.problems.extend(in_place_gate.refused(tree, self._family, where))
        return tree

    def _family(self, part: exp.Expr) -> str:
        """Of a part of an expression; what DuckDB does not bind is told when the whole is bound."""
        scans = ", ".join(
            [
                f"({self.base.numbered}) AS s",
                *(f"{self.files[n].scan} AS j{i}" for i, n in enumerate(self.mapping.join)),
            ]
        )
        described = super()._described(f"SELECT {expressions.to_sql(part)} AS part FROM {scans}")
        kind = described["part"] if isinstance(described, dict) else ""
        return "single" if kind == "FLOAT" else casting.family(kind)

    def _types(
        self,
        untyped: str,
        columns: list[str],
        values: list[RawValue],
        owners: dict[str, tuple[str, ...]],
        where: exp.Expr | None,
    ) -> dict[str, str]:
        types = super()._types(untyped, columns, values, owners, where)
        there = self._on_server(untyped) if types else {}
        for column, value in zip(columns, values, strict=True) if types else ():
            alias = value.alias
            if _alike(types[alias]) != there[alias]:
                what = "the expression gives another type in the database than it gives in DuckDB"
                self.problems.append(Problem(self._at("columns", column), what, in_place_gate.REMEDY))
        return types

    def _described(self, query: str) -> dict[str, str] | str:
        described = super()._described(query)
        if isinstance(described, dict):
            try:
                self._on_server(query)
            except DataError as error:
                return error.problems[0].what
        return described

    def _on_server(self, query: str) -> dict[str, str]:
        self.server.doing = f"while the mapping of {self.table} was checked"
        return {name: _FAMILIES.get(kind, "other") for name, kind in self.server.columns(query).items()}

    def _decided(
        self, column: str, value: RawValue, types: dict[str, str], owners: dict[str, tuple[str, ...]], untyped: str
    ) -> Decided:
        wanted = model_column(self.table, column)
        if types[value.alias] == "VARCHAR" and wanted.kind in _WRITTEN:
            written = self.mapping.at(column).column
            named = None if written.lstrip().startswith("=") else written
            at = place(self.mapping.from_, self.table, column, named)
            what = f"a text is not read as {casting.EXPECTED[wanted.kind]} in the database itself"
            return Decided(casting.Cast(casting.nothing(wanted)), (), (Problem(at, what, _REMEDY),))
        decided = super()._decided(column, value, types, owners, untyped)
        if casting.family(types[value.alias]) != "decimal":
            return decided
        odd = f"isnan(CAST({sql.name(value.alias)} AS DOUBLE))"  # an exact number may be none there, and not in DuckDB
        bad = odd if decided.cast.bad is None else f"({decided.cast.bad} OR {odd})"
        return replace(decided, cast=replace(decided.cast, bad=bad))


def mapper_on(server: Server) -> type[InPlaceMapper]:
    """The mapper of one session."""
    return type("InPlaceMapper", (InPlaceMapper,), {"server": server})


def _alike(duckdb_type: str) -> str:
    family = casting.family(duckdb_type)
    return {"decimal": "whole", "null": "text"}.get(family, family)
