"""Programmes that reach stores one after another, with and without an effect: is the roll-out design right?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from kpibook.stats.risk_sets import NEVER
from kpibook.stats.store_rollout import rollout, shifted
from simulations.programmes import SEASON

MONTHS = 36
#: Waves of stores by the month of their launch.
WAVES = {
    "8 in two waves": (14,) * 5 + (21,) * 3,
    "12 in three waves": (14,) * 4 + (18,) * 4 + (24,) * 4,
    "24, a third never": (14,) * 8 + (18,) * 8 + (NEVER,) * 8,
}
ORDERS = ("drawn", "largest first")
GAINS = (0.0, 0.06)
REPEATS = 200


@dataclass(frozen=True)
class Rollouts:
    """``biases`` in percent of the stores' margin without the programme; held: truth inside the interval."""

    stores: str
    order: str
    gain: float
    biases: npt.NDArray[np.float64]
    held: int
    placebos: int
    widths: npt.NDArray[np.float64]


def rollouts(repeats: int = REPEATS) -> list[Rollouts]:
    """Every kind of roll-out, read ``repeats`` times."""
    kinds = [(stores, order, gain) for stores in WAVES for order in ORDERS for gain in GAINS]
    return [_read(number, *kind, repeats) for number, kind in enumerate(kinds)]


def _read(number: int, stores: str, order: str, gain: float, repeats: int) -> Rollouts:
    rng = np.random.default_rng(7_000 + number)
    biases, widths, held, placebos = np.zeros(repeats), np.zeros(repeats), 0, 0
    for i in range(repeats):
        margin, without, launch = world(rng, WAVES[stores], order, gain)
        found, before = rollout(margin, launch), shifted(margin, launch)
        truth, whole = (float((table * found.cells).sum()) for table in (margin - without, without))
        biases[i] = 100 * (found.total - truth) / whole
        widths[i] = 100 * found.total_interval.width / whole
        held += found.total_interval.low <= truth <= found.total_interval.high
        placebos += before.interval.low <= 0 <= before.interval.high
    return Rollouts(stores, order, gain, biases, held, placebos, widths)


def world(
    rng: np.random.Generator, waves: tuple[int, ...], order: str, gain: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Margin of stores by month, the same without the programme, and the launches.

    Stores of log-normal size share season and growth; their own shocks last (autocorrelation 0.6), and small stores
    vary more. The programme adds ``gain`` to whatever a store sells, with card or without.
    """
    size = 20_000 * np.exp(0.6 * rng.standard_normal(len(waves)))
    launch = rng.permutation(waves) if order == "drawn" else np.array(waves)[np.argsort(np.argsort(-size))]
    shape = (len(waves), MONTHS)
    shocks = np.zeros(shape)
    last = 0.05 * rng.standard_normal(len(waves))
    for month in range(MONTHS):
        last = 0.6 * last + 0.04 * rng.standard_normal(len(waves))
        shocks[:, month] = last
    luck = 0.03 * rng.standard_normal(shape) * np.sqrt(20_000 / size)[:, None]
    calendar = SEASON[np.arange(MONTHS) % 12] * 1.004 ** np.arange(MONTHS)
    without = size[:, None] * calendar * np.exp(shocks + luck)
    return without * (1 + gain * (np.arange(MONTHS) >= launch[:, None])), without, launch


def table(found: list[Rollouts]) -> list[str]:
    head = (
        "| stores | order of launch | effect | mean bias | spread | truth in the interval | placebo holds 0 | width |"
    )
    rows = [head, "|---|---|--:|--:|--:|--:|--:|--:|"]
    for r in found:
        n = len(r.biases)
        cells = [r.stores, r.order, f"{100 * r.gain:.0f} %", f"{r.biases.mean():+.2f}", f"{r.biases.std():.1f}"]
        cells += [f"{r.held} of {n}", f"{r.placebos} of {n}", f"{r.widths.mean():.0f}"]
        rows.append("| " + " | ".join(cells) + " |")
    return rows
