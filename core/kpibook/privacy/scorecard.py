"""Rows of the scorecard, without the numbers that rest on too few persons."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kpibook import rules, windows
from kpibook.privacy.arithmetic import Fact
from kpibook.privacy.cells import Cell, withheld

NUMBERS = (
    "value", "low", "high", "n", "numerator", "denominator", "change", "change_low", "change_high",
)  # fmt: skip
CHANGES = ("change", "change_low", "change_high")
#: A finer grain of time whose parts make up those of a coarser one.
WITHIN = (("month", "quarter"), ("month", "year"), ("quarter", "year"))


@dataclass(frozen=True)
class Stated:
    """A row, and what its numbers are made of: each a weighted sum of ``atoms``, which add up over segments.

    ``readings`` group atoms that are the same total over different rows: parts of a whole that is known.
    """

    row: dict[str, Any]
    numbers: tuple[Fact, ...]
    readings: Mapping[Hashable, Hashable]

    @property
    def place(self) -> tuple[str, str]:
        """Breakdown and segment; a further reading stands where the total does."""
        by = self.row["segment_by"]
        return (windows.TOTAL, windows.TOTAL) if by == "variant" else (by, self.row["segment"])


def withhold(stated: Sequence[Stated], minimum: int) -> None:
    """Blank, in place, what may not be shown; a change goes with either of its two figures."""
    if not minimum:
        return
    hidden: dict[str, set[Hashable]] = {}
    for period in ("current", "previous"):
        own = [s for s in stated if s.row["period"] == period]
        hidden[period] = withheld(_cells(own), [*_sums(own)], minimum)
    for each in stated:
        row = each.row
        if _name(row) in hidden[row["period"]]:
            row.update(dict.fromkeys(NUMBERS), status="low_n", reason=rules.reason("privacy", minimum=minimum))
        elif _name(row) in hidden["previous"]:
            row.update(dict.fromkeys(CHANGES))


def _name(row: Mapping[str, Any]) -> tuple[str, str, str]:
    return row["kpi"], row["segment_by"], row["segment"]


def _cells(stated: Iterable[Stated]) -> list[Cell]:
    stated = list(stated)
    grains = {s.place[0] for s in stated}
    return [
        Cell(_name(s.row), s.row["persons"], tuple(_at(s.place, n) for n in s.numbers), tuple(_lines(s, grains)))
        for s in stated
    ]


def _at(place: tuple[str, str], number: Fact) -> Fact:
    return {(atom, *place): weight for atom, weight in number.items()}


def _lines(stated: Stated, grains: set[str]) -> Iterator[Hashable]:
    by, segment = stated.place
    kpi = stated.row["kpi"]
    if by == windows.TOTAL:
        yield from dict.fromkeys(("reading", kpi, group) for group in stated.readings.values())
        return
    yield ("by", kpi, by)
    for fine, coarse in WITHIN:
        if by == fine and coarse in grains:
            yield ("by", kpi, by, coarse, _part_of(segment, coarse))


def _sums(stated: Sequence[Stated]) -> Iterator[Fact]:
    """What everybody knows: segments make up the total, months a quarter, readings of one kind what they part."""
    found: dict[Hashable, set[str]] = {}
    grouped: dict[Hashable, set[Hashable]] = {}
    for each in stated:
        by, segment = each.place
        for atom in {a for number in each.numbers for a in number}:
            found.setdefault((atom, by), set()).add(segment)
        if by == windows.TOTAL:
            for atom, group in each.readings.items():
                grouped.setdefault((each.row["kpi"], group), set()).add(atom)
    for (atom, by), segments in found.items():  # type: ignore[misc]
        if by != windows.TOTAL:
            parts: dict[Hashable, int] = {(atom, by, s): 1 for s in segments}
            yield {**parts, (atom, windows.TOTAL, windows.TOTAL): -1}
            for coarse in (c for fine, c in WITHIN if fine == by):
                yield from _wholes(atom, by, segments, coarse, found.get((atom, coarse), set()))
    for atoms in grouped.values():
        if len(atoms) > 1:
            yield {(atom, windows.TOTAL, windows.TOTAL): 1 for atom in atoms}


def _wholes(atom: Hashable, by: str, segments: set[str], coarse: str, wholes: set[str]) -> Iterator[Fact]:
    for whole in wholes:
        parts: dict[Hashable, int] = {(atom, by, s): 1 for s in segments if _part_of(s, coarse) == whole}
        yield {**parts, (atom, coarse, whole): -1}


def _part_of(segment: str, grain: str) -> str:
    """2024-05 is part of 2024-Q2 and of 2024."""
    if grain == "year":
        return segment[:4]
    return f"{segment[:4]}-Q{(int(segment[5:7]) + 2) // 3}"
