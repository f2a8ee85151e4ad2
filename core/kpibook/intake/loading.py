"""Canonical tables, created one after the other from their mappings."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING

from kpibook.errors import DataError, ParamsError, Problem
from kpibook.intake import database, files, sql, values
from kpibook.intake.facts import Finding, TableFacts
from kpibook.intake.filling import Completed, Filled, completed, filled
from kpibook.intake.given import given_tables
from kpibook.intake.mapped import Mapped
from kpibook.intake.mapping import Mapper
from kpibook.intake.members import with_members
from kpibook.intake.settling import answers_within_scale, told, without_duplicates
from kpibook.model import SQL_TYPES, TABLES
from kpibook.yaml_lines import dotted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ibis.backends.duckdb import Backend

    from kpibook.params import Params

_LINES = '"__lines"'


@dataclass(frozen=True)
class Loaded:
    """A created table: ``numbered`` is its SELECT with ``__row``, to find rows again; ``filled`` by column."""

    facts: TableFacts
    numbered: str
    filled: Mapping[str, Filled] = field(default_factory=dict)


class Loader:
    """Creates all canonical tables in ``con``; ``loaded`` holds those with data behind them.

    ``reader`` reads the client's files; without one the source is a database.
    """

    mapper: type[Mapper] = Mapper

    def __init__(self, con: Backend, params: Params, reader: files.Reader | None) -> None:
        self.con = con
        self._types_of = con
        self.params = params
        self.reader = reader
        self.sources: dict[str, dict[str, files.SourceFile]] = {}
        self.loaded: dict[str, Loaded] = {}
        self.notes: list[Finding] = []

    def run(self) -> dict[str, TableFacts]:
        """Facts of all tables. Raises DataError with the problems of every mapping."""
        self._open()
        mapped = self._map()
        problems = [p for m in mapped.values() for p in (*m.problems, *values.misfits(self.con, m))]
        if problems:
            raise DataError(problems)
        self.notes += told(self.sources, mapped)
        for name, whole in mapped.items():
            one = self._settled(whole)
            if name == "order_lines" and "transactions" not in mapped:
                self._lift(one)
            else:
                self._create(name, one)
        for name, select in given_tables(self.params).items():
            self._fill(name, Completed(select, frozenset(TABLES[name].columns)), select, ())
        if self.params.card_use == "every_purchase":
            self._every_purchase()
        for name in TABLES:
            if name not in self.loaded:
                columns = ", ".join(f"{sql.name(c.name)} {SQL_TYPES[c.kind]}" for c in TABLES[name].columns.values())
                self.con.raw_sql(f"CREATE OR REPLACE TABLE {name} ({columns})")
        return {name: self.loaded[name].facts if name in self.loaded else TableFacts(name) for name in TABLES}

    def fingerprints(self) -> dict[str, str]:
        read = {name: file for opened in self.sources.values() for name, file in opened.items()}
        return {
            name: file.digest if isinstance(file, database.DatabaseTable) else files.fingerprint(file.path)
            for name, file in sorted(read.items())
        }

    def _open(self) -> None:
        if self.reader is None:
            copied = database.copied(self.con, self.params)
            for table, mapping in self.params.tables.items():
                self.sources[table] = {name: copied[name] for name in (mapping.from_, *mapping.join)}
            return
        problems: list[Problem] = []
        for table, mapping in self.params.tables.items():
            for i, name in enumerate((mapping.from_, *mapping.join)):
                place = ("tables", table, "join", name) if i else ("tables", table, "from")
                where = f"{self.params.where(*place)}: {dotted(place)}"
                try:
                    self.sources.setdefault(table, {})[name] = self.reader.read(name, table, where)
                except DataError as error:
                    problems.extend(error.problems)
        if problems:
            raise DataError(list(dict.fromkeys(problems)))

    def _map(self) -> dict[str, Mapped]:
        found: dict[str, Mapped] = {}
        problems: list[Problem] = []
        for table in TABLES:
            if table in self.params.tables:
                opened = self.sources[table]
                rows = partial(values.run, self.con, table=table)
                mapper = self.mapper(self._types_of, self.params, table, opened, rows)
                try:
                    mapped = mapper.mapped()
                except DataError as error:
                    problems.extend(error.problems)
                    continue
                problems.extend(mapper.problems)
                if mapped is not None:
                    problems.extend(self._repeated(table))
                    found[table] = mapped
        if problems:
            raise DataError(problems)
        return found

    def _repeated(self, table: str) -> list[Problem]:
        """Joined files that hold a key several times, when nothing brings the rows together again."""
        mapping = self.params.tables[table]
        problems = []
        for name in mapping.join if not mapping.one_row_per else ():
            keys = ", ".join(sql.name(key) for key in mapping.keys_of(name))
            scan = self.sources[table][name].scan
            query = f"SELECT count(*) FROM (SELECT {keys} FROM {scan} GROUP BY ALL HAVING count(*) > 1)"
            count = values.run(self.con, query, table)[0][0]
            if count:
                place = ("tables", table, "join", name)
                where = f"{self.params.where(*place)}: {dotted(place)}"
                what = f"{sql.counted(count, 'key')} of {name} on several rows: the join would multiply ours"
                problems.append(Problem(where, what, "join on more columns, or give one_row_per"))
        return problems

    def _settled(self, mapped: Mapped) -> Mapped:
        """Rows with one key reduced to one where params ask for it; answers outside their scale taken out."""
        for step in (without_duplicates, answers_within_scale):
            mapped, notes = step(self.con, self.params, mapped)
            self.notes += [note.finding(mapped.table) for note in notes]
        return mapped

    def _create(self, name: str, mapped: Mapped) -> None:
        whole = completed(name, mapped.select, mapped.columns, self.params.currency)
        self._fill(name, whole, _listed(name, whole.select), mapped.files)

    def _lift(self, mapped: Mapped) -> None:
        """Header columns given with the lines: one transaction for each transaction_id, its first row as a whole."""
        create = f"CREATE OR REPLACE TEMP TABLE {_LINES} AS {mapped.select}"
        values.run(self.con, create, mapped.table)
        own = tuple(c for c in mapped.columns if c in TABLES["order_lines"].columns)
        header = tuple(c for c in mapped.columns if c in TABLES["transactions"].columns)
        chosen = ", ".join([sql.ROW, "transaction_id", *(sql.name(c) for c in header if c != "transaction_id")])
        grouped = (
            f"SELECT {chosen} FROM {{}} WHERE transaction_id IS NOT NULL "
            f"QUALIFY row_number() OVER (PARTITION BY transaction_id ORDER BY {sql.ROW}) = 1 ORDER BY {sql.ROW}"
        )
        for name, columns, source in (("transactions", header, grouped), ("order_lines", own, "SELECT * FROM {}")):
            quick, long = (
                completed(name, source.format(rows), columns, self.params.currency)
                for rows in (_LINES, f"({mapped.select})")
            )
            self._fill(name, quick, _listed(name, long.select), mapped.files)

    def _fill(self, name: str, whole: Completed, select: str, of: tuple[str, ...]) -> None:
        """Create ``name``; ``select`` says the same to an auditor."""
        numbered = self._make(name, whole)
        facts = TableFacts(name, supplied=whole.supplied, assumed=whole.assumed, sql=self._relative(select), files=of)
        self.loaded[name] = Loaded(self._counted(facts), numbered, filled(self.con, whole, name))

    def _make(self, name: str, whole: Completed) -> str:
        """Create the table; a SELECT of it with the numbers of its rows."""
        values.run(self.con, f"CREATE OR REPLACE TABLE {name} AS {_listed(name, whole.select)}", name)
        return whole.select

    def _counted(self, facts: TableFacts) -> TableFacts:
        dated = TABLES[facts.name].date
        limits = f"min(CAST({dated} AS DATE)), max(CAST({dated} AS DATE))" if dated else "NULL, NULL"
        count, first, last = sql.row(self.con, f"SELECT count(*), {limits} FROM {facts.name}")
        return replace(facts, rows=count, date_min=first, date_max=last)

    def _every_purchase(self) -> None:
        facts = self.loaded["transactions"].facts
        self._show_cards()
        text = with_members(f"({facts.sql})", f"({self.loaded['memberships'].facts.sql})")
        facts = replace(facts, supplied=facts.supplied | {"member_id"}, sql=text)
        self.loaded["transactions"] = replace(self.loaded["transactions"], facts=facts)

    def _show_cards(self) -> None:
        self.con.raw_sql("ALTER TABLE transactions RENAME TO __receipts")
        self.con.raw_sql(f"CREATE TABLE transactions AS {with_members('__receipts', 'memberships')}")
        self.con.raw_sql("DROP TABLE __receipts")

    def _relative(self, query: str) -> str:
        """The same query with file names as the source folder has them."""
        for opened in self.sources.values():
            for file in opened.values():
                for ours, theirs in file.told:
                    query = query.replace(ours, theirs)
        return query


def _listed(table: str, select: str) -> str:
    return f"SELECT {', '.join(sql.name(c) for c in TABLES[table].columns)} FROM ({select})"


def resolved_root(params: Params) -> Path:
    """The source folder. Raises ParamsError when it cannot be named, DataError when it is not there."""
    from kpibook import sources

    where = f"{params.where('source')}: source"
    try:
        return sources.resolve(params.source, params.path.parent)
    except sources.MissingFolderError as error:
        raise DataError(Problem(where, error.what, error.remedy)) from error
    except sources.SourceError as error:
        raise ParamsError(Problem(where, error.what, error.remedy)) from error
