"""Paths of channels, as the package mta counts them, as journeys of single contacts; and the reference's figures.

A file of paths has ``path`` (``alpha > beta``), ``total_conversions``, ``total_conversion_value`` and ``total_null``:
how many journeys went this way and converted, what they brought in all, and how many went this way in vain. A report
reads contacts: ``journeys`` writes every journey out. `python -m tests.definitions.reference.touchpoint_paths` writes
the sample, and with the name of a file of paths its journeys beside it.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).parents[1] / "data"
FIRST = pd.Timestamp("2024-01-01")
PATHS = 60


def sample() -> pd.DataFrame:
    """Sixty paths of up to six contacts, repeats included."""
    rng = np.random.default_rng(20240101)
    channels = pd.read_csv(DATA / "touchpoint_types.csv")["channel"].to_numpy()
    likely = np.arange(len(channels), 0, -1) / np.arange(len(channels), 0, -1).sum()
    paths = {" > ".join(rng.choice(channels, size=rng.integers(1, 7), p=likely)): None for _ in range(2 * PATHS)}
    frame = pd.DataFrame({"path": list(paths)[:PATHS]})
    frame["total_conversions"] = rng.integers(0, 4, PATHS)
    value = rng.integers(100, 9000, PATHS) / 1000
    frame["total_conversion_value"] = np.where(frame["total_conversions"] > 0, value, 0.0)
    frame["total_null"] = rng.integers(1, 7, PATHS)
    return frame


def journeys(paths: pd.DataFrame) -> pd.DataFrame:
    """One row per contact, an hour apart; the last of a converting journey has the purchase.

    The value of all conversions of a path stands at the first of them.
    """
    rows = paths.assign(steps=paths["path"].str.split(" > "), path_no=np.arange(len(paths)))
    converted = rows.loc[rows.index.repeat(rows["total_conversions"])].assign(converted=True)
    lost = rows.loc[rows.index.repeat(rows["total_null"])].assign(converted=False)
    found = pd.concat([converted, lost], ignore_index=True)
    found["copy"] = found.groupby("path_no").cumcount()
    found["value"] = found["total_conversion_value"].where(found["converted"] & (found["copy"] == 0), 0.0)
    found["journey"] = found["path_no"].astype(str) + "-" + found["copy"].astype(str)
    found["contacts"] = found["steps"].str.len()
    contacts = found.explode("steps")
    contacts["step"] = contacts.groupby("journey").cumcount()
    last = contacts["step"] == contacts["contacts"] - 1
    bought = contacts["converted"] & last
    return pd.DataFrame(
        {
            "journey": contacts["journey"],
            "contact_at": FIRST + pd.to_timedelta(contacts["step"], unit="h"),
            "channel": contacts["steps"],
            "purchase": contacts["journey"].where(bought),
            "value": contacts["value"].where(bought),
        }
    ).reset_index(drop=True)


def totals() -> dict[str, float]:
    """Mean touches are weighted by the converting journeys."""
    paths = _paths()
    conversions, nulls = paths["total_conversions"].sum(), paths["total_null"].sum()
    touches = paths["path"].str.split(" > ").str.len()
    return {
        "conversions": conversions,
        "null_paths": nulls,
        "value": paths["total_conversion_value"].sum(),
        "conversion_rate": conversions / (conversions + nulls),
        "mean_touches": (touches * paths["total_conversions"]).sum() / conversions,
    }


def attribution() -> dict[str, pd.Series]:
    """Conversions by touchpoint: ``first_touch``, ``last_touch``, and ``linear``, each touch alike, repeats counted."""
    paths = _paths()
    steps = paths["path"].str.split(" > ")
    names = pd.read_csv(DATA / "touchpoint_types.csv").set_index("channel")["touchpoint_type"]
    conversions = paths["total_conversions"]
    every = pd.DataFrame({"step": steps, "credit": conversions / steps.str.len()}).explode("step")
    found = {
        "first_touch": conversions.groupby(steps.str[0].map(names)).sum(),
        "last_touch": conversions.groupby(steps.str[-1].map(names)).sum(),
        "linear": every.groupby(every["step"].map(names))["credit"].sum(),
    }
    return {name: credit.reindex(found["linear"].index, fill_value=0) for name, credit in found.items()}


@cache
def _paths() -> pd.DataFrame:
    return pd.read_csv(DATA / "touchpoint_paths.csv")


def main(*files: str) -> None:
    if not files:
        sample().to_csv(DATA / "touchpoint_paths.csv", index=False)
    for file in files or (str(DATA / "touchpoint_paths.csv"),):
        path = Path(file)
        journeys(pd.read_csv(path)).to_csv(path.with_name("touchpoint_journeys.csv"), index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
