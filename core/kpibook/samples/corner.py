"""Corner: the till of a made-up shop, small enough to be computed within a lesson.

Nothing is drawn at random. Person ``p`` of 240 comes every 14, 28, 42, 56 or 70 days (``p % 5``); every third has the
card, every sixth begins in 2024, every eighth stays away from April 2024 on. One visit in four is after 18:00, one
in three from July 2024 on.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from . import columns

if TYPE_CHECKING:
    from collections.abc import Iterator

PERSONS, FIRST, DAYS = 240, datetime(2023, 1, 1), 731  # noqa: DTZ001  the till's wall clock
LEFT, LATER = (datetime(2024, month, 1) - FIRST for month in (4, 7))  # noqa: DTZ001  likewise


class Visit(NamedTuple):
    """The ``turn``-th one of a ``person``, counted from 0."""

    at: datetime
    person: int
    turn: int


def visits() -> list[Visit]:
    """All of 2023 and 2024, in order of time."""
    return sorted(visit for person in range(PERSONS) for visit in _of(person))


def _of(person: int) -> Iterator[Visit]:
    first = person % 60 + (365 if person % 6 == 5 else 0)
    end = LEFT.days if person % 8 == 7 else DAYS
    for turn, day in enumerate(range(first, end, 14 * (1 + person % 5))):
        late = (person + turn) % (4 if day < LATER.days else 3) == 0
        hour = 18 + turn % 3 if late else 9 + (3 * person + turn) % 8
        yield Visit(FIRST + timedelta(days=day, hours=hour, minutes=(7 * person + 11 * turn) % 60), person, turn)


def write(folder: Path | str) -> None:
    """``ticket_lines.parquet``: one row a line; amounts without VAT, 5.00 to 44.00 euros."""
    lines = [(n, visit, line) for n, visit in enumerate(visits(), 1) for line in range(1 + visit.turn % 2)]
    numbers, of, line = zip(*lines, strict=True)
    persons = [visit.person for visit in of]
    mixed = [7 * visit.person + 3 * visit.turn + 5 * at for visit, at in zip(of, line, strict=True)]
    table = pa.table(
        {
            "ticket": columns.code("T", numbers, 5),
            "client": columns.code("C", persons, 3),
            "card": columns.code("K", persons, 3, [person % 3 == 0 for person in persons]),
            "sold_at": pa.array([visit.at for visit in of], pa.timestamp("s")),
            "channel": columns.choice(("store", "web"), [int(visit.turn % 5 == 4) for visit in of]),
            "article": columns.code("A", [each % 30 for each in mixed], 2),
            "pieces": pa.array([1 + each % 3 for each in mixed]),
            "net": columns.money([500 + 100 * (each % 40) for each in mixed]),
        }
    )
    columns.write(Path(folder), {"ticket_lines": table})
