"""Several tests at once: adjusted p-values.

Sources: Holm 1979 (family-wise error, any dependence); Benjamini & Hochberg 1995 (false
discovery rate, independent or positively dependent tests).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
#: Up to so many comparisons none is to be wrong; of more, few of those that are told.
FEW = 10


def holm(p_values: npt.ArrayLike) -> Floats:
    """Step-down adjusted p-values, in the order given: reject where they are at most the level."""
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    raised = np.maximum.accumulate(p[order] * (len(p) - np.arange(len(p))))
    return _back(np.minimum(raised, 1.0), order)


def benjamini_hochberg(p_values: npt.ArrayLike) -> Floats:
    """Step-up adjusted p-values, in the order given: rejecting those at most q keeps the false discovery rate at q."""
    p = _checked(p_values)
    order = np.argsort(p, kind="stable")
    raised = p[order] * len(p) / np.arange(1, len(p) + 1)
    return _back(np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0), order)


def together(p_values: npt.ArrayLike) -> tuple[str, Floats]:
    """Name of the correction for so many segments and the adjusted p-values: ``holm`` of a few, of many ``fdr``."""
    p = _checked(p_values)
    return ("holm", holm(p)) if len(p) <= FEW else ("fdr", benjamini_hochberg(p))


def _back(ordered: Floats, order: npt.NDArray[np.int64]) -> Floats:
    found = np.empty_like(ordered)
    found[order] = ordered
    return found


def _checked(p_values: npt.ArrayLike) -> Floats:
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise ValueError(f"p-values have {p.ndim} dimensions, not 1")
    if not np.all((p >= 0) & (p <= 1)):
        raise ValueError("p-values lie between 0 and 1")
    return p
