"""Differences within strata, worked by hand."""

import pytest

from kpibook.stats.intervals import newcombe, wilson
from kpibook.stats.strata import Stratum, stratified_difference


def test_one_stratum_is_newcombes_difference() -> None:
    found = stratified_difference([Stratum(48, 56, 31, 48)])
    assert found is not None
    assert found[0] == pytest.approx(48 / 56 - 31 / 48)
    assert found[1] == pytest.approx(newcombe((48, 56), (31, 48)))


def test_strata_weigh_by_mantel_and_haenszel() -> None:
    """0.8 - 0.4 with weight 10*10/20 = 5, 0.9 - 0.6 with 20*5/25 = 4; strata without one group are left out."""
    strata = [Stratum(8, 10, 4, 10), Stratum(18, 20, 3, 5), Stratum(7, 9, 0, 0)]
    found = stratified_difference(strata)
    assert found is not None
    value, interval = found
    assert value == pytest.approx(0.4 * 5 / 9 + 0.3 * 4 / 9)
    below = (5 / 9) ** 2 * ((0.8 - wilson(8, 10).low) ** 2 + (wilson(4, 10).high - 0.4) ** 2)
    below += (4 / 9) ** 2 * ((0.9 - wilson(18, 20).low) ** 2 + (wilson(3, 5).high - 0.6) ** 2)
    assert interval.low == pytest.approx(value - below**0.5)


def test_nothing_to_compare() -> None:
    assert stratified_difference([Stratum(3, 4, 0, 0), Stratum(0, 0, 1, 2)]) is None
    assert stratified_difference([]) is None
