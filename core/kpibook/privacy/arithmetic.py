"""What can be worked out from published sums: exact elimination over rational numbers."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from fractions import Fraction
from typing import TypeAlias

#: A published number as a weighted sum of atoms: ``{atom: weight}``.
Fact: TypeAlias = Mapping[Hashable, int | Fraction]
_Row: TypeAlias = dict[Hashable, Fraction]


class Known:
    """Everything that follows from facts whose values are known."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._rows: dict[Hashable, _Row] = {}
        self._with: dict[Hashable, set[Hashable]] = {}
        for fact in sorted(facts, key=len):
            self._add(fact)

    def gives(self, fact: Fact) -> bool:
        """Whether the fact's value follows, alone, from what is known."""
        return not self._reduced(fact)

    def _add(self, fact: Fact) -> None:
        row = self._reduced(fact)
        if not row:
            return
        pivot = next(iter(row))
        weight = row[pivot]
        row = {atom: value / weight for atom, value in row.items()}
        for other in [*self._with.pop(pivot, ())]:
            self._store(other, _less(self._rows[other], row, self._rows[other][pivot]))
        self._store(pivot, row)

    def _store(self, pivot: Hashable, row: _Row) -> None:
        for atom in self._rows.get(pivot, ()):
            self._with.get(atom, set()).discard(pivot)
        self._rows[pivot] = row
        for atom in row:
            if atom != pivot:
                self._with.setdefault(atom, set()).add(pivot)

    def _reduced(self, fact: Fact) -> _Row:
        row = {atom: Fraction(weight) for atom, weight in fact.items() if weight}
        for atom in [a for a in row if a in self._rows]:
            # Rows hold no pivot but their own: one pass is enough.
            row = _less(row, self._rows[atom], row[atom])
        return row


def _less(row: _Row, other: _Row, times: Fraction) -> _Row:
    left = dict(row)
    for atom, weight in other.items():
        value = left.get(atom, Fraction(0)) - times * weight
        if value:
            left[atom] = value
        else:
            left.pop(atom, None)
    return left
