"""Figures of trials: what every comparison of campaigns says of itself, with and without a control group."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kpibook import modelled
from loyalty_kpis import trials
from loyalty_kpis.trials import Trial

#: Columns of a case by which arms are compared.
CASE = ["campaign_id", "customer_id", "is_treated", "is_random", "assignment_prob"]


def column(found: Trial, name: str) -> np.ndarray:
    """A column of the cases as numbers; unknown is 0."""
    return found.cases[name].fillna(0).to_numpy(dtype=np.float64)


def flags(found: Trial, name: str) -> np.ndarray:
    """A column of the cases as conditions; unknown is not met."""
    return found.cases[name].fillna(False).to_numpy(dtype=bool)


def judged(found: Trial, rows: np.ndarray, error: float = 0.0, break_even: float = 0.0) -> dict:
    """n, persons, status, reason and grade of a figure that rests on the cases ``rows``."""
    status, why = trials.enough(found.smallest_arm(rows), error, break_even)
    persons = len(np.unique(found.cluster[rows]))
    grade = "A" if status == "ok" else "C"
    return {"n": int(rows.sum()), "persons": persons, "status": status, "reason": why, "grade": grade}


def refused(why: str):
    """The figure of a campaign that cannot be compared."""
    return modelled(None, status=_status(why), reason=why, grade="D")


def not_identified(why: str, cases: pd.DataFrame, parts=None):
    """The figure when no campaign can be compared: the reason, and what can be said without (``parts``)."""
    persons = int(cases["customer_id"].nunique())
    facts = {"n": len(cases), "persons": persons, "grade": "D", "parts": parts or {}}
    return modelled(None, status=_status(why), reason=why, **facts)


def bare(figures: dict) -> dict:
    """Arguments of ``modelled`` without the further readings."""
    return {name: value for name, value in figures.items() if name != "parts"}


def _status(why: str) -> str:
    return "undefined" if why == trials.OPEN else "not_identified"
