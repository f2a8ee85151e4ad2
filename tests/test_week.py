"""``make week``: what is owed is worked out by hand, its judge finds what is wrong, and a shorter one of it passes."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from simulations import week

from kpibook.ledger import Turn

WEEK = week.START + timedelta(days=7)


def at(hour: int) -> datetime:
    return week.START + timedelta(hours=hour)


def test_a_week_has_553_due_times() -> None:
    """38 daily, 7 each six hours, 3 on Wednesday, 2 * 6 a day: 266 + 196 + 3 + 84 = 549, and four more.

    d8 and d32 in Tokyo and d24 in Madrid fall due in the hour before the start as well; d19 in New York at 0:19 UTC,
    and on Sunday, when clocks have gone forward, at 23:19 UTC.
    """
    owed = list(week.wall_clocks(week.clients(), WEEK))
    assert (len(owed), len(set(owed))) == (553, 553)
    times = Counter(name for name, _ in owed if name.startswith("d"))
    assert {name for name, number in times.items() if number == 8} == {"d8", "d19", "d24", "d32"}
    assert set(times.values()) == {7, 8}


OWED = {("q0", at(1)), ("q0", at(7)), ("q0", at(13))}
PERIODS = {("q0", week.mark(at(1))): "a", ("q0", week.mark(at(7))): "b", ("q0", week.mark(at(13))): "b"}
FINE = ["done", "covered", "done"]


def judged(states: list[str], made: tuple[int, ...], **changed: Any) -> list[str]:
    turns = [Turn("q0", due, state) for (_, due), state in zip(sorted(OWED), states, strict=False)]
    counted = Counter({("q0", week.mark(due)): number for (_, due), number in zip(sorted(OWED), made, strict=True)})
    return week.judged(**({"owed": OWED, "made": counted, "turns": turns, "periods": PERIODS} | changed))


def test_the_judge_is_content_with_what_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(week, "fate", lambda client, due: "made")
    assert judged(FINE, (1, 0, 1)) == []


@pytest.mark.parametrize(
    ("states", "made", "told"),
    [
        (
            ["done", "covered"],
            (1, 0, 0),
            ["q0 2024-03-04T07:00:00Z: covered, with 0 reports", "q0 2024-03-04T13:00:00Z: lost"],
        ),
        (FINE, (1, 0, 0), ["q0 2024-03-04T13:00:00Z: done, with 0 reports"]),
        (FINE, (2, 0, 1), ["q0 2024-03-04T01:00:00Z: made 2 times", "q0 2024-03-04T01:00:00Z: done, with 2 reports"]),
        (FINE, (1, 1, 1), ["q0 2024-03-04T07:00:00Z: covered, with 1 reports"]),
        (["covered", "done", "done"], (0, 1, 1), ["q0 2024-03-04T01:00:00Z: covered, with 0 reports"]),
        (["started", "covered", "done"], (0, 0, 1), ["q0 2024-03-04T01:00:00Z: started, with 0 reports"]),
        (["refused", "covered", "done"], (0, 0, 1), ["q0 2024-03-04T01:00:00Z: refused, with 0 reports"]),
    ],
)
def test_the_judge_finds_what_is_wrong(
    states: list[str], made: tuple[int, ...], told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In order: lost, not made, made twice, made and covered, covered by another period, left open, refused in vain."""
    monkeypatch.setattr(week, "fate", lambda client, due: "made")
    assert sorted(judged(states, made)) == sorted(told)


def test_the_judge_finds_what_was_never_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(week, "fate", lambda client, due: "made")
    owed = OWED - {("q0", at(1))}
    assert judged(FINE, (1, 0, 1), owed=owed) == ["q0 2024-03-04T01:00:00Z: was never due"]


def test_four_days_of_twelve_clients_with_two_kills(tmp_path: Path) -> None:
    """7 each six hours, 3 on Wednesday, 2 * 6 a day: 112 + 3 + 48 = 163 due times."""
    wrong, figures = week.simulated(tmp_path, 12, 4, 48)
    assert wrong == []
    assert (figures["due times"], figures["kills of serve at work"]) == (163, 2)
    assert figures["reports made"] == figures["done"]
