"""Marea's sales, shelf and points as canonical tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from . import columns, points, world


def _number(members: pd.DataFrame, person: pd.Series) -> world.Ints:
    """Member number of a person, 0 for none."""
    number = np.zeros(int(max(members["person"].max(), person.max())) + 2, dtype=np.int64)
    number[members["person"].to_numpy()] = np.arange(1, len(members) + 1)
    return number[person.to_numpy()]  # -1, anonymous, is the spare last place


def transaction_numbers(every: pd.DataFrame) -> world.Ints:
    number = np.empty(len(every), dtype=np.int64)
    number[np.argsort(every["second"].to_numpy(), kind="stable")] = np.arange(1, len(every) + 1)
    return number


def sales(every: pd.DataFrame, lines: pd.DataFrame, members: pd.DataFrame) -> dict[str, pa.Table]:
    """``transactions`` and ``order_lines``, in order of time."""
    number = transaction_numbers(every)
    every = every.assign(number=number, holder=_number(members, every["person"]))
    ordered = every.sort_values("number")
    header = pa.table(
        {
            "transaction_id": columns.code("T", ordered["number"], 6),
            "customer_id": columns.code("P", ordered["person"] + 1, 5, ordered["person"] >= 0),
            "member_id": columns.code("M", ordered["holder"], 5, ordered["card"]),
            "ts": columns.moment(ordered["second"]),
            "business_date": columns.date(ordered["second"]),
            "store_id": columns.choice(world.STORES, ordered["store"], ordered["channel"] == 0),
            "channel": columns.choice(world.CHANNELS, ordered["channel"]),
            "status": columns.choice(("completed", "cancelled"), ordered["cancelled"].astype(int)),
            "currency": pa.array(["EUR"] * len(ordered)),
            "is_staff": ordered["staff"].to_numpy(),
            "is_test": ordered["test"].to_numpy(),
            "payment_token_hash": columns.code("tok", ordered["token"], 5, ordered["token"] >= 0),
        }
    )
    order = np.argsort(number[lines["receipt"]], kind="stable")
    line = np.empty(len(lines), dtype=np.int64)
    line[order] = np.arange(1, len(lines) + 1)
    row = lines.iloc[order]
    money = {
        "gross_amount": "gross",
        "general_discount": "general",
        "loyalty_discount": "loyalty",
        "personal_discount": "personal",
        "points_tender": "tender",
        "net_amount": "net",
        "cogs": "cogs",
        "variable_cost": "variable",
        "supplier_funding": "funding",
    }
    detail = pa.table(
        {
            "line_id": columns.code("L", line[order], 7),
            "transaction_id": columns.code("T", number[row["receipt"]], 6),
            "product_id": columns.code("A", row["product"] + 1, 3),
            "quantity": row["quantity"].to_numpy(),
            "return_of_line_id": columns.code("L", line[row["of"]], 7, row["of"] >= 0),
            **{name: columns.money(row[own]) for name, own in money.items()},
        }
    )
    return {"transactions": header, "order_lines": detail}


def products(shelf: world.Shelf) -> pa.Table:
    count = np.arange(world.PRODUCTS)
    return pa.table(
        {
            "product_id": columns.code("A", count + 1, 3),
            "category_id": columns.choice(world.CATEGORIES, shelf.category),
            "brand": columns.choice(("Marea", "Scoglio", "Brezza", "Duna"), count // 3 % 4),
            "list_price": columns.money(shelf.price),
            "points_eligible": np.ones(world.PRODUCTS, dtype=bool),
            "launched_at": columns.date(np.zeros(world.PRODUCTS)),
        }
    )


def rules() -> pa.Table:
    launch = np.array([world.LAUNCH * world.DAY])
    return pa.table(
        {
            "programme_id": pa.array([world.PROGRAMME]),
            "valid_from": columns.date(launch),
            "valid_to": pa.nulls(1, pa.date32()),
            "launched_at": columns.date(launch),
            "points_per_currency": pa.array([1.0]),
            "point_face_value": columns.money([1]),
            "expiry_days": pa.array([points.EXPIRY_DAYS]),
            "first_reward_points": pa.array([min(r.points for r in points.REWARDS)]),
        }
    )


def rewards(ledger: points.Ledger, every: pd.DataFrame, members: pd.DataFrame) -> dict[str, pa.Table]:
    """``points_ledger`` and ``redemptions``."""
    number = transaction_numbers(every)
    names = ["person", "second", "type", "points", "lot", "receipt", "expires"]
    entry = pd.DataFrame(ledger.entries, columns=names).sort_values("second", kind="stable")
    reward = pd.DataFrame(
        [(person, second, *kind[:3], receipt) for person, second, kind, receipt in ledger.rewards],
        columns=["person", "second", "kind", "points", "qualitative", "receipt"],
    ).sort_values("second", kind="stable")
    booked = pa.table(
        {
            "entry_id": columns.code("E", np.arange(len(entry)) + 1, 6),
            "member_id": columns.code("M", _number(members, entry["person"]), 5),
            "ts": columns.moment(entry["second"]),
            "type": pa.array(entry["type"].tolist()),
            "points": entry["points"].to_numpy(),
            "lot_id": columns.code("G", entry["lot"] + 1, 6),
            "transaction_id": columns.code("T", number[entry["receipt"]], 6, entry["receipt"] >= 0),
            "expires_at": columns.moment(entry["expires"]),
            "unit_cost": pa.array(np.full(len(entry), points.UNIT_COST_MICROS / 1e6)),
        }
    )
    taken = pa.table(
        {
            "redemption_id": columns.code("R", np.arange(len(reward)) + 1, 5),
            "member_id": columns.code("M", _number(members, reward["person"]), 5),
            "ts": columns.moment(reward["second"]),
            "reward_type": pa.array(reward["kind"].tolist()),
            "is_qualitative": reward["qualitative"].to_numpy(),
            "points_used": reward["points"].to_numpy(),
            "face_value": columns.money(reward["points"]),
            "cost": columns.money(reward["points"].to_numpy() * points.UNIT_COST_MICROS // 10_000),
            "transaction_id": columns.code("T", number[reward["receipt"]], 6),
        }
    )
    return {"points_ledger": booked, "redemptions": taken}
