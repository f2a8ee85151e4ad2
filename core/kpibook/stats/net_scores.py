"""Differences of two shares of the same answers: net promoter scores, paired items.

Sources: Rocks 2016, The American Statistician 70(4), 365-372 (adjusted Wald for the net promoter
score: 3 answers added, 3/4 of one to either side); Bonett & Price 2012, Journal of Educational and
Behavioral Statistics 37(4), 479-488 (adjusted Wald for paired shares: 2 added, 1 to either side).
"""

from __future__ import annotations

from math import sqrt

from kpibook.stats.intervals import Interval, normal


def net_error(up: float, down: float, n: float) -> float:
    """Standard error of the difference of the multinomial shares ``up`` and ``down`` of ``n`` > 0 answers."""
    if n <= 0:
        raise ValueError("a net score of no answers has no standard error")
    return sqrt(max(0.0, up + down - (up - down) ** 2) / n)


def adjusted_wald(up: float, down: float, n: float, *, added: float = 3.0, each: float = 0.75) -> Interval:
    """Interval of ``up`` - ``down`` after ``added`` answers, ``each`` of them on either side. n may be effective.

    The ends are kept within -1 and 1. Raises ValueError when n is not positive.
    """
    if n <= 0:
        raise ValueError("a net score of no answers has no interval")
    higher, lower = (up * n + each) / (n + added), (down * n + each) / (n + added)
    interval = normal(higher - lower, net_error(higher, lower, n + added))
    return Interval(max(-1.0, interval.low), min(1.0, interval.high))


def paired_difference(only_first: float, only_second: float, n: float) -> Interval:
    """Interval of the difference of two paired shares, from the shares of discordant pairs (Bonett & Price)."""
    return adjusted_wald(only_first, only_second, n, added=2.0, each=1.0)


def finite_population(n: float, population: float) -> float:
    """Factor for a standard error when ``n`` of ``population`` answered; 1.0 when the population is not known."""
    if population <= 1 or n > population:
        return 1.0
    return sqrt((population - n) / (population - 1))
