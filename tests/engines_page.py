"""docs/engines.md: which engines the KPIs run on, and how that is known. `python tests/engines_page.py` writes it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dialects import DIALECTS, KNOWN

PAGE = Path(__file__).parents[1] / "docs" / "engines.md"
KPIS = 133
PREFACE = f"""\
# Engines

A KPI is written once; the engine compiles it for the database that holds the tables. What differs between databases
stands in one profile each (`core/kpibook/engine/on_*.py`), and every guard against a wrong number is a test on the
database that needs it.

**Client data are read by DuckDB**: files, and the tables of a server with `extract: true`, which copies the columns
that the params file names. With `extract: false` PostgreSQL computes in place ([in_place.md](in_place.md)). The other
profiles are reached from Python only (`kpibook.engine.compute` on an Ibis backend that holds the canonical tables).

| engine | how it is known | KPIs | not among them |
|---|---|---|---|
| DuckDB | every test | {KPIS} of {KPIS} | |
| PostgreSQL | a real server, by the comparison below (`make test`) | {KPIS} of {KPIS} | |
| Spark 4.0 | PySpark with two workers in one process, likewise (`make spark`) | {KPIS} of {KPIS} | |

Compared are two clients, a sample each: a made-up programme that feeds every KPI, and Complete Journey (PostgreSQL
only). Every value, interval, count, numerator, denominator, status and reason, and each side table, equals DuckDB's
to 1e-9 of it, by total and by one breakdown.
"""
WRITTEN = """
Where no server was at hand the statements are compiled by Ibis and read again by sqlglot, by total, without rows: a
KPI counts when each of its statements can be written. That says nothing of the numbers. Statements that follow from
rows, such as those of a bootstrap of few persons, are not among them.
"""
NOTES = """
## What is said otherwise, and why

- **PostgreSQL** divides whole numbers into whole numbers and stops at a division by zero; both are rewritten, as
  everywhere. Truth values become long numbers by way of short ones, a tiny exponential is 0 and no underflow, several
  semi joins in one statement are `EXISTS`, any of equal values is the first of all. Text is compared by its bytes: the
  order of the database would break ties otherwise. Shared tables are temporary; each statement may read only, and
  fills no more than a temporary table. A session that may make none gets them as steps of every statement, which
  costs time and no accuracy.
- **Spark** gets UTC as the zone of its session. Times of day are text there. Shared tables are checkpointed: in the
  folder of the session's checkpoints, where it has one, else on the workers, and then a lost worker fails the KPIs that
  read them. What happens when one is lost was not tried. No Spark before 4 (`toArrow`).
- **ClickHouse** needs `join_use_nulls = 1` in its session; there is no profile that sets it, and parity was not tried.
"""


def text() -> str:
    """The whole page."""
    return PREFACE + WRITTEN + "\n".join(["", *_table(), ""]) + NOTES


def _table() -> Iterator[str]:
    yield "| engine | KPIs whose statements can be written | not among them |\n|---|---|---|"
    for name in DIALECTS:
        without = "; ".join(f"`{kpi}`: {why}" for kpi, why in sorted(KNOWN[name].items()))
        yield f"| {name} | {KPIS - len(KNOWN[name])} of {KPIS} | {without} |"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
