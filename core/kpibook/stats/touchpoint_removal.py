"""What a touchpoint contributes to conversion: removal from a first-order Markov chain of paths.

Source: Anderl, Becker, von Wangenheim & Schumann 2016 (International Journal of Research in Marketing
33(3), 457-474). Their removal sends whoever reaches the touchpoint to the exit: it can never be
negative. The bypass lets them go where the others go who stand where they stood: it is negative where
the touchpoint does worse than what else is met there. (Passing them on to the touchpoint's own successors
in its own proportions, conversion and exit included, changes nothing: the chance to convert from each
place before it stays what it was. Sending them to its next touchpoints alone would make every touchpoint
harmful at which anybody may leave.) A place with no other way on passes to the touchpoint's successors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
DRAWS = 200
SEED = 20170701
#: Whoever would go round for ever leaves.
LEAK = 1 - 1e-12


class Removal(NamedTuple):
    """Changes of the conversion rate by each touchpoint: conversion with it less conversion without."""

    conversion: Floats
    to_exit: Floats
    bypass: Floats


def transitions(visitor: npt.ArrayLike, touchpoint: npt.ArrayLike, converted: npt.ArrayLike, size: int) -> Ints:
    """Codes of all steps of the paths, start and end included, and whose they are: (2, steps).

    ``visitor`` (codes from 0) is sorted, each visitor's contacts in order; ``touchpoint`` holds codes below
    ``size``; ``converted`` says whether the visitor converted at this contact. A code is from * (size + 3) + to,
    with start, conversion and exit as the states ``size``, ``size + 1`` and ``size + 2``.
    Raises ValueError when the visitors are not sorted or a touchpoint's code is out of range.
    """
    who, at = np.asarray(visitor, dtype=np.int64), np.asarray(touchpoint, dtype=np.int64)
    bought = np.asarray(converted, dtype=bool)
    if np.any(np.diff(who) < 0):
        raise ValueError("the contacts are not sorted by visitor")
    if at.size and (at.min() < 0 or at.max() >= size):
        raise ValueError(f"a touchpoint's code is not between 0 and {size - 1}")
    states, last = size + 3, np.append(np.diff(who) != 0, True)[: len(who)]
    first = np.append(True, np.diff(who) != 0)[: len(who)]
    onward = np.where(bought, size + 1, np.where(last, size + 2, np.append(at[1:], 0)[: len(who)]))
    into = np.array([size * states + at[first], who[first]])
    return np.concatenate([into, np.array([at * states + onward, who])], axis=1)


def removal(counts: npt.ArrayLike) -> Removal:
    """Removal effects from counts of transitions (..., states, states), the last three start, conversion, exit.

    ``conversion`` has the leading shape, the effects one more axis of touchpoints. Chains without any
    start are not-a-number.
    """
    n = np.asarray(counts, dtype=np.float64)
    size = n.shape[-1] - 3
    total = n.sum(axis=-1, keepdims=True)
    moves = np.divide(n, total, out=np.zeros_like(n), where=total > 0)
    begun = total[..., size, 0] > 0
    base = np.where(begun, _absorbed(moves, size), np.nan)
    exits, passed = [], []
    for gone in range(size):
        exits.append(base - _absorbed(_without(moves, gone), size))
        passed.append(base - _absorbed(_bypassed(moves, gone), size))
    shape = (*base.shape, 0)
    stacked = [np.stack(x, axis=-1) if x else np.zeros(shape) for x in (exits, passed)]
    return Removal(base, *stacked)


def bootstrap_errors(steps: npt.ArrayLike, size: int, draws: int = DRAWS, seed: int = SEED) -> Removal:
    """Standard errors of the removal effects, visitors drawn as wholes (Poisson weights, seed fixed by default).

    ``steps`` as from :func:`transitions`, visitors' codes without gaps.
    """
    code, who = np.asarray(steps, dtype=np.int64)
    rng, states = np.random.default_rng(seed), size + 3
    visitors = int(who.max()) + 1 if who.size else 0
    drawn = np.empty((draws, states, states))
    for i in range(draws):
        weights = rng.poisson(1.0, visitors).astype(np.float64)
        drawn[i] = np.bincount(code, weights=weights[who], minlength=states * states).reshape(states, states)
    found = removal(drawn)
    return Removal(*(np.asarray(np.nanstd(part, axis=0, ddof=1), dtype=np.float64) for part in found))


def _absorbed(moves: Floats, size: int) -> Floats:
    """Chance to end in conversion from the start: exit probabilities of the chain's fundamental system."""
    inner = moves[..., :size, :size]
    direct = moves[..., :size, size + 1]
    system = np.eye(size) - inner * LEAK
    reached = np.linalg.solve(system, direct[..., None])[..., 0] if size else direct
    found = (moves[..., size, :size] * reached).sum(axis=-1) + moves[..., size, size + 1]
    return np.asarray(found, dtype=np.float64)


def _without(moves: Floats, gone: int) -> Floats:
    """Whoever reaches the touchpoint leaves."""
    changed = moves.copy()
    changed[..., -1] += changed[..., gone]
    changed[..., gone] = 0.0
    changed[..., gone, :] = 0.0
    return changed


def _bypassed(moves: Floats, gone: int) -> Floats:
    """Who would have reached the touchpoint goes where the others go, or else where it would have led."""
    changed = moves.copy()
    inflow = changed[..., gone].copy()
    changed[..., gone] = 0.0
    onward = changed[..., gone, :].copy()
    leaving = onward.sum(axis=-1, keepdims=True)
    led_to = np.divide(onward, leaving, out=np.zeros_like(onward), where=leaving > 0)
    led_to[..., -1] += np.where(leaving[..., 0] > 0, 0.0, 1.0)
    elsewhere = changed.sum(axis=-1, keepdims=True)
    others = np.divide(changed, elsewhere, out=np.zeros_like(changed), where=elsewhere > 0)
    stuck = (elsewhere[..., 0] <= 0) & (inflow > 0)
    changed = np.where(inflow[..., None] > 0, np.where(stuck[..., None], led_to[..., None, :], others), changed)
    changed[..., gone, :] = 0.0
    return changed
