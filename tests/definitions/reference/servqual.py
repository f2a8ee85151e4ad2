"""servqual.csv turned over: one row an answer."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

DATA = Path(__file__).parents[1] / "data"


def answers() -> pd.DataFrame:
    """respondent_id, question, answer, all as written."""
    wide = pd.read_csv(DATA / "servqual.csv", dtype=str)
    return wide.melt("respondent_id", var_name="question", value_name="answer")
