"""Whether several items measure one thing (Cronbach 1951)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def cronbach_alpha(items: npt.ArrayLike) -> float | None:
    """Alpha of ``items`` (persons, items), no gaps; None with fewer than 2 of either, or without any spread."""
    x = np.asarray(items, dtype=np.float64)
    if x.ndim != 2:
        raise ValueError("items are a table of persons and items")
    persons, count = x.shape
    if persons < 2 or count < 2:
        return None
    whole = float(x.sum(axis=1).var(ddof=1))
    if whole <= 1e-12:
        return None
    return count / (count - 1) * (1 - float(x.var(axis=0, ddof=1).sum()) / whole)
