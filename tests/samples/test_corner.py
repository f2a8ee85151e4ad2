"""Corner's till, counted by hand."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import pyarrow.parquet as pq

from kpibook.samples import corner

if TYPE_CHECKING:
    from pathlib import Path


def test_persons_come_and_stay_away_as_they_are_said_to() -> None:
    """Person 0 comes every 14 days from January 1, 2023 on: 731 / 14 gives 53 visits. Person 5 begins a year later, on
    the sixth day, and comes every 14: 361 / 14, 26 times. Person 7 comes every 42 days from the eighth day to
    March 31, 2024, the 456th: 449 / 42, 11 times."""
    found = corner.visits()
    of = {person: [visit.at for visit in found if visit.person == person] for person in (0, 5, 7)}
    assert {person: len(times) for person, times in of.items()} == {0: 53, 5: 26, 7: 11}
    assert (of[0][0].date(), of[5][0].date()) == (date(2023, 1, 1), date(2024, 1, 6))
    assert of[7][-1].date() < date(2024, 4, 1)


def test_every_fourth_visit_is_late_and_from_july_2024_every_third() -> None:
    """Person 0: turns 0, 4, 8 … 36 of the 40 to day 546 (June 30, 2024), then 42, 45, 48, 51 of the 13 others."""
    late = [visit.turn for visit in corner.visits() if visit.person == 0 and visit.at.hour >= 18]
    assert late == [*range(0, 40, 4), *range(42, 53, 3)]


def test_a_line_has_the_columns_of_a_till(tmp_path: Path) -> None:
    """Person 0's first receipt has one line over 5.00, the second two: 3 and 8 more."""
    corner.write(tmp_path)
    rows = pq.read_table(tmp_path / "ticket_lines.parquet").to_pylist()
    first, second, third = [row for row in rows if row["client"] == "C000"][:3]
    assert (first["net"], second["net"], third["net"]) == (Decimal("5.00"), Decimal("8.00"), Decimal("13.00"))
    assert second["ticket"] == third["ticket"] != first["ticket"]
    assert first == {
        "ticket": "T00001",
        "client": "C000",
        "card": "K000",
        "sold_at": datetime.fromisoformat("2023-01-01T18:00"),
        "channel": "store",
        "article": "A00",
        "pieces": 1,
        "net": Decimal("5.00"),
    }
