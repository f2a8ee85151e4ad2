"""What withholds grade B: which checks fail, and what a placebo test of another kind would have given."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from statistics import median

from scipy import special

from kpibook.stats.enrolment_effects import HORIZON, PLACEBO
from kpibook.stats.event_study import POWER
from kpibook.stats.intervals import CONFIDENCE
from simulations.readings import Reading

CHECKS = ("size", "balance", "placebo", "pretended", "power", "bracket", "breakdown", "identified")
OTHERS = {"size", "balance", "identified"}
HEAD = (
    "| persons | intent shock | effect | B given | power | bracket | placebo | six months earlier | breakdown | others "
)
MORE = "| drift that would show | half of the effect | B by a directed test | of those outside |"


def failing(reading: Reading, costs: Sequence[float]) -> set[str]:
    """The checks that fail whatever the cost."""
    judged = [reading.judged(cost).checks for cost in costs]
    return {name for name in CHECKS if not any(checks[name] for checks in judged)}


def drift(reading: Reading) -> tuple[float, float]:
    """The drift that would have shown in the placebo months, over the horizon, and half of the effect: in percent."""
    months = reading.evidence.study.person_months
    shown = reading.evidence.placebo.detectable * HORIZON * months
    return reading.percent(shown), reading.percent(abs(reading.evidence.study.total) / 2)


def directed(reading: Reading, costs: Sequence[float]) -> bool:
    """Whether grade B would be given, at any cost, if the placebo were tested against a straight drift alone.

    One degree of freedom instead of one for each month held out: a smaller drift shows.
    """
    shown, half = drift(reading)
    others = [reading.judged(cost).checks for cost in costs]
    rest = any(all(holds for name, holds in checks.items() if name != "power") for checks in others)
    return rest and shown * sqrt(_noncentrality(1) / _noncentrality(int(PLACEBO.sum()))) < half


def _noncentrality(degrees: int) -> float:
    """Of a chi-square test at 5 % that rejects with a chance of POWER."""
    return float(special.chndtrinc(special.chdtri(degrees, 1 - CONFIDENCE), degrees, 1 - POWER))


def table(kinds: Sequence[tuple[tuple[int, str, str], Sequence[Reading]]], costs: Sequence[float]) -> list[str]:
    """One row for each kind of programme (persons, shock, effect)."""
    rows = [HEAD + MORE, "|--:|---|---|" + "--:|" * 11]
    for (persons, shock, effect), readings in kinds:
        failed = [failing(r, costs) for r in readings]
        given = sum(any(r.grade(cost) == "B" for cost in costs) for r in readings)
        by_check = [
            sum(name in f for f in failed) for name in ("power", "bracket", "placebo", "pretended", "breakdown")
        ]
        by_check.append(sum(bool(f & OTHERS) for f in failed))
        shown, half = (median(pair[i] for pair in map(drift, readings)) for i in (0, 1))
        other = [r for r in readings if directed(r, costs)]
        outside = sum(not r.holds(r.evidence.interval) for r in other)
        cells = [f"{persons:,}", shock, effect, f"{given} of {len(readings)}", *map(str, by_check)]
        cells += [f"{shown:.1f}", f"{half:.1f}", str(len(other)), str(outside)]
        rows.append("| " + " | ".join(cells) + " |")
    return rows
