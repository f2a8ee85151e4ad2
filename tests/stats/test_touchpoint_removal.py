"""Removal of touchpoints from paths, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from kpibook.stats.touchpoint_removal import bootstrap_errors, removal, transitions

A, B, C = 0, 1, 2


def _counts(paths: list[tuple[list[int], bool]], size: int) -> np.ndarray:
    visitor = np.repeat(np.arange(len(paths)), [len(path) for path, _ in paths])
    touchpoint = np.concatenate([path for path, _ in paths])
    converted = np.concatenate([[False] * (len(path) - 1) + [bought] for path, bought in paths])
    code = transitions(visitor, touchpoint, converted, size)[0]
    return np.bincount(code, minlength=(size + 3) ** 2).reshape(size + 3, size + 3)


def test_transitions() -> None:
    """One visitor meets A, then B and buys; another B and leaves. Of five states (A, B, start, conversion, exit) the
    steps are start-A, start-B, A-B, B-conversion, B-exit.
    """
    steps = transitions([0, 0, 1], [A, B, B], [False, True, False], 2)
    assert steps[0].tolist() == [10, 11, 1, 8, 9]
    assert steps[1].tolist() == [0, 1, 0, 0, 1]


def test_a_touchpoint_that_loses_visitors_hinders() -> None:
    """Three visitors: A then B buys, A leaves, B buys: 2/3 convert. Without A, B's visitors all buy: B is worth 1 where
    A is worth 1/2, so A costs 1/3 of the conversions. Without B all go to A: half of them would go on to B, who now
    have nowhere to go but the other way from A, the exit: nobody buys, B is worth 2/3. Removed to the exit, A takes
    away 2/3 * 1/2, never less than nothing.
    """
    found = removal(_counts([([A, B], True), ([A], False), ([B], True)], 2))
    assert found.conversion == pytest.approx(2 / 3)
    assert found.bypass.tolist() == pytest.approx([-1 / 3, 2 / 3])
    assert found.to_exit.tolist() == pytest.approx([1 / 3, 2 / 3])


def test_a_touchpoint_that_all_must_pass_changes_nothing() -> None:
    """All go from A to C and on to B or the exit: without C they go where C led, in its proportions."""
    paths = [([A, C, B], True), ([A, C, B], False), ([A, C], False), ([A, C], False)]
    assert removal(_counts(paths, 3)).bypass[C] == pytest.approx(0)


def test_the_usual_removal_is_never_negative() -> None:
    rng = np.random.default_rng(1)
    counts = rng.integers(0, 20, (50, 7, 7))
    counts[:, :, 4] = 0
    counts[:, 5:] = 0
    found = removal(counts)
    assert (found.to_exit >= -1e-12).all()
    assert (found.bypass < 0).any()


def test_going_round_for_ever_is_leaving() -> None:
    """A leads to C only, C to A and to the purchase: without C whoever is in A goes on where C led, to A and to the
    purchase; without A from the start on to C's successors. Everybody buys either way. With a loop that nothing leaves
    the chance is 0, not an error.
    """
    loop = np.zeros((6, 6))
    loop[3, A], loop[A, C], loop[C, A], loop[C, 4], loop[A, A] = 1, 1, 1, 1, 1
    found = removal(loop)
    assert found.conversion == pytest.approx(1)
    assert found.bypass[C] == pytest.approx(1)
    assert np.isfinite(found.bypass).all()


def test_nobody_came() -> None:
    assert np.isnan(removal(np.zeros((4, 4))).conversion)


def test_errors_by_drawing_visitors() -> None:
    """400 visitors, one contact each, a quarter buys: the rate's error is sqrt(0.25 * 0.75 / 400) = 0.0217; twice the
    same numbers.
    """
    visitor, bought = np.arange(400), np.arange(400) % 4 == 0
    steps = transitions(visitor, np.arange(400) % 2, bought, 2)
    errors = bootstrap_errors(steps, 2)
    assert errors.conversion == pytest.approx(0.02165, rel=0.15)
    again = bootstrap_errors(steps, 2)
    assert errors.bypass.tolist() == again.bypass.tolist()


def test_refusals() -> None:
    with pytest.raises(ValueError, match=r"^the contacts are not sorted by visitor$"):
        transitions([1, 0], [0, 0], [False, False], 1)
    with pytest.raises(ValueError, match=r"^a touchpoint's code is not between 0 and 1$"):
        transitions([0], [2], [False], 2)
