"""Arithmetic over totals, with its gradient: what the delta method needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Clusters:
    """A leaf that counts the clusters (persons) present, in the rows where ``where``."""

    where: Any = None


@dataclass(frozen=True)
class Leaf:
    """One additive component: an Ibis reduction, or Clusters()."""

    expr: Any

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Leaf) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> Any:
        if isinstance(self.expr, Clusters):
            return ("clusters", None if self.expr.where is None else self.expr.where.op())
        return self.expr.op()


@dataclass(frozen=True)
class Formula:
    """``operator`` is one of leaf, const, +, -, *, /, change (relative change against the comparison period)."""

    operator: str
    args: tuple[Any, ...]

    @property
    def divides_leaves(self) -> bool:
        """Whether it is one total over another."""
        return self.operator == "/" and all(part.operator == "leaf" for part in self.args)

    def leaves(self) -> Iterator[Leaf]:
        for arg in self.args:
            if isinstance(arg, Leaf):
                yield arg
            elif isinstance(arg, Formula):
                yield from arg.leaves()

    def denominators(self) -> Iterator[Leaf]:
        """Leaves that something is divided by: a figure rests on the clusters that have them."""
        if self.operator == "/":
            yield from self.args[1].leaves()
            yield from self.args[0].denominators()
        else:
            for arg in self.args:
                if isinstance(arg, Formula):
                    yield from arg.denominators()

    def standing(self) -> Iterator[Leaf]:
        """Leaves that nothing is divided by, and that are not divided: their own size is told."""
        if self.operator not in ("/", "change"):
            for arg in self.args:
                if isinstance(arg, Leaf):
                    yield arg
                elif isinstance(arg, Formula):
                    yield from arg.standing()

    @property
    def compares(self) -> bool:
        """Whether the comparison period enters."""
        return self.operator == "change" or any(isinstance(a, Formula) and a.compares for a in self.args)

    def evaluate(self, totals: Mapping[tuple[str, Leaf], tuple[float, int]], size: int, period: str) -> Dual | None:
        """Value and gradient; ``totals[period, leaf]`` is (total, position). None when a denominator is zero."""
        if self.operator == "leaf":
            value, position = totals[period, self.args[0]]
            gradient = np.zeros(size)
            gradient[position] = 1.0
            return Dual(value, gradient)
        if self.operator == "const":
            return Dual(self.args[0], np.zeros(size))
        if self.operator == "change":
            now = self.args[0].evaluate(totals, size, "current")
            before = self.args[0].evaluate(totals, size, "previous")
            return None if now is None or before is None else _minus_one(now.over(before))
        left, right = (a.evaluate(totals, size, period) for a in self.args)
        return None if left is None or right is None else left.combine(self.operator, right)


@dataclass(frozen=True)
class Dual:
    value: float
    gradient: Vector

    def over(self, other: Dual) -> Dual | None:
        if other.value == 0:
            return None
        quotient = self.value / other.value
        return Dual(quotient, (self.gradient - quotient * other.gradient) / other.value)

    def combine(self, operator: str, other: Dual) -> Dual | None:
        match operator:
            case "+":
                return Dual(self.value + other.value, self.gradient + other.gradient)
            case "-":
                return Dual(self.value - other.value, self.gradient - other.gradient)
            case "*":
                return Dual(self.value * other.value, self.gradient * other.value + other.gradient * self.value)
            case _:
                return self.over(other)


def _minus_one(dual: Dual | None) -> Dual | None:
    return None if dual is None else Dual(dual.value - 1, dual.gradient)
