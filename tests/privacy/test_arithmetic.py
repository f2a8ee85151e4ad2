"""What follows from published sums, worked out by hand."""

from __future__ import annotations

from kpibook.privacy.arithmetic import Known


def test_the_last_part_of_a_known_whole_follows():
    """total = a + b + c; total, a and b are told: c follows; of b and c untold neither does, but their sum."""
    whole = {"a": 1, "b": 1, "c": 1, "total": -1}
    assert Known([whole, {"total": 1}, {"a": 1}, {"b": 1}]).gives({"c": 1})
    less = Known([whole, {"total": 1}, {"a": 1}])
    assert not less.gives({"c": 1})
    assert not less.gives({"b": 1})
    assert less.gives({"b": 1, "c": 1})


def test_a_square_of_two_by_two_hides_its_four_corners():
    """Row and column sums of a table of two by two: a single cell more gives all of them."""
    sums = [{"a": 1, "b": 1}, {"c": 1, "d": 1}, {"a": 1, "c": 1}, {"b": 1, "d": 1}]
    known = Known(sums)
    assert not any(known.gives({cell: 1}) for cell in "abcd")
    assert all(Known([*sums, {"a": 1}]).gives({cell: 1}) for cell in "abcd")


def test_weights_count():
    """2x + 3y and x - y give x and y; x + y and 2x + 2y do not."""
    assert Known([{"x": 2, "y": 3}, {"x": 1, "y": -1}]).gives({"x": 1})
    assert not Known([{"x": 1, "y": 1}, {"x": 2, "y": 2}]).gives({"x": 1})


def test_nothing_is_known_of_what_is_not_spoken_of():
    assert not Known([{"x": 1}]).gives({"z": 1})
    assert Known([]).gives({})
