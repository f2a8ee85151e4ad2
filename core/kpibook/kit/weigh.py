"""What one KPI takes on many rows: ``python -m kpibook.kit.weigh TARGET KPI ROWS`` prints seconds and megabytes."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil

from kpibook.kit.case import figures
from kpibook.kit.target import read


def main(path: str, kpi: str, rows: str) -> None:
    """The case's rows as many times over as it takes."""
    target = read(Path(path))
    case = next(c for c in target.cases if c.kpi == kpi)
    most = max(len(given) for given in case.tables.values())
    began = time.perf_counter()
    figures(case, target.catalog, times=max(1, int(rows) // most))
    seconds = time.perf_counter() - began
    used = psutil.Process().memory_info().rss / 1e6
    print(json.dumps({"seconds": seconds, "megabytes": used}))  # noqa: T201  its only answer


if __name__ == "__main__":
    main(*sys.argv[1:])
