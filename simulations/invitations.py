"""Random invitations that not everybody follows: is the effect per enrolment right, and the return?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kpibook.stats.encouragement import STRONG, Contrasted, per_unit
from kpibook.stats.experiments import contrast

#: Persons, and the share of them who join when and only when they are invited.
KINDS = ((2_000, 0.30), (8_000, 0.30), (8_000, 0.10), (8_000, 0.02))
EFFECTS = (0.0, 12.0)
#: Share of persons who join in any case.
ALWAYS = 0.10
COST = 8.0
REPEATS = 1_000


@dataclass(frozen=True)
class Invitations:
    """``late``: estimates; held, none: truth inside the interval, and runs without any; strong: F above 10.

    returned: the interval of margin over cost, COST a joiner on average, holds the true one.
    """

    persons: int
    compliers: float
    effect: float
    late: npt.NDArray[np.float64]
    naive: npt.NDArray[np.float64]
    held: int
    none: int
    strong: int
    returned: int


def invitations(repeats: int = REPEATS) -> list[Invitations]:
    """Every kind of invitation, read ``repeats`` times."""
    kinds = [(persons, share, effect) for persons, share in KINDS for effect in EFFECTS]
    return [_read(number, *kind, repeats) for number, kind in enumerate(kinds)]


def _read(number: int, persons: int, share: float, effect: float, repeats: int) -> Invitations:
    rng = np.random.default_rng(9_000 + number)
    late, naive = np.full(repeats, np.nan), np.zeros(repeats)
    held = none = strong = returned = 0
    for i in range(repeats):
        invited, joined, spent = world(rng, persons, share, effect)
        cost = COST * joined * rng.gamma(2.0, 0.5, persons)
        margin, stage, given = (_difference(values, invited) for values in (spent, joined, cost))
        found, on_cost = (per_unit(margin, other, np.arange(persons)) for other in (stage, given))
        naive[i] = spent[joined > 0].mean() - spent[joined == 0].mean()
        if found is None or on_cost is None or found.strength <= STRONG or found.interval is None:
            none += 1
            continue
        strong += 1
        late[i] = found.value
        held += found.interval.low <= effect <= found.interval.high
        back = on_cost.interval
        returned += back is not None and back.low <= effect / COST <= back.high
    return Invitations(persons, share, effect, late, naive, held, none, strong, returned)


def world(
    rng: np.random.Generator, persons: int, share: float, effect: float
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Who is invited (by lot, half), who joins, and what each spends.

    ALWAYS join anyway and spend most; a ``share`` joins only if invited and spends more than the rest; joining adds
    ``effect``.
    """
    kind = rng.random(persons)
    always, complier = kind < ALWAYS, (kind >= ALWAYS) & (kind < ALWAYS + share)
    invited = rng.permutation(persons) < persons // 2
    joined = (always | (complier & invited)).astype(np.float64)
    level = 60.0 + 50.0 * always + 20.0 * complier
    spent = level * rng.gamma(1.5, 1 / 1.5, persons) + effect * joined
    return invited, joined, spent


def _difference(values: npt.NDArray[np.float64], invited: npt.NDArray[np.bool_]) -> Contrasted:
    made = contrast(values, invited, np.ones(len(values)), np.zeros(len(values), dtype=np.int64))
    return Contrasted(float(made.treated[0] - made.control[0]), made.influence)


def table(found: list[Invitations]) -> list[str]:
    head = "| persons | join if invited | effect | joiners less others | mean estimate | median | truth in the interval"
    rows = [head + " | return in its interval | too weak, none given |", "|--:|--:|--:|--:|--:|--:|--:|--:|--:|"]
    for r in found:
        given = r.late[np.isfinite(r.late)]
        middle = [f"{given.mean():+.1f}", f"{np.median(given):+.1f}"] if len(given) else ["", ""]
        cells = [f"{r.persons:,}", f"{100 * r.compliers:.0f} %", f"{r.effect:+.0f}", f"{r.naive.mean():+.0f}", *middle]
        cells += [f"{r.held} of {r.strong}", f"{r.returned} of {r.strong}", f"{r.none}"]
        rows.append("| " + " | ".join(cells) + " |")
    return rows
