"""Marea: a made-up Italian household chain with a points card, whose truth is known.

Three years (2022 to 2024) of eight shops, a site and an app; 6,000 identified persons and
anonymous receipts; staff, test and cancelled orders; returns; campaigns with random
controls; points and rewards; costs and company totals that agree with the receipts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from . import accounts, aftersales, baskets, campaigns, columns, people, points, register, tables, truth, world

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

SEED = 20_241_231


@dataclass(frozen=True)
class Marea:
    """Canonical tables by name, and what is true of them (see ``truth``)."""

    tables: dict[str, pa.Table]
    truth: dict[str, Any]


def make(seed: int = SEED) -> Marea:
    """The same tables for the same seed, on any machine."""
    streams = iter(np.random.Generator(np.random.PCG64(s)) for s in np.random.SeedSequence(seed).spawn(9))
    shelf = world.shelf(next(streams))
    persons = people.persons(next(streams))
    visits = people.visits(next(streams), persons)
    targets, caused = campaigns.run(next(streams), visits)
    sales = baskets.receipts(next(streams), persons, visits, caused)
    bought = baskets.lines(next(streams), shelf, sales, campaigns.offers(targets))
    brought, negative = aftersales.returns(next(streams), sales, bought)
    every = pd.concat([sales.assign(original=-1), brought], ignore_index=True)
    lines = pd.concat([bought, negative.assign(receipt=negative["receipt"] + len(sales))], ignore_index=True)
    members = register.members(next(streams), visits, sales)
    rng = next(streams)
    ledger = points.Ledger()
    ledger.play(points.events(rng, every, lines, members, len(sales)))
    lines.loc[ledger.tenders, "tender"] = points.VOUCHER.points
    made = {
        **tables.sales(every, lines, members),
        "products": tables.products(shelf),
        "customers": register.customers(rng, persons, visits, members),
        "memberships": register.memberships(rng, every, members),
        "programme_rules": tables.rules(),
        **tables.rewards(ledger, every, members),
        **register.campaign_tables(targets, shelf),
        "programme_costs": accounts.programme(every, lines, members, targets, ledger),
        "company_financials": accounts.company(every, lines),
    }
    return Marea(made, {"seed": seed, **truth.truth(every, lines, members, targets, ledger, len(sales))})


def write(folder: Path) -> None:
    """Marea's Parquet files and ``truth.json``."""
    marea = make()
    columns.write(folder, marea.tables)
    (folder / "truth.json").write_text(json.dumps(marea.truth, indent=2) + "\n", encoding="utf-8")
