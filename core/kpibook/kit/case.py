"""A case worked by hand: a few rows of canonical tables, and the figure that they must give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import ibis
import pandas as pd

from kpibook import model
from kpibook.catalog import Catalog, only
from kpibook.engine.compute import Loaded, compute
from kpibook.params import Limits
from kpibook.periods import Period

Rows = Sequence[Mapping[str, Any]]
ASSUMED = {"null": None, "true": True, "false": False, "{currency}": "EUR"}


@dataclass(frozen=True)
class Case:
    """``tables`` are rows by canonical table; ``worked`` says how ``value`` comes about.

    ``parts`` says why the parts of a breakdown do not add up to the whole, where they do not: ``"a median"``.
    """

    kpi: str
    worked: str
    value: float | None
    tables: Mapping[str, Rows]
    period: str
    compare: str | None = None
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    parts: str = ""


@dataclass(frozen=True)
class _Asked:
    """The part of Params that the engine reads."""

    period: Period
    compare: Period | None
    settings: Mapping[str, Mapping[str, Any]]
    breakdowns: tuple[str, ...] = ()
    targets: tuple[Any, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def where(self, *keys: str) -> str:
        return ".".join(keys)


def figures(
    case: Case,
    catalog: Catalog,
    tables: Mapping[str, Rows] | None = None,
    *,
    period: str = "",
    by: str = "",
    times: int = 1,
) -> pd.DataFrame:
    """The scorecard rows of the case's KPI, current period; of other ``tables`` or ``period``, broken down ``by``."""
    spans = Period.parse(period or case.period), Period.parse(case.compare) if case.compare else None
    asked: Any = _Asked(*spans, case.settings, (by,) if by else ())
    data = loaded(case.tables if tables is None else tables, times)
    found = compute(only(catalog, [case.kpi]), asked, data).scorecard
    return found[(found["kpi"] == case.kpi) & (found["period"] == "current")]


def completed(tables: Mapping[str, Rows]) -> dict[str, list[dict[str, Any]]]:
    """Rows with the keys and dates that go without saying: lines are numbered, a receipt's day is that of its time."""
    found = {}
    for name, given in tables.items():
        rows = [dict(row) for row in given]
        for number, row in enumerate(rows, 1):
            if name == "order_lines":
                row.setdefault("line_id", f"l{number}")
            if name == "transactions" and "ts" in row:
                row.setdefault("business_date", str(row["ts"])[:10])
        found[name] = rows
    return found


def loaded(tables: Mapping[str, Rows], times: int = 1) -> Loaded:
    """DuckDB in memory with all canonical tables; each row ``times`` over, its ids numbered."""
    con = ibis.duckdb.connect()
    supplied, sizes = {}, {}
    given_rows = completed(tables)
    for table in model.TABLES.values():
        columns = ", ".join(f'"{c.name}" {model.SQL_TYPES[c.kind]}' for c in table.columns.values())
        con.con.execute(f"CREATE TABLE {table.name} ({columns})")
        rows = given_rows.get(table.name, [])
        assumed = {c.name: ASSUMED.get(c.assumed, c.assumed) for c in table.columns.values() if c.assumed}
        given = {name for row in rows for name in row}
        if rows:
            values = [[row.get(c, assumed.get(c)) for c in table.columns] for row in rows]
            con.con.executemany(f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(values[0]))})", values)
        if times > 1 and rows:
            ids = [c.name for c in table.columns.values() if c.name.endswith("_id") and c.kind == "str"]
            new = ", ".join(f'"{c}" || \'-\' || k AS "{c}"' for c in ids)
            many = f"SELECT t.* REPLACE ({new}) FROM {table.name} t, range({times}) r(k)"
            con.con.execute(f"CREATE OR REPLACE TABLE {table.name} AS {many}")
        supplied[table.name] = frozenset(given | set(assumed))
        sizes[table.name] = len(rows) * times
    first, last = con.con.execute("SELECT min(business_date), max(business_date) FROM transactions").fetchall()[0]
    return Loaded(con, supplied, sizes, first or date(2024, 1, 1), last or date(2024, 1, 1))
