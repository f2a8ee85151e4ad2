"""Weights that make the controls of every stratum, taken together, look like the treated in given covariates.

Within its stratum a control counts exp(x b), with the one b for which the weighted means agree with those of the
treated (entropy balancing, Hainmueller 2012). The comparison is then right if either the odds of treatment or the
outcome without it are linear in x within strata: doubly robust (Zhao & Percival 2017). diff-diff (3.13) has doubly
robust estimators for its own control groups only.
"""

from __future__ import annotations

import numpy as np

from kpibook.stats.risk_sets import Floats, RiskSets

STEPS = 50
#: Gap between the means, in standard deviations, at which they agree.
AGREED = 1e-8


def calibrated(sets: RiskSets, covariates: Floats) -> Floats | None:
    """Weight of each entry of ``sets`` as a control, from ``covariates`` (entries x k).

    None when no weights bring the means together, such as treated beyond all controls, or nobody can be compared.
    """
    treated = sets.by_cell(sets.treated.astype(np.float64))
    waiting = sets.by_cell((~sets.treated).astype(np.float64))
    used = (treated > 0) & (waiting > 0)
    control, case = ~sets.treated & used[sets.cell], sets.treated & used[sets.cell]
    spread = covariates[control].std(axis=0) if control.any() else np.zeros(0)
    if not control.any() or not (spread > 0).any():
        return None
    x = (covariates[:, spread > 0] - covariates[control][:, spread > 0].mean(axis=0)) / spread[spread > 0]
    size, aim, slope = float(case.sum()), x[case].sum(axis=0), np.zeros(x.shape[1])
    mass = np.where(used, treated, 0.0)
    for _ in range(STEPS):
        weight = np.where(control, np.exp(np.clip(x @ slope, -50, 50)), 0.0)
        share = weight / np.where(used, sets.by_cell(weight), 1.0)[sets.cell] * mass[sets.cell]
        gap = aim - share @ x
        if np.abs(gap).max() <= AGREED * size:
            return np.asarray(weight)
        level = sets.by_cell(share[:, None] * x) / np.where(used, mass, 1.0)[:, None]
        rest = x - level[sets.cell]
        step = np.linalg.lstsq((share[:, None] * rest).T @ rest, gap, rcond=None)[0]
        slope = slope + step / max(1.0, float(np.abs(step).max()))
    return None
