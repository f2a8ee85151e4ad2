"""The points ledger, lot by lot and first in, first out; balances never fall below zero."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from . import world

if TYPE_CHECKING:
    import pandas as pd

EXPIRY_DAYS = 365
WELCOME = 50
GOODWILL_POINTS = 200
UNIT_COST_MICROS = 7_000  # EUR per redeemed point x 1e6: a reward costs 70 % of its face value
EXPECTED_REDEMPTION = 0.75


class Reward(NamedTuple):
    kind: str
    points: int
    qualitative: bool
    chance: float


VOUCHER = Reward("voucher", 500, False, 0.35)
REWARDS = (VOUCHER, Reward("product", 800, False, 0.06), Reward("privilege", 300, True, 0.04))


class Event(NamedTuple):
    """``what`` in the order in which events of one second happen; ``line`` can carry a voucher, or is -1."""

    person: int
    second: int
    what: int
    receipt: int
    points: int
    line: int
    luck: float


JOIN, BUY, RETURN, GOODWILL, CLOSE = range(5)


@dataclass
class Ledger:
    """Entries as (person, second, type, points, lot, receipt, expires) and rewards taken."""

    entries: list[tuple[int, int, str, int, int, int, int]] = field(default_factory=list)
    rewards: list[tuple[int, int, Reward, int]] = field(default_factory=list)
    tenders: list[int] = field(default_factory=list)
    _lots: deque[list[int]] = field(default_factory=deque)  # [lot, points left, expires, receipt]
    _count: int = 0

    def play(self, events: list[Event]) -> None:
        """Book all events; each person's must stand together and in order of time."""
        person = -1
        for event in events:
            if event.person != person:
                self._expire(person, world.END * world.DAY)
                self._lots.clear()
                person = event.person
            self._expire(person, event.second)
            self._book(event)
        self._expire(person, world.END * world.DAY)

    def _book(self, event: Event) -> None:
        if event.what == RETURN:
            self._take_back(event)
        elif event.what == CLOSE:
            self._expire(event.person, event.second, every=True)
        else:
            if event.what == BUY:
                self._redeem(event)
            self._earn(event, {JOIN: "bonus", BUY: "earn"}.get(event.what, "adjust"))

    def _earn(self, event: Event, kind: str) -> None:
        if event.points <= 0:
            return
        expires = event.second + EXPIRY_DAYS * world.DAY
        self._lots.append([self._count, event.points, expires, event.receipt])
        self.entries.append((event.person, event.second, kind, event.points, self._count, event.receipt, expires))
        self._count += 1

    def _redeem(self, event: Event) -> None:
        luck = event.luck
        for reward in REWARDS:
            if luck < reward.chance:
                break
            luck -= reward.chance
        else:
            return
        if sum(lot[1] for lot in self._lots) < reward.points or (reward is VOUCHER and event.line < 0):
            return
        self.rewards.append((event.person, event.second, reward, event.receipt))
        if reward is VOUCHER:
            self.tenders.append(event.line)
        wanted = reward.points
        for lot in self._lots:
            used = min(wanted, lot[1])
            if used:
                self._spend(event, "redeem", lot, used)
                wanted -= used
        self._drop_empty()

    def _take_back(self, event: Event) -> None:
        for lot in self._lots:
            used = min(event.points, lot[1])
            if lot[3] == event.receipt and used > 0:
                self._spend(event, "reverse", lot, used)
        self._drop_empty()

    def _expire(self, person: int, second: int, *, every: bool = False) -> None:
        while self._lots and (every or self._lots[0][2] < second):
            lot, left, expires, _ = self._lots.popleft()
            when = second if every else expires
            self.entries.append((person, when, "expire", -left, lot, -1, expires))

    def _spend(self, event: Event, kind: str, lot: list[int], points: int) -> None:
        lot[1] -= points
        self.entries.append((event.person, event.second, kind, -points, lot[0], event.receipt, lot[2]))

    def _drop_empty(self) -> None:
        self._lots = deque(lot for lot in self._lots if lot[1])


def events(
    rng: np.random.Generator,
    every: pd.DataFrame,
    lines: pd.DataFrame,
    members: pd.DataFrame,
    sold: int,
    goodwill: pd.DataFrame,
) -> list[Event]:
    """What moves points. The first ``sold`` receipts are purchases, the others returns of ``original``."""
    net = np.bincount(lines["receipt"], lines["net"], len(every)).astype(np.int64)
    original = every["original"].to_numpy()
    kept = net[:sold].copy()
    kept[original[sold:]] += net[sold:]
    lost = net[:sold] // 100 - kept // 100
    free = (lines["net"] >= VOUCHER.points) & ~np.isin(np.arange(len(lines)), lines["of"].to_numpy())
    first = lines.loc[free, ["receipt"]].drop_duplicates("receipt")
    carrier = np.full(len(every), -1)
    carrier[first["receipt"].to_numpy()] = first.index.to_numpy()

    shown = (every["card"] & ~every["cancelled"]).to_numpy()
    person, second = every["person"].to_numpy(), every["second"].to_numpy()
    luck = rng.random(sold)
    found = [
        Event(int(person[i]), int(second[i]), BUY, i, int(net[i]) // 100, int(carrier[i]), float(luck[i]))
        for i in np.flatnonzero(shown[:sold]).tolist()
    ]
    for i in (sold + np.flatnonzero(shown[sold:])).tolist():
        bought = int(original[i])
        found.append(Event(int(person[i]), int(second[i]), RETURN, bought, int(lost[bought]), -1, 1.0))
    for member, given in zip(goodwill["person"].tolist(), goodwill["second"].tolist(), strict=True):
        found.append(Event(member, given, GOODWILL, -1, GOODWILL_POINTS, -1, 1.0))
    for member, joined, closed in zip(*(members[c].tolist() for c in ("person", "second", "closed")), strict=True):
        found.append(Event(member, joined, JOIN, -1, WELCOME, -1, 1.0))
        if closed >= 0:
            found.append(Event(member, closed, CLOSE, -1, 0, -1, 1.0))
    return sorted(found)
