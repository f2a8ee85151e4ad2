"""From a source value to a canonical type: strictly, and with a test for values that do not fit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from kpibook.intake.sql import text
from kpibook.model import SQL_TYPES, Column

if TYPE_CHECKING:
    from collections.abc import Callable

_OFFSET = r"\d{2}:\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)$"
_ISO = r"\d{4}-\d{1,2}-\d{1,2}([T ].*)?"
_WHOLE = r"[+-]?\d+"
_EXACT_DOUBLE = 2**53
#: In English, Spanish, German and Italian; no word is in both.
_TRUE = (
    "'true', 't', 'yes', 'y', '1', 'on', 'x', 'ja', 'j', 'wahr', 'w', 'sí', 'si', 's', 'verdadero', 'v', 'vero', 'sì'"
)
_FALSE = "'false', 'f', 'no', 'n', '0', 'off', 'nein', 'falsch', 'falso'"
_LONGEST_SHOWN = 40

EXPECTED = {
    "str": "an id or a text",
    "enum": "a word",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a number",
    "money": "a number",
    "bool": "true or false",
    "date": "a date such as 2017-07-01",
    "time": "a time such as 09:30",
    "datetime": "a date and time such as 2017-07-01 09:30:00",
    "list": "a list",
}


@dataclass(frozen=True)
class _Value:
    """A raw value: its SQL, the zone its naive clock times stand in, and the shop's."""

    raw: str
    zone: str | None
    shop: str


@dataclass(frozen=True)
class Cast:
    """``sql`` yields the canonical type or NULL; ``bad`` is true where a value did not fit (None: cannot be)."""

    sql: str
    bad: str | None = None


def family(duckdb_type: str) -> str:
    """text, whole, real, decimal, bool, date, time, moment, instant, list, null or other."""
    if duckdb_type.endswith("]"):
        return "list"
    if duckdb_type.startswith("DECIMAL"):
        return "decimal"
    return _FAMILIES.get(duckdb_type, "other")


_FAMILIES = {
    **dict.fromkeys(("VARCHAR", "UUID"), "text"),
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"), "whole"
    ),
    **dict.fromkeys(("FLOAT", "DOUBLE"), "real"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "moment"),
    "TIMESTAMP WITH TIME ZONE": "instant",
    "BOOLEAN": "bool",
    "DATE": "date",
    "TIME": "time",
    '"NULL"': "null",
}


def cast(column: Column, raw: str, source: str, zone: str | None, shop: str) -> Cast | None:
    """``raw`` (a column's name in SQL) of DuckDB type ``source`` as ``column``; None when no value could fit.

    ``zone`` is where a naive clock time stands, ``shop`` where it shall stand.
    """
    kind = "datetime" if column.kind == "date" and family(source) in {"moment", "instant"} else column.kind
    if family(source) == "null":
        return Cast(nothing(column))
    if family(source) == "text":
        done = _from_text(column, raw, zone, shop)
    else:
        maker = _FROM.get((kind, family(source)))
        done = maker(_Value(raw, zone, shop)) if maker else None
    if done and kind != column.kind:
        return Cast(f"CAST({done.sql} AS DATE)", done.bad)
    return done


def nothing(column: Column) -> str:
    """A NULL of the column's type."""
    return f"CAST(NULL AS {SQL_TYPES[column.kind]})"


def _tried(value: str, kind: str, raw: str, also: str = "") -> Cast:
    made = f"TRY_CAST({value} AS {SQL_TYPES[kind]})"
    return Cast(made, f"({raw} IS NOT NULL AND ({made} IS NULL{also}))")


def _moved(moment: str, zone: str | None, shop: str) -> str:
    if zone is None or zone == shop:
        return moment
    return f"timezone({text(shop)}, timezone({text(zone)}, {moment}))"


def _from_text(column: Column, raw: str, zone: str | None, shop: str) -> Cast | None:
    filled = f"NULLIF(trim(CAST({raw} AS VARCHAR)), '')"
    kind = column.kind
    if kind == "str":
        return Cast(f"CASE WHEN {filled} IS NOT NULL THEN CAST({raw} AS VARCHAR) END")
    if kind == "enum":
        return Cast(_spelt(filled, column))
    if kind == "list":
        items = f"list_filter(list_transform(string_split({raw}, ';'), lambda x: trim(x)), lambda x: x <> '')"
        return Cast(f"CASE WHEN {filled} IS NULL THEN [] ELSE {items} END")
    if kind == "bool":
        known = f"lower({filled})"
        made = f"CASE WHEN {known} IN ({_TRUE}) THEN true WHEN {known} IN ({_FALSE}) THEN false END"
        return Cast(made, f"({filled} IS NOT NULL AND ({made}) IS NULL)")
    if kind == "int":
        return _tried(f"CASE WHEN regexp_full_match({filled}, '{_WHOLE}') THEN {filled} END", kind, filled)
    if kind == "float":
        return _tried(filled, kind, filled, f" OR NOT isfinite(TRY_CAST({filled} AS DOUBLE))")
    if kind in {"date", "datetime"}:
        return _clock(filled, kind, zone, shop)
    return _tried(filled, kind, filled)


def _clock(filled: str, kind: str, zone: str | None, shop: str) -> Cast:
    iso = f"CASE WHEN regexp_full_match({filled}, '{_ISO}') THEN {filled} END"
    instant = f"timezone({text(shop)}, TRY_CAST({iso} AS TIMESTAMPTZ))"
    naive = _moved(f"TRY_CAST({iso} AS TIMESTAMP)", zone, shop)
    made = f"CASE WHEN regexp_matches({filled}, '{_OFFSET}') THEN {instant} ELSE {naive} END"
    bad = f"({filled} IS NOT NULL AND ({made}) IS NULL)"
    return Cast(f"CAST({made} AS DATE)" if kind == "date" else made, bad)


def _spelt(value: str, column: Column) -> str:
    listed = column.values
    if listed and all(v == v.lower() for v in listed):
        return f"lower({value})"
    return f"upper({value})" if listed else value


def _digits(value: _Value) -> Cast:
    return Cast(f"CAST({value.raw} AS VARCHAR)")


def _whole_digits(value: _Value) -> Cast:
    known = _not_nan(value.raw)
    bad = f"({known} IS NOT NULL AND ({value.raw} <> floor({value.raw}) OR abs({value.raw}) >= {_EXACT_DOUBLE}))"
    return Cast(f"CAST(TRY_CAST({known} AS BIGINT) AS VARCHAR)", bad)


def _not_nan(raw: str) -> str:
    return f"CASE WHEN NOT isnan(CAST({raw} AS DOUBLE)) THEN {raw} END"


def _number(kind: str, value: _Value) -> Cast:
    known = _not_nan(value.raw)
    also = {
        "int": f" OR {value.raw} <> floor({value.raw})",
        "float": f" OR NOT isfinite(CAST({value.raw} AS DOUBLE))",
    }
    return _tried(known, kind, known, also.get(kind, ""))


def _flag(value: _Value) -> Cast:
    return Cast(f"CASE {value.raw} WHEN 1 THEN true WHEN 0 THEN false END", f"{value.raw} NOT IN (0, 1)")


def _as_is(kind: str, value: _Value) -> Cast:
    return Cast(f"CAST({value.raw} AS {SQL_TYPES[kind]})")


def _moment(value: _Value) -> Cast:
    return Cast(_moved(f"CAST({value.raw} AS TIMESTAMP)", value.zone, value.shop))


def _instant(value: _Value) -> Cast:
    return Cast(f"timezone({text(value.shop)}, {value.raw})")


def _items(value: _Value) -> Cast:
    return Cast(f"COALESCE(CAST({value.raw} AS VARCHAR[]), [])")


_FROM: dict[tuple[str, str], Callable[[_Value], Cast]] = {
    **{(kind, source): _digits for kind in ("str", "enum") for source in ("whole", "bool", "date", "time", "moment")},
    **{("str", source): _whole_digits for source in ("real", "decimal")},
    **{
        (kind, source): partial(_number, kind)
        for kind in ("int", "float", "decimal", "money")
        for source in ("whole", "real", "decimal")
    },
    ("bool", "bool"): partial(_as_is, "bool"),
    ("bool", "whole"): _flag,
    ("date", "date"): partial(_as_is, "date"),
    ("time", "time"): partial(_as_is, "time"),
    ("datetime", "date"): partial(_as_is, "datetime"),
    ("datetime", "moment"): _moment,
    ("datetime", "instant"): _instant,
    ("list", "list"): _items,
}


def shown(value: object) -> str:
    """A source value for a message: quoted, at most 40 characters, one line."""
    plain = re.sub(r"\s+", " ", str(value))
    return repr(plain if len(plain) <= _LONGEST_SHOWN else plain[: _LONGEST_SHOWN - 1] + "…")
