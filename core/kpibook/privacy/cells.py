"""Cells that rest on too few persons are withheld, and with them as many others as it takes to hide them.

A cell may be shown when it rests on nobody or on at least ``minimum`` persons. What is withheld must
not follow from what is shown, and the cells withheld of a line that adds up must hold ``minimum``
persons together: their sum is the line's total less what is shown.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import inf

from kpibook.privacy.arithmetic import Fact, Known


@dataclass(frozen=True)
class Cell:
    """``persons`` it rests on (None: it is not about persons), ``facts`` that it publishes when it is shown.

    ``lines`` are the sums in which it stands, and in which others may be withheld to hide it.
    """

    key: Hashable
    persons: int | None
    facts: tuple[Fact, ...]
    lines: tuple[Hashable, ...] = ()

    def below(self, minimum: int) -> bool:
        return self.persons is not None and 0 < self.persons < minimum


def withheld(
    cells: Sequence[Cell], known: Iterable[Fact], minimum: int, also: Iterable[Hashable] = ()
) -> set[Hashable]:
    """Keys of the cells to be withheld; ``known`` are facts that everybody knows, such as what adds up to what.

    ``also`` are keys that are withheld whatever is behind them.
    """
    found = _Withheld(cells, minimum)
    found.keys |= {*also}
    if found.keys:
        found.hide([*known])
    return found.keys


def exposed(cells: Sequence[Cell], known: Iterable[Fact], keys: set[Hashable], minimum: int) -> set[Hashable]:
    """Small cells among the withheld ``keys`` that can be worked out all the same: nobody was left to hide them."""
    shown = [fact for cell in cells if cell.key not in keys for fact in cell.facts]
    everything = Known([*known, *shown])
    return {cell.key for cell in cells if cell.below(minimum) and any(everything.gives(f) for f in cell.facts)}


class _Withheld:
    def __init__(self, cells: Sequence[Cell], minimum: int) -> None:
        self.cells, self.minimum = cells, minimum
        self.keys: set[Hashable] = {cell.key for cell in cells if cell.below(minimum)}
        self._lines: dict[Hashable, list[Cell]] = {}
        self._sharing: dict[Hashable, list[Cell]] = {}
        for cell in cells:
            for line in cell.lines:
                self._lines.setdefault(line, []).append(cell)
            for atom in _atoms(cell):
                self._sharing.setdefault(atom, []).append(cell)

    def hide(self, known: list[Fact]) -> None:
        """Withhold further cells until nothing withheld follows from the rest, or no other cell is left to take."""
        given_up: set[Hashable] = set()
        while True:
            for line in self._thin():
                self._take(line)
            shown = [fact for cell in self.cells if cell.key not in self.keys for fact in cell.facts]
            everything = Known([*known, *shown])
            exposed = [c for c in self.cells if c.key in self.keys - given_up and self._follows(c, everything)]
            if not exposed:
                return
            if not self._accompany(exposed):
                given_up |= {cell.key for cell in exposed if not self._cover(cell)}

    def _thin(self) -> Iterator[Hashable]:
        """Lines whose withheld cells hold fewer persons than the minimum while others are shown."""
        for line, members in self._lines.items():
            while True:
                hidden = sum(c.persons or 0 for c in members if c.key in self.keys)
                if not 0 < hidden < self.minimum or not self._helpers(line):
                    break
                yield line

    def _follows(self, cell: Cell, everything: Known) -> bool:
        """A fact of the cell can be worked out, and no cell that may be shown states it anyway."""
        stated = {_frozen(f) for c in self._sharers(cell) if c.key not in self.keys for f in c.facts}
        return any(_frozen(fact) not in stated and everything.gives(fact) for fact in cell.facts)

    def _accompany(self, exposed: Sequence[Cell]) -> bool:
        """A second cell for each that is the only one withheld of a line; whether there was any."""
        found = False
        for line in dict.fromkeys(line for cell in exposed for line in cell.lines):
            if sum(c.key in self.keys for c in self._lines[line]) == 1 and self._helpers(line):
                self._take(line)
                found = True
        return found

    def _cover(self, cell: Cell) -> bool:
        lines = [line for line in cell.lines if self._helpers(line)]
        if not lines:
            return False
        self._take(min(lines, key=lambda line: sum(c.key in self.keys for c in self._lines[line])))
        return True

    def _take(self, line: Hashable) -> None:
        """The smallest cell of a line is withheld too, and every cell that states one of its numbers."""
        helper = min(self._helpers(line), key=self._cost)
        self.keys.add(helper.key)
        self.keys |= {cell.key for cell in self._sharers(helper)}

    def _helpers(self, line: Hashable) -> list[Cell]:
        """Cells that could be withheld: there are persons in them."""
        return [c for c in self._lines[line] if c.key not in self.keys and c.persons != 0]

    def _cost(self, cell: Cell) -> tuple[int, float, str]:
        """Where something is withheld already in the other direction, no further cell will be needed there."""
        bare = sum(not any(c.key in self.keys for c in self._lines[line]) for line in cell.lines)
        return bare, inf if cell.persons is None else cell.persons, str(cell.key)

    def _sharers(self, cell: Cell) -> list[Cell]:
        return [other for atom in _atoms(cell) for other in self._sharing[atom] if other.key != cell.key]


def _atoms(cell: Cell) -> set[Hashable]:
    return {atom for fact in cell.facts for atom in fact}


def _frozen(fact: Fact) -> frozenset[tuple[Hashable, object]]:
    return frozenset(fact.items())
