"""Averages over the consultant's own clients, as benchmarks for one of them: no client can be recognised in them.

Only clients that say ``privacy: pool: true`` are in it, each with its latest valid report. A figure is an average over
five clients and more that have it under one definition hash for a period of one length, unweighted, without sums of
money and counts, which tell how large a client is, and rounded to two digits, so that little is learnt from the
difference between two pools of which one has a client more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from statistics import fmean, stdev
from typing import TYPE_CHECKING

from kpibook import model, past, results
from kpibook.errors import ParamsError, Problem
from kpibook.portfolio import latest_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MINIMUM = 5
UNITS = ("percent", "ratio", "index", "days", "months", "minutes", "purchases")
#: Columns of the table ``benchmarks``.
HEAD = tuple(model.TABLES["benchmarks"].columns)


@dataclass(frozen=True)
class Figure:
    """One figure of one client."""

    client: str
    kpi: str
    unit: str
    definition: str
    value: float
    ends: date


def pooled(out: Path, months: int) -> list[dict[str, str]]:
    """Rows of the table ``benchmarks`` from the clients' latest reports over periods of so many months.

    Raises ParamsError when no figure stands for five clients.
    """
    figures = [each for client in past.clients(out) for each in _figures(out, client, months)]
    groups: dict[tuple[str, str, str], list[Figure]] = {}
    for each in figures:
        groups.setdefault((each.kpi, each.definition, each.unit), []).append(each)
    rows, known = [], set()
    for (kpi, definition, _), group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        if len(group) >= MINIMUM and kpi not in known:
            known.add(kpi)
            rows.append(_row(definition, group, months))
    if not rows:
        clients = len({each.client for each in figures})
        what = f"{clients} clients with privacy: pool: true have a valid report over {months} months"
        what += f", and no figure is one of {MINIMUM} of them under one definition"
        raise ParamsError(Problem(str(out), what, "ask more clients, or name another length with --months"))
    return sorted(rows, key=lambda row: row["kpi_id"])


def _figures(out: Path, client: str, months: int) -> list[Figure]:
    latest = latest_of(out, client)
    if latest is None or not latest.record.pool or latest.record.state != "valid" or latest.record.draft:
        return []
    card = results.kept(latest.folder)
    card = card[(card["period"] == "current") & (card["segment_by"] == "total") & (card["segment"] == "total")]
    card = card[(card["status"] == "ok") & card["unit"].isin(UNITS)]
    return [
        Figure(client, row["kpi"], row["unit"], row["definition_hash"], float(row["value"]), row["period_end"])
        for row in card.to_dict("records")
        if _months(row["period_start"], row["period_end"]) == months
    ]


def _months(start: date, last: date) -> int:
    """How many months a period is long, to the nearest."""
    return round(((last - start).days + 1) * 12 / 365.25)


def _row(definition: str, group: Sequence[Figure], months: int) -> dict[str, str]:
    from kpibook.stats.intervals import student

    values, ends = [each.value for each in group], [each.ends for each in group]
    value, error = fmean(values), stdev(values) / len(values) ** 0.5
    around = student(value, error, len(values) - 1)
    low, high = (value, value) if error == 0 else (around.low, around.high)
    until = f"{min(ends):%Y-%m} … {max(ends):%Y-%m}"
    length = f"{months} month{'s' if months != 1 else ''}"
    row = {
        "benchmark_id": f"pool-{group[0].kpi}",
        "kpi_id": group[0].kpi,
        "segment": "total",
        "low": f"{low:.2g}",
        "value": f"{value:.2g}",
        "high": f"{high:.2g}",
        "unit": group[0].unit,
        "geography": "own clients",
        "industry": "own clients",
        "year": str(max(ends).year),
        "n": str(len(group)),
        "source": f"Average of {len(group)} clients of the consultant; {length} up to {until}",
        "source_url": f"{results.POOLED}{definition}",
        "same_definition": "true",
        "evidence_grade": "B",
    }
    return {name: row[name] for name in HEAD}
