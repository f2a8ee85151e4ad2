"""From totals to figures: value, interval, n, numerator, denominator, status."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import numpy.typing as npt

from kpibook import rules
from kpibook.estimates import Curve, Linear
from kpibook.formula import Dual, Formula, Leaf
from kpibook.stats import survival
from kpibook.stats.intervals import Interval, log_normal, normal, square_and_add, student, wilson


@dataclass(frozen=True)
class Figure:
    """One cell of the scorecard."""

    value: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    numerator: float | None = None
    denominator: float | None = None
    status: str = "ok"
    reason: str = ""
    persons: int | None = None
    grade: str = ""


@dataclass(frozen=True)
class Totals:
    """What one segment's query brought back.

    ``values[period, leaf]`` is (total, position); ``products`` the sums over clusters of
    products of the leaves at two positions, None without clusters; ``units[period]`` the
    number of clusters (without clusters: rows), ``resting[period]`` of those that every
    denominator counts: rule R and n rest on these. ``persons[period]`` are the fewest behind one
    of its sums, None where nobody says who is behind them: rule R rests on these as well.
    """

    values: dict[tuple[str, Leaf], tuple[float, int]]
    products: npt.NDArray[np.float64] | None
    units: dict[str, int]
    resting: dict[str, int]
    persons: dict[str, int | None]

    def standard_error(self, dual: Dual, units: int) -> float | None:
        """Delta method over clusters; None when there is nothing to vary."""
        if self.products is None or units < 2:
            return None
        return sqrt(max(0.0, self.covariance(dual, dual)) * units / (units - 1))

    def covariance(self, one: Dual, other: Dual) -> float:
        """Of two figures over the same clusters, by the delta method; 0 without clusters."""
        return 0.0 if self.products is None else float(one.gradient @ self.products @ other.gradient)

    def alike(self, formula: Formula, period: str) -> int:
        """As many persons of equal parts as the most uneven of its sums is worth: (sum x)² / sum x² (Kish 1965)."""
        cells = [self.values[period, leaf] for leaf in formula.leaves()]
        if self.products is None:
            return self.units[period]
        squares = [float(self.products[place, place]) for _, place in cells]
        parts = [total**2 / square if square else 0.0 for (total, _), square in zip(cells, squares, strict=True)]
        return int(min(parts) + NOISE)


#: Below this a standard error of a share is the rounding of sums in parallel.
NOISE = 1e-9
UNDEFINED = Figure(status="undefined", reason=rules.reason("no_rows"))


def linear_figure(estimate: Linear, totals: Totals, period: str) -> Figure:
    """The figure of one period; a comparing formula has one for the current period only."""
    sides = [period]
    if estimate.formula.compares:
        if period != "current":
            return Figure(status="undefined", reason=rules.reason("compares_itself"))
        if "previous" not in totals.units:
            return Figure(status="missing_data", reason=rules.reason("no_comparison"))
        sides = ["current", "previous"]
    units = min(totals.units.get(side, 0) for side in sides)
    if units == 0:
        return UNDEFINED
    resting = min(totals.resting[side] for side in sides)
    behind = [n for side in sides if (n := totals.persons[side]) is not None]
    persons = min(behind) if behind else None
    dual = estimate.formula.evaluate(totals.values, len(totals.values), period)
    top, bottom = _sides(estimate.formula, totals, period)
    if dual is None:
        missing = rules.reason("zero_denominator")
        return Figure(None, None, None, resting, top, bottom, "undefined", missing, persons)
    figure = Figure(dual.value, n=resting, numerator=top, denominator=bottom, persons=persons)
    error = totals.standard_error(dual, units)
    if estimate.formula.operator == "change" and error is not None:
        interval = log_normal(dual.value + 1, error)
        return _judged(figure, error, Interval(interval.low - 1, interval.high - 1), estimate.rule, resting)
    match estimate.kind:
        case "total":
            return replace(figure, low=dual.value, high=dual.value, numerator=dual.value)
        case "share":
            return _share(figure, *_around_share(estimate.formula, totals, period, dual))
        case "mean":
            return _judged(figure, error, student(dual.value, error or 0.0, max(1, resting - 1)), "M", resting)
        case _:
            return _of_sums(estimate, figure, error, totals, period)


def change_figure(estimate: Linear, totals: Totals) -> Interval | None:
    """Interval of current minus previous, both periods' customers paired; None when either is undefined.

    Of shares it is squared and added from both periods' Wilson intervals, with their correlation; a total's is that of
    a sum of many, so that there is none where a period's rests on too few.
    """
    now = estimate.formula.evaluate(totals.values, len(totals.values), "current")
    before = estimate.formula.evaluate(totals.values, len(totals.values), "previous")
    if now is None or before is None:
        return None
    if estimate.kind == "share":
        return _change_of_share(estimate.formula, totals, now, before)
    if estimate.kind == "total" and _few(totals, now, before):
        return None
    error = totals.standard_error(now.combine("-", before) or now, max(totals.units.values()))
    return None if error is None else normal(now.value - before.value, error)


def _few(totals: Totals, now: Dual, before: Dual) -> bool:
    """Whether so few are behind one of two totals that their difference is not normal."""
    least = rules.MINIMUM["M"]
    return 0 in (now.value, before.value) or any(n is not None and n < least for n in totals.persons.values())


def _change_of_share(formula: Formula, totals: Totals, now: Dual, before: Dual) -> Interval:
    own = {"current": now, "previous": before}
    around = [_around_share(formula, totals, period, dual)[0] for period, dual in own.items()]
    one, other = totals.covariance(now, now), totals.covariance(before, before)
    both = totals.covariance(now, before)
    correlation = both / sqrt(one * other) if min(one, other) > NOISE**2 else 0.0
    return square_and_add(now.value, around[0], before.value, around[1], correlation)


def _around_share(formula: Formula, totals: Totals, period: str, dual: Dual) -> tuple[Interval, float]:
    """Wilson's interval of a share, and the sample size that it rests on: fewer rows, where those of a person agree."""
    rows, units = _sides(formula, totals, period)[1] or 0.0, totals.units[period]
    p, effective = dual.value, rows
    if totals.products is not None and units > 1:
        variance, spread = totals.covariance(dual, dual), dual.value * (1 - dual.value)
        effective = min(rows, round(spread / variance, 6)) if spread > 0 and variance > 0 else min(rows, units)
    return wilson(p * effective, effective), effective


def _sides(formula: Formula, totals: Totals, period: str) -> tuple[float | None, float | None]:
    if formula.operator in ("+", "-") and formula.args[1].operator == "const":
        return _sides(formula.args[0], totals, period)
    if formula.operator != "/":
        return None, None
    sides = [a.evaluate(totals.values, len(totals.values), period) for a in formula.args if a.operator != "const"]
    found = [s.value if s is not None else None for s in sides]
    return (found[0], found[1]) if len(found) == 2 else (None, None)


def _share(figure: Figure, around: Interval, effective: float) -> Figure:
    if figure.value is None or figure.denominator is None:
        return figure
    status, why = rules.share_rule(figure.value, around.low, around.high, effective)
    n = int(figure.denominator)
    return replace(figure, low=around.low, high=around.high, n=n, status=status, reason=why)


def _of_sums(estimate: Linear, figure: Figure, error: float | None, totals: Totals, period: str) -> Figure:
    value, resting = figure.value or 0.0, figure.n or 0
    if estimate.kind == "ratio" and estimate.rule == "M":
        alike = min(resting, totals.alike(estimate.formula, period))
        return _judged(figure, error, student(value, error or 0.0, max(1, alike - 1)), "M", alike)
    return _judged(figure, error, normal(value, error or 0.0), estimate.rule, resting)


def _judged(figure: Figure, error: float | None, interval: Interval, rule: str, units: int) -> Figure:
    if rule == "none":
        return replace(figure, low=interval.low if error else None, high=interval.high if error else None)
    if figure.value is None or error is None:
        return replace(figure, status="low_n", reason=rules.reason("too_few_cases", n=units, minimum=2))
    if rule == "M":
        status, why = rules.mean_rule(figure.value, error, units, figure.n)
    else:
        status, why = rules.ratio_rule(units, figure.persons)
    return replace(figure, low=interval.low, high=interval.high, status=status, reason=why)


def curve_figure(estimate: Curve, found: survival.Curve, n: int) -> Figure:
    """S(at), 1 - S(at) or the median, with rule K at the reported time."""
    if estimate.at is None:
        median, early, late = found.quantile(0.5)
        if median is None:
            return Figure(low=early, n=n, status="undefined", reason=rules.reason("curve_does_not_cross"))
        status, why = rules.survival_rule(found.at_risk_at(median))
        return Figure(median, early, late, n, status=status, reason=why)
    value, low, high = found.at(estimate.at)
    if estimate.complement:
        value, low, high = 1 - value, 1 - high, 1 - low
    status, why = rules.survival_rule(found.at_risk_at(estimate.at))
    return Figure(value, low, high, n, status=status, reason=why)


def quantile_figure(value: float | None, low: float | None, high: float | None, n: int) -> Figure:
    """A quantile between its order statistics."""
    if value is None or n == 0:
        return UNDEFINED
    if n < rules.MINIMUM["M"] or low is None or high is None:
        why = rules.reason("too_few_cases", n=n, minimum=rules.MINIMUM["M"])
        return Figure(value, low, high, n, status="low_n", reason=why, persons=n)
    return Figure(value, low, high, n, persons=n)
