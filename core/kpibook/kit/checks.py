"""The admission tests of one KPI, on its case: each gives what to mend, as (what, remedy), or nothing."""

from __future__ import annotations

import json
import math
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd

from kpibook import model
from kpibook.catalog import Catalog
from kpibook.estimates import Linear
from kpibook.kit.case import Case, Rows, completed, figures

Found = Iterator[tuple[str, str]]
NUMBERS = ("int", "float", "decimal", "money")
#: The budget: receipts of a middling client, what one KPI may take of a run's time and memory.
ROWS, SECONDS, MEGABYTES = 100_000, 20.0, 1500
AFTER = "2999-01-01/2999-12-31"


def worked(case: Case, catalog: Catalog) -> Found:
    """The case gives the figure that was worked out."""
    if not case.worked.strip():
        yield "its case does not say how the figure was worked out", 'write worked="(10 + 20) / 2"'
    row = _total(figures(case, catalog))
    value = _number(row["value"])
    if row["status"] == "failed":
        yield f"its case fails: {_error(row)}", "mend the function"
    elif not _same(value, case.value):
        yield f"its case gives {value}, worked out was {case.value}", "mend the function, or the case"


def empty(case: Case, catalog: Catalog) -> Found:
    """In a period without a row there is no figure, or the zero of a sum."""
    yield from _bears(case, catalog, "rows of another time only", period=AFTER)


def zero(case: Case, catalog: Catalog) -> Found:
    """With every amount 0 nothing is divided by it."""
    tables = _changed(case, lambda column, value, _: 0 if column.kind in NUMBERS and value is not None else value)
    yield from _bears(case, catalog, "every amount 0", tables)


def nulls(case: Case, catalog: Catalog) -> Found:
    """Every second value that may be missing is missing."""
    tables = _changed(case, lambda column, value, n: None if column.nullable and n % 2 else value)
    yield from _bears(case, catalog, "missing values", tables)


def order(case: Case, catalog: Catalog) -> Found:
    """The rows in another order give the same figure."""
    first = _total(figures(case, catalog))
    for turn in range(2):
        tables = {name: list(rows) for name, rows in completed(case.tables).items()}
        for rows in tables.values():
            rows.reverse() if turn else random.Random(7).shuffle(rows)  # noqa: S311  an order, no secret
        other = _total(figures(case, catalog, tables))
        if not all(_same(_number(first[c]), _number(other[c])) for c in ("value", "low", "high", "n")):
            what = f"the order of the rows changes its figure: {_number(first['value'])}, {_number(other['value'])}"
            yield what, "sort by a key before rows are counted off or cut"
            return


def segments(case: Case, catalog: Catalog) -> Found:
    """The parts by channel add up: the counts and sums behind a share or ratio, the value of anything else."""
    definition = catalog.kpis[case.kpi].definition
    if not definition.by_columns or case.parts or "channel" in definition.not_by:
        return
    card = figures(case, catalog, by="channel")
    parts, whole = card[card["segment_by"] == "channel"], _total(card)
    if parts.empty or whole["status"] == "failed":
        return
    estimate = catalog.resolve().kpis[case.kpi].estimate
    linear = isinstance(estimate, Linear)
    if isinstance(estimate, Linear) and estimate.kind == "mean":
        return
    column = "numerator" if linear and _number(whole["numerator"]) is not None else "value"
    total, of_parts = _number(whole[column]), sum(_number(v) or 0.0 for v in parts[column])
    if total is not None and not _same(total, of_parts):
        what = f"its parts by channel add up to {of_parts:g}, the whole is {total:g}"
        yield what, 'mend it, or say why in the case: parts="a median"'


def budget(case: Case, target: Path) -> Found:
    """100,000 rows within the budget of time and memory, in a process of its own."""
    command = [sys.executable, "-m", "kpibook.kit.weigh", str(target), case.kpi, str(ROWS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        yield f"it fails on {ROWS:,} rows: {last}", "mend the function"
        return
    used = json.loads(done.stdout.splitlines()[-1])
    if used["seconds"] > SECONDS:
        yield (
            f"it takes {used['seconds']:.0f} s on {ROWS:,} rows, {SECONDS:.0f} are allowed",
            "let Ibis reduce the rows first",
        )
    if used["megabytes"] > MEGABYTES:
        yield (
            f"it takes {used['megabytes']:.0f} MB on {ROWS:,} rows, {MEGABYTES} are allowed",
            "let Ibis reduce the rows first",
        )


CHECKS: Mapping[str, Callable[[Case, Catalog], Found]] = {
    "worked by hand": worked,
    "no rows": empty,
    "zero denominator": zero,
    "missing values": nulls,
    "order of rows": order,
    "segments": segments,
}


def _bears(
    case: Case, catalog: Catalog, what: str, tables: Mapping[str, Rows] | None = None, *, period: str = ""
) -> Found:
    row = _total(figures(case, catalog, tables, period=period))
    value = row["value"]
    if row["status"] == "failed":
        yield f"with {what} it fails: {_error(row)}", "return modelled(None) where there is nothing to compute"
    elif value is not None and not pd.isna(value) and not math.isfinite(float(value)):
        yield f"with {what} its figure is {float(value)}", "return modelled(None) where there is nothing to compute"


def _changed(case: Case, change: Callable[[model.Column, Any, int], Any]) -> dict[str, Rows]:
    return {
        name: [
            {c: change(model.TABLES[name].columns[c], value, n) for c, value in row.items()}
            for n, row in enumerate(rows)
        ]
        for name, rows in completed(case.tables).items()
    }


def _total(card: pd.DataFrame) -> dict[str, Any]:
    return dict(card[card["segment_by"] == "total"].iloc[0])


def _number(value: Any) -> float | None:
    return None if value is None or pd.isna(value) else float(value)


def _same(one: float | Decimal | None, other: float | Decimal | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(float(one), float(other), rel_tol=1e-9, abs_tol=1e-9)


def _error(row: Mapping[str, Any]) -> str:
    try:
        return str(json.loads(row["reason"])["error"])
    except (TypeError, ValueError, KeyError):
        return str(row["reason"])
