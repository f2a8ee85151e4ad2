"""Confidence set of a ratio of two estimates (Fieller 1954)."""

from __future__ import annotations

from math import sqrt

from kpibook.stats.intervals import Interval, Z


def fieller(
    numerator: float,
    denominator: float,
    numerator_variance: float,
    denominator_variance: float = 0.0,
    covariance: float = 0.0,
    z: float = Z,
) -> Interval | None:
    """Interval of numerator / denominator, both about normal; None when the denominator may well be 0.

    Without denominator_variance it is numerator +- z standard errors over the denominator. The delta method's
    interval (Var = [Var(N) + R^2 Var(D) - 2 R Cov] / D^2) is its limit for a certain denominator.
    """
    a = denominator**2 - z * z * denominator_variance
    if a <= 0:
        return None
    b = numerator * denominator - z * z * covariance
    c = numerator**2 - z * z * numerator_variance
    root = sqrt(max(0.0, b * b - a * c))
    return Interval((b - root) / a, (b + root) / a)
