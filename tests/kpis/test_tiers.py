"""Moves between tiers, worked by hand."""

from __future__ import annotations

from typing import Any

import pytest

from kpis.sales_cases import copies, reason, sale, tables, values
from tiny_client import only, row, run

KPI = "tier_migration"
YEAR = {"period": "2024-01-01/2024-12-31", "data": "2023-01-01/2024-12-31"}
TIERS = {"base": 1, "silver": 2, "gold": 3}


def spell(name: str, tier: str, first: str, last: str | None = None) -> dict[str, Any]:
    return {"member_id": name, "tier_id": tier, "tier_rank": TIERS[tier], "valid_from": first, "valid_to": last}


#: Seen just before 1 January 2024 and just before 1 January 2025.
SPELLS = [
    spell("up", "base", "2023-01-10", "2024-07-01"),
    spell("up", "silver", "2024-07-01"),
    spell("down", "silver", "2023-01-10", "2024-07-01"),
    spell("down", "base", "2024-07-01"),
    spell("stays", "gold", "2023-01-10"),
    spell("lost", "base", "2023-01-10", "2024-05-10"),
    spell("late", "base", "2024-02-01"),
    spell("first day", "base", "2023-01-10", "2024-01-01"),
    spell("first day", "silver", "2024-01-01"),
    spell("grace", "gold", "2023-01-10", "2025-06-01"),
    spell("grace", "base", "2024-07-01"),
    spell("next day", "base", "2023-01-10", "2025-01-01"),
    spell("next day", "gold", "2025-01-01"),
]
SHOP = tables(sale("r", "2024-01-10", 10, by="c"), tier_history=SPELLS)


def test_migration() -> None:
    """Seven members had a tier: two rose (one on the first day), one fell, three stayed (grace by the higher of two
    spells, one rises only after the year), one has none left; late came later. Net (2 - 1)/7. Of three moves two took
    effect on 1 July.
    """
    results = run(SHOP, **YEAR, catalog=only(KPI))
    found = row(results, KPI)
    assert (found["value"], found["numerator"], found["denominator"]) == (pytest.approx(1 / 7), 1, 7)
    assert (found["status"], reason(found)) == ("low_n", {"id": "reason.too_few_persons", "n": 7, "minimum": 50})
    names = ("up", "down", "stay", "lost", "on_reset_day", "in_grace")
    parts = {name: (row(results, KPI, name)["numerator"], row(results, KPI, name)["denominator"]) for name in names}
    assert parts == {
        "up": (2, 7), "down": (1, 7), "stay": (3, 7), "lost": (1, 7), "on_reset_day": (2, 3), "in_grace": (1, 7),
    }  # fmt: skip


def test_matrix() -> None:
    """Of 15 such clubs: base 60 (up, first day, lost, next day), silver 15, gold 30; a row needs 50."""
    results = run(copies(SHOP, 15), **YEAR, catalog=only(KPI))
    cells = results.tables[KPI].set_index(["tier_before", "tier_now"])
    assert cells[["members", "of"]].to_dict("index") == {
        ("base", "silver"): {"members": 30, "of": 60},
        ("base", "base"): {"members": 15, "of": 60},
        ("base", "lost"): {"members": 15, "of": 60},
        ("silver", "base"): {"members": 15, "of": 15},
        ("gold", "gold"): {"members": 30, "of": 30},
    }
    assert cells["status"].to_dict() == {cell: "ok" if cell[0] == "base" else "low_n" for cell in cells.index}
    found = row(results, KPI)
    assert (found["value"], found["status"], found["n"]) == (pytest.approx(1 / 7), "ok", 105)
    error = (3 / 7 - 1 / 49) ** 0.5 / 105**0.5
    assert (found["low"], found["high"]) == pytest.approx((1 / 7 - 1.96 * error, 1 / 7 + 1.96 * error), abs=0.02)


def test_migration_by_enrolment_channel() -> None:
    """Members of the shop rose, those of the web stayed."""
    members = [
        {"member_id": "up", "customer_id": "u", "enrolled_at": "2023-01-10", "enrol_channel": "store"},
        {"member_id": "stays", "customer_id": "s", "enrolled_at": "2023-01-10", "enrol_channel": "web"},
    ]
    chosen = [s for s in SPELLS if s["member_id"] in ("up", "stays")]
    shop = copies(SHOP | {"tier_history": chosen, "memberships": members}, 10)
    results = run(shop, **YEAR, catalog=only(KPI), breakdowns=("enrol_channel",))
    assert values(results, KPI, "enrol_channel") == {"store": 1, "web": 0}


def test_nobody_had_a_tier_a_year_before() -> None:
    shop = SHOP | {"tier_history": [spell("late", "base", "2024-02-01")]}
    found = row(run(shop, **YEAR, catalog=only(KPI)), KPI)
    assert (found["value"], found["status"]) == (None, "undefined")
    assert reason(found)["id"] == "reason.no_rows"


def test_tier_and_tenure_as_breakdowns() -> None:
    """Ten of each. When 2024 began, ann held gold (of two cards the better), bob base; both had been customers for 36
    months or more and under 12. cat came on 1 January itself. Only ann is a member.
    """
    people = {"ann": "2021-01-01 10:00", "bob": "2023-02-01 10:00", "cat": "2024-01-01 10:00"}
    shop = tables(
        *(sale(f"r {name}", "2024-03-01", 10, by=name) for name in people),
        customers=[{"customer_id": name, "created_at": created} for name, created in people.items()],
        memberships=[
            {"member_id": "a1", "customer_id": "ann", "enrolled_at": "2021-01-10"},
            {"member_id": "a2", "customer_id": "ann", "enrolled_at": "2021-01-10"},
            {"member_id": "b1", "customer_id": "bob", "enrolled_at": "2021-01-10", "closed_at": "2024-02-01"},
        ],
        tier_history=[
            spell("a1", "base", "2023-01-10"),
            spell("a2", "gold", "2023-01-10", "2024-06-01"),
            spell("b1", "base", "2023-01-10", "2024-01-01"),
            spell("b1", "silver", "2024-01-01"),
        ],
    )
    catalog = only("enrolment_rate", "customer_tier", "customer_tenure")
    results = run(copies(shop, 10), **YEAR, catalog=catalog, breakdowns=("tier", "tenure_band"))
    assert values(results, "enrolment_rate", "tier") == {"gold": 1, "base": 0, "unknown": 0}
    assert values(results, "enrolment_rate", "tenure_band") == {
        "36 months and more": 1, "under 12 months": 0, "new": 0,
    }  # fmt: skip
