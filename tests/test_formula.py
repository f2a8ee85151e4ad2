"""Values and gradients worked out by hand."""

import ibis
import numpy as np
import pytest

from kpibook import change, matrix, ratio, share, total
from kpibook.errors import PluginError

RECEIPTS = ibis.table({"net": "float64", "customer": "string", "card": "boolean"}, name="receipts")
LINES = ibis.table({"amount": "float64"}, name="lines")


def evaluated(estimate, current, previous=()):
    leaves = list(dict.fromkeys(estimate.formula.leaves()))
    sides = {"current": current, "previous": previous}
    cells = [
        (side, leaf, number) for side, numbers in sides.items() for leaf, number in zip(leaves, numbers, strict=False)
    ]
    totals = {(side, leaf): (float(number), i) for i, (side, leaf, number) in enumerate(cells)}
    return estimate.formula.evaluate(totals, len(totals), "current")


def test_ratio():
    """60/4 = 15; d/dY = 1/4, d/dD = -60/16."""
    dual = evaluated(ratio(RECEIPTS.net.sum(), RECEIPTS.count(), cluster=RECEIPTS.customer), (60, 4))

    assert dual.value == 15
    assert dual.gradient.tolist() == [0.25, -3.75]


def test_difference_of_ratios():
    """100/4 - 60/6 = 15; the gradient stacks both quotients, the second negated."""
    card = RECEIPTS.card
    gap = ratio(RECEIPTS.net.sum(where=card), RECEIPTS.count(where=card), cluster=RECEIPTS.customer) - ratio(
        RECEIPTS.net.sum(where=~card), RECEIPTS.count(where=~card), cluster=RECEIPTS.customer
    )
    dual = evaluated(gap, (100, 4, 60, 6))

    assert dual.value == 15
    assert np.allclose(dual.gradient, [1 / 4, -100 / 16, -1 / 6, 60 / 36])


def test_relative_change():
    """(60/4)/(50/5) - 1 = 0.5; d/dY = 1/4/10, d/dY0 = -1.5/50."""
    growth = change(ratio(RECEIPTS.net.sum(), RECEIPTS.count(), cluster=RECEIPTS.customer))
    dual = evaluated(growth, (60, 4), (50, 5))

    assert dual.value == pytest.approx(0.5)
    assert np.allclose(dual.gradient, [0.025, -0.375, -0.03, 0.3])


def test_product_sum_and_constants():
    """(10 + 2) · 3 = 36 with gradient 3; a zero denominator has no value."""
    estimate = (total(RECEIPTS.net.sum()) + 2) * 3

    assert evaluated(estimate, (10,)).value == 36
    assert evaluated(estimate, (10,)).gradient.tolist() == [3]
    assert evaluated(share(RECEIPTS.card), (0, 0)) is None
    assert evaluated(change(total(RECEIPTS.net.sum())), (5,), (0,)) is None


def test_the_cell_of_a_matrix_is_a_share_or_a_ratio():
    headline = share(RECEIPTS.card)
    one = ratio(RECEIPTS.net.sum(), RECEIPTS.count(), cluster=RECEIPTS.customer)
    for cell in (total(RECEIPTS.count()), one - one, one * 2):
        with pytest.raises(PluginError) as caught:
            matrix(RECEIPTS.customer, RECEIPTS.customer, headline=headline, cell=cell)
        assert str(caught.value) == (
            "estimate: the cell of a matrix is neither share nor ratio"
            " · give share(...) or ratio(...), or no cell to count rows"
        )
    assert matrix(RECEIPTS.customer, RECEIPTS.customer, headline=headline, cell=share(RECEIPTS.card)).cell is not None


def test_a_mean_is_no_total():
    with pytest.raises(PluginError) as caught:
        ratio(RECEIPTS.net.mean(), RECEIPTS.count(), cluster=RECEIPTS.customer)

    assert str(caught.value) == (
        "estimate: Mean is not a total · use sum(), count() or nunique(), and leave the division to ratio()"
    )


def test_parts_must_come_from_one_table():
    estimate = ratio(RECEIPTS.net.sum(), LINES.count(), cluster=RECEIPTS.customer)
    with pytest.raises(PluginError) as caught:
        _ = estimate.base

    assert str(caught.value) == (
        "estimate: its parts come from 2 tables · join them in a view first, and use where= instead of filter()"
    )


def test_quantiles_lie_between_zero_and_one():
    from kpibook import quantile

    with pytest.raises(PluginError) as caught:
        quantile(RECEIPTS.net, 1.5)

    assert str(caught.value) == "quantile: q is 1.5 · give a number between 0 and 1"


@pytest.mark.parametrize(
    "made",
    [
        lambda: share(RECEIPTS.card) - share(RECEIPTS.card),
        lambda: ratio(RECEIPTS.net.sum(), RECEIPTS.count(), cluster=RECEIPTS.customer) / share(RECEIPTS.card),
        lambda: share(RECEIPTS.card, cluster=RECEIPTS.card) - share(RECEIPTS.card, cluster=RECEIPTS.customer),
    ],
)
def test_estimates_are_combined_only_over_one_cluster(made):
    with pytest.raises(PluginError) as caught:
        made()

    assert str(caught.value) == (
        "estimate: two estimates without a common cluster are combined · give both the same cluster="
    )


def test_distinct_values_do_not_add_up_over_persons():
    with pytest.raises(PluginError) as caught:
        total(RECEIPTS.card.nunique(), cluster=RECEIPTS.customer)

    assert str(caught.value) == (
        "estimate: distinct values of 'card' do not add up over the cluster"
        " · count the rows of a view with one row for each"
    )
    assert total(RECEIPTS.customer.nunique(), cluster=RECEIPTS.customer).kind == "total"


def test_units_and_variants_do_not_outlive_arithmetic():
    rate = ratio(RECEIPTS.net.sum(), RECEIPTS.count(), cluster=RECEIPTS.customer).in_unit("days")

    assert rate.unit == "days"
    assert (rate * 2).unit == ""
