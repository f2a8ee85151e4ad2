"""Cronbach's alpha, worked by hand."""

import pytest

from kpibook.stats.reliability import cronbach_alpha


def test_alpha() -> None:
    """Items 1 2 3 and 2 1 3: variances 1 and 1, of the sums 3 3 6 it is 3: 2 (1 - 2/3)."""
    assert cronbach_alpha([[1, 2], [2, 1], [3, 3]]) == pytest.approx(2 / 3)
    assert cronbach_alpha([[1, 1], [2, 2], [3, 3]]) == pytest.approx(1)


def test_no_alpha_without_spread_or_with_too_few() -> None:
    assert cronbach_alpha([[1, 3], [3, 1]]) is None
    assert cronbach_alpha([[1, 3]]) is None
    assert cronbach_alpha([[1], [2]]) is None


def test_items_are_a_table() -> None:
    with pytest.raises(ValueError, match=r"^items are a table of persons and items$"):
        cronbach_alpha([1, 2, 3])
