"""A programme that reaches stores one after another: total store margin against stores that do not have it yet.

All receipts of a store count, with card and without: who joins, and whether an old customer is given a card, does
not matter. Each store's margin is measured in units of its own mean over the up to twelve months before the first
launch anywhere, so that stores share growth and season, not euros. For each wave g and month t after it, ATT(g, t)
compares the change since the six months before g with that of the stores launched after t; waves and months add up
by the treated stores' scale (Callaway & Sant'Anna 2021, not-yet-treated controls, no two-way fixed effects).

Few stores: no asymptotics, but randomisation inference. The launches are dealt out anew to the stores, all ways if
there are few, and the interval holds every common effect (in shares of scale) that is not refuted at 5 %
(Fisher 1935; Rosenbaum 2002; for difference-in-differences MacKinnon & Webb 2020). That is exact when the order of
the launches was drawn, and rests on alike stores when it was not.

diff-diff (3.13, CallawaySantAnna) gives the same ATT(g, t) for one base month and equal stores, and a test holds the
two together; its base cannot be six months, its bootstrap needs many stores, and its randomisation inference permutes
a single yes or no and gives no interval. wildboottest (0.3) takes one regression coefficient, and a wild bootstrap
fails with few treated clusters (MacKinnon & Webb 2018).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial, prod

import numpy as np

from kpibook.stats.enrolment_stacks import BASE, HORIZON
from kpibook.stats.intervals import CONFIDENCE, Interval
from kpibook.stats.risk_sets import NEVER, Flags, Floats, Ints

#: Assignments that are listed one by one; beyond that this many are drawn.
LISTED = 2_000
DRAWS = 1_999
SEED = 20_170_701
SCALE_MONTHS = 12
#: Months by which the placebo launch precedes the real one.
SHIFT = 6


@dataclass(frozen=True)
class RolloutEffect:
    """``share``: effect per treated store-month, in shares of the stores' scale; ``interval`` of it; ``scale``: sum of
    the scale over treated store-months, so that ``share * scale`` is money.

    cells: stores x months, the treated store-months that count. assignments: how many ways of dealing out the
    launches the interval rests on. kept: stores with a margin in every month of the scale.
    """

    share: float
    interval: Interval
    p_value: float
    scale: float
    assignments: int
    cells: Flags
    controls: int
    kept: Flags

    @property
    def total(self) -> float:
        return self.share * self.scale

    @property
    def total_interval(self) -> Interval:
        return Interval(self.interval.low * self.scale, self.interval.high * self.scale)

    @property
    def treated(self) -> int:
        return int(self.cells.any(axis=1).sum())


def rollout(
    margin: Floats, launch: Ints, *, counted: tuple[int, int] | None = None, base: int = BASE
) -> RolloutEffect | None:
    """Effect of the programme on ``margin`` (stores x months, all of them complete); ``launch``: month, or NEVER.

    counted: first month and month after the last whose effects count. None when no month after a launch has stores
    still without the programme, or nothing is known before the first launch.
    """
    return _effect(margin, launch, launch, counted or (0, margin.shape[1]), base, HORIZON)


def shifted(margin: Floats, launch: Ints, *, base: int = BASE) -> RolloutEffect | None:
    """The placebo: launches SHIFT months before the real ones, months up to these; there is nothing to be found."""
    early = np.where(launch == NEVER, NEVER, launch - SHIFT)
    return _effect(margin, launch, early, (0, margin.shape[1]), base, SHIFT - 1)


def _effect(
    margin: Floats, real: Ints, launch: Ints, counted: tuple[int, int], base: int, horizon: int
) -> RolloutEffect | None:
    usable = real >= base
    if not (real[usable] < NEVER).any():
        return None
    first = int(real[usable].min())
    before = margin[:, max(0, first - SCALE_MONTHS) : first]
    kept = np.asarray(usable & (before > 0).all(axis=1))
    own = launch[kept]
    cells = list(_cells(own, counted, base, horizon))
    if not cells:
        return None
    scale = before[kept].mean(axis=1)
    relative = margin[kept] / scale[:, None]
    have = np.arange(margin.shape[1]) >= own[:, None]
    dealt = _assignments(own)
    shares = _shares(relative, scale, dealt, cells, base)
    doses = _shares(have.astype(np.float64), scale, dealt, cells, base)
    value = float(shares[0])
    used = np.zeros(margin.shape, dtype=np.bool_)
    rows = np.flatnonzero(kept)
    for wave, month in cells:
        used[rows[own == wave], month] = True
    fewest = min(int((own > month).sum()) for _, month in cells)
    total = float((used * np.where(kept, before.mean(axis=1), 0.0)[:, None]).sum())
    refuted = float((np.abs(shares) >= abs(value) - 1e-9).mean())
    return RolloutEffect(value, _inverted(value, shares, doses), refuted, total, len(dealt), used, fewest, kept)


def _cells(launch: Ints, counted: tuple[int, int], base: int, horizon: int) -> Iterator[tuple[int, int]]:
    """(wave, month) with a full base before, and stores still without the programme."""
    for wave in np.unique(launch[launch < NEVER]):
        for month in range(int(wave) + 1, int(wave) + 1 + horizon):
            if counted[0] <= month < counted[1] and wave >= base and (launch > month).any():
                yield int(wave), month


def _shares(values: Floats, scale: Floats, dealt: Ints, cells: list[tuple[int, int]], base: int) -> Floats:
    """The effect on ``values`` (stores x months, relative) under each assignment (a row of ``dealt``)."""
    total, mass = np.zeros(len(dealt)), np.zeros(len(dealt))
    for wave, month in cells:
        moved = values[:, month] - values[:, wave - base : wave].mean(axis=1)
        treated, waiting = (dealt == wave) * scale, (dealt > month) * scale
        size = treated.sum(axis=1)
        total += treated @ moved - size * (waiting @ moved) / waiting.sum(axis=1)
        mass += size
    return np.asarray(total / mass)


def _assignments(launch: Ints) -> Ints:
    """The real one, then the others: all of them when they are few, else a fixed draw; one a row."""
    counts = np.unique(launch, return_counts=True)[1]
    ways = factorial(len(launch)) // prod(factorial(int(n)) for n in counts)
    if ways > LISTED:
        rng = np.random.default_rng(SEED)
        return np.stack([launch, *(rng.permutation(launch) for _ in range(DRAWS))])
    return np.stack([launch, *(order for order in _orders(np.sort(launch)) if not np.array_equal(order, launch))])


def _orders(values: Ints) -> Iterator[Ints]:
    """All distinct orders of sorted values, in lexical order."""
    current = values.copy()
    while True:
        yield current.copy()
        rising = np.flatnonzero(current[:-1] < current[1:])
        if not len(rising):
            return
        turn = int(rising[-1])
        swap = int(np.flatnonzero(current > current[turn])[-1])
        current[[turn, swap]] = current[[swap, turn]]
        current[turn + 1 :] = current[turn + 1 :][::-1]


def _inverted(value: float, shares: Floats, doses: Floats) -> Interval:
    """Effects tau that at most 5 % of the assignments refute.

    Without the effect an assignment shows shares - tau * doses, the real one value - tau; each keeps the tau of an
    interval around ``value``, since doses lie between -1 and 1.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = (shares - value) / (doses - 1), (shares + value) / (doses + 1)
        one = np.where(np.isclose(doses, 1), np.sign(value - shares) * np.inf, one)
        other = np.where(np.isclose(doses, -1), np.sign(value + shares) * np.inf, other)
    low, high = np.minimum(one, other), np.maximum(one, other)
    whole = np.isnan(one) | np.isnan(other)
    low, high = np.where(whole, -np.inf, low), np.where(whole, np.inf, high)
    last = int((1 - CONFIDENCE) * len(shares) + 1e-9)
    return Interval(float(np.sort(low)[last]), float(np.sort(high)[::-1][last]))
