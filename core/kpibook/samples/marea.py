"""Marea: a made-up Italian household chain with a points card, whose truth is known.

Three years (2022 to 2024) of eight shops, a site and an app; 7,000 identified persons and
anonymous receipts; staff, test and cancelled orders; returns. The programme starts in five
shops in July 2022 and everywhere in February 2023; campaigns have random controls; costs and
company totals agree with the receipts. Surveys, tickets, visitors' ways, invitations to
friends, scores, a panel, targets and staff come with their own truth, and with planted faults.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from . import (
    accounts,
    aftersales,
    audit,
    baskets,
    bonds,
    calendars,
    campaigns,
    clicks,
    columns,
    effects,
    events,
    opinions,
    people,
    persona,
    points,
    polls,
    register,
    scores,
    tables,
    tickets,
    tiers,
    truth,
    wallet,
    world,
)  # fmt: skip

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

SEED = 20_241_231
_STREAMS = (
    "shelf", "persons", "visits", "campaigns", "receipts", "lines", "returns", "members", "customers", "bonds",
    "tickets", "points", "memberships", "moods", "surveys", "scores", "wallet", "staff", "events",
    "consents", "deletions",
)  # fmt: skip


@dataclass(frozen=True)
class Marea:
    """Canonical tables by name, and what is true of them (see ``truth``)."""

    tables: dict[str, pa.Table]
    truth: dict[str, Any]


def make(seed: int = SEED) -> Marea:
    """The same tables for the same seed, on any machine."""
    seeds = zip(_STREAMS, np.random.SeedSequence(seed).spawn(len(_STREAMS)), strict=True)
    rng = {name: np.random.Generator(np.random.PCG64(own)) for name, own in seeds}
    shelf = world.shelf(rng["shelf"])
    persons = people.persons(rng["persons"])
    visits = people.visits(rng["visits"], persons)
    friends = bonds.make(rng["bonds"], persons, visits)
    agreed = persona.consents(rng["consents"], visits, len(persons))
    targets, caused = campaigns.run(rng["campaigns"], visits, agreed)
    sales = baskets.receipts(rng["receipts"], persons, visits, caused)
    bought = baskets.lines(rng["lines"], shelf, sales, campaigns.offers(targets))
    brought, negative = aftersales.returns(rng["returns"], sales, bought)
    every = pd.concat([sales.assign(original=-1), brought], ignore_index=True)
    lines = pd.concat([bought, negative.assign(receipt=negative["receipt"] + len(sales))], ignore_index=True)
    members = register.members(rng["members"], visits, sales)
    deleted = persona.leavers(rng["deletions"], visits, members, len(persons))
    asked = tickets.make(rng["tickets"], sales)
    ledger = points.Ledger()
    ledger.play(points.events(rng["points"], every, lines, members, len(sales), tickets.goodwill(asked, members)))
    lines.loc[ledger.tenders, "tender"] = points.VOUCHER.points

    purchases = truth.purchases(every, lines, len(sales))
    returned = np.bincount(negative["of"], negative["quantity"], len(bought)).astype(np.int64)
    kept = bought.assign(kept=bought["quantity"] + returned)
    customers, known_customers = persona.customers(rng["customers"], persons, visits, members, friends, agreed, deleted)
    spells = tiers.spells(every, lines, members)
    costs, known_costs = accounts.programme(every, lines, members, targets, ledger, friends)
    surveyed, known_surveys = polls.every(
        rng["surveys"], sales, members, asked, opinions.moods(rng["moods"], persons), deleted
    )
    scored = scores.make(rng["scores"], persons, sales, deleted)
    spent = wallet.make(rng["wallet"], sales, members, deleted)
    staff, known_staff = audit.staff(rng["staff"])
    seen, known_events = events.every(rng["events"], sales, kept, members, shelf, deleted)
    first = world.opening(visits.groupby("person")["time"].min().to_numpy())
    made = {
        **tables.sales(every, lines, members),
        "products": tables.products(shelf),
        "customers": customers,
        "memberships": register.memberships(rng["memberships"], every, members),
        "tier_history": tiers.history(spells),
        "programme_rules": tables.rules(),
        **tables.rewards(ledger, every, members),
        **register.campaign_tables(targets, shelf),
        **surveyed,
        "competitor_panel": wallet.table(spent),
        "tickets": tickets.table(asked),
        "funnel_events": events.table(seen, tables.transaction_numbers(every)),
        "referrals": bonds.referrals(friends, first),
        "programme_costs": costs,
        "company_financials": accounts.company(every, lines),
        "customer_scores": scores.table(scored, truth.mean_margin(purchases)),
        "targets": audit.targets(),
        "benchmarks": audit.benchmarks(),
        "audit_inventory": audit.inventory(),
        "staff_periods": staff,
        "calendar": calendars.calendar(),
    }
    known = {
        "seed": seed,
        **truth.truth(every, lines, members, targets, ledger, purchases),
        "programme": effects.truth(purchases, members, persons),
        "costs": known_costs,
        "customers": known_customers,
        "tiers": tiers.truth(spells),
        "surveys": known_surveys,
        "tickets": tickets.truth(asked),
        "events": known_events,
        "referrals": bonds.truth(friends),
        "scores": scores.truth(scored, purchases),
        "wallet": wallet.truth(spent),
        "audit": audit.truth(),
        "staff": known_staff,
        "planted": planted(),
    }
    return Marea(made, known)


def planted() -> dict[str, Any]:
    """Faults that a careful audit should find."""
    return {
        "survey_scores_out_of_range": polls.OUT_OF_RANGE,
        "csat_scale": "1-10 until 2022Q4, 1-5 since 2023Q1",
        "ces_wording": "CES 1.0 (1-5, low is good) until 2022, CES 2.0 (1-7) since 2023",
        "customers_with_odd_birth_year": persona.ODD_YEARS,
        "self_referrals": bonds.SELF,
        "undeclared_bots": clicks.HIDDEN_BOTS,
        "harmful_touchpoint": "video",
        "useless_score_model": scores.MODELS[1],
        "campaigns_without_controls": [c.campaign_id for c in campaigns.CAMPAIGNS if not c.controls],
        "campaigns_without_effect": [c.campaign_id for c in campaigns.CAMPAIGNS if not c.uplift],
    }


def write(folder: Path) -> None:
    """Marea's Parquet files and ``truth.json``."""
    marea = make()
    columns.write(folder, marea.tables)
    (folder / "truth.json").write_text(json.dumps(marea.truth, indent=2) + "\n", encoding="utf-8")
