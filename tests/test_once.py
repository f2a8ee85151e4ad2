"""What KPIs have in common is made once a run, for the same rows only, and forgotten when the run ends."""

from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pandas as pd
import pytest

from kpibook import once


def counted() -> tuple[list[int], Callable[[pd.DataFrame, float], float]]:
    """A function of a frame and a number that counts its calls."""
    calls: list[int] = []

    @once.once
    def total(frame: pd.DataFrame, factor: float) -> float:
        calls.append(len(frame))
        return float(frame["a"].sum()) * factor

    return calls, total


def test_the_same_rows_are_asked_once() -> None:
    calls, total = counted()
    frame = pd.DataFrame({"a": [1.0, 2.0, 4.0], "s": ["x", None, "z"]})
    with once.run():
        assert [total(frame, 2.0), total(frame.copy(), 2.0)] == [14.0, 14.0]
        assert calls == [3]


@pytest.mark.parametrize(
    ("other", "factor", "value"),
    [
        (pd.DataFrame({"a": [1.0, 2.0, 5.0], "s": ["x", None, "z"]}), 2.0, 16.0),
        (pd.DataFrame({"a": [1.0, 2.0, 4.0], "s": ["x", None, "y"]}), 2.0, 14.0),
        (pd.DataFrame({"a": [1.0, 2.0, 4.0], "t": ["x", None, "z"]}), 2.0, 14.0),
        (pd.DataFrame({"a": [1, 2, 4], "s": ["x", None, "z"]}), 2.0, 14.0),
        (pd.DataFrame({"a": [1.0, 2.0, 4.0], "s": ["x", None, "z"]}), 3.0, 21.0),
        (pd.DataFrame({"a": [1.0, 2.0], "s": ["x", None]}), 2.0, 6.0),
    ],
    ids=["number", "text", "name", "type", "setting", "length"],
)
def test_what_differs_is_asked_again(other: pd.DataFrame, factor: float, value: float) -> None:
    calls, total = counted()
    with once.run():
        assert total(pd.DataFrame({"a": [1.0, 2.0, 4.0], "s": ["x", None, "z"]}), 2.0) == 14.0
        assert total(other, factor) == value
    assert calls == [3, len(other)]


def test_nothing_outlives_the_last_run() -> None:
    calls, total = counted()
    frame = pd.DataFrame({"a": [1.0]})
    with once.run():
        with once.run():
            total(frame, 1.0)
        total(frame, 1.0)
    with once.run():
        total(frame, 1.0)
    total(frame, 1.0)
    total(frame, 1.0)
    assert calls == [1, 1, 1, 1]


def test_functions_of_one_name_do_not_meet() -> None:
    frame = pd.DataFrame({"a": [1.0]})
    (first, one), (second, two) = counted(), counted()
    with once.run():
        assert [one(frame, 1.0), two(frame, 1.0)] == [1.0, 1.0]
    assert (first, second) == ([1], [1])


def test_what_it_raises_all_see() -> None:
    calls = []

    @once.once
    def broken(frame: pd.DataFrame) -> float:
        calls.append(len(frame))
        raise ValueError("no rows of any use")

    with once.run():
        for _ in range(2):
            with pytest.raises(ValueError, match=r"^no rows of any use$"):
                broken(pd.DataFrame({"a": [1.0]}))
    assert calls == [1]


def test_two_threads_wait_for_one_value() -> None:
    meeting, calls, found = Barrier(2), [], []

    @once.once
    def made(frame: pd.DataFrame) -> list[int]:
        calls.append(len(frame))
        return [7]

    def ask() -> None:
        meeting.wait(10)
        found.append(made(pd.DataFrame({"a": [1.0]})))

    with once.run():
        threads = [Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert calls == [1]
    assert found[0] is found[1]
