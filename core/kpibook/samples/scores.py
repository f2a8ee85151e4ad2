"""Two behaviour models scored every quarter: one that knows something, one that does not."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from . import columns, world

MODELS = ("buy-till-you-die-2", "points-band-1")
HORIZON = 365
DATES = ("2022-12-31", "2023-03-31", "2023-06-30", "2023-09-30", "2023-12-31", "2024-03-31", "2024-06-30", "2024-09-30",
         "2024-12-15")  # fmt: skip
_COVERED = 0.9


def make(rng: np.random.Generator, persons: pd.DataFrame, sales: pd.DataFrame, deleted: world.Ints) -> pd.DataFrame:
    """One row a person, model and date: rate and life guessed with error, or guessed from nothing."""
    known = sales[(sales["person"] >= 0) & ~sales["cancelled"]]
    rows = []
    for date in DATES:
        second = world.day_of(date) * world.DAY + 23 * 3600
        past = known[known["second"] < second]
        seen = past.groupby("person")["second"].agg(["max", "size", "min"])
        person = seen.index.to_numpy()
        rate = persons["rate"].to_numpy()[person] * np.exp(0.35 * rng.standard_normal(len(person)))
        silent = (second - seen["max"].to_numpy()) / world.DAY
        alive = 1 / (1 + np.exp(np.clip(rate * silent - 3.0, -30, 30)) * 0.35)
        left = 1 - persons["leaves"].to_numpy()[person]
        purchases = alive * rate * HORIZON * left**4 * 0.9
        guess = rng.gamma(1.5, 8.0, len(person))
        here = (deleted[person] < 0) | (deleted[person] > second)
        fresh = (rng.random(len(person)) < _COVERED) & here
        for model, count, active in ((0, purchases, alive), (1, guess, rng.random(len(person)))):
            part = pd.DataFrame({"person": person, "model": model, "second": second, "purchases": count, "p": active})
            rows.append(part[fresh])
    made = pd.concat(rows, ignore_index=True)
    made["discount"] = rng.integers(0, 5, len(made)) * 0.05
    return made


def table(made: pd.DataFrame, margin_cents: int) -> pa.Table:
    """``customer_scores``; every purchase is taken to leave ``margin_cents``."""
    purchases = np.round(made["purchases"].to_numpy(), 4)
    return pa.table(
        {
            "customer_id": columns.code("P", made["person"] + 1, 5),
            "model_id": columns.choice(MODELS, made["model"]),
            "scored_at": columns.moment(made["second"]),
            "horizon_days": np.full(len(made), HORIZON),
            "p_active": np.round(made["p"].to_numpy(), 4),
            "expected_purchases": purchases,
            "expected_margin": columns.money((purchases * margin_cents).astype(np.int64)),
            "recommended_discount": np.round(made["discount"].to_numpy(), 2),
        }
    )


def truth(made: pd.DataFrame, purchases: pd.DataFrame) -> dict[str, Any]:
    """What came of the scores whose horizon has passed: all scored persons, purchases as in ``years``."""
    found: dict[str, Any] = {}
    for date in ("2022-12-31", "2023-12-31"):
        second = world.day_of(date) * world.DAY + 23 * 3600
        inside = purchases["second"].between(second, second + HORIZON * world.DAY - 1) & (purchases["person"] >= 0)
        came = purchases.loc[inside, "person"].value_counts()
        for model, name in enumerate(MODELS):
            own = made[(made["second"] == second) & (made["model"] == model)]
            actual = came.reindex(own["person"], fill_value=0).to_numpy()
            expected = np.round(own["purchases"].to_numpy(), 4)
            found.setdefault(name, {})[date] = {
                "scored": len(own),
                "expected_purchases": round(float(expected.sum()), 2),
                "purchases": int(actual.sum()),
                "active": int((actual > 0).sum()),
                "mean_absolute_error": round(float(np.abs(actual - expected).mean()), 6),
                "mean_absolute_error_of_the_mean": round(float(np.abs(actual - actual.mean()).mean()), 6),
            }
    return found
