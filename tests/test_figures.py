"""From totals to figures, on totals given by hand."""

from dataclasses import replace
from math import isclose

import ibis
import numpy as np

from kpibook import figures, ratio, share
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
