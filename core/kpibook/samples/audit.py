"""What Marea set out to reach, what it watches, whom it compares itself with, and its staff."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pyarrow as pa

from . import columns, world

#: kpi, segment, baseline, target, comparator, first year, set at, superseded at
_TARGETS: tuple[tuple[str, str, float, float, str, int, str, str | None], ...] = (
    ("avg_receipt", "total", 57.0, 60.0, ">=", 2024, "2023-11-28", None),
    ("member_revenue_share", "total", 0.22, 0.40, ">=", 2024, "2023-11-28", None),
    ("churn_rate", "total", 0.28, 0.25, "<=", 2024, "2023-11-28", None),
    ("redemption_rate", "total", 0.30, 0.40, ">=", 2024, "2023-11-28", "2024-05-15"),
    ("redemption_rate", "total", 0.30, 0.25, ">=", 2024, "2024-05-15", None),
    ("nps", "total", 20.0, 25.0, ">=", 2024, "2023-12-12", None),
    ("csat", "total", 0.60, 0.65, ">=", 2024, "2024-10-02", None),
    ("active_member_rate", "total", 0.75, 0.80, ">=", 2024, "2023-12-12", None),
    ("first_response_time", "total", 200.0, 180.0, "<=", 2024, "2024-01-01", None),
    ("enrolment_rate", "total", 0.30, 0.30, ">=", 2024, "2023-12-12", None),
    ("avg_receipt", "total", 54.0, 56.0, ">=", 2023, "2022-12-01", None),
    ("member_revenue_share", "total", 0.0, 0.20, ">=", 2023, "2023-06-30", None),
)
#: kpi, low, value, high, unit, geography, industry, year, n, source, same definition, grade
_BENCHMARKS: tuple[tuple[Any, ...], ...] = (
    ("nps", 20.0, 31.0, 42.0, "points", "IT", "home and furniture retail", 2023, 4_200,
     "Relationship survey of home retailers", True, "B"),
    ("csat", 0.58, 0.64, 0.70, "share", "EU", "retail", 2023, 11_000, "Consumer panel on retail satisfaction",
     True, "B"),
    ("redemption_rate", 0.25, 0.45, 0.75, "share", "world", "retail", 2022, None, "Vendor white paper", False, "C"),
    ("programme_roi", 3.9, 4.8, 5.2, "ratio", "world", "all", 2024, 600, "Vendor survey, self-reported", False, "C"),
    ("loyalty_budget_share", 0.01, 0.015, 0.04, "share", "IT", "all", 2019, None, "Quoted without a source", False,
     "D"),
    ("employee_turnover", 0.14, 0.19, 0.27, "share", "IT", "retail", 2023, 900, "Employers' association", True, "B"),
    ("share_of_wallet", 0.18, 0.26, 0.35, "share", "IT", "home and furniture retail", 2024, 2_400,
     "Household panel", True, "A"),
    ("retention_rate", 0.55, 0.66, 0.78, "share", "EU", "home and furniture retail", 2021, 38,
     "Peer-reviewed study with another window", False, "A"),
)  # fmt: skip
#: firm's name, kpi, cadence in days, last refreshed, programme segment, comparator, product link, used in decisions
_INVENTORY: tuple[tuple[str, str | None, int, str, bool, bool, bool, bool], ...] = (
    ("Fatturato netto", "net_sales", 1, "2024-12-31", False, False, True, True),
    ("Scontrino medio", "avg_receipt", 1, "2024-12-31", True, True, True, True),
    ("Scontrino medio con tessera", "avg_receipt_card", 7, "2024-12-30", True, False, True, True),
    ("Quota vendite ai soci", "member_revenue_share", 30, "2024-12-03", True, True, False, True),
    ("Clienti attivi", "active_customers", 30, "2024-11-05", False, False, False, False),
    ("Tasso di abbandono", "churn_rate", 90, "2024-10-04", True, True, False, True),
    ("Punti riscattati", "redemption_rate", 30, "2024-12-02", True, True, True, True),
    ("Passivo punti", "points_liability", 30, "2024-12-02", True, False, False, True),
    ("Risposta alle campagne", "campaign_response_rate", 30, "2024-06-28", True, True, True, False),
    ("ROI del programma", "programme_roi", 365, "2023-03-15", True, False, False, False),
    ("NPS", "nps", 90, "2024-11-20", False, True, False, True),
    ("Soddisfazione", "csat", 90, "2024-11-20", False, True, False, False),
    ("Tempo di prima risposta", "first_response_time", 7, "2024-12-30", False, True, False, True),
    ("Visite al sito", "website_statistics", 1, "2024-12-31", False, False, False, False),
    ("Iscrizioni", "enrolment_rate", 7, "2024-12-29", True, True, False, True),
    ("Follower", None, 7, "2024-12-30", False, False, False, False),
)
_UNIT_HEADS = (34, 22, 20, 26, 18, 21, 24, 12, 8, 5)
UNITS = (*world.STORES, "online", "head-office")


def _time(date: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(f"{date}T09:00:00") if date else None


def targets() -> pa.Table:
    rows = [
        {
            "target_id": f"O{number:03d}",
            "kpi_id": kpi,
            "segment": segment,
            "period_start": dt.date(year, 1, 1),
            "period_end": dt.date(year, 12, 31),
            "baseline_value": baseline,
            "target_value": value,
            "comparator": comparator,
            "set_at": dt.datetime.fromisoformat(f"{set_at}T00:00:00"),
            "superseded_at": _time(superseded),
        }
        for number, (kpi, segment, baseline, value, comparator, year, set_at, superseded) in enumerate(_TARGETS, 1)
    ]
    return pa.Table.from_pylist(rows)


def benchmarks() -> pa.Table:
    names = ("kpi_id", "low", "value", "high", "unit", "geography", "industry", "year", "n", "source",
             "same_definition", "evidence_grade")  # fmt: skip
    rows = [
        {
            "benchmark_id": f"B{number:03d}",
            "segment": "total",
            **dict(zip(names, row, strict=True)),
            "source_url": f"made-up:marea/benchmark/{number}",
        }
        for number, row in enumerate(_BENCHMARKS, 1)
    ]
    return pa.Table.from_pylist(rows)


def inventory() -> pa.Table:
    names = ("firm_kpi_name", "kpi_id", "cadence_days", "last_refreshed_at", "has_programme_segment",
             "has_comparator", "is_product_linked", "used_in_decision")  # fmt: skip
    rows = [{"item_id": f"W{i:03d}", **dict(zip(names, row, strict=True))} for i, row in enumerate(_INVENTORY, 1)]
    return pa.Table.from_pylist([{**r, "last_refreshed_at": _time(str(r["last_refreshed_at"]))} for r in rows])


def staff(rng: np.random.Generator) -> tuple[pa.Table, dict[str, Any]]:
    """``staff_periods`` by unit and month, and the leavers of each year."""
    months = np.arange("2022-01", "2025-01", dtype="datetime64[M]")
    heads = np.array(_UNIT_HEADS)
    rows, known = [], {str(year): {"leavers": 0, "voluntary": 0} for year in world.YEARS}
    for month in months:
        leavers = rng.binomial(heads, 0.019)
        voluntary = rng.binomial(leavers, 0.65)
        hired = np.minimum(leavers + np.array(_UNIT_HEADS) - heads, 3)
        after = heads - leavers + np.maximum(hired, 0)
        year = known[str(month)[:4]]
        year["leavers"] += int(leavers.sum())
        year["voluntary"] += int(voluntary.sum())
        rows.append((heads, after, leavers, voluntary))
        heads = after
    start = np.repeat(months, len(UNITS))
    stacked = [np.concatenate(column) for column in zip(*rows, strict=True)]
    names = ("headcount_start", "headcount_end", "leavers_total", "leavers_voluntary")
    made = pa.table(
        {
            "unit_id": columns.choice(UNITS, np.tile(np.arange(len(UNITS)), len(months))),
            "period_start": pa.array(start.astype("datetime64[D]"), pa.date32()),
            "period_end": pa.array((start + 1).astype("datetime64[D]") - 1, pa.date32()),
            **dict(zip(names, stacked, strict=True)),
        }
    )
    return made, known


def truth() -> dict[str, Any]:
    """Counts over the rows above, for 2024."""
    year = [t for t in _TARGETS if t[5] == 2024]
    before = [t for t in year if t[6] <= "2024-01-01" and t[7] is None]
    named = [i for i in _INVENTORY if i[1] is not None]
    last = dt.datetime.fromisoformat("2024-12-31T23:59:00")
    fresh = [i for i in _INVENTORY if last - dt.datetime.fromisoformat(i[3]) <= dt.timedelta(days=i[2] + 1)]
    return {
        "targets_2024": len(year),
        "targets_2024_set_before_and_not_superseded": len(before),
        "items": len(_INVENTORY),
        "items_with_a_kpi": len(named),
        "items_refreshed_in_time": len(fresh),
        "items_passing_all_three": sum(i[4] and i[5] and i[6] for i in _INVENTORY),
        "items_used_in_decisions": sum(i[7] for i in _INVENTORY),
        "roi_monitored": any(i[1] == "programme_roi" for i in _INVENTORY),
        "roi_used_in_decisions": any(i[1] == "programme_roi" and i[7] for i in _INVENTORY),
    }
