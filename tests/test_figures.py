"""From totals to figures, on totals given by hand."""

from dataclasses import replace
from math import isclose, sqrt

import ibis
import numpy as np
import pytest
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from kpibook import figures, ratio, share, total
from kpibook.figures import Totals

T = ibis.table({"net": "float64", "person": "string", "card": "boolean"}, name="receipts")


def totals(estimate, numbers, products, units, period="current"):
    leaves = list(dict.fromkeys(estimate.formula.leaves()))
    values = {(period, leaf): (float(x), i) for i, (leaf, x) in enumerate(zip(leaves, numbers, strict=True))}
    return Totals(values, None if products is None else np.array(products, float), *[{period: units}] * 3)


def test_a_share_of_everybody_survives_noise_in_the_products():
    """All 40 rows of 40 persons: the variance is 0 but for the last bits; n stays 40, Wilson's low is 40/(40 + z²)."""
    estimate = share(T.card, cluster=T.person)
    found = figures.linear_figure(estimate, totals(estimate, (40, 40), [[40 + 1e-12, 40], [40, 40]], 40), "current")

    assert (found.value, found.high, found.n, found.status) == (1.0, 1.0, 40, "ok")
    assert isclose(found.low, 40 / (40 + 3.841459), rel_tol=1e-6)


def test_clusters_shrink_the_effective_sample():
    """20 persons with 2 equal rows each, half of them met: as if 20 rows, too few to show."""
    estimate = share(T.card, cluster=T.person)
    found = figures.linear_figure(estimate, totals(estimate, (20, 40), [[40, 40], [40, 80]], 20), "current")

    assert (found.value, found.n, found.status) == (0.5, 40, "low_n")
    assert found.reason == '{"id": "reason.too_few_cases", "n": 20, "minimum": 30}'


def test_one_row_a_person_is_a_plain_wilson_interval():
    """30 of 60 persons: Wilson for n = 60."""
    estimate = share(T.card, cluster=T.person)
    found = figures.linear_figure(estimate, totals(estimate, (30, 60), [[30, 30], [30, 60]], 60), "current")

    assert isclose(found.low, 0.3773, abs_tol=1e-4)
    assert isclose(found.high, 0.6227, abs_tol=1e-4)


def test_a_zero_denominator_is_undefined_and_nothing_is_no_rows():
    estimate = ratio(T.net.sum(), T.count(where=T.card), cluster=T.person)
    zero = figures.linear_figure(estimate, totals(estimate, (5, 0), [[25, 0], [0, 0]], 3), "current")

    assert (zero.value, zero.numerator, zero.denominator, zero.status) == (None, 5, 0, "undefined")
    assert zero.reason == '{"id": "reason.zero_denominator"}'
    assert (
        figures.linear_figure(estimate, totals(estimate, (0, 0), [[0, 0], [0, 0]], 0), "current") == figures.UNDEFINED
    )


def few_of_many(behind):
    """Net sales of some of 200 persons with a receipt each, of whom ``behind`` spent 1 with the card."""
    estimate = ratio(T.net.sum(where=T.card), T.count(), cluster=T.person)
    found = totals(estimate, (behind, 200), [[behind, behind], [behind, 200]], 200)
    return figures.linear_figure(estimate, replace(found, persons={"current": behind}), "current")


def test_a_ratio_needs_30_persons_behind_an_amount_above_the_line():
    """Amounts of 29 among 200 persons are too few, whatever n; those of 30 are enough."""
    few, enough = few_of_many(29), few_of_many(30)

    assert (few.value, few.n, few.persons, few.status) == (0.145, 200, 29, "low_n")
    assert few.reason == '{"id": "reason.too_few_persons", "n": 29, "minimum": 30}'
    assert (enough.value, enough.n, enough.status) == (0.15, 200, "ok")


def uneven(most):
    """Visits per purchase of 60 persons who bought once: 59 after one visit, one after ``most``; rule M."""
    estimate = replace(ratio(T.net.sum(), T.count(), cluster=T.person), rule="M")
    found = totals(estimate, (59 + most, 60), [[59 + most**2, 59 + most], [59 + most, 60]], 60)
    return figures.linear_figure(estimate, found, "current")


def test_a_mean_that_few_make_most_of_rests_on_few():
    """One with 10 visits: 69 in all, 69² / 159 = 29.9 persons of equal parts. One with 9: 68² / 140 = 33.03; the error
    is that of 60 means around 68/60, (59 · (8/60)² + (9 - 68/60)²) / 60 / 59 = 0.017778, its root 0.133333, t of 32
    degrees of freedom 2.036933.
    """
    few, enough = uneven(10), uneven(9)

    assert (few.value, few.n, few.status) == (1.15, 60, "low_n")
    assert few.reason == '{"id": "reason.too_few_cases", "n": 29, "minimum": 30}'
    assert (enough.n, enough.status) == (60, "ok")
    assert isclose(enough.high - enough.value, 2.036933 * 0.133333, rel_tol=1e-5)
    assert isclose(enough.value - enough.low, 2.036933 * 0.133333, rel_tol=1e-5)


def two_periods(estimate, numbers, products, units, persons=None):
    """Totals now and before, the leaves of now first."""
    leaves = list(dict.fromkeys(estimate.formula.leaves()))
    cells = [(period, leaf) for period in ("current", "previous") for leaf in leaves]
    values = {cell: (float(x), i) for i, (cell, x) in enumerate(zip(cells, numbers, strict=True))}
    both = dict.fromkeys(("current", "previous"), units)
    products = None if products is None else np.array(products, float)
    return Totals(values, products, both, both, persons or both)


def test_the_change_of_a_share_of_the_same_persons_is_paired():
    """60 persons, 30 meet it now, 24 before, 18 both times. Wilson 0.3773502 to 0.6226498 and 0.2857 to 0.5263; the
    shares correlate by (18/60 - 0.5 · 0.4) / sqrt(0.25 · 0.24) = 0.1 / 0.244949 = 0.408248.
    """
    estimate = share(T.card, cluster=T.person)
    products = [[30, 30, 18, 30], [30, 60, 24, 60], [18, 24, 24, 24], [30, 60, 24, 60]]
    low, high = figures.change_figure(estimate, two_periods(estimate, (30, 60, 24, 60), products, 60))
    now, before = (proportion_confint(x, 60, method="wilson") for x in (30, 24))

    def apart(a, b):
        return sqrt(a**2 + b**2 - 2 * 0.4082483 * a * b)

    assert isclose(low, 0.1 - apart(0.5 - now[0], before[1] - 0.4), abs_tol=1e-7)
    assert isclose(high, 0.1 + apart(now[1] - 0.5, 0.4 - before[0]), abs_tol=1e-7)


def test_the_change_of_a_share_of_others_is_newcombes():
    """30 of 60 persons now, 6 of 60 others before: nobody is in both, which statsmodels' score hybrid assumes."""
    estimate = share(T.card, cluster=T.person)
    products = [[30, 30, 0, 0], [30, 60, 0, 0], [0, 0, 6, 6], [0, 0, 6, 60]]
    found = figures.change_figure(estimate, two_periods(estimate, (30, 60, 6, 60), products, 120))
    expected = confint_proportions_2indep(30, 60, 6, 60, method="newcomb", compare="diff")

    assert found == pytest.approx(expected, abs=1e-9)


def test_the_change_of_a_share_without_persons_takes_rows_as_apart():
    estimate = share(T.card)
    found = figures.change_figure(estimate, two_periods(estimate, (30, 60, 6, 60), None, 120))

    assert found == pytest.approx(confint_proportions_2indep(30, 60, 6, 60, method="newcomb", compare="diff"), abs=1e-9)


@pytest.mark.parametrize(("behind", "told"), [(29, False), (30, True)])
def test_the_change_of_a_total_needs_30_persons_in_both_periods(behind, told):
    """``behind`` receipts of as many persons now, 50 of 50 others before: variance behind + 50 of 200 persons."""
    estimate = total(T.count(where=T.card), cluster=T.person)
    sums = two_periods(estimate, (behind, 50), [[behind, 0], [0, 50]], 200, {"current": behind, "previous": 50})
    found = figures.change_figure(estimate, sums)
    half = 1.959964 * sqrt((behind + 50) * 200 / 199)

    assert (found is not None) == told
    assert not told or found == pytest.approx((behind - 50 - half, behind - 50 + half), abs=1e-4)


def test_the_change_from_nothing_has_no_interval():
    """None before, of 200 persons, 60 now."""
    estimate = total(T.count(where=T.card), cluster=T.person)

    assert figures.change_figure(estimate, two_periods(estimate, (60, 0), [[60, 0], [0, 0]], 200)) is None
