"""What a params file says must also hold together, and fit the canonical model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpibook import expressions, sources
from kpibook.errors import ParamsError, Problem, did_you_mean
from kpibook.model import LIFTED, TABLES
from kpibook.params_options import SUFFIXES, options
from kpibook.periods import Period, compared_with
from kpibook.rules import SINGLE
from kpibook.yaml_lines import Document, Key, dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from kpibook.params_tables import TableMapping

GENERATED_KEYS = {"order_lines": "line_id"}


def tables(document: Document, mappings: Mapping[str, TableMapping]) -> Iterator[Problem]:
    """Names against the model, expressions, keys, and tables that need each other."""
    written = document.data.get("tables")
    names = list(written) if isinstance(written, dict) else []
    for name in names:
        if name not in TABLES:
            yield document.problem(("tables", name), "unknown table", did_you_mean(name, TABLES))
        elif name in mappings:
            yield from _table(document, name, mappings[name])
    if names and "order_lines" not in names:
        yield document.problem(("tables",), "order_lines is not mapped", "map the file that holds the order lines")
    yield from _header(document, mappings, names)
    yield from _card_use(document, mappings)
    for table, key in (("targets", "targets"), ("programme_costs", "costs")):
        if table in names and document.data.get(key):
            yield document.problem((key,), f"tables.{table} is mapped too", "keep one of the two")


def known_columns(table: str) -> tuple[str, ...]:
    """Columns a mapping of ``table`` may name: its own, and the header's for order lines."""
    own = tuple(TABLES[table].columns)
    return own + tuple(c for c in LIFTED if c not in own) if table == "order_lines" else own


def _table(document: Document, name: str, mapping: TableMapping) -> Iterator[Problem]:
    at: tuple[Key, ...] = ("tables", name)
    known = known_columns(name)
    for file, key in ((mapping.from_, "from"), *((f, "join") for f in mapping.join)):
        place = (*at, key) if key == "from" else (*at, "join", file)
        yield from _file(document, place, file)
    for column, value in mapping.columns.items():
        place = (*at, "columns", column)
        if column not in known:
            yield document.problem(place, "unknown column", did_you_mean(column, known))
        yield from _value(document, place, value if isinstance(value, str) else value.column, mapping)
    yield from options(document, name, mapping)
    if mapping.where is not None:
        yield from _expression(document, (*at, "where"), mapping.where.strip().removeprefix("="), grouped=False)
    for key in TABLES[name].key:
        if key not in mapping.columns and GENERATED_KEYS.get(name) != key:
            remedy = f"map it, or write '{key}: = row_id'"
            yield document.problem((*at, "columns"), f"the key column {key} is not mapped", remedy)


def _file(document: Document, place: tuple[Key, ...], file: str) -> Iterator[Problem]:
    path = Path(file)
    source, extract = document.data.get("source"), document.data.get("extract")
    if extract is True or (extract is False and isinstance(source, str) and sources.is_database(source)):
        return  # the name of a table, which is quoted wherever it is used
    if path.is_absolute() or ".." in path.parts or file.startswith("~") or "\\" in file or "\x00" in file:
        yield document.problem(place, f"'{file}' leaves the source folder", "name a file inside the source folder")
    elif any(mark in file for mark in "*?[]{}"):
        yield document.problem(place, f"'{file}' is a pattern", "name one file")
    elif not file.lower().endswith(SUFFIXES):
        remedy = f"deliver it as one of {', '.join(SUFFIXES)}"
        yield document.problem(place, f"'{file}' is no file kpibook reads", remedy)


def _value(document: Document, place: tuple[Key, ...], text: str, mapping: TableMapping) -> Iterator[Problem]:
    grouped = bool(mapping.one_row_per)
    if text.lstrip().startswith("="):
        yield from _expression(document, place, text.lstrip()[1:], grouped=grouped, keys=mapping.one_row_per)
    elif grouped and text not in mapping.one_row_per:
        remedy = f"write '= min({text})' or another aggregate"
        yield document.problem(place, f"'{text}' may have several values in one row of one_row_per", remedy)


def _expression(
    document: Document, place: tuple[Key, ...], text: str, *, grouped: bool, keys: Iterable[str] = ()
) -> Iterator[Problem]:
    where = f"{document.where(*place)}: {dotted(place)}"
    try:
        tree = expressions.parse(text, aggregates=grouped, where=where)
    except ParamsError as error:
        yield from error.problems
        return
    bare = [c for c in expressions.bare_columns_of(tree) if grouped and c not in set(keys)]
    for column in bare:
        what = f"'{column}' may have several values in one row of one_row_per"
        yield Problem(where, what, f"write min({column}) or another aggregate")


def _header(document: Document, mappings: Mapping[str, TableMapping], names: list[str]) -> Iterator[Problem]:
    lines, header = mappings.get("order_lines"), mappings.get("transactions")
    if lines is None or (header is None and "transactions" in names):
        return
    place: tuple[Key, ...] = ("tables", "order_lines", "columns")
    if "transaction_id" not in lines.columns:
        yield document.problem(place, "transaction_id is not mapped", "map it, or write 'transaction_id: = row_id'")
    given, where = (header.columns, "transactions") if header else (lines.columns, "order_lines")
    if not {"ts", "business_date"} & set(given):
        remedy = "map ts (date and time) or business_date"
        yield document.problem(("tables", where, "columns"), "nothing says when a purchase was made", remedy)
    own = set(TABLES["order_lines"].columns)
    for column in lines.columns if header else ():
        if column in LIFTED and column not in own:
            what = "a column of transactions, and transactions is mapped itself"
            yield document.problem((*place, column), what, "keep it in tables.transactions")


def _card_use(document: Document, mappings: Mapping[str, TableMapping]) -> Iterator[Problem]:
    if document.data.get("card_use") != "every_purchase":
        return
    members = mappings.get("memberships")
    if members is None or not {"customer_id", "enrolled_at"} <= set(members.columns):
        what = "every_purchase needs memberships with customer_id and enrolled_at"
        yield document.problem(("card_use",), what, "map them in tables.memberships")
    for table in ("transactions", "order_lines"):
        if table in mappings and "member_id" in mappings[table].columns:
            place = ("tables", table, "columns", "member_id")
            yield document.problem(place, "mapped, and card_use is every_purchase", "keep one of the two")


def paths(document: Document, base: Path) -> Iterator[Problem]:
    """``plugins`` is a folder, ``notebook`` a file."""
    for key, is_there, what in (("plugins", Path.is_dir, "folder"), ("notebook", Path.is_file, "file")):
        value = document.data.get(key)
        if isinstance(value, str) and not is_there(base / value):
            remedy = "give a path relative to the params file, or take the key away"
            yield document.problem((key,), f"there is no {what} '{value}'", remedy)


def database(document: Document) -> Iterator[Problem]:
    """Whether a database is copied is written; a folder is not, and only PostgreSQL computes in place."""
    source, extract = document.data.get("source"), document.data.get("extract")
    if not isinstance(source, str) or extract not in (None, True, False):
        return
    if sources.is_database(source) and "://" in source and not extract:
        copied = "'extract: true': its tables are copied into DuckDB"
        if not sources.computes_in_place(source):
            place: tuple[Key, ...] = ("source",) if extract is None else ("extract",)
            yield document.problem(place, "only PostgreSQL computes in the database itself", f"write {copied}")
        elif extract is None:
            remedy = f"write {copied}; or 'extract: false': PostgreSQL computes"
            yield document.problem(("source",), "where the figures are computed is not said", remedy)
    if extract and not sources.is_database(source) and not sources.REFERENCE.match(source):
        yield document.problem(("extract",), "the source is no database", "take the key away")


def together(document: Document, period: Period, compare: Any, breakdowns: tuple[str, ...]) -> Iterator[Problem]:
    """Period against comparison; a breakdown named twice."""
    try:
        other = compared_with(period, compare) if isinstance(compare, str) else compare
    except (ValueError, OverflowError):
        yield document.problem(("compare",), f"nothing comes before {period}", "write compare: none")
        return
    if other is not None and other.end > period.start:
        what = f"{other} does not end before the period {period} starts"
        yield document.problem(("compare",), what, "choose earlier days, or none")
    for i, name in enumerate(breakdowns):
        if name in SINGLE:
            what = f"'{name}' would show single persons or receipts"
            yield document.problem(("breakdowns", i), what, "name what several of them have in common")
        if name in breakdowns[:i]:
            yield document.problem(("breakdowns", i), f"'{name}' is written twice", "keep one of the two")


def order(problem: Problem, shown: str) -> tuple[int, str]:
    """By line, then by text."""
    line = problem.where.removeprefix(f"{shown}:").partition(":")[0]
    return (int(line) if line.isdigit() else 0), str(problem)
