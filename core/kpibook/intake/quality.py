"""Data quality: one aggregate per table, then the rules that need several tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kpibook.intake import quality_coverage, quality_ids, quality_outliers, quality_programme, quality_sales
from kpibook.intake.checks import RECEIPTS, Checks, share
from kpibook.intake.facts import Finding, Severity
from kpibook.intake.reconciliation import Reconciled, financials, reconciled
from kpibook.model import TABLES, Table, references

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ibis.backends.duckdb import Backend

    from kpibook.intake.loading import Loaded
    from kpibook.params import Params

NEEDED_EVERYWHERE = {"net_amount", "ts", "business_date", "transaction_id", "customer_id", "member_id"}
_FIRST, _BEYOND = "1970-01-01", "2100-01-01"


def examined(
    con: Backend, params: Params, loaded: Mapping[str, Loaded]
) -> tuple[tuple[Finding, ...], tuple[Reconciled, ...]]:
    """Every finding, the worst first, in an order that does not depend on the run; and sales against the accounts."""
    checks = Checks(con, params, loaded)
    if checks.value("transactions"):
        _weigh_receipts(con)
    found: list[Finding] = []
    for name, table in loaded.items():
        found.extend(_assumed(table))
        if checks.has(name):
            found.extend(_columns(checks, TABLES[name]))
            found.extend(_references(checks, name))
    modules = (quality_coverage, quality_sales, quality_outliers, quality_ids, quality_programme)
    for rule in (*(rule for module in modules for rule in module.RULES), financials):
        found.extend(rule(checks))
    spans = reconciled(checks)
    con.raw_sql(f"DROP TABLE IF EXISTS {RECEIPTS}")
    return tuple(sorted(found, key=lambda finding: finding.order)), spans


def _weigh_receipts(con: Backend) -> None:
    """In two steps: a sum and a join by text at once need twice the memory."""
    sums = "sum(net_amount) AS value, bool_or(return_of_line_id IS NULL) AS sold"
    values = f"SELECT transaction_id, {sums} FROM order_lines GROUP BY transaction_id"
    con.raw_sql(f"CREATE OR REPLACE TEMP TABLE __values AS {values}")
    con.raw_sql(
        f"CREATE OR REPLACE TEMP TABLE {RECEIPTS} AS "
        "SELECT t.*, v.value, v.sold FROM transactions t LEFT JOIN __values v USING (transaction_id)"
    )
    con.raw_sql("DROP TABLE __values")


def _assumed(table: Loaded) -> Iterator[Finding]:
    facts = table.facts
    for column, value in facts.assumed.items():
        yield Finding("assumed", "info", facts.name, column, facts.rows, facts.rows, details={"value": value})
    for column, made in table.filled.items():
        details: dict[str, str | int | float] = {"value": made.value}
        yield Finding(
            "empty_assumed", "amber", facts.name, column, made.rows, facts.rows, details=details, examples=made.examples
        )


def _columns(checks: Checks, table: Table) -> Iterator[Finding]:
    """Keys, empty values where none may be, and dates no shop has seen: one pass over the table."""
    facts = checks.loaded[table.name].facts
    supplied = [c for c in table.columns.values() if c.name in facts.supplied and not c.key]
    needed = [c.name for c in supplied if not c.nullable]
    clocks = [c.name for c in supplied if c.kind in {"date", "datetime"}]
    if table.key and not set(table.key) & set(facts.assumed):
        yield Finding("unique_key", "green", table.name, "+".join(table.key), 0, facts.rows)
    tests = {("empty", c): f'"{c}" IS NULL' for c in needed}
    tests |= {("odd_date", c): f"\"{c}\" < DATE '{_FIRST}' OR \"{c}\" >= DATE '{_BEYOND}'" for c in clocks}
    if not tests:
        return
    weight = checks.value(table.name)
    parts = ", ".join(
        f"count(*) FILTER ({t}), " + (f"sum({weight}) FILTER ({t})" if weight else "NULL") for t in tests.values()
    )
    counts = checks.one(f"SELECT {f'sum({weight})' if weight else 'NULL'}, {parts} FROM {checks.relation(table.name)}")
    none_filled = not checks.loaded[table.name].filled
    total, clean = counts[0], {"empty": bool(needed) and none_filled, "odd_date": bool(clocks)}
    for i, ((rule, column), test) in enumerate(tests.items()):
        rows, part = counts[1 + 2 * i : 3 + 2 * i]
        if rows:
            clean[rule] = False
            severity: Severity = "red" if rule == "empty" and column in NEEDED_EVERYWHERE else "amber"
            examples = checks.examples(table.name, test)
            yield Finding(rule, severity, table.name, column, rows, facts.rows, share(part, total), examples=examples)
    for rule, is_clean in clean.items():
        if is_clean:
            yield Finding(rule, "green", table.name, None, 0, facts.rows)


def _references(checks: Checks, name: str) -> Iterator[Finding]:
    """Rows that point to nothing; only between tables the client delivered."""
    for column, other in references(name).items():
        if not checks.has(name, column) or not checks.has(other) or column == "return_of_line_id":
            continue
        key = TABLES[other].key[0]
        weight = checks.value(name)
        lost = f'"{column}" IS NOT NULL AND "{column}" NOT IN (SELECT "{key}" FROM {other} WHERE "{key}" IS NOT NULL)'
        summed = f"sum({weight}) FILTER (lost), sum({weight})" if weight else "NULL, NULL"
        rows, distinct, part, total = checks.one(
            f'SELECT count(*) FILTER (lost), count(DISTINCT "{column}") FILTER (lost), {summed} '
            f"FROM (SELECT *, {lost} AS lost FROM {checks.relation(name)})"
        )
        yield Finding(
            "unknown_reference",
            "amber" if rows else "green",
            name,
            column,
            rows,
            checks.rows(name),
            share(part, total),
            {"to": other, "distinct": distinct},
            checks.examples(name, lost) if rows and column in _numbered(checks, name) else (),
        )


def _numbered(checks: Checks, name: str) -> set[str]:
    """Columns that the client's rows carry themselves."""
    derived = {"member_id"} if name == "transactions" and checks.params.card_use == "every_purchase" else set()
    return set(checks.loaded[name].facts.supplied) - derived
