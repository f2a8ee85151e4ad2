"""A client small enough to work out by hand: canonical tables given as rows, results read back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Any

import ibis

from kpibook import model
from kpibook.catalog import Catalog, build
from kpibook.engine.compute import Loaded, Results, compute
from kpibook.params import Limits
from kpibook.periods import Period
from kpibook.tracing import Source

Rows = Sequence[Mapping[str, Any]]
ASSUMED = {"null": None, "true": True, "false": False, "{currency}": "EUR"}


@dataclass(frozen=True)
class TinyParams:
    """The part of Params that the engine reads."""

    period: Period
    compare: Period | None = None
    breakdowns: tuple[str, ...] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    targets: tuple[Any, ...] = ()
    limits: Limits = field(default_factory=Limits)

    def where(self, *keys: str) -> str:
        return "tiny.yaml:1: " + ".".join(keys)


@cache
def only(*kpis: str) -> Catalog:
    """The pack with these KPIs, and the views that they rest on."""
    every = pack().definitions
    wanted, waiting = set(), list(kpis)
    while waiting:
        name = waiting.pop()
        if name in every and name not in wanted:
            wanted.add(name)
            waiting += every[name].definition.inputs
    assert set(kpis) <= wanted, f"unknown: {set(kpis) - wanted}"
    return build(source for name, source in every.items() if name in wanted)


@cache
def pack() -> Catalog:
    """The first-party pack, as its entry point offers it."""
    import loyalty_kpis

    return build(Source(d, "loyalty") for d in loyalty_kpis.kpibook_definitions())


@cache
def _empty_tables() -> str:
    """The statements that create all tables."""
    columns = {
        table.name: ", ".join(f'"{c.name}" {model.SQL_TYPES[c.kind]}' for c in table.columns.values())
        for table in model.TABLES.values()
    }
    return ";\n".join(f"CREATE TABLE {name} ({each})" for name, each in columns.items())


def load(tables: Mapping[str, Rows], without: Sequence[str] = ()) -> Loaded:
    """DuckDB in memory with all 25 tables; ``without`` names table.column that this client did not supply.

    A column is supplied when a row of the table names it or the model assumes it. Order lines
    without ``line_id`` are numbered; ``business_date`` is taken from ``ts`` when absent.
    """
    con = ibis.duckdb.connect()
    con.con.execute(_empty_tables())
    supplied, sizes = {}, {}
    for table in model.TABLES.values():
        rows = [dict(r) for r in tables.get(table.name, ())]
        for number, row in enumerate(rows, 1):
            if table.name == "order_lines":
                row.setdefault("line_id", f"l{number}")
            if table.name == "transactions" and "ts" in row:
                row.setdefault("business_date", str(row["ts"])[:10])
        given = {name for row in rows for name in row}
        unknown = given - set(table.columns)
        assert not unknown, f"{table.name} has no {unknown}"
        assumed = {c.name: ASSUMED.get(c.assumed, c.assumed) for c in table.columns.values() if c.assumed}
        values = [[row.get(c, assumed.get(c)) if c not in row else row[c] for c in table.columns] for row in rows]
        if values:
            con.con.executemany(f"INSERT INTO {table.name} VALUES ({', '.join('?' * len(values[0]))})", values)
        lost = {column for name, _, column in (w.partition(".") for w in without) if name == table.name}
        supplied[table.name] = frozenset((given | set(assumed)) - lost)
        sizes[table.name] = len(rows)
    first, last = con.con.execute("SELECT min(business_date), max(business_date) FROM transactions").fetchone()
    return Loaded(con, supplied, sizes, first or date(2024, 1, 1), last or date(2024, 1, 1))


def run(
    tables: Mapping[str, Rows],
    period: str,
    compare: str | None = None,
    *,
    catalog: Catalog | None = None,
    without: Sequence[str] = (),
    data: str | None = None,
    min_persons: int = 0,
    **params: Any,
) -> Results:
    """Compute all KPIs; ``period``, ``compare`` and ``data`` (known days) as in params: 2024-01-01/2024-12-31."""
    loaded = load(tables, without)
    if data:
        span = Period.parse(data)
        loaded = Loaded(loaded.backend, loaded.supplied, loaded.rows, span.start, span.last)
    spans = TinyParams(Period.parse(period), Period.parse(compare) if compare else None, **params)
    return compute(catalog or pack(), spans, loaded, min_persons)


def row(results: Results, kpi: str, segment: str = "total", period: str = "current") -> dict[str, Any]:
    """One scorecard row, by segment or variant name."""
    card = results.scorecard
    found = card[(card.kpi == kpi) & (card.segment == segment) & (card.period == period)]
    assert len(found) == 1, f"{len(found)} rows for {kpi} {segment} {period}"
    return {
        k: (None if v is None or v != v else v)
        for k, v in found.astype(object).where(found.notna(), None).iloc[0].items()
    }


def receipt(number: int, day: str, amount: float, customer: str | None = None, **more: Any) -> tuple[dict, dict]:
    """A receipt of one line: (transaction, order line)."""
    line_columns = set(model.TABLES["order_lines"].columns) - {"transaction_id"}
    header = {"transaction_id": f"t{number}", "ts": f"{day} 12:00:00", "customer_id": customer}
    header |= {k: v for k, v in more.items() if k not in line_columns}
    line = {"transaction_id": f"t{number}", "net_amount": amount} | {k: v for k, v in more.items() if k in line_columns}
    return header, line


def shop(*receipts: tuple[dict, dict], **tables: Rows) -> dict[str, Rows]:
    """Tables from receipts, and any further tables."""
    return {"transactions": [r[0] for r in receipts], "order_lines": [r[1] for r in receipts], **tables}
