"""Samples without the engine: how often the intervals of a source hold what is true of the population.

A source is what a query, curve or function is computed from. A sample draws every customer a Poisson number of times;
the truth is what the source says of everybody once, or, of a total, its part of that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import process_time
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from kpibook.figures import Figure
from kpibook.stats.intervals import Interval
from simulations.coverage_frames import Curved, Written
from simulations.coverage_sums import Sums

#: Customers of the population, and of the samples.
POPULATION = 7_000
SIZES = (500, 2_000, 7_000)
PILOT = 100
#: Of the first samples at least so many must be ok; else a size is not judged.
OK = 0.95
#: Sizes judged of a source that is cheap, and CPU seconds for one of a source that is not.
CHEAP, DEAR = 2, 1
SECONDS = {"sums": 5.0, "rows": 4.0}
FEWEST, BLOCK = 200, 50

Key = tuple[str, str]
Source = Sums | Written | Curved


@dataclass(frozen=True)
class Found:
    """A figure of a sample as the scorecard would have it; the change only between two periods that are ok."""

    figure: Figure
    change: float = float("nan")
    interval: Interval | None = None


def road(source: Source) -> str:
    return "sums" if isinstance(source, Sums) else "rows"


def simulated(source: Source, proved: set[Key], replicates: int, seed: int) -> list[dict[str, Any]]:
    """Rows of counts: each figure of the source that is ``proved`` to be the engine's, at the sizes judged."""
    rows: list[dict[str, Any]] = []
    judged: dict[Key, int] = {}
    for size in SIZES:
        rate = size / POPULATION
        truth = {key: found for key, found in _truths(source, rate).items() if key in proved}
        most = CHEAP if not isinstance(source, Written) else DEAR
        wanted = {key for key in truth if judged.get(key, 0) < most and told(truth[key])}
        if not wanted or (isinstance(source, Written) and size < SIZES[1]):
            continue
        rng = np.random.default_rng([seed, size])
        began = process_time()
        drawn = list(_samples(_only(source, wanted), rate, min(PILOT, replicates), rng))
        wanted = {key for key in wanted if _often_ok(drawn, key)}
        if not wanted:
            continue
        cost = (process_time() - began) / len(drawn)
        number = int(np.clip(SECONDS[road(source)] / cost, min(FEWEST, replicates), replicates))
        drawn += _samples(_only(source, wanted), rate, number - len(drawn), rng)
        for key in sorted(wanted):
            judged[key] = judged.get(key, 0) + 1
            rows.append(counted(key, [d.get(key) for d in drawn], truth[key]) | {"road": road(source), "size": size})
    return rows


def counted(key: Key, drawn: list[Found | None], truth: Found) -> dict[str, Any]:
    """How many of the samples are ok and how many intervals hold the truth."""
    ok = [d for d in drawn if d is not None and d.figure.status == "ok" and d.figure.value is not None]
    level = [d.figure for d in ok if d.figure.low is not None and d.figure.high is not None]
    changes = [d.interval for d in ok if d.interval is not None]
    value, change = truth.figure.value, truth.change
    judged, moves = _wide(truth.figure), _moves(truth)
    numbers = [f.value for f in level]
    return {
        "kpi": key[0],
        "reading": key[1],
        "samples": len(drawn),
        "n": float(np.mean([f.n for f in level if f.n is not None] or [np.nan])),
        "replicates": len(level) if judged else 0,
        "held": sum(f.low <= value <= f.high for f in level) if judged else 0,
        "width": float(np.mean([f.high - f.low for f in level] or [np.nan])) if judged else np.nan,
        "spread": _spread(numbers) if judged and len(numbers) > 1 else np.nan,
        "change_replicates": len(changes) if moves else 0,
        "change_held": sum(c.low <= change <= c.high for c in changes) if moves else 0,
    }


def _spread(values: list[float]) -> float:
    """3.92 standard deviations; 0 where only the last digits differ."""
    return 3.92 * float(np.std(values, ddof=1)) if _apart(min(values), max(values), None) else 0.0


def figures(source: Source, times: npt.NDArray[np.int64], linked: bool = False) -> dict[Key, Found]:
    """The figures of a sample; ``times`` by number of customer (``linked``: unit), place 0 for what is nobody's: 1."""
    if isinstance(source, Sums):
        numbers = source.units if linked else source.own
        return _of_row(source, np.where(numbers > 0, times[np.maximum(numbers, 0)], 1) @ source.values)
    return {(source.kpi.id, reading): Found(figure) for reading, figure in source.of(times, linked)}


def _of_row(source: Sums, row: npt.NDArray[np.float64]) -> dict[Key, Found]:
    named = dict(zip(source.names, row.tolist(), strict=True))
    return {job.name: _compared(periods, change) for job, periods, change in source.figures(named)}


def _compared(periods: dict[str, Figure], interval: Interval | None) -> Found:
    now, before = periods["current"], periods.get("previous")
    if before is None or now.status != "ok" or before.status != "ok" or now.value is None or before.value is None:
        return Found(now)
    return Found(now, now.value - before.value, interval)


def _truths(source: Source, rate: float) -> dict[Key, Found]:
    """What is true at a size; of rows only what is the same of everybody twice, or rate is 1."""
    if isinstance(source, Sums):
        return _of_row(source, rate * source.values.sum(axis=0))
    once = figures(source, np.ones(_units(source), dtype=np.int64))
    if rate == 1:
        return once
    times = np.full(_units(source), 2, dtype=np.int64)
    times[0] = 1
    twice = figures(source, times)
    return {key: found for key, found in once.items() if key in twice and _same(found.figure, twice[key].figure)}


def _samples(source: Source, rate: float, number: int, rng: np.random.Generator) -> Iterator[dict[Key, Found]]:
    if isinstance(source, Sums):
        for start in range(0, number, BLOCK):
            weights = rng.poisson(rate, (min(BLOCK, number - start), len(source.own)))
            for row in weights.astype(np.float64) @ source.values:
                yield _of_row(source, row)
        return
    for _ in range(number):
        times = rng.poisson(rate, _units(source))
        times[0] = 1
        yield figures(source, times)


def _only(source: Source, wanted: set[Key]) -> Source:
    if not isinstance(source, Sums):
        return source
    return replace(source, estimates=tuple((j, e) for j, e in source.estimates if j.name in wanted))


def _units(source: Written | Curved) -> int:
    every = source.rows.values() if isinstance(source, Written) else [source.rows]
    return 1 + max((int(rows.own.max(initial=0)) for rows in every), default=0)


def told(truth: Found) -> bool:
    """An interval of the figure or of its change, which is not a point."""
    return truth.figure.status == "ok" and (_wide(truth.figure) or _moves(truth))


def _wide(figure: Figure) -> bool:
    return figure.low is not None and figure.high is not None and _apart(figure.low, figure.high, figure.value)


def _moves(found: Found) -> bool:
    """Whether the change has an interval, not a point."""
    ends = found.interval
    return ends is not None and bool(np.isfinite(found.change)) and _apart(ends.low, ends.high, found.figure.value)


def _apart(low: float, high: float, value: float | None) -> bool:
    """By more than what summing in another order changes."""
    return high - low > 1e-9 * max(abs(low), abs(high), abs(value or 0.0))


def _often_ok(drawn: list[dict[Key, Found]], key: Key) -> bool:
    return sum(key in d and d[key].figure.status == "ok" for d in drawn) >= OK * len(drawn)


def _same(one: Figure, other: Figure) -> bool:
    values = [f.value for f in (one, other)]
    return None not in values and bool(np.isclose(*np.array(values, dtype=float), rtol=1e-6))


def of_row(row: Any) -> Found:
    """A figure as the scorecard has it: a row with value, low, high, n, status and change."""
    value, low, high, n = (None if np.isnan(x) else x for x in (row.value, row.low, row.high, row.n))
    change = None if np.isnan(row.change_low) else Interval(row.change_low, row.change_high)
    return Found(Figure(value, low, high, n, status=row.status), row.change, change)


def agreeing(source: Source, times: npt.NDArray[np.int64], card: pd.DataFrame) -> dict[Key, bool]:
    """Whether each figure of a source is what the engine says of the same sample of units.

    Value, ends and change to a millionth of the width; the ends of what is drawn by bootstrap, whose order of rows may
    be another, to a tenth.
    """
    rows = {(row.kpi, row.reading): row for row in card.itertuples()}
    slack = 1e-6 if isinstance(source, Sums) else 0.1
    return {
        key: key in rows and _agrees(found, rows[key], slack)
        for key, found in figures(source, times, linked=True).items()
    }


def _agrees(found: Found, row: Any, slack: float) -> bool:
    f, change = found.figure, found.interval if np.isfinite(row.change_low) else None
    ends = (f.low, f.high, *(change or (None, None)))
    mine = np.array([np.nan if x is None else x for x in (f.value, *ends)], dtype=float)
    theirs = np.array([row.value, row.low, row.high, row.change_low, row.change_high], dtype=float)
    if f.status != row.status or (np.isnan(mine) != np.isnan(theirs)).any():
        return False
    width = np.nanmax([abs(row.high - row.low), abs(row.value) * 1e-6, 1e-12])
    apart = np.nan_to_num(np.abs(mine - theirs)) / width
    return bool(apart[0] <= 1e-6 and (apart[1:] <= slack).all())
