"""From a table's mapping to one SELECT, and to the test of its values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from sqlglot import exp

from kpibook import expressions
from kpibook.errors import KpibookError, Problem
from kpibook.expressions import nearest
from kpibook.intake import casting, expression_texts, sql
from kpibook.intake.cast_numbers import COMMA, POINT
from kpibook.intake.mapped import Mapped, ValueTest, model_column, place
from kpibook.intake.raw import RawValue, probes
from kpibook.intake.typed_text import Asked, Decided, decide
from kpibook.params_tables import SourceColumn
from kpibook.yaml_lines import Key, dotted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ibis.backends.duckdb import Backend

    from kpibook.intake.files import SourceFile
    from kpibook.intake.typed_text import Rows
    from kpibook.params import Params, TableMapping

ROW_ID = "row_id"
#: Kinds that an expression's text is read as like a column's; its other texts stay as it made them.
_READ = {"money", "decimal", "float", "int", "date", "datetime"}


class Mapper:
    """Builds one table's SELECT; gathers ``problems`` instead of stopping at the first."""

    def __init__(self, con: Backend, params: Params, table: str, files: Mapping[str, SourceFile], rows: Rows) -> None:
        self.con = con
        self.params = params
        self.table = table
        self.mapping: TableMapping = params.tables[table]
        self.base = files[self.mapping.from_]
        self.files = files
        self.rows = rows
        self.problems: list[Problem] = []

    def mapped(self) -> Mapped | None:
        """None when there are problems."""
        owners = self._owners()
        if self.problems:
            return None
        trees = {column: self._tree(column, owners) for column in self.mapping.columns}
        where = self._where_tree(owners)
        if self.problems:
            return None
        values = [probes(tree, f"v{i}", grouped=self._grouped) for i, tree in enumerate(trees.values()) if tree]
        untyped = self._untyped(owners, values, where)
        types = self._types(untyped, list(trees), values, owners, where)
        if self.problems:
            return None
        self.problems.extend(self._misread(owners))
        if self.problems:
            return None
        decided = {
            column: self._decided(column, value, types, owners, untyped)
            for column, value in zip(trees, values, strict=True)
        }
        casts = [each.cast for each in decided.values()]
        typed = ", ".join(f"{c.sql} AS {sql.name(column)}" for column, c in zip(trees, casts, strict=True))
        return Mapped(
            self.table,
            tuple(dict.fromkeys((self.mapping.from_, *self.mapping.join))),
            f"SELECT {sql.ROW}, {typed} FROM ({untyped})",
            untyped,
            tuple(trees),
            tuple(self._tests(list(trees), values, casts, types)),
            {c: self.mapping.at(c).column for c in trees if _is_name(self.mapping.at(c).column)},
            tuple(note for each in decided.values() for note in each.notes),
            tuple(problem for each in decided.values() for problem in each.problems),
        )

    @property
    def _grouped(self) -> bool:
        return bool(self.mapping.one_row_per)

    def _at(self, *keys: Key) -> str:
        place: tuple[Key, ...] = ("tables", self.table, *keys)
        return f"{self.params.where(*place)}: {dotted(place)}"

    def _owners(self) -> dict[str, tuple[str, ...]]:
        """Column name -> aliases of the files that hold it (join keys belong to the first)."""
        owners: dict[str, tuple[str, ...]] = dict.fromkeys(self.base.columns, ("s",))
        for i, name in enumerate(self.mapping.join):
            keys = self.mapping.keys_of(name)
            columns = self.files[name].columns
            for key in keys:
                if key not in columns:
                    what = f"{name} has no column '{key}'"
                    self.problems.append(Problem(self._at("join", name), what, nearest(key, columns)))
                elif key not in owners:
                    what = f"{self.mapping.from_} has no column '{key}'"
                    self.problems.append(Problem(self._at("join", name), what, nearest(key, owners)))
            for column in columns:
                if column not in keys:
                    owners[column] = (*owners.get(column, ()), f"j{i}")
        for column in self.mapping.one_row_per:
            self._known(column, owners, self._at("one_row_per"))
        return owners

    def _known(self, column: str, owners: dict[str, tuple[str, ...]], where: str, *, inside: bool = False) -> None:
        """``inside`` an expression a name may need quotes."""
        if column not in owners:
            files = " and ".join(dict.fromkeys((self.mapping.from_, *self.mapping.join)))
            has = "have" if " and " in files else "has"
            is_computed = re.search(r'["*/+()]', column) and where != self._at("one_row_per")
            remedy = "begin an expression with '='" if is_computed else nearest(column, owners)
            meant = re.fullmatch(r"did you mean '(.+)'\?", remedy) if inside else None
            if meant and not expressions.is_plain(meant[1]):
                remedy = f"did you mean {expressions.shown_name(meant[1])}?"
            self.problems.append(Problem(where, f"{files} {has} no column '{column}'", remedy))
        elif len(owners[column]) > 1:
            what = f"'{column}' stands in several of the joined files"
            self.problems.append(Problem(where, what, "join on it, or deliver one of them under another name"))

    def _tree(self, column: str, owners: dict[str, tuple[str, ...]]) -> exp.Expr | None:
        return self._parsed(
            self.mapping.at(column).column, self._at("columns", column), owners, aggregates=self._grouped
        )

    def _where_tree(self, owners: dict[str, tuple[str, ...]]) -> exp.Expr | None:
        text = self.mapping.where
        if text is None:
            return None
        return self._parsed("=" + text.strip().removeprefix("="), self._at("where"), owners, aggregates=False)

    def _parsed(
        self, text: str, where: str, owners: dict[str, tuple[str, ...]], *, aggregates: bool
    ) -> exp.Expr | None:
        if _is_name(text):
            self._known(text, owners, where)
            return _reference(text, owners)
        try:
            tree = expressions.parse(text.lstrip()[1:], aggregates=aggregates, where=where)
        except KpibookError as error:
            self.problems.extend(error.problems)
            return None
        for column in expressions.columns_of(tree):
            if column != ROW_ID or ROW_ID in owners:
                self._known(column, owners, where, inside=True)
        return tree.transform(_qualified, owners)

    def _untyped(self, owners: dict[str, tuple[str, ...]], values: list[RawValue], where: exp.Expr | None) -> str:
        text = f"FROM ({self.base.numbered}) AS s"
        for i, name in enumerate(self.mapping.join):
            text += f" LEFT JOIN {self.files[name].scan} AS j{i} ON " + " AND ".join(
                self._equal(owners[key][0], f"j{i}", key) for key in self.mapping.keys_of(name)
            )
        if where is not None:
            text += f" WHERE {expressions.to_sql(where)}"
        row = f"s.{sql.ROW}"
        if self._grouped:
            groups = ", ".join(expressions.to_sql(_reference(c, owners)) for c in self.mapping.one_row_per)
            row = f"min({row})"
            text += f" GROUP BY {groups} ORDER BY {sql.ROW}"
        return f"SELECT {row} AS {sql.ROW}, {', '.join(v.selected for v in values)} {text}"

    def _equal(self, left: str, right: str, key: str) -> str:
        sides = [f"{left}.{sql.name(key)}", f"{right}.{sql.name(key)}"]
        if self._type_of(left, key) != self._type_of(right, key):
            sides = [f"CAST({side} AS VARCHAR)" for side in sides]
        return " = ".join(sides)

    def _type_of(self, alias: str, column: str) -> str:
        return self._file_of(alias).columns[column]

    def _file_of(self, alias: str) -> SourceFile:
        return self.base if alias == "s" else self.files[list(self.mapping.join)[int(alias[1:])]]

    def _types(
        self,
        untyped: str,
        columns: list[str],
        values: list[RawValue],
        owners: dict[str, tuple[str, ...]],
        where: exp.Expr | None,
    ) -> dict[str, str]:
        """DuckDB type of every value; what cannot be bound is told for its own column."""
        described = self._described(untyped)
        if isinstance(described, dict):
            return described
        for column, value in zip(columns, values, strict=True):
            alone = self._described(self._untyped(owners, [value], None))
            if not isinstance(alone, dict):
                hint = self._hint(self.mapping.at(column).column, owners)
                self.problems.append(Problem(self._at("columns", column), alone, hint))
        if not self.problems:
            hint = self._hint(self.mapping.where or "", owners)
            self.problems.append(Problem(self._at("where" if where is not None else "join"), described, hint))
        return {}

    def _hint(self, text: str, owners: Mapping[str, tuple[str, ...]]) -> str:
        quoted = [name for name in owners if f"'{name}'" in text]
        if quoted:
            return f'write "{quoted[0]}" if the column is meant: in single quotes it is a text'
        if any(self.files[n].is_text for n in (self.mapping.from_, *self.mapping.join)):
            point, commas = (form.format("price", "decimal(18, 4)") for form in (POINT, COMMA))
            return f"columns of a CSV file are text: write {point} to compute with them, with decimal commas {commas}"
        return "check the types of the columns and of the arguments"

    def _described(self, query: str) -> dict[str, str] | str:
        import duckdb

        try:
            return {row[0]: row[1] for row in sql.rows(self.con, f"DESCRIBE {query}")}
        except duckdb.Error as error:
            first = str(error).splitlines()[0]
            return f"the expression does not fit its columns: {first.partition('Error: ')[2] or first}"

    def _misread(self, owners: dict[str, tuple[str, ...]]) -> Iterator[Problem]:
        """Text columns that an expression takes for numbers or dates, and that can be read otherwise."""
        trees: dict[tuple[str, ...], SourceColumn] = {("columns", c): self.mapping.at(c) for c in self.mapping.columns}
        if self.mapping.where is not None:
            signs = {"decimal": self.mapping.decimal, "thousands": self.mapping.thousands}
            text = "=" + self.mapping.where.strip().removeprefix("=")
            trees[("where",)] = SourceColumn(column=text).model_copy(update=signs)
        for keys, how in trees.items():
            if not _is_name(how.column):
                tree = expressions.parse(how.column.lstrip()[1:], aggregates=True)
                kind = model_column(self.table, keys[1]).kind if len(keys) > 1 else ""
                for name, use in sorted(set(expression_texts.uses(tree, kind))):
                    file = self._file_of(owners[name][0]) if name in owners else None
                    if file is not None and file.columns[name] == "VARCHAR":
                        yield from expression_texts.judged(self.rows, file, name, use, how, self._at(*keys))

    def _decided(
        self, column: str, value: RawValue, types: dict[str, str], owners: dict[str, tuple[str, ...]], untyped: str
    ) -> Decided:
        wanted, source = model_column(self.table, column), types[value.alias]
        how = self.mapping.at(column)
        named = _is_name(how.column)
        if source == "VARCHAR" and (named or wanted.kind in _READ):
            where = place(self.mapping.from_, self.table, column, how.column if named else None)
            shop, currency = self.params.timezone, self.params.currency
            kinds: Mapping[str, int] = self._file_of(owners[how.column][0]).kinds.get(how.column, {}) if named else {}
            raw = sql.name(value.alias)
            return decide(self.rows, Asked(self.table, wanted, where, raw, untyped, how, shop, currency, kinds))
        made = casting.cast(wanted, sql.name(value.alias), source, how.timezone, self.params.timezone)
        if made is None:
            made = casting.Cast(casting.nothing(wanted), f"{sql.name(value.alias)} IS NOT NULL")
        return Decided(made)

    def _tests(
        self, columns: list[str], values: list[RawValue], casts: list[casting.Cast], types: dict[str, str]
    ) -> Iterator[ValueTest]:
        for column, value, made in zip(columns, values, casts, strict=True):
            expected = casting.EXPECTED[model_column(self.table, column).kind]
            for probe in value.probes:
                bad = f"{probe.operand} IS NOT NULL AND {probe.made} IS NULL"
                yield ValueTest(column, bad, probe.operand, probe.expected, probe.number)
            if made.bad is not None:
                kind = casting.family(types[value.alias])
                said = f"{expected} (the column holds {types[value.alias]})" if kind == "other" else expected
                yield ValueTest(column, made.bad, sql.name(value.alias), said)


def _is_name(text: str) -> bool:
    return not text.lstrip().startswith("=")


def _reference(column: str, owners: dict[str, tuple[str, ...]]) -> exp.Column:
    return exp.column(exp.to_identifier(column, quoted=True), table=owners.get(column, ("s",))[0])


def _qualified(node: exp.Expr, owners: dict[str, tuple[str, ...]]) -> exp.Expr:
    if not isinstance(node, exp.Column):
        return node
    if node.name == ROW_ID and ROW_ID not in owners:
        return exp.column(exp.to_identifier("__row", quoted=True), table="s")
    return _reference(node.name, owners)
