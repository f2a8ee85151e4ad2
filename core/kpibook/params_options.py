"""How a table is to be read, against the files it names and the columns it fills."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.errors import Problem
from kpibook.model import TABLES
from kpibook.yaml_lines import Document, Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kpibook.params_tables import TableMapping

TEXTS = (".csv", ".tsv", ".txt", ".tab")
WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
PACKED = (".gz", ".zip")
SUFFIXES = (".parquet", *TEXTS, *WORKBOOKS, *PACKED)
_NUMBERS, _CLOCKS = {"int", "float", "decimal", "money"}, {"date", "datetime"}
_FITTING = {
    "timezone": (_CLOCKS, "a time zone on a column that is no time"),
    "date_format": (_CLOCKS, "a date format on a column that is no time"),
    "decimal": (_NUMBERS, "a decimal sign on a column that is no number"),
    "thousands": (_NUMBERS, "a thousands sign on a column that is no number"),
}


def options(document: Document, table: str, mapping: TableMapping) -> Iterator[Problem]:
    """Options that the table's files or columns cannot have, or that exclude each other."""
    at: tuple[Key, ...] = ("tables", table)
    name = mapping.from_.lower()
    if mapping.sheet is not None and not name.endswith((*WORKBOOKS, ".zip")):
        yield document.problem((*at, "sheet"), f"'{mapping.from_}' is no workbook", "take the key away")
    every = (name, *(file.lower() for file in mapping.join))
    for key in ("encoding", "delimiter"):
        if getattr(mapping, key) is not None and not any(file.endswith((*TEXTS, *PACKED)) for file in every):
            yield document.problem((*at, key), f"'{mapping.from_}' is no text file", "take the key away")
    if mapping.header_row is not None and name.endswith(".parquet"):
        yield document.problem((*at, "header_row"), f"'{mapping.from_}' has no lines", "take the key away")
    yield from _signs(document, at, mapping.decimal, mapping.thousands)
    if mapping.unpivot and mapping.one_row_per:
        yield document.problem((*at, "unpivot"), "unpivot and one_row_per in one table", "keep one of the two")
    for column, value in mapping.columns.items():
        if isinstance(value, str):
            continue
        place = (*at, "columns", column)
        for key, (fitting, what) in _FITTING.items():
            if getattr(value, key) is not None and _kind(table, column) not in {*fitting, "unknown"}:
                yield document.problem(place, what, "give the column's name alone")
        yield from _signs(document, place, value.decimal or mapping.decimal, value.thousands or mapping.thousands)


def _signs(document: Document, place: tuple[Key, ...], decimal: str | None, thousands: str | None) -> Iterator[Problem]:
    if decimal is not None and decimal == thousands:
        what = f"'{decimal}' stands for decimals and for thousands"
        yield document.problem((*place, "thousands"), what, "give two different signs")


def _kind(table: str, column: str) -> str:
    owner = TABLES[table] if column in TABLES[table].columns else TABLES["transactions"]
    return owner.columns[column].kind if column in owner.columns else "unknown"
