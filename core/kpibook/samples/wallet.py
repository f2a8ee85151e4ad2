"""A yearly panel on what people spend in the category, and where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import columns, opinions, world

BRANDS = ("Marea Casa", "Tuttocasa", "Linea Domus", "Mercatone Levante", "Emporio in Rete")
_OWN, _MARKETPLACE = 0, 4
WAVES = ("2023", "2024")
RESPONDENTS = 700
CATEGORIES = ("kitchen", "table", "bath", "bedding", "lighting")
_DRAWN = np.array([1.0, 0.9, 0.5, 0.7, 1.2])
_UNTOLD = 0.08


def make(rng: np.random.Generator, sales: pd.DataFrame, members: pd.DataFrame, deleted: world.Ints) -> pd.DataFrame:
    """One row a respondent, category and brand used; half of the respondents are known customers."""
    rows = []
    for wave in WAVES:
        second = opinions.starts(f"{wave}Q4")
        people = opinions.population(sales, members, second, deleted)
        chosen = people["person"].to_numpy()[rng.permutation(len(people))[: RESPONDENTS // 2]]
        person = np.concatenate([chosen, np.full(RESPONDENTS - len(chosen), -1)])
        shape = (RESPONDENTS, len(CATEGORIES), len(BRANDS))
        leaning = rng.gamma(0.9 * _DRAWN * np.where(np.arange(len(BRANDS)) == _OWN, 1.6, 1.0), 1.0, (RESPONDENTS, 5))
        liking = leaning[:, None, :] * rng.gamma(2.0, 0.5, shape)
        budget = rng.gamma(1.4, 180.0, (RESPONDENTS, len(CATEGORIES)))
        share = liking / liking.sum(axis=2, keepdims=True)
        cents = np.round(share * budget[:, :, None]).astype(np.int64) * 100
        used = (rng.random((RESPONDENTS, len(CATEGORIES))) < 0.5)[:, :, None] & (share > 0.06) & (cents > 0)
        order = np.where(used, -liking, np.inf)
        rank = np.argsort(np.argsort(order, axis=2, kind="stable"), axis=2, kind="stable") + 1
        satisfied = np.clip(np.round(6.8 + 0.8 * np.log(liking + 0.2) + rng.standard_normal(shape)), 1, 10)
        at, category, brand = np.nonzero(used)
        rows.append(
            pd.DataFrame(
                {
                    "wave": wave,
                    "respondent": at,
                    "person": person[at],
                    "category": category,
                    "brand": brand,
                    "cents": cents[used],
                    "told": rng.random(len(at)) >= _UNTOLD,
                    "rank": rank[used],
                    "satisfied": satisfied[used],
                }
            )
        )
    return pd.concat(rows, ignore_index=True)


def table(made: pd.DataFrame) -> pa.Table:
    """``competitor_panel``."""
    number = made["respondent"].to_numpy() + 1 + 1_000 * (made["wave"] == WAVES[1]).to_numpy()
    spend = columns.money(made["cents"])
    return pa.table(
        {
            "wave_id": pa.array(made["wave"].tolist()),
            "respondent_id": columns.code("N", number, 4),
            "customer_id": columns.code("P", made["person"] + 1, 5, made["person"] >= 0),
            "category_id": columns.choice(CATEGORIES, made["category"]),
            "brand": columns.choice(BRANDS, made["brand"]),
            "is_own": (made["brand"] == _OWN).to_numpy(),
            "is_marketplace": (made["brand"] == _MARKETPLACE).to_numpy(),
            "spend": pa.array(spend.to_pylist(), spend.type, mask=~made["told"].to_numpy()),
            "preference_rank": made["rank"].to_numpy(),
            "satisfaction": columns.money((made["satisfied"].to_numpy() * 100).astype(np.int64)),
        }
    )


def truth(made: pd.DataFrame) -> dict[str, Any]:
    """By wave: what was really spent, told or not; what was told; and who ranks the own brand first."""
    found = {}
    for wave in WAVES:
        own = made[made["wave"] == wave]
        mine, told = own["brand"] == _OWN, own["told"]
        found[wave] = {
            "respondents": int(own["respondent"].nunique()),
            "own_spend": f"{int(own.loc[mine, 'cents'].sum()) / 100:.2f}",
            "spend": f"{int(own['cents'].sum()) / 100:.2f}",
            "own_spend_told": f"{int(own.loc[mine & told, 'cents'].sum()) / 100:.2f}",
            "spend_told": f"{int(own.loc[told, 'cents'].sum()) / 100:.2f}",
            "own_ranked_first_in_a_category": int((mine & (own["rank"] == 1)).sum()),
            "respondent_categories": int(own.groupby(["respondent", "category"]).ngroups),
        }
    return found
